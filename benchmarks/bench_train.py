"""Training steps: ``mlm-clip`` and ``ir-le`` from memory against ``ir-le`` fed from HDF5, as released.

    python benchmarks/bench_train.py [ENTITIES]

A made-up world (benchmarks/world.py; widths 4,096 and 3,072). A step is the training loop's own: batch,
forward, loss, backward, optimizer. The peer is ``ir-le`` at its batch of 128, float32, with the
features of each batch read from an HDF5 file, four gzip-9 datasets a sample, in the same process.
``mlm-clip`` runs at a batch of 512 in bfloat16.

CPU seconds of one thread, system time included, of whole steps after two that are not counted; the
three take turns, and the best turn of each counts. Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

import torch
import world
from loop import Loop, PeerFeeder, write_peer
from mlmkg.ml.featurefolder import load_features
from mlmkg.ml.settings import settings_of

ENTITIES = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
TURNS = 3
SAMPLES = 1_536
CPU = torch.device("cpu")


def turns(loop: Loop) -> Iterator[float]:
    """Yield CPU milliseconds per sample, turn by turn."""
    batches = chain.from_iterable(loop.batches() for _ in repeat(None))
    for batch in islice(batches, 2):
        loop.step(batch)
    steps = SAMPLES // loop.config.batch
    while True:
        start = time.process_time()
        for batch in islice(batches, steps):
            loop.step(batch)
        yield (time.process_time() - start) / (steps * loop.config.batch) * 1_000


def main() -> None:
    """Make a world, train on it three ways, and print the figures."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name) / "features", Path(name) / "peer.h5"
        world.write(world.Settings(entities=ENTITIES), folder)
        dataset = load_features(folder)
        write_peer(path, dataset, dataset.split["train"].tolist())
        baseline = settings_of("ir-le", threads=1)
        clip = settings_of("mlm-clip", batch=512, precision="bf16", threads=1)
        fed = PeerFeeder(dataset, ("image", "summary", "classes"), path)
        peer_loop = Loop(dataset, baseline, CPU, fed)
        peer_loop.as_released()
        loops = {
            "ir-le from HDF5": turns(peer_loop),
            "ir-le": turns(Loop(dataset, baseline, CPU)),
            "mlm-clip": turns(Loop(dataset, clip, CPU)),
        }
        rounds = [{name: next(turn) for name, turn in loops.items()} for _ in range(TURNS)]
        best = {name: min(turn[name] for turn in rounds) for name in loops}
        peer = best["ir-le from HDF5"]
        for model, target in (("ir-le", 2.5), ("mlm-clip", 10)):
            print(json.dumps({
                "name": f"training, {model}", "ours_ms_a_sample": round(best[model], 3),
                "peer": "ir-le, features from gzip-9 HDF5", "peer_ms_a_sample": round(peer, 3),
                "ratio": round(peer / best[model], 1), "target": f">= {target}",
                "met": peer / best[model] >= target,
                "turns": [round(turn["ir-le from HDF5"] / turn[model], 1) for turn in rounds],
                "how": "CPU, one thread; batch 128, float32; mlm-clip 512, bfloat16",
            }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
