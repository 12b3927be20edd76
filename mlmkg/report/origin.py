"""What only the store knows of a version: what each constraint removed, and which images look alike.

A store and its query set enter; what the report says beside the figures of the tables leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from mlmkg.catalog import Catalog
from mlmkg.quality.pictures import Lookalikes, NearImages, read_album
from mlmkg.quality.tables import read_names
from mlmkg.recipe import Recipe
from mlmkg.reports import run_report
from mlmkg.steps import bound
from mlmkg.store import GraphStore
from mlmkg.vocab import VERSION

#: The report of a query set that says what each constraint removed.
CONSTRAINTS: Final = "constraints"
#: Pairs of images that the page shows, and those looked through for pairs of different places.
SHOWN, LOOKED_THROUGH = 6, 10_000


@dataclass(frozen=True)
class Step:
    """What a constraint left.

    :param constraint: in a few words.
    :param entities: how many are left.
    :param hops: hop of the nearest class -> entities; empty where nobody has counted.
    :param version: the version whose entities these are, or "".
    """

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
        found.setdefault((row["step"], row["constraint"], version), {})[row["hops"]] = row["entities"]
    steps = [
        Step(constraint, sum(hops.values()), hops, version)
        for (_, constraint, version), hops in found.items()
    ]
    return tuple(steps), query.description


def steps_to(steps: Sequence[Step], version: str, entities: int) -> list[Step]:
    """Return the steps as far as a version, and one more where fewer of its entities are reported.

    What no step is called is taken for a part of the first version.

    :param entities: how many entities of the version are reported.

    >>> both = [Step("in the tree", 9), Step("with an image", 5, version="mlm")]
    >>> [step.constraint for step in steps_to(both, "mlm", 5)]
    ['in the tree', 'with an image']
    >>> [step.constraint for step in steps_to(both, "mine", 3)]
    ['in the tree', 'with an image', 'in this selection']
    """
    names = [step.version for step in steps]
    if version not in names:
        version = next(filter(None, names), "")
    if not version:
        return []
    before = list(steps[: names.index(version) + 1])
    return before if before[-1].entities == entities else [*before, Step("in this selection", entities)]


def removals(steps: Sequence[Step]) -> list[int]:
    """Return how many entities each step took away from those before it; the first takes none.

    >>> removals([Step("in the tree", 10), Step("with an image", 3)])
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


def read_lookalikes(store: GraphStore, version: str, splits: Mapping[str, str]) -> Lookalike | None:
    """Return the images that look alike across splits; None where no image has a perceptual hash.

    :param splits: entity -> split.
    """
    album = read_album(store, version, splits)
    if not album.looks:
        return None
    pairs, shown, seen = Lookalikes(album), [], set[str]()
    for pair in islice(pairs, LOOKED_THROUGH):
        # Files whose bytes are the same are a matter of the splits, and there are none.
        concerned = {pair.entity, pair.other, pair.path, pair.other_path}
        if not concerned & seen and pair.path != pair.other_path:
            shown.append(pair)
            seen |= concerned
        if len(shown) == SHOWN:
            break
    names = read_names(store, [iri for pair in shown for iri in (pair.entity, pair.other)])
    return Lookalike(pairs.number(), len(album.looks), tuple(shown), names)
