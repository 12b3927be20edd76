"""Memory of training, evaluating, predicting, exporting and encoding: features are never twice in it.

    python benchmarks/bench_memory.py [ENTITIES [JOB ...]]

A features folder of 220,000 entities in the format that `mlmkg train --features` reads, with an image
vector of 4,096 numbers, a text vector of 512 and a class of each, and one with a tenth of the training
entities and the same validation and test splits (6 % of the large one's entities). The numbers are
windows of one long random row: all vectors differ, and nothing can be learnt from them. Every job is a
process of its own: encoding as many items as there are entities, by an encoder that makes vectors out
of nothing, into a journal and an array; `mlmkg train` (an epoch of mlm-clip, with plots), `mlmkg
evaluate`, `mlmkg predict`; writing the HDF5 files of the published layout.

Of each, the most that was resident (ru_maxrss, with the pages of mapped files) and the most that is
its own (RssAnon, sampled 100 times a second). What the small folder's job takes beyond its features is
fixed; the rest of the large one's, over the size of its features, is the figure: 1 where every number
has been seen and none is there twice. Copies would be among what is the process's own; mapped pages
can be given up at any time. Needs 10 GB of disk. Prints one JSON object per job.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LARGE = 220_000
WIDTH = 4_096
TEXT = 512
CELLS = 138
TARGET = 1.1
#: Share of the entities that is not trained on.
HELD = 0.06
HERE = Path(__file__)
SETTINGS = ("--epochs", "1", "--batch", "1024", "--set", "hidden=128", "--name", "run")


class Peak(NamedTuple):
    """What a job took at most, and the size of the features that it works on, in bytes."""

    resident: int
    own: int
    features: int


def begin(folder: Path, entities: int, held: int) -> None:
    """Write a features folder, and make an empty store, which predictions are written to."""
    import numpy as np
    import pyarrow as pa
    from mlmkg.ml.featurefolder import feature_folder

    from mlmkg.store import renewed
    from mlmkg.workspace import Workspace

    chance = np.random.default_rng(0)
    row = np.maximum(chance.standard_normal(entities + WIDTH, dtype="f4"), 0).astype("f2")
    cell = chance.integers(0, CELLS, entities)
    places_C2 = np.stack([np.linspace(-60, 60, CELLS), np.linspace(-170, 170, CELLS)], axis=1)
    places_E2 = places_C2[cell] + chance.normal(0, 0.5, (entities, 2))
    names = [f"published-{number:03}" for number in range(CELLS)]
    split = np.full(entities, "train", dtype="U5")
    split[:held], split[: held // 3] = "test", "val"
    (folder / "features").mkdir(parents=True)
    with feature_folder(folder / "features" / "world") as writer:
        for i in range(entities):
            writer.images.add(i, row[None, i : i + WIDTH])
            writer.texts.add(i, row[None, i : i + TEXT], [i % 3])
            writer.classes.add(i, row[None, i % 60 : i % 60 + TEXT])
        writer.finish(
            pa.table({
                "entity": [f"http://www.wikidata.org/entity/Q{i + 1}" for i in range(entities)],
                "id": pa.array(range(entities)), "label": [f"Place {i}" for i in range(entities)],
                "continent": ["Europe"] * entities, "latitude": places_E2[:, 0],
                "longitude": places_E2[:, 1], "own_place": [True] * entities,
                "cell": [names[c] for c in cell], "split": split.tolist(),
            }),
            pa.table({
                "cell": names, "latitude": places_C2[:, 0], "longitude": places_C2[:, 1],
                "entities": np.bincount(cell, minlength=CELLS),
            }),
            {"version": "world", "title": "Numbers", "key": f"{entities:064}",
             "encoders": ["a 1", "b 1"], "languages": ["en", "de", "fr"],
             "made_by": {"recipe": {}, "split": "hash"}},
        )  # fmt: skip
    with renewed(Workspace(folder), {}):
        pass


def export(folder: Path) -> None:
    """Write the HDF5 files of the published layout."""
    from mlmkg.ml.featurefolder import load_features
    from mlmkg.ml.published import write_published

    write_published(load_features(folder / "features" / "world"), folder / "hdf5")


def encode(folder: Path, entities: int) -> None:
    """Encode as many items, a block of vectors at a time, and read the result."""
    import numpy as np
    from mlmkg.ml.features import encode

    class Nothing:
        name, revision, licence, modality = "nothing", "1", "none", "image"
        batch, by_length, dim, precision = 256, False, WIDTH, None

        def encode(self, batch: list[int]) -> np.ndarray:
            return ((np.array(batch)[:, None] + np.arange(WIDTH)) % 1_000).astype("f2")

    items = list(range(entities))
    found = encode(Nothing(), [f"{i:09}" for i in items], items, folder / "encoded")
    assert found.vectors.shape == (entities, WIDTH)


def watched(words: list[str], features: int) -> Peak:
    """Run a process and return its peaks."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    status = Path(f"/proc/{process.pid}/status")
    own, ended = [0], threading.Event()

    def sample() -> None:
        while not ended.wait(0.01):
            lines = status.read_text().splitlines()
            own.extend(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

    sampler = threading.Thread(target=sample)
    sampler.start()
    # Not reaped before its status is no longer read.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    ended.set()
    sampler.join()
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return Peak(usage.ru_maxrss << 10, max(own) << 10, features)


def jobs(
    folder: Path, entities: int, held: int, wanted: list[str]
) -> Iterator[tuple[str, Peak, float]]:
    """Make a features folder and work on it; yield each job's name, peaks and seconds."""
    python, command = sys.executable, [sys.executable, "-m", "mlmkg", "-w", str(folder)]
    itself = [python, str(HERE)]
    subprocess.run([*itself, "begin", folder, str(entities), str(held)], check=True)
    arrays = ("images", "texts", "classes")
    size = sum((folder / "features" / "world" / f"{name}.npy").stat().st_size for name in arrays)
    for name, words, features in (
        ("encode", [*itself, "encode", str(folder), str(entities)], entities * WIDTH * 2),
        ("train", [*command, "train", "--features", "world", *SETTINGS], size),
        ("evaluate", [*command, "evaluate", "run"], size),
        ("predict", [*command, "predict", "run"], size),
        ("export", [*itself, "export", str(folder)], size),
    ):
        if wanted and name not in wanted:
            continue
        start = time.monotonic()
        peak = watched(words, features)
        yield name, peak, time.monotonic() - start


def main(entities: int, wanted: list[str]) -> None:
    """Work on both folders, and print the figures."""
    held = round(HELD * entities)
    few = (entities - held) // 10 + held
    with tempfile.TemporaryDirectory() as name:
        small = {job: peak for job, peak, _ in jobs(Path(name) / "small", few, held, wanted)}
        for job, peak, seconds in jobs(Path(name) / "large", entities, held, wanted):
            less = small[job]
            ratio = (peak.resident - less.resident + less.features) / peak.features
            print(json.dumps({
                "name": f"memory, {job}", "entities": entities, "features_mb": peak.features >> 20,
                "peak_mb": peak.resident >> 20, "fixed_mb": (less.resident - less.features) >> 20,
                "ratio": round(ratio, 3), "target": f"<= {TARGET}", "met": ratio <= TARGET,
                "own_mb": peak.own >> 20, "own_small_mb": less.own >> 20, "small_entities": few,
                "wall_s": round(seconds),
            }), flush=True)  # fmt: skip


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["begin"]:
        begin(Path(given[1]), int(given[2]), int(given[3]))
    elif given[:1] == ["export"]:
        export(Path(given[1]))
    elif given[:1] == ["encode"]:
        encode(Path(given[1]), int(given[2]))
    else:
        main(int(given[0]) if given else LARGE, given[1:])
