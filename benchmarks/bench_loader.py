"""A training loop's batches: ours against one gzip-9 HDF5 dataset per entity and kind.

    python benchmarks/bench_loader.py [ENTITIES]

A made-up world (benchmarks/world.py; image vectors of 4,096 numbers, summaries and classes of 3,072),
read in batches of 128 in an order drawn anew, with an image, a summary and a class of each entity
drawn by chance, and its cell. The peer reads four datasets a sample, as the authors' loader does, in
one process. Ours is what `mlmkg train` draws and gathers, float16, which the model widens itself; the
figure with "widened" makes it float32 as well, as the peer's is.

CPU seconds of one thread, system time included; all files are in the page cache; the best of three
epochs. Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import torch
import world
from loop import read_batch, write_peer
from mlmkg.ml.batches import Feeder
from mlmkg.ml.data import Dataset
from mlmkg.ml.featurefolder import load_features

ENTITIES = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
BATCH = 128
TARGET = 50


def best(epoch: Callable[[], int]) -> float:
    """Return CPU milliseconds per sample, after an epoch that is not counted.

    :param epoch: reads an epoch and returns how many samples it had.
    """
    epoch()
    found = []
    for _ in range(3):
        start = time.process_time()
        samples = epoch()
        found.append((time.process_time() - start) / samples * 1_000)
    return min(found)


def ours(dataset: Dataset, widened: bool) -> Callable[[], int]:
    """Return an epoch as training reads it."""
    feeder = Feeder(dataset, ("image", "summary", "classes"), torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)

    def epoch() -> int:
        samples = 0
        for batch in feeder.epoch(BATCH, generator):
            features = feeder.inputs(batch).features
            if widened:
                _ = [x.float() for x in features.values()]
            samples += batch.size
        return samples

    return epoch


def peer(path: Path, entities: list[int]) -> Callable[[], int]:
    """Return an epoch as the authors' loader reads it."""
    file = h5py.File(path, "r")

    def epoch() -> int:
        random.shuffle(entities)
        steps = len(entities) // BATCH
        for step in range(steps):
            read_batch(file, entities[step * BATCH : (step + 1) * BATCH])
        return steps * BATCH

    return epoch


def main() -> None:
    """Make a world, read it both ways, and print the figures."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name) / "features", Path(name) / "peer.h5"
        world.write(world.Settings(entities=ENTITIES), folder)
        dataset = load_features(folder)
        entities = dataset.split["train"].tolist()
        write_peer(path, dataset, entities)
        there = best(peer(path, entities))
        for kind in ("as the loop takes them", "widened"):
            here = best(ours(dataset, kind == "widened"))
            print(json.dumps({
                "name": f"loader, {kind}", "ours_ms_a_sample": round(here, 4),
                "peer": "h5py, gzip 9, four datasets a sample", "peer_ms_a_sample": round(there, 3),
                "ratio": round(there / here, 1), "target": f">= {TARGET}",
                "met": there / here >= TARGET, "how": f"{len(entities):,} entities; CPU, one thread",
            }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
