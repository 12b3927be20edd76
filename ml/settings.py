"""The settings of a training run: ours, the published baseline's, and the released code's.

Every choice is a field. A run of the baseline is a set of values for them, so that any one can be
changed alone: that is how docs/baseline.md and docs/ablations.md come about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from mlmkg.errors import ModelError

TASKS: Final = ("mtl", "ir", "le")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run.

    :param model: ``mlm-clip`` or ``ir-le``.
    :param task: ``mtl`` for both tasks, ``ir`` for retrieval alone, ``le`` for location alone.
    :param seed: of everything drawn by chance.
    :param epochs: passes over the training entities.
    :param batch: entities per step; also the number of negatives of the contrastive loss.
    :param part: entities that go through the model at a time; the loss still sees the whole batch. 0
        for all: smaller ones need less memory and twice the forward passes.
    :param optimizer: ``adamw`` or ``adam``.
    :param rate: (peak) learning rate.
    :param weights_rate: that of the log-variances and the temperature.
    :param weight_decay: of AdamW; not for the log-variances and the temperature.
    :param schedule: ``cosine``, after a warm-up, or ``constant``.
    :param warmup: part of the steps during which the rate rises.
    :param clip: largest norm of the gradient; 0 for no limit.
    :param objective: of retrieval: ``infonce`` or ``cosine`` (CosineEmbeddingLoss).
    :param margin: of ``cosine``.
    :param negatives: of ``cosine``: every other entity of the ``batch``, or ``one`` of them.
    :param wrong_images: share of training items that show another entity's image, and are told so in
        retrieval, but are to be put into this entity's cell: the released code's 0.5. They are then
        all the negatives that there are.
    :param weights: of the losses. ``learned``: each its own log-variance. ``published``: retrieval by
        half, both cells under one log-variance. ``fixed``: those, but no optimizer knows them.
    :param smoothing_km: great-circle distance over which the target spreads to other cells; 0 for none.
    :param modality_dropout: probability of hiding an input, or a side from the cell of both.
    :param keep: ``best`` on validation, or the ``last`` epoch.
    :param agreement: of a model that knows both tasks; not used by one that knows one.
    :param classes, graph: whether the model sees them, where the data have them.
    :param hidden, shared, dropout, standard: see :class:`mlmkg.ml.models.ClipConfig`.
    :param normal_text: see :class:`mlmkg.ml.models.BaselineConfig`.
    :param precision: ``float32``, or ``bf16`` for what the model multiplies.
    :param compile: ``auto`` compiles where CUDA is, ``yes`` and ``no`` say it.
    :param threads: of torch on the CPU. Their number changes the order of sums and so the last bits of
        the weights: it is a setting, not what the machine happens to have.
    """

    model: str = "mlm-clip"
    task: str = "mtl"
    seed: int = 0
    epochs: int = 30
    batch: int = 256
    part: int = 0
    optimizer: str = "adamw"
    rate: float = 1e-3
    weights_rate: float = 1e-3
    weight_decay: float = 0.05
    schedule: str = "cosine"
    warmup: float = 0.1
    clip: float = 1.0
    objective: str = "infonce"
    margin: float = 0.1
    negatives: str = "batch"
    wrong_images: float = 0.0
    weights: str = "learned"
    smoothing_km: float = 75.0
    modality_dropout: float = 0.15
    keep: str = "best"
    agreement: float = 0.4
    classes: bool = True
    graph: bool = True
    hidden: int = 1024
    shared: int = 256
    dropout: float = 0.1
    standard: bool = True
    normal_text: bool = True
    precision: str = "float32"
    compile: str = "auto"
    threads: int = 2


#: The paper's baseline: Adam at a constant rate, no smoothing, nothing hidden.
BASELINE: Final[Mapping[str, Any]] = {
    "model": "ir-le", "epochs": 100, "batch": 128, "optimizer": "adam", "rate": 1e-4,
    "weights_rate": 1e-4, "weight_decay": 0.0, "schedule": "constant", "clip": 0.0,
    "objective": "cosine", "weights": "published", "smoothing_km": 0.0, "modality_dropout": 0.0,
    "agreement": 0.0, "graph": False, "dropout": 0.1, "standard": False,
}  # fmt: skip
#: How the released code departs from it; each value is a deviation of its own.
RELEASED: Final[Mapping[str, Any]] = {
    "wrong_images": 0.5, "negatives": "one", "normal_text": False, "weights": "fixed", "keep": "last",
}  # fmt: skip
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("mlm-clip", "ir-le"), "task": TASKS, "optimizer": ("adamw", "adam"),
    "schedule": ("cosine", "constant"), "objective": ("infonce", "cosine"),
    "negatives": ("batch", "one"), "weights": ("learned", "published", "fixed"),
    "keep": ("best", "last"), "precision": ("float32", "bf16"), "compile": ("auto", "yes", "no"),
}  # fmt: skip
_AT_LEAST: Final[Mapping[str, float]] = {
    "epochs": 1, "batch": 2, "part": 0, "rate": 0, "weights_rate": 0, "weight_decay": 0, "warmup": 0,
    "clip": 0, "margin": -1, "wrong_images": 0, "smoothing_km": 0, "modality_dropout": 0,
    "agreement": 0, "hidden": 1, "shared": 1, "dropout": 0, "threads": 1,
}  # fmt: skip
_SHARES: Final = ("warmup", "wrong_images", "modality_dropout", "dropout")


def settings_of(model: str, *, as_released: bool = False, **given: Any) -> TrainConfig:
    """Return the settings of a model, changed where they are given.

    :param as_released: the baseline as its authors' code trains it.
    :raises ModelError: for a setting that there is not, or a value that it cannot have.
    """
    if as_released and model != "ir-le":
        raise ModelError(
            f"{model} has not been released by the paper's authors", where="--as-released",
            action="Add --model ir-le",
        )  # fmt: skip
    usual: dict[str, Any] = {"model": model}
    if model == "ir-le":
        usual = {**BASELINE, **(RELEASED if as_released else {})}
    known = {field.name for field in fields(TrainConfig)}
    for name in given:
        if name not in known:
            raise ModelError(
                f"there is no setting {name!r}", action=f"Settings: {', '.join(sorted(known))}"
            )
    config = replace(TrainConfig(), **usual | given)
    check(config)
    return config


def parsed(pairs: Iterable[str]) -> dict[str, Any]:
    """Return settings from ``name=value`` as typed.

    :raises ModelError: for what is none.
    """
    given: dict[str, Any] = {}
    types = {field.name: type(getattr(TrainConfig(), field.name)) for field in fields(TrainConfig)}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in types:
            raise ModelError(
                f"{pair!r} is no setting", where="--set",
                action=f"Write NAME=VALUE; names: {', '.join(sorted(types))}",
            )  # fmt: skip
        try:
            given[name] = value if types[name] is str else types[name](json.loads(value.lower()))
        except (ValueError, TypeError):
            raise ModelError(
                f"{value!r} is no {types[name].__name__}", where=f"--set {name}",
                action=f"The usual value is {getattr(TrainConfig(), name)}",
            ) from None  # fmt: skip
    return given


def check(config: TrainConfig) -> None:
    """Refuse a value that a setting cannot have.

    :raises ModelError: naming the setting and what it can have.
    """
    for name, choices in _CHOICES.items():
        if getattr(config, name) not in choices:
            raise ModelError(
                f"there is no {name} {getattr(config, name)!r}",
                action=f"There are {', '.join(choices)}",
            )
    for name, least in _AT_LEAST.items():
        value = getattr(config, name)
        if not (value >= least and (name not in _SHARES or value < 1 + (name == "warmup"))):
            most = " and below 1" if name in _SHARES else ""
            raise ModelError(
                f"{name} is {value}", where="settings", action=f"Take one of at least {least:g}{most}"
            )
