"""The protocol of the evaluation, against numbers worked out by hand."""

from __future__ import annotations

import random
import statistics

import pytest
import torch
from mlmkg.ml.evaluate import evaluate, predict_cells
from mlmkg.ml.losses import cell_loss, contrastive, great_circle
from mlmkg.ml.models import BaselineConfig, ClipConfig, Inputs, IrLe, MlmClip, Outputs

from tests.exports import dataset_of

PARIS, LYON, BERLIN = (48.8566, 2.3522), (45.764, 4.8357), (52.52, 13.405)


def untrained(cells: int = 2, width: int = 6) -> MlmClip:
    torch.manual_seed(0)
    return MlmClip(ClipConfig({"image": width, "summary": width}, cells, hidden=16, shared=8)).eval()


def test_a_model_that_says_the_same_of_all_is_at_chance_and_not_first() -> None:
    image = torch.ones(9, 6)
    dataset = dataset_of(image, image, [0] * 9, {"test": list(range(9))}, [PARIS], [PARIS] * 9)
    result = evaluate(untrained(1), dataset, "ir")
    assert result["retrieval"]["image_to_text"]["medR"] == 5.0
    assert result["retrieval"]["text_to_image"]["R@1"] == 0.0
    assert result["chance"]["retrieval"]["medR"] == 5.0


def of(image: torch.Tensor, text: torch.Tensor, logits: torch.Tensor) -> Outputs:
    return Outputs(image, text, {"image": logits, "text": logits})


def test_retrieval_with_cells_adds_the_overlap_of_their_probabilities() -> None:
    torch.manual_seed(0)
    config = ClipConfig({"image": 6, "summary": 6}, cells=2, hidden=16, shared=8, agreement=0.5)
    model = MlmClip(config)
    places = torch.nn.functional.normalize(torch.randn(3, 8), dim=1)
    logits = torch.tensor([[9.0, -9.0], [9.0, -9.0], [-9.0, 9.0]])  # one cell, the same, the other
    joined, again = model.compared(of(places, places, logits))
    assert joined.shape == (3, 10) and torch.equal(joined, again)
    assert torch.allclose(joined.norm(dim=1), torch.ones(3))
    plain, together = places @ places.T, joined @ joined.T
    assert float(together[0, 1]) == pytest.approx((float(plain[0, 1]) + 0.25) / 1.25, abs=1e-3)
    assert float(together[0, 2]) == pytest.approx(float(plain[0, 2]) / 1.25, abs=1e-3)
    assert torch.equal(untrained().compared(of(places, places, logits))[0], places)


@pytest.mark.parametrize(("agreement", "median"), [(0.5, 1.0), (0.0, 5.0)])
def test_the_cells_tell_apart_what_the_places_do_not(agreement: float, median: float) -> None:
    torch.manual_seed(0)
    widths = {"image": 6, "summary": 6}
    model = MlmClip(ClipConfig(widths, 4, hidden=16, shared=8, agreement=agreement)).eval()
    model.trunks["summary"], model.text_cell = model.trunks["image"], model.image_cell
    for space in (model.image_space, model.text_space):
        last = space[-1]
        assert isinstance(last, torch.nn.Linear)
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.ones_(last.bias)
    features = 3 * torch.randn(9, 6, generator=torch.Generator().manual_seed(1))
    dataset = dataset_of(features, features, [0] * 9, {"test": list(range(9))}, [PARIS], [PARIS] * 9)
    result = evaluate(model, dataset, "ir")
    assert result["retrieval"]["image_to_text"]["medR"] == median


def test_the_text_side_as_released_is_scored_both_ways() -> None:
    torch.manual_seed(0)
    features = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    dataset = dataset_of(
        features, features, [0] * 30, {"test": list(range(30))}, [PARIS], [PARIS] * 30
    )  # fmt: skip
    widths = {"image": 6, "summary": 6}
    released = IrLe(BaselineConfig(widths, 1, hidden=16, normal_text=False)).eval()
    result = evaluate(released, dataset, "ir")
    by_product, by_cosine = result["retrieval_by_dot_product"], result["retrieval"]
    # The length of the text's vector is the same for all that one text is compared with.
    assert by_product["text_to_image"] == by_cosine["text_to_image"]
    assert by_product["image_to_text"] != by_cosine["image_to_text"]
    plain = IrLe(BaselineConfig(widths, 1, hidden=16)).eval()
    plain.load_state_dict(released.state_dict())
    normal = evaluate(plain, dataset, "ir")
    assert normal["retrieval_by_dot_product"] is None
    assert normal["retrieval"]["image_to_text"] == pytest.approx(by_cosine["image_to_text"])


def test_a_test_split_under_500_is_ranked_whole_and_the_result_says_so() -> None:
    features = torch.randn(7, 6, generator=torch.Generator().manual_seed(1))
    dataset = dataset_of(features, features, [0] * 7, {"test": list(range(7))}, [PARIS], [PARIS] * 7)
    result = evaluate(untrained(1), dataset, "ir")
    assert (result["draws"], result["gallery"], result["pairs"]) == (1, 7, 7)


def test_ten_draws_of_500_are_those_of_the_published_seed() -> None:
    number = 620
    generator = torch.Generator().manual_seed(2)
    image, text = (torch.randn(number, 6, generator=generator) for _ in range(2))
    dataset = dataset_of(
        image, text, [0] * number, {"test": list(range(number))}, [PARIS], [PARIS] * number
    )
    model = untrained(1)
    result = evaluate(model, dataset, "ir")
    with torch.inference_mode():
        there = torch.ones(number, dtype=torch.bool)
        names = ("image", "summary")
        out = model(Inputs(dict(zip(names, (image, text), strict=True)), dict.fromkeys(names, there)))
        scores = (out.image_BD @ out.text_BD.T).tolist()
    random.seed(1234)
    draws = [random.sample(range(number), 500) for _ in range(10)]
    for direction, score in (
        ("image_to_text", lambda i, j: scores[i][j]), ("text_to_image", lambda i, j: scores[j][i]),
    ):  # fmt: skip
        medians, within_ten = [], []
        for draw in draws:
            rank = [1 + sum(score(i, j) > score(i, i) for j in draw) for i in draw]
            medians.append(statistics.median(rank))
            within_ten.append(sum(r <= 10 for r in rank) / 500)
        assert result["retrieval"][direction]["medR"] == pytest.approx(
            statistics.mean(medians), abs=0.1
        )
        assert result["retrieval"][direction]["R@10"] == pytest.approx(
            statistics.mean(within_ten), abs=1e-3
        )
    assert (result["draws"], result["gallery"], result["pairs"]) == (10, 500, 620)


def test_always_saying_the_largest_cell_by_hand() -> None:
    """Training saw cell 0 twice, cell 1 once; of four test entities two lie in each."""
    dataset = dataset_of(
        torch.zeros(7, 6), torch.zeros(7, 6), [0, 0, 1, 0, 0, 1, 1],
        {"train": [0, 1, 2], "test": [3, 4, 5, 6]}, [PARIS, BERLIN],
        [PARIS, PARIS, BERLIN, PARIS, LYON, BERLIN, BERLIN],
    )  # fmt: skip
    chance = evaluate(untrained(), dataset, "le")["chance"]["location"]
    assert chance["R"] == pytest.approx(0.5)
    assert chance["P"] == pytest.approx(0.25)  # 2/4 of what was said for cell 0, nothing for cell 1
    assert chance["F1"] == pytest.approx(1 / 3)
    assert chance["within_25km"] == 0.25
    assert chance["within_200km"] == 0.25  # Lyon is 392 km from Paris
    assert chance["within_750km"] == 0.5
    assert chance["within_2500km"] == 1.0
    assert chance["median_km"] == pytest.approx((392 + 878) / 2, abs=2)


def test_cells_that_training_never_saw_are_counted_and_cannot_be_right_by_chance() -> None:
    dataset = dataset_of(
        torch.zeros(4, 6), torch.zeros(4, 6), [0, 0, 1, 1], {"train": [0, 1], "test": [2, 3]},
        [PARIS, BERLIN], [PARIS, PARIS, BERLIN, BERLIN],
    )  # fmt: skip
    result = evaluate(untrained(), dataset, "le")
    assert result["unseen_cells"] == 2
    assert result["chance"]["location"]["F1"] == 0.0


def test_a_task_that_was_not_learnt_has_no_figures() -> None:
    dataset = dataset_of(
        torch.randn(4, 6), torch.randn(4, 6), [0, 1, 0, 1], {"train": [0, 1], "test": [2, 3]},
        [PARIS, BERLIN], [PARIS, BERLIN] * 2,
    )  # fmt: skip
    assert evaluate(untrained(), dataset, "ir")["location"] is None
    located = evaluate(untrained(), dataset, "le")
    assert located["retrieval"] is None and located["draws"] is None
    assert set(located["location"]["image"]) == {
        "F1", "P", "R", "median_km", "within_1km", "within_25km", "within_200km", "within_750km",
        "within_2500km",
    }  # fmt: skip


def test_probabilities_of_cells_sum_to_one() -> None:
    dataset = dataset_of(
        torch.randn(3, 6), torch.randn(3, 6), [0, 1, 0], {"test": [0, 1, 2]}, [PARIS, BERLIN],
        [PARIS, BERLIN, PARIS],
    )  # fmt: skip
    found, probabilities = predict_cells(untrained(), dataset, torch.arange(3), "text")
    assert found.tolist() == [0, 1, 2]
    assert probabilities.sum(dim=1).tolist() == pytest.approx([1, 1, 1])


def test_a_batch_in_which_nobody_has_both_modalities_costs_nothing() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 4), dim=1).requires_grad_()
    nobody = torch.zeros(3, dtype=torch.bool)
    loss = contrastive(vectors, vectors.detach(), torch.tensor(10.0), nobody, torch.eye(3).bool())
    loss.backward()
    assert loss.item() == 0.0
    assert vectors.grad is not None and float(vectors.grad.abs().sum()) == 0.0


def test_entities_without_a_cell_do_not_weigh_in_the_cell_loss() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 9.0]])
    target = torch.eye(2)[[0, 0]]
    known = torch.tensor([True, False])
    alone = cell_loss(logits[:1], target[:1], known[:1])
    assert float(cell_loss(logits, target, known)) == pytest.approx(float(alone))


def test_across_the_antimeridian_is_near() -> None:
    fiji, samoa = torch.tensor([-17.0, 179.5]), torch.tensor([-17.0, -179.5])
    assert float(great_circle(fiji, samoa)) == pytest.approx(106.3, abs=0.5)
