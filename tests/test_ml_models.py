"""The two models and their settings: what is published, what is ours, what each switch does."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
import torch.nn.functional as F
from mlmkg.ml.batches import Batch, Feeder
from mlmkg.ml.losses import soft_targets
from mlmkg.ml.models import (
    BaselineConfig,
    ClipConfig,
    Inputs,
    IrLe,
    MlmClip,
    Model,
    Outputs,
    made,
)
from mlmkg.ml.models.baseline import OneStep
from mlmkg.ml.objective import Objective
from mlmkg.ml.ranks import Ranks
from mlmkg.ml.settings import RELEASED, TrainConfig, parsed, settings_of
from mlmkg.ml.step import Step, out_of_memory
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from mlmkg.errors import ModelError
from tests.exports import dataset_of

PARIS, BERLIN = (48.8566, 2.3522), (52.52, 13.405)
WIDTHS = {"image": 12, "summary": 8, "classes": 8}
HERE = Ranks(0, 1, torch.device("cpu"))


def inputs(number: int = 5, seed: int = 0, **hidden: list[int]) -> Inputs:
    """Return random features; ``image=[1]`` hides the image of number 1."""
    generator = torch.Generator().manual_seed(seed)
    features = {n: torch.randn(number, w, generator=generator) for n, w in WIDTHS.items()}
    known = {name: torch.ones(number, dtype=torch.bool) for name in WIDTHS}
    for name, rows in hidden.items():
        known[name][rows] = False
    return Inputs(features, known)


def clip(**options: object) -> MlmClip:
    torch.manual_seed(0)
    return MlmClip(ClipConfig(WIDTHS, 3, hidden=16, shared=8, **options)).eval()  # type: ignore[arg-type]


def batch(inputs: Inputs, cells: list[int]) -> Batch:
    number = len(cells)
    rows = {name: torch.arange(number) for name in inputs.known}
    labels = torch.tensor(cells)
    return Batch(
        rows, inputs.known, {}, torch.ones(number, dtype=torch.bool), labels.clamp(min=0), labels >= 0
    )


def test_the_baseline_has_the_published_layers() -> None:
    """Counted from the paper's widths: 4,096 and twice 3,072 in, 1,024 within, 116 cells."""
    model = IrLe(BaselineConfig({"image": 4096, "summary": 3072, "classes": 3072}, 116))
    lstm = 4 * (3072 * 1024 + 1024 * 1024 + 2 * 1024)
    square = 1024 * 1024 + 1024
    image = 4096 * 1024 + 1024 + square
    coordinates = square + 1024 * 116 + 116
    fused = 2048 * 1024 + 1024 + 232 * 116 + 116
    expected = image + 2 * (lstm + square) + coordinates + fused
    assert sum(p.numel() for p in model.parameters()) == expected


def test_a_step_of_an_lstm_leaves_a_third_of_the_baseline_without_a_gradient() -> None:
    torch.manual_seed(0)
    wide = {"image": 4096, "summary": 3072, "classes": 3072}
    model = IrLe(BaselineConfig(wide, 116))
    features = {name: torch.randn(64, width) for name, width in wide.items()}
    out = model(Inputs(features, {name: torch.ones(64, dtype=torch.bool) for name in wide}))
    (out.image_BD.sum() + out.text_BD.sum() + sum(v.sum() for v in out.logits.values())).backward()
    gates = [p for name, p in model.named_parameters() if "_l0" in name]
    still = sum(p.numel() if p.grad is None else int((p.grad == 0).sum()) for p in gates)
    total = sum(p.numel() for p in model.parameters())
    assert still / total == pytest.approx(0.332, abs=0.001)


def test_one_step_written_out_is_what_an_lstm_gives() -> None:
    torch.manual_seed(0)
    step, lstm = OneStep(8, 16), torch.nn.LSTM(8, 16, batch_first=True)
    lstm.load_state_dict(step.state_dict())
    x = torch.randn(5, 8)
    expected, _ = lstm(x[:, None])
    assert torch.allclose(step(x), expected[:, 0], atol=1e-6)
    expected.square().sum().backward()
    step(x).square().sum().backward()
    for name, parameter in lstm.named_parameters():
        own = step.get_parameter(name).grad
        assert parameter.grad is not None
        assert torch.allclose(torch.zeros(()) if own is None else own, parameter.grad, atol=1e-5)


def test_what_is_missing_does_not_change_what_is_said_of_the_rest() -> None:
    whole, hidden = inputs(), inputs(image=[1], summary=[2], classes=[2, 3])
    for name in WIDTHS:  # what stands in a hidden row must not matter
        hidden.features[name][~hidden.known[name]] = 1e4
    for model in (clip(), IrLe(BaselineConfig(WIDTHS, 3, hidden=16)).eval()):
        one, two = model(whole), model(hidden)
        assert torch.isfinite(two.image_BD).all() and torch.isfinite(two.text_BD).all()
        for row in (0, 4):
            assert torch.allclose(one.image_BD[row], two.image_BD[row])
            assert torch.allclose(one.logits["text"][row], two.logits["text"][row])
        assert torch.allclose(one.image_BD[3], two.image_BD[3])
        assert not torch.allclose(one.text_BD[3], two.text_BD[3])


def test_any_subset_of_the_inputs_gives_a_cell_from_what_there_is() -> None:
    model = clip()
    no_image, no_text = inputs(image=[0]), inputs(summary=[0], classes=[0])
    one, two = model(no_image), model(no_text)
    again = model(inputs(seed=7))
    assert torch.isfinite(one.logits["fused"]).all() and torch.isfinite(two.logits["fused"]).all()
    other = inputs(image=[0])
    other.features["image"][0] = 5.0
    assert torch.equal(model(other).logits["fused"][0], one.logits["fused"][0])
    assert not torch.equal(again.logits["fused"], one.logits["fused"])


def test_a_hidden_side_is_hidden_from_the_cell_of_both_and_from_nothing_else() -> None:
    model, whole = clip(), inputs()
    kept = {"image": torch.tensor([False, True, True, True, True])}
    one, two = model(whole), model(Inputs(whole.features, whole.known, kept))
    assert torch.equal(one.image_BD, two.image_BD)
    assert torch.equal(one.logits["image"], two.logits["image"])
    assert not torch.equal(one.logits["fused"][0], two.logits["fused"][0])
    assert torch.equal(one.logits["fused"][1:], two.logits["fused"][1:])


def test_settings_make_the_model_again() -> None:
    for model in (clip(agreement=0.4), IrLe(BaselineConfig(WIDTHS, 3, hidden=16, normal_text=False))):
        again = made(model.settings())
        assert type(again) is type(model) and again.config == model.config
    with pytest.raises(ModelError, match=r"no model 'ir'.*mlm-clip"):
        made({"kind": "ir", "widths": WIDTHS, "cells": 3})


def test_each_deviation_of_the_release_is_a_setting_of_its_own() -> None:
    fair, released = settings_of("ir-le"), settings_of("ir-le", as_released=True)
    changed = {
        f.name for f in fields(TrainConfig) if getattr(fair, f.name) != getattr(released, f.name)
    }
    assert changed == set(RELEASED)
    assert (fair.rate, fair.batch, fair.epochs, fair.margin) == (1e-4, 128, 100, 0.1)
    with pytest.raises(ModelError, match="--model ir-le"):
        settings_of("mlm-clip", as_released=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rat=1"], "no setting"), (["rate"], "no setting"), (["rate=fast"], "no float"),
        (["epochs=1.5e"], "no int"),
    ],
)  # fmt: skip
def test_a_setting_typed_wrongly_is_said(words: list[str], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        parsed(words)


def test_settings_are_read_and_held_against_what_they_can_be() -> None:
    assert parsed(["rate=1e-4", "classes=false", "objective=cosine", "epochs=3"]) == {
        "rate": 1e-4, "classes": False, "objective": "cosine", "epochs": 3,
    }  # fmt: skip
    for given in ({"objective": "triplet"}, {"dropout": 1.0}, {"epochs": 0}, {"model": "gpt"}):
        with pytest.raises(ModelError):
            settings_of(**{"model": "mlm-clip", **given})  # type: ignore[arg-type]


def test_cosine_losses_by_hand() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.6, 0.8])
    image, text = torch.stack([a, b]), torch.stack([b, b])
    out_text = {"image": torch.zeros(2, 1), "text": torch.zeros(2, 1)}

    some = inputs(2)
    config = settings_of("ir-le", task="ir")
    # Right pairs: 1 - .6 and 0, mean .2. Wrong ones: .6 - .1 and 1 - .1, mean .7. Half of each.
    for negatives in ("batch", "one"):
        objective = Objective(replace(config, negatives=negatives), torch.eye(1), ("image", "text"))
        loss, parts = objective(Outputs(image, text, out_text), batch(some, [0, 0]))
        assert float(loss) == float(parts["ir"]) == pytest.approx((0.2 + 0.7) / 2)
    # As released: the first image is another's (cosine .6 above the margin by .5), the second its own.
    mixed = replace(batch(some, [0, 0]), match_B=torch.tensor([False, True]))
    objective = Objective(replace(config, wrong_images=0.5), torch.eye(1), ("image", "text"))
    assert float(objective(Outputs(image, text, out_text), mixed)[0]) == pytest.approx(0.5 / 2)


def test_weights_of_the_losses() -> None:

    some, two = inputs(2), torch.zeros(2, 2)
    image = F.normalize(torch.tensor([[1.0, 0.0], [0.6, 0.8]]), dim=1)
    out = Outputs(image, image, {"image": two, "text": two, "fused": two})
    log2 = float(torch.tensor(2.0).log())
    published = Objective(settings_of("ir-le"), torch.eye(2), ("image", "text"))
    loss, parts = published(out, batch(some, [0, 1]))
    assert float(parts["image"]) == pytest.approx(log2)
    assert float(loss.detach()) == pytest.approx((0.5 * float(parts["ir"]) + 2 * log2) / 2)
    assert all(p.requires_grad for p in published.log_variances.parameters())
    fixed = Objective(settings_of("ir-le", weights="fixed"), torch.eye(2), ("image", "text"))
    assert not any(p.requires_grad for p in fixed.log_variances.parameters())
    ours = Objective(TrainConfig(), torch.eye(2), ("image", "text", "fused"))
    loss, parts = ours(out, batch(some, [0, 1]))
    assert float(loss.detach()) == pytest.approx(float(sum(parts.values()).detach()))


def test_a_learnt_variance_ends_at_the_log_of_twice_its_loss() -> None:
    """d/ds of exp(-s) L + s/2 is zero at s = log 2L."""
    objective = Objective(TrainConfig(task="ir"), torch.eye(1), ())
    optimizer = torch.optim.SGD(objective.log_variances.parameters(), lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        objective._weighed({"ir": torch.tensor(3.0)}).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    learnt = float(objective.log_variances["ir"].detach())
    assert learnt == pytest.approx(float(torch.tensor(6.0).log()), abs=1e-3)


def made_up(number: int = 64, cells: int = 4) -> tuple[Feeder, Model, Objective, TrainConfig]:
    torch.manual_seed(0)
    image, text = torch.randn(number, 12).half(), torch.randn(number, 8).half()
    dataset = dataset_of(
        image, text, [i % cells for i in range(number)], {"train": list(range(number))},
        [PARIS, BERLIN] * (cells // 2), [PARIS] * number,
    )  # fmt: skip
    config = TrainConfig(hidden=16, shared=8, dropout=0.0, compile="no")
    model = MlmClip(ClipConfig({"image": 12, "summary": 8}, cells, hidden=16, shared=8, dropout=0.2))
    feeder = Feeder(dataset, model.inputs, torch.device("cpu"), modality_dropout=0.15)
    objective = Objective(config, soft_targets(dataset.centres, 75), model.modalities)
    return feeder, model, objective, config


def gradients(step: Step, batch: Batch, model: Model, objective: Objective) -> list[Tensor]:
    torch.manual_seed(5)
    for module in (model, objective):
        module.zero_grad(set_to_none=True)
    step(batch)
    every = [*model.parameters(), *objective.parameters()]
    return [p.grad.clone() for p in every if p.grad is not None]


@pytest.mark.parametrize("part", [16, 24, 63])
def test_a_batch_in_parts_gives_the_gradients_of_the_whole(part: int) -> None:
    feeder, model, objective, config = made_up()
    for module in model.modules():  # chance per part is another than per batch
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    (one,) = feeder.epoch(64, torch.Generator().manual_seed(1))
    whole = gradients(Step(model, objective, feeder, config, HERE), one, model, objective)
    parts = Step(model, objective, feeder, replace(config, part=part), HERE)
    for a, b in zip(whole, gradients(parts, one, model, objective), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_batch_in_parts_draws_the_same_chance_both_times() -> None:
    """With dropout: the gradient of the parts is that of the loss that was computed."""
    feeder, model, objective, config = made_up()
    (one,) = feeder.epoch(64, torch.Generator().manual_seed(1))
    parts = Step(model, objective, feeder, replace(config, part=16), HERE)
    grads = gradients(parts, one, model, objective)
    weight = model.trunks["image"][0].weight  # type: ignore[index, union-attr]
    at = next(i for i, p in enumerate(model.parameters()) if p is weight)
    losses, h = [], 1e-3
    direction = torch.sign(grads[at])
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * h * direction
        torch.manual_seed(5)
        losses.append(float(parts(one)["loss"]))
        with torch.no_grad():
            weight -= sign * h * direction
    slope = (losses[0] - losses[1]) / (2 * h)
    assert slope == pytest.approx(float(grads[at].abs().sum()), rel=0.02)


class Counting(TorchDispatchMode):
    """Counts torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_a_step_does_no_work_per_sample_and_waits_for_no_value() -> None:
    feeder, model, objective, config = made_up(256)
    step = Step(model, objective, feeder, config, HERE)
    counts = []
    for size in (16, 128):
        batches = feeder.epoch(size, torch.Generator().manual_seed(1))
        with Counting() as counting:
            step(next(batches))
        assert not [n for n in counting.names if "item" in n or "_local_scalar_dense" in n]
        assert not [n for n in counting.names if "nonzero" in n or "masked_select" in n]
        counts.append(len(counting.names))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("kind", ["mlm-clip", "ir-le"])
def test_model_and_objective_are_one_graph_each(kind: str) -> None:
    feeder, model, objective, _ = made_up()
    if kind == "ir-le":
        model = IrLe(BaselineConfig({"image": 12, "summary": 8}, 4, hidden=16))
        config = settings_of("ir-le", as_released=True)
        objective = Objective(config, torch.eye(4), model.modalities)
    (one,) = feeder.epoch(64, torch.Generator().manual_seed(1))
    model.eval()
    said = torch.compile(model, fullgraph=True, backend="eager")(feeder.inputs(one))
    loss, _ = torch.compile(objective, fullgraph=True, backend="eager")(said, one)
    assert torch.allclose(loss, objective(model(feeder.inputs(one)), one)[0])


def test_modality_dropout_always_leaves_something() -> None:
    feeder, *_ = made_up(64)
    feeder = Feeder(
        dataset_of(torch.randn(2000, 4), torch.randn(2000, 4), [0] * 2000,
                   {"train": list(range(2000))}, [PARIS], [PARIS] * 2000),
        ("image", "summary"), torch.device("cpu"), modality_dropout=0.3,
    )  # fmt: skip
    (one,) = feeder.epoch(2000, torch.Generator().manual_seed(0))
    assert (one.kept["image"] | one.kept["text"]).all()
    for side in ("image", "text"):
        assert float(one.kept[side].float().mean()) == pytest.approx(0.7, abs=0.04)


def test_wrong_images_are_others_and_half_of_all() -> None:
    number = 2000
    dataset = dataset_of(
        torch.randn(number, 4), torch.randn(number, 4), [0] * number,
        {"train": list(range(number))}, [PARIS], [PARIS] * number,
    )  # fmt: skip
    feeder = Feeder(dataset, ("image", "summary"), torch.device("cpu"), wrong_images=0.5)
    (one,) = feeder.epoch(number, torch.Generator().manual_seed(0))
    own = one.rows["image"] == one.rows["summary"]
    assert torch.equal(own, one.match_B)
    assert float(own.float().mean()) == pytest.approx(0.5, abs=0.05)


def test_what_a_side_says_counts_for_what_it_is_worth() -> None:
    """The image's logits are noise, and loud; the text's are right in four of five cases."""
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, 3, (400,), generator=generator)
    said = torch.where(torch.rand(400, generator=generator) < 0.8, label, (label + 1) % 3)
    text, image = 2 * F.one_hot(said, 3).float(), 5 * torch.randn(400, 3, generator=generator)
    there = {name: torch.ones(400, dtype=torch.bool) for name in ("image", "text", "fused")}
    logits = {"image": image, "text": text, "fused": image + text}
    places = torch.zeros(400, 8)
    model = clip()
    model.settle(Outputs(places, places, logits), there, label)
    of_image, of_text, _ = model.shares.tolist()
    assert of_image < 0.1 and 0.5 < of_text < 2
    before = F.cross_entropy(logits["fused"], label)
    assert F.cross_entropy(of_image * image + of_text * text, label) < before / 2
    whole = inputs()
    assert torch.isfinite(model(whole).logits["fused"]).all()
    untouched = clip()
    untouched.settle(Outputs(places, places, logits), there, torch.full((400,), -1))
    assert untouched.shares.tolist() == [1, 1, 1]


def test_memory_that_runs_out_says_which_batch_would_fit() -> None:
    """What torch raises where a GPU is full; the words are the device's."""
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    for part, said in ((0, "4,096 entities at a time.*part=1024"), (512, "512 .*part=128")):
        with pytest.raises(ModelError, match=said), out_of_memory(4096, part):
            raise full
    with (
        pytest.raises(ModelError, match=r"4,096 .*\(can't allocate memory.*part=1024"),
        out_of_memory(4096, 0),
    ):
        torch.empty(1 << 50)  # four petabytes: the CPU's memory runs out, too
    with pytest.raises(RuntimeError, match="must match"), out_of_memory(4096, 0):
        torch.ones(2) + torch.ones(3)  # what is no lack of memory stays what it is
