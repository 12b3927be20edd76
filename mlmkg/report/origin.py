"""What only the store knows of a version: what each constraint removed, and which images look alike.

A store and its query set enter; what the report says beside the figures of the tables leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

import pyarrow as pa
from pyoxigraph import QuerySolutions

from mlmkg.catalog import Catalog
from mlmkg.quality.pictures import Lookalikes, NearImages, arrange
from mlmkg.quality.tables import read_names
from mlmkg.recipe import Recipe
from mlmkg.reports import run_report
from mlmkg.results import read_table
from mlmkg.steps import bound
from mlmkg.store import GraphStore
from mlmkg.vocab import VERSION

#: The report of a query set that says what each constraint removed.
CONSTRAINTS: Final = "constraints"
#: Pairs of images that the page shows, and those looked through for pairs of different places.
SHOWN, LOOKED_THROUGH = 6, 10_000
#: Entities whose images are compared, at most: `mlmkg check` compares those of any version.
ALBUM: Final = 500_000


@dataclass(frozen=True)
class Step:
    """What a constraint left.

    :param number: its place; steps of the same place are made from those before it, not from another.
    :param constraint: in a few words.
    :param entities: how many are left.
    :param hops: hop of the nearest class -> entities; empty where none are left or counted.
    :param version: the version whose entities these are, or "".
    """

    number: int
    constraint: str
    entities: int
    hops: Mapping[int, int] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True)
class Lookalike:
    """Image files that look alike in different splits.

    :param pairs: how many there are.
    :param compared: how many files have a perceptual hash that says something.
    :param shown: some pairs, the nearest first, no entity twice.
    :param names: label of each entity of these.
    """

    pairs: int
    compared: int
    shown: tuple[NearImages, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def read_steps(store: GraphStore, catalog: Catalog, recipe: Recipe) -> tuple[tuple[Step, ...], str]:
    """Return the constraints of a query set, and what their query says of itself.

    A set without ``reports/constraints.rq`` has none.
    """
    query = next((q for q in catalog.of_kind("reports") if q.name == CONSTRAINTS), None)
    if query is None:
        return (), ""
    found: dict[tuple[int, str, str], dict[int, int]] = {}
    for row in run_report(store, replace(query, text=bound(query, recipe)[0])):
        version = (row["version"] or "").removeprefix(str(VERSION))
        hops = found.setdefault((row["step"], row["constraint"], version), {})
        if row["hops"] is not None:  # else the constraint left nothing
            hops[row["hops"]] = row["entities"]
    steps = [
        Step(number, constraint, sum(hops.values()), hops, version)
        for (number, constraint, version), hops in found.items()
    ]
    return tuple(steps), query.description


def steps_to(steps: Sequence[Step], version: str, entities: int) -> list[Step]:
    """Return the steps as far as a version, and one more where fewer of its entities are reported.

    What no step is called is taken for a part of the first version.

    :param entities: how many entities of the version are reported.

    >>> both = [Step(1, "in the tree", 9), Step(2, "with an image", 5, version="mlm")]
    >>> [step.constraint for step in steps_to(both, "mlm", 5)]
    ['in the tree', 'with an image']
    >>> [step.constraint for step in steps_to(both, "mine", 3)]
    ['in the tree', 'with an image', 'in this selection']
    """
    named = {step.version: step for step in reversed(steps) if step.version}
    if not named:
        return []
    end = named.get(version, list(named.values())[-1])
    before = [step for step in steps if step.number < end.number]
    more = [Step(end.number + 1, "in this selection", entities)] if end.entities != entities else []
    return [*before, end, *more]


def removals(steps: Sequence[Step]) -> list[int]:
    """Return how many entities each step took away from those before it; the first takes none.

    >>> removals([Step(1, "in the tree", 10), Step(2, "with an image", 3)])
    [0, 7]
    """
    left = [step.entities for step in steps]
    return [before - now for before, now in zip([*left[:1], *left], left, strict=False)]


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the steps with what each removed."""
    return [
        {
            "constraint": step.constraint, "version": step.version or None,
            "entities": step.entities, "removed": removed,
            "hops": {str(hop): count for hop, count in sorted(step.hops.items())},
        }
        for step, removed in zip(steps, removals(steps), strict=True)
    ]  # fmt: skip


class Shown:
    """Who shows which image file in which split: what is needed to look for images that look alike.

    It keeps every name, some 200 bytes an image, and stops keeping at :data:`ALBUM` images.
    """

    def __init__(self) -> None:
        self._images: list[pa.Table] = []
        self._splits: dict[str, str] = {}

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Keep a batch of an export's tables; see :meth:`mlmkg.report.figures.Figures.add`."""
        entities, images = tables.get("entities"), tables.get("images")
        if entities is None or images is None or len(self._splits) > ALBUM:
            return
        names, parts = entities["entity"].to_pylist(), entities["split"].to_pylist()
        self._splits |= {name: part for name, part in zip(names, parts, strict=True) if part}
        self._images.append(images.select(["entity", "path"]))

    def lookalike(self, store: GraphStore) -> Lookalike | None:
        """Return the images that look alike across splits.

        None where nobody can tell: no image has a perceptual hash, or there are too many; then
        `mlmkg check` looks for them.

        :param store: it has the hashes.
        """
        if not self._images or len(self._splits) > ALBUM:
            return None
        answer = store.query("SELECT ?path ?hash { ?file mlm:path ?path ; mlm:perceptualHash ?hash }")
        if not isinstance(answer, QuerySolutions):
            raise TypeError("a table is read by a SELECT")
        hashes = read_table(answer, {"path": pa.string(), "hash": pa.string()})
        images = pa.concat_tables(self._images).group_by(["entity", "path"]).aggregate([])
        pictures = images.join(hashes, "path", join_type="left outer")
        album = arrange(
            pictures.sort_by([("path", "ascending"), ("entity", "ascending")]), self._splits
        )
        if not album.looks:
            return None
        pairs, shown, seen = Lookalikes(album), [], set[str]()
        for pair in islice(pairs, LOOKED_THROUGH):
            concerned = {pair.entity, pair.other, pair.path, pair.other_path}
            if not concerned & seen:
                shown.append(pair)
                seen |= concerned
            if len(shown) == SHOWN:
                break
        names = read_names(store, [iri for pair in shown for iri in (pair.entity, pair.other)])
        return Lookalike(pairs.number(), len(album.looks), tuple(shown), names)
