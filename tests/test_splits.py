"""Splits and draws: decided by a keyed hash, the same for everyone, stable when entities are added."""

from __future__ import annotations

import pytest

from mlmkg.recipe import SplitSettings
from mlmkg.splits import assign, assign_regions, keyed_hash, ranks

ENTITIES = [f"http://www.wikidata.org/entity/Q{i}" for i in range(20_000)]
SETTINGS = SplitSettings()


def shares(split: dict[str, str]) -> dict[str, float]:
    return {n: list(split.values()).count(n) / len(split) for n in ("train", "val", "test")}


def test_the_shares_are_those_asked_for() -> None:
    found = shares(assign(ENTITIES, [], SETTINGS))
    assert found == pytest.approx({"train": 0.8, "val": 0.1, "test": 0.1}, abs=0.01)


def test_groups_do_not_bias_the_shares() -> None:
    """With the smallest hash of ten deciding, all but a millionth would go to train."""
    pairs = [(entity, f"image{i // 10}") for i, entity in enumerate(ENTITIES)]
    found = shares(assign(ENTITIES, pairs, SETTINGS))
    assert found == pytest.approx({"train": 0.8, "val": 0.1, "test": 0.1}, abs=0.03)


def test_an_entity_keeps_its_split_when_others_are_added() -> None:
    before = assign(ENTITIES[:5000], [], SETTINGS)
    after = assign(ENTITIES[::-1], [], SETTINGS)
    assert all(after[entity] == split for entity, split in before.items())


def test_entities_linked_through_a_chain_of_images_are_in_one_split() -> None:
    pairs = [(ENTITIES[i + d], f"image{i}") for i in range(0, 30) for d in (0, 1)]
    split = assign(ENTITIES[:100], pairs, SETTINGS)
    assert len({split[entity] for entity in ENTITIES[:31]}) == 1
    assert len(set(split.values())) == 3


def test_an_image_of_an_entity_outside_joins_nothing() -> None:
    pairs = [(ENTITIES[0], "a"), ("http://e/outside", "a"), ("http://e/outside", "b")]
    pairs.append((ENTITIES[1], "b"))
    assert assign(ENTITIES[:50], pairs, SETTINGS) == assign(ENTITIES[:50], [], SETTINGS)


def test_another_key_gives_another_split() -> None:
    assert assign(ENTITIES, [], SETTINGS) != assign(ENTITIES, [], SplitSettings(key="other"))


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert keyed_hash("mlmkg", "http://www.wikidata.org/entity/Q64") == 12543834484916022663


def test_a_region_is_in_one_split() -> None:
    regions = [f"region{i % 200}" for i in range(len(ENTITIES))]
    split = assign_regions(ENTITIES, regions, [], SETTINGS)
    of_region: dict[str, set[str]] = {}
    for entity, region in zip(ENTITIES, regions, strict=True):
        of_region.setdefault(region, set()).add(split[entity])
    assert all(len(found) == 1 for found in of_region.values())
    assert set(split.values()) == {"train", "val", "test"}


def test_a_draw_ranks_within_a_place_and_grows_stably() -> None:
    places = [f"country{i % 7}" for i in range(1000)]
    rank = ranks(ENTITIES[:1000], places, "mlmkg")
    for place in set(places):
        mine = sorted(r for r, p in zip(rank, places, strict=True) if p == place)
        assert mine == list(range(1, len(mine) + 1))
    fewer = ranks(ENTITIES[:700], places[:700], "mlmkg")
    order = sorted(range(0, 700, 7), key=lambda i: fewer[i])
    assert order == sorted(range(0, 700, 7), key=lambda i: rank[i])
