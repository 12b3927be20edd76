"""Temperatures, sets with a coverage, coarse cells and places, against what is known beforehand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import s2sphere
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mlmkg.ml.calibration import COLDEST, calibrate, reliability
from mlmkg.ml.certainty import Certainty, fit_certainty, measure_certainty
from mlmkg.ml.conformal import conformal_sets, conformal_threshold, coverage_of
from mlmkg.ml.hierarchy import coarsen, parents_of
from mlmkg.ml.plots_certainty import draw_reliability
from mlmkg.ml.sphere import choose_estimate, sphere_centroid
from PIL import Image
from scipy.stats import betabinom
from sklearn.calibration import calibration_curve
from torch import Tensor

from mlmkg.cells import cells
from mlmkg.errors import ModelError, RecipeError
from mlmkg.s2 import tokens

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


def drawn(number: int, cells: int = 30, seed: int = 0, spread: float = 2.0) -> tuple[Tensor, Tensor]:
    """Return calibrated logits, and labels drawn from just those probabilities."""
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(number, cells, generator=generator)
    return logits, torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]


# --- temperature and reliability --------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_found_again(temperature: float) -> None:
    logits, labels = drawn(20_000)
    assert calibrate(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_the_temperature_mends_a_model_that_is_too_sure_and_changes_no_answer() -> None:
    logits, labels = drawn(20_000)
    sure = 3 * logits
    before = reliability(sure.softmax(dim=1), labels)
    mended = (sure / calibrate(sure, labels)).softmax(dim=1)
    after = reliability(mended, labels)
    assert before.error is not None and after.error is not None
    assert before.error > 0.2 and after.error < 0.02
    assert torch.equal(mended.argmax(dim=1), logits.argmax(dim=1))


def test_unknown_cells_are_left_out_and_without_any_the_temperature_is_one() -> None:
    logits, labels = drawn(500)
    more = torch.cat([logits, 100 * torch.ones(40, 30)])
    unknown = torch.cat([labels, torch.full((40,), -1)])
    assert calibrate(more, unknown) == calibrate(logits, labels)
    assert calibrate(logits, torch.full((500,), -1)) == 1.0
    assert calibrate(logits[:, :1], torch.zeros(500, dtype=torch.long)) == 1.0  # one cell
    assert COLDEST <= calibrate(5 * torch.eye(3), torch.arange(3)) < 0.5  # right about all


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="not all numbers"):
        calibrate(torch.tensor([[0.0, float("nan")]]), torch.tensor([0]))


def test_the_calibration_error_of_a_hand_made_case() -> None:
    # Four say 0.75 and three of them are right: nothing to blame. Two say 0.62, none is right.
    rows = [[0.75, 0.25]] * 4 + [[0.38, 0.62]] * 2
    probabilities, labels = torch.tensor(rows), torch.tensor([0, 0, 0, 1, 0, 0])
    assert reliability(probabilities[:4], labels[:4]).error == pytest.approx(0)
    whole = reliability(probabilities, labels)
    assert whole.error == pytest.approx(2 / 6 * 0.62)
    assert whole.count_B.tolist() == [0] * 9 + [2, 0, 4, 0, 0, 0]
    assert math.isnan(whole.accuracy_B[0])


def test_the_plot_is_that_of_scikit_learn() -> None:
    logits, labels = drawn(3_000)
    probabilities = logits.softmax(dim=1)
    ours = reliability(probabilities, labels)
    best = probabilities.max(dim=1)
    right, sure = calibration_curve((best.indices == labels).numpy(), best.values.numpy(), n_bins=15)
    filled = ours.count_B > 0
    assert np.allclose(ours.accuracy_B[filled], right)
    assert np.allclose(ours.confidence_B[filled], sure)
    assert ours.count_B.sum() == 3_000


# --- sets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("wrong", [1.0, 0.3])  # a model that is too sure, too
def test_sets_hold_the_true_cell_as_often_as_stated(coverage: float, wrong: float) -> None:
    logits, labels = drawn(6_000, seed=3)
    probabilities = (logits / wrong).softmax(dim=1)
    fitted, new = slice(1_000), slice(1_000, None)
    threshold = conformal_threshold(probabilities[fitted], labels[fitted], coverage)
    found = coverage_of(conformal_sets(probabilities[new], threshold), labels[new])
    assert found is not None and found.entities == 5_000
    # Exchangeable: the number of covered entities is beta-binomial, a little more by the argmax.
    rank = math.ceil(1_001 * coverage)
    least, most = betabinom.ppf([1e-5, 1 - 1e-5], 5_000, rank, 1_001 - rank)
    assert least <= round(found.share * 5_000) <= most + (0 if coverage > 0.8 else 5_000)


def test_the_sets_are_smaller_than_adaptive_ones_of_the_same_coverage() -> None:
    # Some entities are easy and some are not, as towns with an image of a cathedral or of a field.
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(6_000, 60, generator=generator) * (torch.arange(6_000) % 6)[:, None]
    probabilities = logits.softmax(dim=1)
    labels = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    # Romano et al. 2020, without their randomisation: cells in falling order up to the true one.
    order = probabilities.argsort(dim=1, descending=True)
    summed = probabilities.gather(1, order).cumsum(dim=1)
    up_to = torch.empty_like(summed).scatter(1, order, summed)
    score = up_to[:1_000].gather(1, labels[:1_000, None])[:, 0].sort().values
    adaptive = coverage_of(up_to[1_000:] <= score[math.ceil(1_001 * 0.9) - 1], labels[1_000:])
    threshold = conformal_threshold(probabilities[:1_000], labels[:1_000], 0.9)
    least = coverage_of(conformal_sets(probabilities[1_000:], threshold), labels[1_000:])
    assert adaptive is not None and least is not None
    assert adaptive.share == pytest.approx(0.9, abs=0.03)
    assert least.mean_size < 0.95 * adaptive.mean_size


def test_a_set_is_never_empty_and_too_few_entities_give_all_cells() -> None:
    flat = torch.full((2, 4), 0.25)
    assert conformal_sets(flat, 0.9).sum(dim=1).tolist() == [1, 1]
    assert conformal_sets(flat, 0.25).all()
    nine, eight = torch.full((9, 1), 1.0), torch.full((8, 1), 1.0)
    assert conformal_threshold(nine, torch.zeros(9, dtype=torch.long), 0.9) == 1.0
    assert conformal_threshold(eight, torch.zeros(8, dtype=torch.long), 0.9) == 0.0
    assert conformal_threshold(nine, torch.full((9,), -1), 0.9) == 0.0
    assert coverage_of(conformal_sets(flat, 0.5), torch.tensor([-1, -1])) is None
    with pytest.raises(ModelError, match=r"coverage of 1\b"):
        conformal_threshold(nine, torch.zeros(9, dtype=torch.long), 1.0)


@given(st.integers(1, 400), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_of_the_fitted_entities_just_as_many_are_covered(n: int, coverage: float, seed: int) -> None:
    true_n = torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    probabilities = torch.stack([true_n, 1 - true_n], dim=1)
    threshold = conformal_threshold(probabilities, torch.zeros(n, dtype=torch.long), coverage)
    rank = -((-(n + 1) * round(coverage * 100)) // 100)  # ceil((n + 1) coverage) without floats
    assert int((true_n >= threshold).sum()) == min(rank, n)


# --- coarse cells -------------------------------------------------------------------------------


@given(st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=40), st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_parents_are_those_of_s2_and_nothing_is_lost(
    places: list[tuple[float, float]], level: int
) -> None:
    found = cells(*zip(*places, strict=True), start_level=2, max_level=8, t_max=1, t_min=0)
    names = tokens(found.ids)
    probabilities = torch.rand(3, len(names), dtype=torch.float64) + 0.01
    probabilities /= probabilities.sum(dim=1, keepdim=True)
    coarse, parents = coarsen(probabilities, names, level)
    assert torch.allclose(coarse.sum(dim=1), torch.ones(3, dtype=torch.float64))
    expected: dict[str, Tensor] = {}
    for column, name in enumerate(names):
        cell = s2sphere.CellId.from_token(name)
        parent = (cell.parent(level) if cell.level() > level else cell).to_token()
        expected[parent] = expected.get(parent, torch.zeros(3)) + probabilities[:, column]
    assert set(parents) == set(expected)
    for column, name in enumerate(parents):
        assert torch.allclose(coarse[:, column], expected[name])


def test_labels_become_coarse_by_the_same_numbers() -> None:
    names = ["47a85", "47e67", "0d423"]
    parent, coarse = parents_of(names, 2)
    assert [coarse[p] for p in parent.tolist()] == ["47", "47", "0d"]


def test_cells_of_an_import_have_no_parents_and_the_message_says_so() -> None:
    with pytest.raises(ModelError, match="'published-0123abcd-0' is not an S2 token"):
        coarsen(torch.ones(1, 1), ["published-0123abcd-0"], 3)
    with pytest.raises(RecipeError, match="levels 0 to 30"):
        coarsen(torch.ones(1, 1), ["47a85"], 31)


# --- places -------------------------------------------------------------------------------------


def centroid(weights: list[float], *places: tuple[float, float]) -> list[float]:
    found = sphere_centroid(torch.tensor([weights]), torch.tensor(places, dtype=torch.float64))
    row: list[float] = found[0].tolist()
    return row


def test_the_mean_place_lies_between_across_the_antimeridian_and_over_the_pole() -> None:
    assert centroid([0.5, 0.5], (10, 20), (10, 20)) == pytest.approx([10, 20])
    latitude, longitude = centroid([0.5, 0.5], (0, 170), (0, -170))
    assert (latitude, abs(longitude)) == pytest.approx((0, 180))
    assert centroid([0.5, 0.5], (80, 0), (80, 180))[0] == pytest.approx(90)
    assert centroid([0.25] * 4, (-89, 0), (-89, 90), (-89, 180), (-89, -90))[0] == pytest.approx(-90)
    assert centroid([1.0], (-33.9, 151.2)) == pytest.approx([-33.9, 151.2])  # one cell


def test_two_sides_of_the_earth_fall_back_to_the_likeliest_cell() -> None:
    assert centroid([0.5, 0.5], (10, 20), (-10, -160)) == [10, 20]
    assert centroid([0.25] * 4, (0, 0), (0, 90), (0, 180), (0, -90)) == [0, 0]
    assert centroid([0.5, 0.5], (90, 0), (-90, 0)) == [90, 0]


@given(st.tuples(st.floats(-85, 85), LONGITUDES), st.floats(0.05, 1))
@settings(max_examples=60, deadline=None)
def test_turning_the_earth_turns_the_mean_place(place: tuple[float, float], weight: float) -> None:
    latitude, longitude = place
    weights = [weight, 1 - weight * 0.5]
    here = centroid(weights, (latitude, longitude), (latitude * 0.5, longitude + 30))
    there = centroid(weights, (latitude, longitude + 90), (latitude * 0.5, longitude + 120))
    assert there[0] == pytest.approx(here[0], abs=1e-6)
    assert (there[1] - here[1]) % 360 == pytest.approx(90, abs=1e-6)


def test_the_estimate_with_the_lower_median_error_is_chosen() -> None:
    centres = torch.tensor([[0.0, 0.0], [0.0, 10.0]])
    halves = torch.tensor([[0.6, 0.4]] * 3)
    between, inside = torch.tensor([[0.0, 4.1]] * 3), torch.tensor([[0.0, 0.5]] * 3)
    assert choose_estimate(halves, centres, between) == "centroid"
    assert choose_estimate(halves, centres, inside) == "argmax"
    unknown = torch.full((3, 2), float("nan"))
    assert choose_estimate(halves, centres, unknown) == "argmax"
    unknown[0] = between[0]
    assert choose_estimate(halves, centres, unknown) == "centroid"


# --- all of it ------------------------------------------------------------------------------------


def world(number: int, seed: int) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor]:
    """Return logits per modality, labels, centres and places."""
    logits, labels = drawn(number, cells=12, seed=seed)
    centres = torch.stack([torch.linspace(-60, 60, 12), torch.linspace(-170, 170, 12)], dim=1)
    return {"image": 4 * logits, "text": logits}, labels, centres, centres[labels]


def test_what_is_fitted_on_validation_holds_on_test_and_travels_as_json() -> None:
    logits, labels, centres, places = world(2_000, seed=1)
    fitted = fit_certainty(logits, labels, centres, places)
    assert fitted.fitted["image"].temperature == pytest.approx(4, rel=0.15)
    assert fitted.fitted["text"].temperature == pytest.approx(1, rel=0.15)
    again = Certainty.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted

    logits, labels, _, _ = world(4_000, seed=2)
    for name, measured in measure_certainty(again, logits, labels).items():
        figures = measured.figures()
        assert figures["coverage"] == pytest.approx(0.9, abs=0.03)
        assert figures["ECE"] is not None and figures["ECE"] < 0.03
        assert figures["set_size"] == pytest.approx(
            float(again.sets(name, again.probabilities(name, logits[name])).sum(dim=1).double().mean())
        )
    image, text = (measure_certainty(again, logits, labels)[name] for name in ("image", "text"))
    assert image.before.error is not None and image.before.error > 0.1
    # Both say the same once each has its temperature.
    assert image.figures()["set_size"] == pytest.approx(text.figures()["set_size"], rel=0.1)
    assert again.places("text", torch.eye(12), centres).numpy() == pytest.approx(
        centres.numpy(), abs=1e-5
    )


def test_the_picture_has_a_panel_for_each_modality_that_was_measured(tmp_path: Path) -> None:
    logits, labels, centres, places = world(300, seed=1)
    fitted = fit_certainty(logits, labels, centres, places)
    both = measure_certainty(fitted, logits, labels)
    width = {}
    for names in (["text"], ["image", "text"]):
        path = tmp_path / f"{len(names)}.png"
        draw_reliability(path, "a run", fitted, {name: both[name] for name in names})
        width[len(names)] = Image.open(path).width
    assert 1.6 < width[2] / width[1] < 2
    nothing = measure_certainty(fitted, logits, torch.full((300,), -1))
    draw_reliability(tmp_path / "none.png", "a run", fitted, nothing)
    assert not (tmp_path / "none.png").exists()


def test_entities_without_the_modality_are_left_out() -> None:
    logits, labels, centres, places = world(300, seed=4)
    known = {name: torch.arange(300) < 200 for name in logits}
    some = fit_certainty(logits, labels, centres, places, known=known)
    first = {name: rows[:200] for name, rows in logits.items()}
    assert some == fit_certainty(first, labels[:200], centres, places[:200])
    assert some.fitted["image"].entities == 200


def test_without_a_known_cell_nothing_is_changed_and_the_set_is_all_cells() -> None:
    logits, _, centres, places = world(50, seed=4)
    nothing = fit_certainty(logits, torch.full((50,), -1), centres, places * float("nan"))
    one = nothing.fitted["text"]
    assert (one.temperature, one.threshold, one.estimate, one.error_after) == (1.0, 0.0, "argmax", None)
    assert nothing.sets("text", nothing.probabilities("text", logits["text"])).all()
    measured = measure_certainty(nothing, logits, torch.full((50,), -1))["text"]
    assert measured.figures() == {"ECE_before": None, "ECE": None, "coverage": None, "set_size": None}


def test_one_cell_is_certain() -> None:
    one = fit_certainty(
        {"text": torch.randn(20, 1)}, torch.zeros(20, dtype=torch.long),
        torch.tensor([[1.0, 2.0]]), torch.ones(20, 2),
    )  # fmt: skip
    assert one.fitted["text"].temperature == 1.0
    assert one.fitted["text"].threshold == 1.0
    assert one.fitted["text"].error_after == 0.0


@pytest.mark.parametrize(
    "content",
    [{}, {"coverage": 0.9, "fitted": {"text": {"warmth": 1}}}, {"coverage": 2, "fitted": {}},
     {"coverage": 0.9, "fitted": {"text": {"temperature": 0.0}}}, {"coverage": 0.9, "fitted": []}],
)  # fmt: skip
def test_a_damaged_certainty_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Certainty.from_json(content)


def test_a_modality_that_was_not_fitted_is_named() -> None:
    with pytest.raises(ModelError, match="'image'"):
        Certainty(0.9, {}).probabilities("image", torch.ones(1, 2))
