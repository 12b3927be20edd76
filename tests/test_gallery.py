"""Retrieval among all entities, groups and intervals, against numbers worked out otherwise."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from mlmkg.ml import gallery
from mlmkg.ml.figures import chance_figures, location_figures, retrieval_figures
from mlmkg.ml.gallery import by_language, fused, gallery_ranks, mean_by_owner, ranks_both_ways
from mlmkg.ml.groups import by_group, intervals, members
from scipy.stats import rankdata
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor


def vectors(number: int, width: int = 8, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(number, width, generator=generator), dim=1)


# --- the gallery --------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_ranks_are_those_of_scipy_whatever_the_block(number: int, different: int, seed: int) -> None:
    texts = vectors(number, seed=seed)[torch.arange(number) % different]  # many are equal
    images = vectors(number, seed=seed + 1)
    scores = (images.double() @ texts.double().T).numpy().round(9)
    expected = [float(rankdata(-row)[i]) for i, row in enumerate(scores)]
    assert gallery_ranks(images, texts).tolist() == expected


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images, texts = vectors(50), vectors(50, seed=1)
    whole = gallery_ranks(images, texts)
    monkeypatch.setattr(gallery, "SCORES", 7 * 50)  # seven rows, and one in the end
    assert gallery_ranks(images, texts).tolist() == whole.tolist()
    monkeypatch.setattr(gallery, "SCORES", 1)
    assert gallery_ranks(images, texts).tolist() == whole.tolist()


def test_a_model_that_says_the_same_of_all_is_at_chance() -> None:
    same = F.normalize(torch.full((4_001, 48), 0.3), dim=1)
    for ranks in ranks_both_ways(same, same).values():
        found = retrieval_figures(ranks)
        assert found["medR"] == 2_001 == chance_figures(4_001)["medR"]
        assert found["R@10"] == 0.0


def test_retrieval_both_ways_of_a_hand_made_case() -> None:
    images = torch.eye(3)
    texts = torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1.0]])  # the second looks like the first
    found = {way: retrieval_figures(ranks) for way, ranks in ranks_both_ways(images, texts).items()}
    assert found["image_to_text"] == {
        "medR": 1.0, "MRR": 1.0, "R@1": 1.0, "R@5": 1.0, "R@10": 1.0,
    }  # fmt: skip
    assert found["text_to_image"]["R@1"] == pytest.approx(2 / 3)
    assert found["text_to_image"]["MRR"] == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_queries_may_have_their_own_candidate_anywhere() -> None:
    images = vectors(30)
    own = torch.tensor([29, 3, 3])
    assert gallery_ranks(images[own], images, own).tolist() == [1.0, 1.0, 1.0]
    assert gallery_ranks(torch.empty(0, 8), images).tolist() == []


def test_chance_is_the_mean_over_all_ranks() -> None:
    assert chance_figures(500)["medR"] == 250.5
    assert chance_figures(500)["R@10"] == pytest.approx(10 / 500)
    assert chance_figures(500)["MRR"] == pytest.approx(sum(1 / k for k in range(1, 501)) / 500)


# --- all images and languages of an entity ----------------------------------------------------------


def test_fused_vectors_are_mean_directions_and_say_who_has_none() -> None:
    rows = torch.tensor([[10.0, 0.0], [0.0, 0.1], [0.0, 3.0]])
    found, known = fused(rows, torch.tensor([2, 2, 0]), 3)
    assert known.tolist() == [True, False, True]
    half = math.sqrt(0.5)  # a long vector counts no more than a short one
    assert found.flatten().tolist() == pytest.approx([0, 1, 0, 0, half, half])


def test_mean_probabilities_still_sum_to_one() -> None:
    rows = torch.rand(40, 5).softmax(dim=1)
    owner = torch.arange(40) % 7
    found, known = mean_by_owner(rows, owner, 7)
    assert known.all()
    assert torch.allclose(found.sum(dim=1), torch.ones(7))
    assert torch.allclose(found[3], rows[owner == 3].mean(dim=0))


def test_many_noisy_images_together_find_their_text_more_often() -> None:
    texts = vectors(200, 16)
    owner = torch.arange(200).repeat(8)
    images = F.normalize(texts[owner] + 1.5 * vectors(1_600, 16, seed=1), dim=1)
    one = retrieval_figures(gallery_ranks(images[:200], texts))
    every = retrieval_figures(gallery_ranks(fused(images, owner, 200)[0], texts))
    assert every["MRR"] > one["MRR"] + 0.1


def test_with_one_language_images_are_found_among_all() -> None:
    images = vectors(60, 16)
    # English of all says what the image shows, German of half says little, Welsh of three is left out.
    english, german, welsh = images, vectors(30, 16, seed=9), images[:3]
    owner = torch.cat([torch.arange(60), torch.arange(30), torch.arange(3)])
    language = torch.tensor([0] * 60 + [1] * 30 + [2] * 3)
    found = by_language(
        images, torch.cat([english, german, welsh]), owner, language, ["en", "de", "cy"]
    )
    assert found["left_out"] == {"cy": 3}
    assert list(found["languages"]) == ["en", "de"]
    en, de = found["languages"]["en"], found["languages"]["de"]
    assert en["text_to_image"]["R@1"] == 1.0
    assert de["entities"] == 30
    assert de["chance"]["image_to_text"]["medR"] == 15.5
    assert de["chance"]["text_to_image"]["medR"] == 30.5
    expected = gallery_ranks(german, images, torch.arange(30))
    assert de["text_to_image"] == retrieval_figures(expected)


# --- location -----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_weighted_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, guess = np.array(pairs).T
    ours = location_figures(true, guess, np.zeros(len(true)))
    theirs = precision_recall_fscore_support(true, guess, average="weighted", zero_division=0)
    assert [ours["P"], ours["R"], ours["F1"]] == pytest.approx(theirs[:3])


def test_unknown_places_are_left_out_of_the_kilometres() -> None:
    cell = np.array([0, 1, 1])
    found = location_figures(cell, cell, np.array([0.5, 100.0, np.nan]))
    assert (found["within_1km"], found["within_25km"], found["within_200km"]) == (0.5, 0.5, 1.0)
    assert found["median_km"] == 50.25
    assert math.isnan(location_figures(cell, cell, np.full(3, np.nan))["median_km"])


# --- groups -------------------------------------------------------------------------------------


def test_the_worst_group_stands_beside_the_mean_and_small_ones_are_left_out() -> None:
    rank = np.array([1.0] * 30 + [9.0] * 20 + [99.0] * 19)
    names = ["Europe"] * 30 + ["Africa"] * 20 + ["Oceania"] * 19
    found = by_group(lambda rows: retrieval_figures(rank[rows]), members(names))
    assert list(found["groups"]) == ["Africa", "Europe"]
    assert found["groups"]["Africa"] == {
        "rows": 20, "medR": 9.0, "MRR": pytest.approx(1 / 9), "R@1": 0.0, "R@5": 0.0, "R@10": 1.0,
    }  # fmt: skip
    assert found["worst"]["medR"] == {"group": "Africa", "value": 9.0}
    assert found["worst"]["R@1"] == {"group": "Africa", "value": 0.0}
    assert found["mean"]["medR"] == 5.0
    assert found["left_out"] == {"groups": 1, "rows": 19}


def test_an_entity_counts_in_each_of_its_classes_and_once_in_each() -> None:
    found = members([("city", "port", "city"), "city", None, ()])
    assert {name: rows.tolist() for name, rows in found.items()} == {"city": [0, 1], "port": [0]}


def test_groups_without_a_known_place_give_null_and_no_group_nothing() -> None:
    cell, km = np.zeros(40, np.int64), np.array([np.nan] * 20 + [7.0] * 20)
    groups = {"unknown": np.arange(20), "known": np.arange(20, 40)}
    found = by_group(lambda rows: location_figures(cell[rows], cell[rows], km[rows]), groups)
    assert found["groups"]["unknown"]["median_km"] is None
    assert found["worst"]["median_km"] == {"group": "known", "value": 7.0}
    json.dumps(found, allow_nan=False)
    nothing = by_group(lambda rows: retrieval_figures(km[rows]), {"a": np.arange(3)})
    assert nothing == {
        "groups": {}, "worst": {}, "mean": {}, "left_out": {"groups": 1, "rows": 3},
    }  # fmt: skip


# --- intervals ----------------------------------------------------------------------------------


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    rank = np.array([1.0] * 300 + [50.0] * 700)
    found = intervals(lambda rows: retrieval_figures(rank[rows]), 1_000)
    low, high = found["R@1"] or (0, 0)
    width = 2 * 1.96 * math.sqrt(0.3 * 0.7 / 1_000)
    assert high - low == pytest.approx(width, rel=0.1)
    assert low < 0.3 < high
    assert found["medR"] == [50.0, 50.0]
    assert found == intervals(lambda rows: retrieval_figures(rank[rows]), 1_000)
    assert found != intervals(lambda rows: retrieval_figures(rank[rows]), 1_000, seed=1)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        km = np.random.default_rng(seed).exponential(100, 80)
        found = intervals(lambda rows, km=km: {"median_km": float(np.median(km[rows]))}, 80,
                          resamples=200, seed=seed)  # fmt: skip
        low, high = found["median_km"] or (0, 0)
        covered += low <= 100 * math.log(2) <= high
    assert 88 <= covered <= 100


def test_too_few_rows_have_no_interval() -> None:
    rank = np.array([1.0])
    assert intervals(lambda rows: retrieval_figures(rank[rows]), 1)["medR"] is None
    assert intervals(lambda rows: retrieval_figures(rank[rows]), 0) == {}
