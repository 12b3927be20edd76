"""Vectors that stand for a version's entities in its graph, as one more input of a model.

The links of a version (:mod:`mlmkg.export.links`) enter; a (n, d) float16 array and a JSON file beside
it, in the workspace's ``features`` folder, leave. PyKEEN trains them, by any of its models, or they
are the similarities of classes (:mod:`mlmkg.ml.classgraph`). They are named after what they are made
from; :mod:`mlmkg.ml.graphvectors` reads them.

Links of an entity of validation or test that state a place are never among them, from either end; its
classes are: they are inputs in the paper, too. The links of training entities that state places are
taken only if that is asked for, and the result says that it leaks. docs/kge.md says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from mlmkg.ml.classgraph import class_vectors
from mlmkg.ml.graphvectors import KIND, about_graph

from mlmkg.errors import ExportError, ModelError
from mlmkg.export.links import all_links, licences, placeless, without_places_of
from mlmkg.export.members import Members
from mlmkg.export.spreading import spatial_splits
from mlmkg.export.tables import Reader
from mlmkg.progress import Progress, quiet
from mlmkg.recipe import Recipe
from mlmkg.vocab import MLM, WDT
from mlmkg.workspace import held_alone, written_whole

#: The method that trains nothing.
CLASS_SIMILARITY: Final = "class-similarity"
#: Models of PyKEEN that have no vectors of entities, or need literals or a second graph.
_NOT_OURS: Final = {
    "complexliteral", "cooccurrencefiltered", "distmultliteral", "distmultliteralgated", "fixed",
    "inductivenodepiece", "inductivenodepiecegnn",
}  # fmt: skip
#: Models that walk every link in both directions.
_BOTH_WAYS: Final = {"compgcn", "nodepiece"}


@dataclass(frozen=True)
class Settings:
    """How vectors are made.

    :param method: the name of a model of PyKEEN in any spelling, or ``class-similarity``.
    :param dim: numbers in an embedding; complex ones count once and become two.
    :param epochs: passes over the links.
    :param seed: one seed gives one result on one machine.
    :param places: take the links of training entities that state places.
    :param batch: links in a step, at most.
    :param rate: Adam's.
    """

    method: str = "TransE"
    dim: int = 128
    epochs: int = 100
    seed: int = 0
    places: bool = False
    batch: int = 1024
    rate: float = 0.01


@dataclass(frozen=True)
class Embedded:
    """What was made.

    :param path: the array; the JSON file is beside it.
    :param about: what stands in the JSON file.
    :param cached: whether it was there already.
    """

    path: Path
    about: Mapping[str, Any]
    cached: bool


def embed(
    reader: Reader, recipe: Recipe, members: Members, features: Path, settings: Settings,
    split: str = "hash", progress: Progress = quiet,
) -> Embedded:  # fmt: skip
    """Return one vector per entity of a version that has a link, from the cache if they are there.

    :param features: the workspace's ``features`` folder.
    :param split: whose splits say which entities are held out: ``hash``, those of the graph, or
        ``spatial``, those of an export with whole regions apart.
    :raises ModelError: if there is no such model, PyKEEN is missing, or training fails.
    :raises ExportError: if the version has no links to train on.
    :raises WorkspaceError: if another process is making them.
    """
    method = _name(settings)
    train = _training(reader, recipe, members, split)
    links = _links(reader, members, train, places=settings.places)
    tokens = "\n".join("\t".join(triple) for triple in _rows(links))
    inputs: dict[str, Any] = {
        "method": method,
        "leaking": settings.places,
        "split": split,
        "links": links.num_rows,
        "links_sha256": sha256(tokens.encode()).hexdigest(),
        **(_of_classes(recipe, train) if method == CLASS_SIMILARITY else _of_training(settings)),
    }
    digest = sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    path = features / f"{KIND}-{method.lower()}-{digest}.npy"
    if path.exists() and path.with_suffix(".json").exists():
        return Embedded(path, about_graph(path), True)
    with held_alone(features / f".{path.stem}.lock", "making these vectors", where=path):
        if method == CLASS_SIMILARITY:
            rows, vectors, more = _similar(links, members, train, inputs["base"])
        else:
            rows, vectors, more = _trained(links, members, method, settings, progress)
        about = {
            "kind": KIND,
            "version": members.name,
            **inputs,
            **more,
            "dim": vectors.shape[1],
            "relations": dict(sorted(Counter(links["relation"].to_pylist()).items())),
            "licences": licences(reader),
            "rows": rows,
        }
        with written_whole(path) as stream:
            np.save(stream, vectors)
        with written_whole(path.with_suffix(".json"), "w") as stream:
            json.dump(about, stream)
    return Embedded(path, about, False)


def _name(settings: Settings) -> str:
    """Return the method's name as PyKEEN spells it."""
    if settings.method.lower() == CLASS_SIMILARITY:
        if settings.places:
            raise ModelError(
                "knows no places", where=CLASS_SIMILARITY, action="Leave out --with-places"
            )
        return CLASS_SIMILARITY
    _pykeen()
    from pykeen.models import model_resolver

    usable = {k: v for k, v in model_resolver.lookup_dict.items() if k not in _NOT_OURS}
    found = usable.get(model_resolver.normalize(settings.method))
    if found is None:
        names = sorted(model.__name__ for model in usable.values())
        raise ModelError(
            f"there is no such model as {settings.method!r}", where="--method",
            action=f"There are {CLASS_SIMILARITY}, {', '.join(names)}",
        )  # fmt: skip
    return str(found.__name__)


def _pykeen() -> str:
    """Return PyKEEN's version.

    :raises ModelError: if it is not installed.
    """
    try:
        from pykeen.version import get_version
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "pykeen":
            raise
        raise ModelError(
            "PyKEEN is not installed, which trains embeddings",
            action="Install it with `pip install 'mlmkg[kge]'`",
        ) from None
    return str(get_version())


def _training(reader: Reader, recipe: Recipe, members: Members, split: str) -> set[str]:
    """Return the entities of the version that are in train."""
    if split == "spatial":
        splits = spatial_splits(reader, members.entities, recipe.splits)
        return {entity for entity, name in splits.items() if name == "train"}
    ours = set(members.entities.to_pylist())
    rows = reader.store.rows(f"SELECT ?entity {{ ?entity <{MLM.split}> <{MLM.train}> }}")
    return {row[0] for row in rows if row[0] in ours}


def _links(reader: Reader, members: Members, train: Collection[str], *, places: bool) -> pa.Table:
    """Return the links that may be seen."""
    found = all_links(reader, members.entities)
    held_out = [entity for entity in members.entities.to_pylist() if entity not in train]
    links = without_places_of(found, held_out) if places else placeless(found)
    if not links.num_rows:
        kinds = sorted(set(found["relation"].to_pylist()))
        raise ExportError(
            f"the version {members.name!r} has no links"
            + (f" but those that may state a place: {', '.join(kinds)}" if kinds else ""),
            where=reader.catalog.folder / "links",
            action="Add a query there for what else links its entities"
            + (", or take these: --with-places" if kinds else ""),
        )  # fmt: skip
    return links


def _rows(links: pa.Table) -> Iterator[tuple[str, str, str]]:
    return zip(*(column.to_pylist() for column in links.columns), strict=True)


def _of_classes(recipe: Recipe, train: Collection[str]) -> dict[str, Any]:
    """Return what class similarities depend on, beside the links."""
    base = [term.value for term in recipe.parameters.get("base", ())]
    return {"base": base, "train_sha256": sha256("\n".join(sorted(train)).encode()).hexdigest()}


def _similar(
    links: pa.Table, members: Members, train: Collection[str], base: Collection[str]
) -> tuple[list[str], npt.NDArray[np.float16], dict[str, Any]]:
    """Return entities, their vectors by the similarity of classes, and what the columns are."""
    ours = set(members.entities.to_pylist())
    classes: dict[str, list[str]] = {}
    subclass = []
    for head, relation, tail in _rows(links):
        if relation == WDT.P279:
            subclass.append((head, tail))
        elif relation == WDT.P31 and head in ours:
            classes.setdefault(head, []).append(tail)
    vectors, columns = class_vectors(classes, train, subclass, base)
    return list(classes), vectors, {"columns": columns}


def _of_training(settings: Settings) -> dict[str, Any]:
    """Return what embeddings depend on, beside the links."""
    return {
        "size": settings.dim, "epochs": settings.epochs, "seed": settings.seed,
        "batch": settings.batch, "rate": settings.rate, "pykeen": _pykeen(),
    }  # fmt: skip


def _trained(
    links: pa.Table, members: Members, method: str, settings: Settings, progress: Progress
) -> tuple[list[str], npt.NDArray[np.float16], dict[str, Any]]:
    """Return entities, their vectors by a model of PyKEEN, and the loss of each epoch."""
    from mlmkg.ml.kgetraining import train_embeddings

    triples = np.array(list(_rows(links)), dtype=str)
    vectors, losses, row = train_embeddings(
        triples, method, dim=settings.dim, epochs=settings.epochs, seed=settings.seed,
        batch=settings.batch, rate=settings.rate, both_ways=method.lower() in _BOTH_WAYS,
        progress=progress,
    )  # fmt: skip
    linked = [entity for entity in members.entities.to_pylist() if entity in row]
    if not linked:
        raise ExportError(
            f"no entity of {members.name!r} has a link", where="links",
            action="See the queries of links/, or take more of them: --with-places",
        )  # fmt: skip
    return linked, vectors[[row[entity] for entity in linked]], {"losses": losses}
