"""A made-up world with the structure of MLM, as HDF5 files of the original layout and as features.

    python benchmarks/world.py FOLDER --entities 5000 --seed 0
    mlmkg -w FOLDER train --features FOLDER/features/world

writes FOLDER/features/world, which training reads, and, unless ``--no-hdf5``, FOLDER/hdf5/{train,val,
test}.h5: the same numbers. 80 % of the entities are for training, 8 % for validation, 12 % for test.

Settlements lie in clusters on a few patches of land, most of them on two. A settlement is three hidden
vectors: smooth random functions of its place at scales of 3,000, 800 and 250 km (random Fourier
features), one of its own, and that of its class, which is commoner in some regions than in others.
Images (1 to 3, widths of two pooled residual networks) and summaries (up to three languages, width of
a sentence encoder) see the three through fixed random maps, with nuisance and noise of their own: of
an image a photograph, a map, or a symbol that says nothing of the place. So the tasks are related,
and what of one side tells of the other has to be found. Nothing in it looks like a photograph or reads
like a text: what pays here is a lead for real data and no more.

Numbers are made by blocks of 500 entities and streamed: memory holds places, not vectors.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from latent import LANGUAGES, PATCHES, Settings, World
from mlmkg.ml.coordinates import middles
from mlmkg.ml.featurefolder import feature_folder, load_features
from mlmkg.ml.published import write_published

from mlmkg.cells import cells
from mlmkg.s2 import tokens


def splits(settings: Settings) -> list[str]:
    """Return the split of each entity: 80 % train, 8 % val, 12 % test."""
    n = settings.entities
    order = np.random.default_rng([settings.seed, 3]).permutation(n)
    names = np.full(n, "train", dtype="U5")
    held = n - round(0.8 * n)
    names[order[:held]] = "test"
    names[order[: round(0.4 * held)]] = "val"
    return names.tolist()


def write(settings: Settings, folder: Path, *, force: bool = False) -> dict[str, Any]:
    """Write the features folder of a world; return its manifest.

    :param folder: must not exist unless ``force``.
    """
    world = World(settings)
    latitude, longitude = world.places_E2.T
    n = settings.entities
    partition = cells(
        latitude, longitude,
        t_max=settings.t_max or max(2, round(0.0145 * n)),
        t_min=settings.t_min if settings.t_min is not None else max(1, round(0.002 * n)),
    )  # fmt: skip
    names = tokens(partition.ids)
    centres_C2 = middles(world.places_E2, partition.assignment, len(names))
    with feature_folder(folder, force=force) as writer:
        for first, images, texts, languages in world.blocks():
            for i in range(len(images)):
                writer.images.add(first + i, images[i])
                writer.texts.add(first + i, texts[i], languages[i])
                chain = world.chain[world.class_E[first + i]]
                writer.classes.add(first + i, world.class_table[chain])
        label = partition.assignment.tolist()
        entities = pa.table({
            "entity": [f"http://www.wikidata.org/entity/Q{i + 1}" for i in range(n)],
            "id": pa.array(range(1, n + 1), pa.int64()),
            "label": [f"Settlement {i + 1}" for i in range(n)],
            "continent": [PATCHES[p] for p in world.patch_E],
            "latitude": latitude, "longitude": longitude, "own_place": np.full(n, True),
            "cell": pa.array([names[c] if c >= 0 else None for c in label], pa.string()),
            "split": splits(settings),
        })  # fmt: skip
        table = pa.table({
            "cell": names, "latitude": centres_C2[:, 0], "longitude": centres_C2[:, 1],
            "entities": pa.array(partition.counts, pa.int64()),
        })  # fmt: skip
        recipe = {"world": 2, **asdict(settings)}
        return writer.finish(entities, table, {
            "version": "world",
            "title": "A made-up world",
            "key": sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest(),
            "created_by": "benchmarks/world.py",
            "encoders": [f"world-images {settings.image_width}", f"world-texts {settings.text_width}"],
            "languages": list(LANGUAGES),
            "made_by": {"recipe": recipe, "split": "hash"},
        })  # fmt: skip


def main() -> None:
    """Write a world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name, value in asdict(Settings()).items():
        kind = type(value) if value is not None else int
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value)
    parser.add_argument("--no-hdf5", action="store_true", help="the features folder alone")
    parser.add_argument("--force", action="store_true", help="replace what exists")
    options = vars(parser.parse_args())
    settings = Settings(**{name: options[name] for name in asdict(Settings())})
    features = options["folder"] / "features" / "world"
    features.parent.mkdir(parents=True, exist_ok=True)
    manifest = write(settings, features, force=options["force"])
    dataset = load_features(features)
    if not options["no_hdf5"]:
        write_published(dataset, options["folder"] / "hdf5", force=options["force"])
    print(json.dumps({
        "features": str(features), "arrays": manifest["arrays"], "cells": len(dataset.cells),
        "in no cell": int((dataset.cell < 0).sum()),
        "split": {name: len(rows) for name, rows in dataset.split.items()},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
