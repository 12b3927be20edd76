"""`mlmkg locate` after loading: seconds of an answer against one second, and against the bare encoder.

    python benchmarks/bench_locate.py [WORKSPACE [RUN]]

A workspace with a trained run of the encoders `lite0` and `use`, and by default the newest of its runs
that learnt to locate. Without one, the demo's is made first, with three epochs of training: some
minutes. Asked are the first 30 texts and images of its test split, and both together; an answer is
place, certainty, five cells and five neighbours. The peer encodes the same items, in turn, in the same
process. Clock; what counts against the limit is the slowest answer, and the ratio is of the medians.
Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
from mlmkg.ml.locate import Locator

from mlmkg.workspace import Workspace

ASKED = 30
LIMIT_S = 1.0


def made(folder: Path) -> None:
    """Make the demo's workspace with a run of three epochs."""
    command = [sys.executable, "-m", "mlmkg", "-w", str(folder)]
    for words in (
        ["build"],
        ["export", "--version", "irle-gr", "--no-report"],
        ["train", "--version", "irle-gr", "--epochs", "3"],
    ):
        subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def items(locator: Locator, workspace: Workspace) -> tuple[list[str], list[Path]]:
    """Return texts, one of each entity in turns of language, and image files of the test split."""
    dataset = locator.dataset
    export = Path(dataset.recipe["export"])
    asked = {dataset.entities[i] for i in dataset.split["test"].tolist()}
    said = pq.read_table(export / "summaries.parquet").to_pylist()
    texts = {row["entity"]: row["text"] for row in said if row["entity"] in asked}
    shown = pq.read_table(export / "images.parquet").to_pylist()
    folder = export / "images" if (export / "images").is_dir() else workspace.images
    images = {row["entity"]: folder / row["path"] for row in shown if row["entity"] in asked}
    both = sorted(texts.keys() & images.keys())[:ASKED]
    return [texts[entity] for entity in both], [images[entity] for entity in both]


def measure(workspace: Workspace, run: str | None) -> None:
    """Ask, and print the figures."""
    loading = time.perf_counter()
    locator = Locator(workspace, run)
    locator.load_encoders("image", "summary")
    loading = time.perf_counter() - loading
    texts, images = items(locator, workspace)
    encode: dict[str, Callable[[Any], object]] = {
        side: locator._encoder(side).encode for side in ("image", "summary")
    }
    kinds: dict[str, list[tuple[str | None, Path | None]]] = {
        "text": [(text, None) for text in texts],
        "image": [(None, image) for image in images],
        "both": list(zip(texts, images, strict=True)),
    }
    for name, asked in kinds.items():
        ours, peer = [], []
        for text, image in asked:
            given = {"summary": text, "image": image}
            parts = [(side, item) for side, item in given.items() if item is not None]
            peer.append(timed(lambda parts=parts: [encode[side]([item]) for side, item in parts]))
            ours.append(timed(lambda text=text, image=image: locator.locate(text, image)))
        print(json.dumps({
            "name": f"locate, {name}", "answers": len(ours), "slowest_s": round(max(ours), 4),
            "limit_s": LIMIT_S, "share_of_limit": round(max(ours) / LIMIT_S, 4),
            "met": max(ours) <= LIMIT_S, "median_s": round(median(ours), 4),
            "peer": "the bare encoder", "peer_median_s": round(median(peer), 4),
            "ratio": round(median(ours) / median(peer), 2), "run": locator.run,
            "entities": len(locator.dataset.entities), "loading_s": round(loading, 1),
            "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count(),
        }), flush=True)  # fmt: skip


def main() -> None:
    """Make what is needed, and measure."""
    if sys.argv[1:]:
        measure(Workspace(Path(sys.argv[1])), sys.argv[2] if sys.argv[2:] else None)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        made(folder)
        measure(Workspace(folder), None)


if __name__ == "__main__":
    main()
