"""From an export's tables and features to what a training loop gathers from.

An export folder and two encoders enter, a :class:`Dataset` of tensors leaves: per entity the rows of
its images and of its texts, its cell, its split. An entity without a modality has an empty row list.

The labels of the classes are on the text side, as in the paper, and so are vectors that stand for the
entity in the graph, where there are some.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from mlmkg.ml.encoders import Encoder, load_encoder
from mlmkg.ml.features import encode
from mlmkg.ml.graphvectors import load_graph, record_of
from mlmkg.ml.rows import Rows, grouped
from torch import Tensor

from mlmkg.errors import ExportError, ModelError
from mlmkg.progress import Progress, quiet

MANIFEST: Final = "manifest.json"
SPLITS: Final = ("train", "val", "test")


@dataclass(frozen=True)
class Dataset:
    """An export, ready to train on.

    :param key: the export's key; a checkpoint remembers it.
    :param version: the version's name.
    :param entities: E IRIs in the order of entities.parquet.
    :param images: image features by entity.
    :param texts: text features by entity, in the order of the languages.
    :param cell: (E,) label of each entity's cell, -1 where it has none.
    :param cells: C tokens, sorted: the label order.
    :param centres: (C, 2) latitude and longitude of the cells' centroids, degrees.
    :param places: (E, 2) latitude and longitude of the entities, degrees.
    :param split: name -> entity numbers.
    :param encoders: names and revisions of the encoders.
    :param languages: names of the languages, in the order of ``texts.language``.
    :param recipe: what the export was made by: the ``recipe`` and ``split`` of its manifest; and where
        it is.
    :param labels: (E,) what a person calls them.
    :param continents: (E,) names.
    :param classes: features of the labels of the classes by entity, the nearest to the base class
        first; None where there are none.
    :param graph: vectors that stand for the entities in the graph, see :mod:`mlmkg.ml.kge`.
    :param kinds: (E,) names of each entity's classes; None where they are not known.
    """

    key: str
    version: str
    entities: list[str]
    images: Rows
    texts: Rows
    cell: Tensor
    cells: list[str]
    centres: Tensor
    places: Tensor
    split: dict[str, Tensor]
    encoders: tuple[str, str]
    languages: list[str]
    recipe: dict[str, Any]
    labels: list[str]
    continents: list[str]
    classes: Rows | None = None
    graph: Rows | None = None
    kinds: list[list[str]] | None = None

    def rows(self, name: str) -> Rows:
        """Return the features of an input: ``image``, ``summary``, ``classes`` or ``graph``."""
        every = {
            "image": self.images,
            "summary": self.texts,
            "classes": self.classes,
            "graph": self.graph,
        }
        found = every[name]
        if found is None:
            raise ModelError(
                f"the data have no {name}, which the model was made for", where=self.version,
                action="Train again, or give it the data that it was trained on",
            )  # fmt: skip
        return found

    def inputs(self) -> tuple[str, ...]:
        """Return the names of the inputs that there are."""
        more = {"classes": self.classes, "graph": self.graph}
        return (
            "image", "summary", *(n for n, r in more.items() if r is not None and len(r.vectors)),
        )  # fmt: skip


def manifest(export: Path) -> dict[str, Any]:
    """Return an export's manifest.

    :raises ExportError: if there is no export.
    """
    path = export / MANIFEST
    if not path.is_file():
        there = sorted(path.parent.name for path in export.parent.glob(f"*/{MANIFEST}"))
        known = f", or choose among {', '.join(there)}" if there else ""
        raise ExportError(
            "no export", where=export, action=f"Run `mlmkg export --version NAME` first{known}"
        )
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if not (export / "entities.parquet").is_file():
        raise ExportError(
            "an export without Parquet tables, which training reads", where=export,
            action="Export with --format parquet too",
        )  # fmt: skip
    return content


def load_dataset(
    export: Path, features: Path, encoders: tuple[str | Encoder, str | Encoder] = ("lite0", "use"),
    progress: Progress = quiet, *, classes: bool = True, images: Path | None = None,
    alone: bool = False, graph: Path | None = None,
) -> Dataset:  # fmt: skip
    """Read an export, encoding what is not in the cache.

    :param export: the export's folder.
    :param features: the workspace's ``features`` folder.
    :param encoders: names of the image and the text encoder, or the encoders themselves.
    :param classes: encode the labels of the classes, too, if the export has them.
    :param images: where the image files are if the export has none beside its tables, such as the
        workspace's ``images``.
    :param alone: see :func:`mlmkg.ml.features.encode`.
    :param graph: vectors of the entities as `mlmkg embed` writes them.
    """
    about = manifest(export)
    tables = {
        name: pq.read_table(export / f"{name}.parquet").to_pydict()
        for name in ("entities", "images", "summaries", "cells")
    }
    entities = tables["entities"]
    number = {entity: i for i, entity in enumerate(entities["entity"])}
    languages = {language: i for i, language in enumerate(about["languages"])}

    beside = export / "images"
    place = beside if images is None or beside.is_dir() else images
    shown = tables["images"]
    seen = encode(
        load_encoder(encoders[0], "image"), shown["sha256"],
        [place / path for path in shown["path"]], features, progress, alone=alone,
    )  # fmt: skip
    texts = tables["summaries"]
    said_keys = [sha256(text.encode()).hexdigest() for text in texts["text"]]
    text_encoder = load_encoder(encoders[1], "text")
    said = encode(text_encoder, said_keys, texts["text"], features, progress, alone=alone)
    in_order = sorted(
        range(len(said_keys)), key=lambda i: languages.get(texts["language"][i], len(languages))
    )
    cells = sorted(tables["cells"]["cell"])
    label = {token: i for i, token in enumerate(cells)}
    middles = zip(tables["cells"]["latitude"], tables["cells"]["longitude"], strict=True)
    centre = dict(zip(tables["cells"]["cell"], middles, strict=True))
    return Dataset(
        key=about["key"],
        version=about["version"],
        entities=entities["entity"],
        images=grouped(
            torch.from_numpy(seen.vectors),
            [number[entity] for entity in shown["entity"]],
            [seen.row[key] for key in shown["sha256"]],
            [-1] * len(shown["sha256"]),
            len(number),
        ),
        texts=grouped(
            torch.from_numpy(said.vectors),
            [number[texts["entity"][i]] for i in in_order],
            [said.row[said_keys[i]] for i in in_order],
            [languages.get(texts["language"][i], -1) for i in in_order],
            len(number),
        ),
        cell=torch.tensor([label.get(token, -1) for token in entities["cell"]]),
        cells=cells,
        centres=torch.tensor([centre[token] for token in cells], dtype=torch.float64).reshape(-1, 2),
        places=torch.tensor(
            [entities["latitude"], entities["longitude"]], dtype=torch.float64
        ).T.contiguous(),
        split={
            name: torch.tensor([i for i, s in enumerate(entities["split"]) if s == name]).long()
            for name in SPLITS
        },
        encoders=(seen.encoder, said.encoder),
        languages=list(languages),
        recipe={
            "recipe": about.get("recipe", {}), "split": about.get("split", "hash"),
            "encoded_by": [_asked(encoder) for encoder in encoders],
            "export": str(export.resolve()),
            **({} if graph is None else {"graph": record_of(graph)}),
        },
        labels=[name or entity for name, entity in
                zip(entities["label"], entities["entity"], strict=True)],
        continents=[name or "elsewhere" for name in entities["continent"]],
        classes=(
            _classes(export, number, text_encoder, features, progress, alone)
            if classes and (export / "classes.parquet").is_file()
            else None
        ),
        graph=None if graph is None else (
            load_graph(graph, entities["entity"], about.get("split", "hash"))
        ),
        kinds=_kinds(export, number),
    )  # fmt: skip


def _asked(encoder: str | Encoder) -> str:
    """Return what to ask for the encoder by, with paths made absolute: what a run can load it by."""
    if not isinstance(encoder, str):
        return encoder.name
    parts = []
    for part in encoder.split("+"):
        head, at, path = part.partition("@")
        there = head.startswith("torchvision:") and at and Path(path).is_file()
        parts.append(f"{head}@{Path(path).resolve()}" if there else part)
    return "+".join(parts)


def _kinds(export: Path, number: Mapping[str, int]) -> list[list[str]] | None:
    """Return the labels of each entity's classes."""
    if not (export / "classes.parquet").is_file():
        return None
    table = pq.read_table(export / "classes.parquet", columns=["entity", "label"])
    found: list[list[str]] = [[] for _ in number]
    for entity, label in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        if label is not None:
            found[number[entity]].append(label)
    return found


def _classes(
    export: Path, number: dict[str, int], encoder: Encoder, features: Path, progress: Progress,
    alone: bool,
) -> Rows:  # fmt: skip
    """Return the rows of the labels of each entity's classes, the nearest to the base class first."""
    table = pq.read_table(export / "classes.parquet", columns=["entity", "class", "label", "hops"])
    named = table.filter(pc.field("label").is_valid())
    named = named.sort_by([("entity", "ascending"), ("hops", "ascending"), ("class", "ascending")])
    labels = named["label"].to_pylist()
    keys = [sha256(label.encode()).hexdigest() for label in labels]
    found = encode(encoder, keys, labels, features, progress, alone=alone)
    return grouped(
        torch.from_numpy(found.vectors),
        [number[entity] for entity in named["entity"].to_pylist()],
        [found.row[key] for key in keys],
        [-1] * len(keys),
        len(number),
    )
