"""A small export folder made by hand, in the format of `mlmkg export`: real JPEGs, texts, tables."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from mlmkg.ml.data import Dataset
from mlmkg.ml.rows import Rows
from PIL import Image

#: Token, place of the centroid, colour of the land, and what the texts call the region.
REGIONS = (
    ("47a85", (52.5, 13.4), (40, 110, 40), "Prussia"),
    ("47e67", (48.9, 2.4), (200, 170, 90), "Neustria"),
    ("0d423", (40.4, -3.7), (190, 90, 40), "Castile"),
    ("46503", (59.3, 18.1), (230, 235, 240), "Svealand"),
)
PHRASES = {
    "en": "{name} is a town in the region of {region}.",
    "de": "{name} ist eine Stadt in der Region {region}.",
    "fr": "{name} est une ville de la région {region}.",
}


def iri(number: int) -> str:
    return f"https://example.org/place/{number:05}"


def write_export(
    folder: Path, *, entities: int = 120, regions: int = 4, seed: int = 0,
    without_image: frozenset[int] = frozenset(), without_text: frozenset[int] = frozenset(),
    same_image: tuple[tuple[int, int], ...] = (), splits: dict[int, str] | None = None,
    region_of: dict[int, int] | None = None,
) -> Path:  # fmt: skip
    """Write an export whose images and texts both tell the region an entity lies in.

    :param without_image, without_text: numbers of entities that lack the modality.
    :param same_image: (one, other): the other shows the one's image.
    :param splits: entity -> split, where it is not 8 train, 1 val, 1 test in ten.
    :param region_of: entity -> region, where it is not its number modulo ``regions``.
    """
    usual = ["train"] * 8 + ["val", "test"]
    split = [(splits or {}).get(i, usual[i // regions % 10]) for i in range(entities)]
    region = [(region_of or {}).get(i, i % regions) for i in range(entities)]
    pictures = [_jpeg(region[i], seed + i) for i in range(entities)]
    for one, other in same_image:
        pictures[other] = pictures[one]
    scatter = np.random.default_rng(7).uniform(-0.5, 0.5, (entities, 2))
    places = [np.add(REGIONS[r][1], d).tolist() for r, d in zip(region, scatter, strict=True)]

    images: list[dict[str, Any]] = []
    for i in sorted(set(range(entities)) - without_image):
        digest = hashlib.sha256(pictures[i]).hexdigest()
        path = f"{digest[:2]}/{digest}.jpg"
        target = folder / "images" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pictures[i])
        images.append({"entity": iri(i), "sha256": digest, "path": path})
    summaries = [
        {"entity": iri(i), "language": language,
         "text": phrase.format(name=f"Place {i}", region=REGIONS[region[i]][3])}
        for i in sorted(set(range(entities)) - without_text) for language, phrase in PHRASES.items()
    ]  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {
        "entities": [
            {"entity": iri(i), "label": f"Place {i}", "continent": "Europe",
             "latitude": places[i][0], "longitude": places[i][1],
             "cell": REGIONS[region[i]][0], "split": split[i]}
            for i in range(entities)
        ],
        "images": images,
        # By language first, as no one promises an order: the reader sorts.
        "summaries": sorted(summaries, key=lambda row: (row["language"], row["entity"])),
        "cells": [
            {"cell": REGIONS[r][0], "latitude": REGIONS[r][1][0], "longitude": REGIONS[r][1][1]}
            for r in sorted(set(region))
        ],
    }  # fmt: skip
    digest = hashlib.sha256()
    for name, rows in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path)
        digest.update(path.read_bytes())
    manifest = {
        "version": "toy", "key": digest.hexdigest(), "languages": list(PHRASES), "split": "hash",
        "recipe": {"title": "a toy"},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


def _jpeg(region: int, seed: int) -> bytes:
    """Return a picture in the region's colour and with its kind of stripes, and noise of its own."""
    noise = np.random.default_rng(seed).normal(0, 12, (64, 64, 3))
    down, across = np.mgrid[0:64, 0:64]
    stripes = (down, across, down + across, np.maximum(down, across))[region] // 8 % 2
    pixels = np.array(REGIONS[region][2]) + noise - 60 * stripes[..., None]
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def dataset_of(
    image: torch.Tensor, text: torch.Tensor, cell: list[int], split: dict[str, list[int]],
    centres: list[tuple[float, float]], places: list[tuple[float, float]],
) -> Dataset:  # fmt: skip
    """Return a dataset of given features, one image and one text an entity."""
    number = len(cell)
    every = torch.arange(number)
    start = torch.arange(number + 1)
    return Dataset(
        key="k", version="toy", entities=[iri(i) for i in range(number)],
        images=Rows(image, every, start, torch.full((number,), -1)),
        texts=Rows(text, every, start, torch.zeros(number, dtype=torch.long)),
        cell=torch.tensor(cell), cells=[str(i) for i in range(len(centres))],
        centres=torch.tensor(centres, dtype=torch.float64),
        places=torch.tensor(places, dtype=torch.float64),
        split={name: torch.tensor(split.get(name, []), dtype=torch.long)
               for name in ("train", "val", "test")},
        encoders=("a 1", "b 1"), languages=["en"], recipe={}, labels=[""] * number,
        continents=["Europe"] * number,
    )  # fmt: skip
