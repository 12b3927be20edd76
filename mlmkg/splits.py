"""Train, validation and test: by a keyed hash, never by a shuffled list.

Entities enter, a split for each leaves. The hash of an entity's IRI alone decides, so the split is
the same on every machine and an entity keeps its split when others are added. Entities that share an
image or a text go together: one of them, chosen by another hash, decides for all. (The smallest of
several hashes would not do: it is small, and large groups would all go to train.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import networkx as nx
import numpy as np

from mlmkg.recipe import SplitSettings

NAMES = ("train", "val", "test")


def keyed_hash(key: str, value: str) -> int:
    """Return a number from 0 to 2**64 - 1 that looks drawn by chance but is always the same.

    >>> keyed_hash("mlmkg", "http://www.wikidata.org/entity/Q64")
    12543834484916022663
    """
    digest = blake2b(value.encode(), digest_size=8, key=key.encode()[:64]).digest()
    return int.from_bytes(digest, "big")


def groups(entities: Sequence[str], shared: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the entities in groups that must not be parted.

    :param entities: (N,) IRIs, each once.
    :param shared: pairs of an entity and something it may share with others, such as an image or a
        text; entities that are linked through any chain of these are one group. Pairs of other
        entities are left out.
    """
    wanted = set(entities)
    graph: nx.Graph[tuple[str, str]] = nx.Graph()
    graph.add_nodes_from(("entity", entity) for entity in entities)
    graph.add_edges_from((("entity", e), ("thing", thing)) for e, thing in shared if e in wanted)
    return [
        members
        for part in nx.connected_components(graph)
        if (members := [name for kind, name in part if kind == "entity"])
    ]


def assign(
    entities: Sequence[str], shared: Iterable[tuple[str, str]], settings: SplitSettings
) -> dict[str, str]:
    """Return entity -> ``train``, ``val`` or ``test``.

    :param entities: (N,) IRIs, each once.
    :param shared: pairs of an entity and an image (its IRI, or its file's sha256) or a text.
    """
    return assign_groups(groups(entities, shared), settings)


def assign_groups(parts: Iterable[Sequence[str]], settings: SplitSettings) -> dict[str, str]:
    """Return entity -> ``train``, ``val`` or ``test``.

    :param parts: groups that must not be parted, as :func:`groups` gives them.
    """
    split = {}
    for members in parts:
        split.update(dict.fromkeys(members, _name(_speaker(members, settings), settings)))
    return split


def assign_regions(
    entities: Sequence[str], regions: Sequence[str], shared: Iterable[tuple[str, str]],
    settings: SplitSettings,
) -> dict[str, str]:  # fmt: skip
    """Return entity -> split so that whole regions stay together, to measure generalisation.

    :param entities: (N,) IRIs, each once.
    :param regions: (N,) the region each lies in.
    :param shared: pairs of an entity and an image; an image that crosses a border joins two regions.
    """
    links = [*zip(entities, regions, strict=True), *shared]
    region = dict(zip(entities, regions, strict=True))
    split = {}
    for members in groups(entities, links):
        # The region's name decides, so a region keeps its split whoever lives in it.
        speaker = _speaker({region[member] for member in members}, settings)
        split.update(dict.fromkeys(members, _name(speaker, settings)))
    return split


def _speaker(members: Iterable[str], settings: SplitSettings) -> str:
    """Return the member that decides for all: the one with the smallest hash under a second key."""
    return min(members, key=lambda member: keyed_hash(f"{settings.key}/group", member))


def _name(speaker: str, settings: SplitSettings) -> str:
    number = keyed_hash(settings.key, speaker)
    borders = np.cumsum([settings.train, settings.val, settings.test])
    return NAMES[int(np.searchsorted(borders, number * 100 // 2**64, side="right"))]


def ranks(entities: Sequence[str], places: Sequence[str], key: str) -> list[int]:
    """Return each entity's rank, from 1, in the order of the keyed hash among those of its place.

    A version takes the first so many of a place: a draw that anyone can repeat.

    :param entities: (N,) IRIs.
    :param places: (N,) where each counts, for instance its country.
    """
    order = sorted(range(len(entities)), key=lambda i: keyed_hash(key, entities[i]))
    seen: dict[str, int] = {}
    rank = [0] * len(entities)
    for i in order:
        seen[places[i]] = rank[i] = seen.get(places[i], 0) + 1
    return rank
