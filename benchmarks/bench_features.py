"""Features of 220,000 entities: a folder of arrays against one gzip-9 HDF5 dataset per entity.

    python benchmarks/bench_features.py

One image vector of 4,096 numbers an entity, as in the published MLM. Ours is what `mlmkg import-mlm`
writes and `mlmkg train --features` reads, at full size; the peer is what the authors' scripts do, on
3,000 entities and scaled up, which flatters it: a smaller file is searched faster and cached whole.

Clock times; writing ends with fsync; making the numbers is not timed. A batch is what a model is
handed: float16 here, which it widens itself, float32 there. Before the cold reading both files are put
out of the page cache (posix_fadvise); the warm one is the best of three. Prints one JSON object per
figure. Needs 2 GB of disk; another number of entities may be given.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import torch
from mlmkg.ml.data import Dataset
from mlmkg.ml.featurefolder import feature_folder, load_features
from mlmkg.ml.rows import gathered

ENTITIES = int(sys.argv[1]) if len(sys.argv) > 1 else 220_000
SAMPLE = 3_000
WIDTH = 4_096
BATCH = 128
HOW = f"the peer on {SAMPLE:,} entities, scaled; clock"


def report(name: str, *, ours: float, peer: float, target: float, how: str, **more: object) -> None:
    figure = {
        "name": name, "ours_s": round(ours, 2), "peer": "h5py, gzip 9, a dataset per entity",
        "peer_s": round(peer, 1), "ratio": round(peer / ours, 1), "target": f">= {target:g}",
        "met": peer / ours >= target, "how": how, **more,
    }  # fmt: skip
    print(json.dumps(figure), flush=True)


def vectors(entities: int) -> Iterator[np.ndarray]:
    """Yield (n, 4096) float32 by thousands: averages of a ReLU's outputs, as encoders give them."""
    chance = np.random.default_rng(2020)
    for start in range(0, entities, 1_000):
        normal = chance.standard_normal((min(1_000, entities - start), WIDTH), dtype=np.float32)
        yield np.maximum(normal + 0.5, 0)


def timed(total: list[float], work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    total.append(time.perf_counter() - start)


def write_ours(folder: Path) -> float:
    seconds: list[float] = []
    with feature_folder(folder) as writer:

        def add(first: int, part: np.ndarray) -> None:
            for i, vector in enumerate(part):
                writer.images.add(first + i, vector[None].astype(np.float16))

        for number, part in enumerate(vectors(ENTITIES)):
            timed(seconds, lambda n=number, p=part: add(1_000 * n, p))
        names = [f"http://www.wikidata.org/entity/Q{n}" for n in range(ENTITIES)]
        nothing = pa.array([None] * ENTITIES, pa.string())
        entities = pa.table({
            "entity": names, "id": pa.array(range(ENTITIES)), "label": names, "continent": names,
            "latitude": np.zeros(ENTITIES), "longitude": np.zeros(ENTITIES), "cell": nothing,
            "split": ["train"] * ENTITIES,
        })  # fmt: skip
        cells = pa.table({"cell": nothing[:0], "latitude": [], "longitude": [], "entities": []})
        about: dict[str, Any] = {
            "key": "k", "version": "bench", "encoders": ["a", "b"], "languages": [], "made_by": {},
        }  # fmt: skip
        timed(seconds, lambda: writer.finish(entities, cells, about))
    return sum(seconds)


def write_peer(path: Path) -> float:
    seconds: list[float] = []

    def add(file: h5py.File, first: int, part: np.ndarray) -> None:
        for i, vector in enumerate(part):
            file.create_dataset(
                f"{first + i}_images", data=vector[None], compression="gzip", compression_opts=9
            )

    def close(file: h5py.File) -> None:
        file.create_dataset("ids", data=np.arange(SAMPLE), compression="gzip", compression_opts=9)
        file.close()
        with path.open("rb") as stream:
            os.fsync(stream.fileno())

    file = h5py.File(path, "w")
    for number, part in enumerate(vectors(SAMPLE)):
        timed(seconds, lambda n=number, p=part: add(file, 1_000 * n, p))
    timed(seconds, lambda: close(file))
    return sum(seconds)


def batches(entities: int, most: int) -> list[torch.Tensor]:
    order = torch.randperm(entities, generator=torch.Generator().manual_seed(0))
    return [order[start : start + BATCH] for start in range(0, entities - BATCH + 1, BATCH)][:most]


def read_ours(dataset: Dataset, chosen: list[torch.Tensor]) -> float:
    start = time.perf_counter()
    for batch in chosen:
        gathered(dataset.images.vectors, dataset.images.first(batch))
    return time.perf_counter() - start


def read_peer(path: Path, chosen: list[torch.Tensor]) -> float:
    start = time.perf_counter()
    with h5py.File(path, "r") as file:
        ids = file["ids"][()]
        for batch in chosen:
            torch.from_numpy(np.stack([file[f"{ids[i]}_images"][()][0] for i in batch.tolist()]))
    return time.perf_counter() - start


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget(path: Path) -> None:
    """Put a file out of the page cache."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Write and read both, and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name) / "features", Path(name) / "peer.h5"
        peer = write_peer(path) * ENTITIES / SAMPLE
        before = peak_memory()
        ours = write_ours(folder)
        report(
            f"features_write_{ENTITIES}", ours=ours, peer=peer, target=20, how=HOW,
            entities_per_s=round(ENTITIES / ours), peer_entities_per_s=round(ENTITIES / peer),
            peak_rss_mb=round(peak_memory()), of_it_before_mb=round(before),
        )  # fmt: skip
        size = sum(file.stat().st_size for file in folder.iterdir())
        raw = ENTITIES * WIDTH * 2
        images = (folder / "images.npy").stat().st_size
        print(json.dumps({
            "name": "features_size", "ours_mb": round(size / 1e6, 1),
            "raw_float16_mb": round(raw / 1e6, 1), "ratio": round(size / raw, 4),
            "target": "<= 1.05", "met": size <= 1.05 * raw,
            "images_npy_ratio": round(images / raw, 6),
            "peer_ratio": round(path.stat().st_size / SAMPLE / (WIDTH * 2), 2),
            "how": "all files of the folder; the peer's file per entity",
        }), flush=True)  # fmt: skip
        every = batches(ENTITIES, ENTITIES)
        for file in (folder / "images.npy", path):
            forget(file)
        for state in ("cold", "warm"):
            dataset, few = load_features(folder), batches(SAMPLE, SAMPLE)
            runs = range(1 if state == "cold" else 3)
            ours = min(read_ours(dataset, every) for _ in runs)
            peer = min(read_peer(path, few) for _ in runs) * len(every) / len(few)
            report(
                f"features_read_random_batches_of_{BATCH}_{state}", ours=ours, peer=peer, target=50,
                how=f"{HOW}; every entity once, {state} page cache", batches=len(every),
                entities_per_s=round(len(every) * BATCH / ours),
                peer_entities_per_s=round(len(every) * BATCH / peer),
            )  # fmt: skip


if __name__ == "__main__":
    main()
