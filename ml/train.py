"""Training, to be read from top to bottom.

    mlmkg train --version irle-gr --task mtl
    torchrun --nproc-per-node 4 -m mlmkg train --version irle-gr

A dataset enters; a run's folder leaves: settings, weights, metrics per epoch, plots. Features stay on
the device, an epoch's rows are drawn there at once, and a step is a gather, a forward pass, a loss. One
seed gives one result, also of a run that was stopped and went on.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import torch
from mlmkg.ml import checkpoint, plots
from mlmkg.ml.batches import Feeder
from mlmkg.ml.certainty import Certainty, fit_certainty, measure_certainty
from mlmkg.ml.data import Dataset
from mlmkg.ml.evaluate import evaluate, quick, said
from mlmkg.ml.losses import soft_targets
from mlmkg.ml.models import Model, Outputs, made
from mlmkg.ml.objective import Objective
from mlmkg.ml.plots_certainty import draw_reliability
from mlmkg.ml.ranks import Ranks, ranks
from mlmkg.ml.record import METRICS, Record
from mlmkg.ml.resume import Learning, Unfinished
from mlmkg.ml.settings import TrainConfig, check
from mlmkg.ml.step import Step
from mlmkg.ml.usable import check_usable
from torch import nn

from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace, folder_written_whole, held_alone

EVALUATION: Final = "evaluation.json"
CONFIG: Final = "config.json"
TIMES: Final = "times.json"
#: Training entities whose features are averaged, about.
AVERAGED: Final = 20_000


@dataclass(frozen=True)
class _Run:
    """What does not change while a model learns."""

    dataset: Dataset
    config: TrainConfig
    name: str
    ranks: Ranks
    unfinished: Unfinished
    progress: Progress
    pictures: bool


def train(
    dataset: Dataset, config: TrainConfig, workspace: Workspace, *, name: str | None = None,
    force: bool = False, pictures: bool = True, progress: Progress = quiet,
) -> Path:  # fmt: skip
    """Train a model and write its run's folder; return the folder.

    A run that was stopped goes on where it was, if it is begun again with the same settings and data.

    :param name: the run's name; ``{version}-{task}-{seed}`` if None, after the model if that is not
        the usual one.
    :param force: replace a run of that name, and begin an unfinished one anew.
    :param pictures: draw the run's plots.
    :raises ModelError: if the run exists, or the settings or the data do not allow training.
    :raises WorkspaceError: if another process trains it.
    """
    kind = "" if config.model == TrainConfig.model else f"{config.model}-"
    run = name or f"{dataset.version}-{kind}{config.task}-{config.seed}"
    folder = workspace.runs / run
    check(config)
    _check_name(run)
    with _alone(folder, force):
        check_usable(dataset, config.task)
        config = replace(config, batch=min(config.batch, len(dataset.split["train"])))
        unfinished = Unfinished(
            checkpoint.unfinished_folder(folder),
            {"settings": asdict(config), "data": dataset.key, "encoders": dataset.encoders,
             "graph": dataset.recipe.get("graph"), "software": checkpoint.software()},
        )  # fmt: skip
        with ranks() as here, _deterministic(config.seed, config.threads):
            record = Record(unfinished.folder, here.rank == 0)
            if force and here.rank == 0:
                record.forget()
            here.wait()
            this = _Run(dataset, config, run, here, unfinished, progress, pictures)
            _learn(this, folder, record, force)
            here.wait()
    return folder


def _learn(run: _Run, folder: Path, record: Record, force: bool) -> None:
    """Train, evaluate, draw, and put the folder in place."""
    dataset, config, device = run.dataset, run.config, run.ranks.device
    model = _model(dataset, config)
    feeder = Feeder(
        dataset, model.inputs, device, wrong_images=config.wrong_images,
        modality_dropout=config.modality_dropout,
    )  # fmt: skip
    model.standardise(feeder.samples(AVERAGED))
    model.to(device)
    targets_CC = soft_targets(dataset.centres, config.smoothing_km)
    objective = Objective(config, targets_CC, model.modalities).to(device)
    steps = max(1, len(dataset.split["train"]) // config.batch)
    optimizer = _optimizer(config, model, objective)
    learning = Learning(
        {"model": model, "objective": objective}, optimizer, _schedule(config, optimizer, steps),
        torch.Generator(device).manual_seed(config.seed),
    )  # fmt: skip
    goes_on = run.unfinished.load(learning)
    run.ranks.wait()
    if goes_on:
        record.resumed(learning.epoch, learning.history)
    elif run.ranks.rank == 0:
        record.forget()  # what another run of this name left
    if run.ranks.rank:  # what the others draw beside the batches, such as dropout, is their own
        torch.manual_seed(config.seed * 1_000 + run.ranks.rank + 7919 * learning.epoch)
    step = Step(model, objective, feeder, config, run.ranks)

    left = range(learning.epoch + 1, config.epochs + 1)
    for epoch in run.progress(left, f"training {run.name}", unit="epoch", total=len(left)):
        model.train()
        sums = {name: torch.zeros((), device=device) for name in ("loss", *objective.losses)}
        for batch in feeder.epoch(config.batch, learning.generator):
            optimizer.zero_grad(set_to_none=True)
            for name, value in step(batch).items():
                sums[name] += value
            if config.clip:
                nn.utils.clip_grad_norm_([*model.parameters(), *objective.parameters()], config.clip)
            optimizer.step()
            learning.schedule.step()
        means = {name: float(total) / steps for name, total in sums.items()}  # the epoch's one wait
        if not math.isfinite(means["loss"]):
            raise ModelError(
                f"the loss is {means['loss']} in epoch {epoch}", where=run.name,
                action="Take a lower rate, as --set rate=1e-4",
            )  # fmt: skip
        learning.epoch = epoch
        if run.ranks.rank == 0:
            _judge(learning, model.eval(), run, means)
            record.epoch(learning.history[-1])
            run.unfinished.save(learning)
    if run.ranks.rank == 0:
        model.load_state_dict(learning.best)
        if config.task != "ir":
            _settle(model, dataset)
        _write(model.to("cpu").eval(), run, learning, folder, record, force)


def _judge(learning: Learning, model: Model, run: _Run, means: dict[str, float]) -> None:
    """Note an epoch's figures, and keep the model if it is the best so far."""
    metrics = quick(model, run.dataset, "val", run.config.task)
    learning.history.append(
        {"epoch": learning.epoch, **means, **{f"val_{k}": v for k, v in metrics.items()}}
    )
    # Without a validation split there is nothing to choose by, and the last epoch is kept.
    chosen = metrics if run.config.keep == "best" else {}
    score = sum(chosen.values()) / len(chosen) if chosen else float(learning.epoch)
    if score > learning.best_score:
        learning.best_score = score
        learning.best = {k: v.detach().clone() for k, v in model.state_dict().items()}
        learning.history[-1]["best"] = True


def _write(
    model: Model, run: _Run, learning: Learning, folder: Path, record: Record, force: bool
) -> None:
    dataset, config, history = run.dataset, run.config, learning.history
    with folder_written_whole(folder, replace=force) as new:
        about = {
            "run": run.name, "task": config.task, "seed": config.seed, "settings": asdict(config),
            "software": checkpoint.software(),
        }  # fmt: skip
        certainty = _certainty(model, dataset) if config.task != "ir" else None
        if certainty is not None:
            about["certainty"] = certainty.to_json()
        checkpoint.save(new, model, dataset, about)
        (new / CONFIG).write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")
        lines = "".join(json.dumps(entry) + "\n" for entry in history)
        (new / METRICS).write_text(lines, "utf-8")
        result = evaluate(model, dataset, config.task, certainty=certainty)
        (new / EVALUATION).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        if run.pictures:
            plots.draw(new, run.name, history, model, dataset, result)
        if run.pictures and certainty is not None:
            answers = said(model, dataset, dataset.split["test"])
            label_E = dataset.cell[dataset.split["test"]]
            measured = measure_certainty(certainty, answers.logits, label_E, answers.known)
            draw_reliability(new / "reliability.png", run.name, certainty, measured)
        (new / TIMES).write_text(
            json.dumps({"started": learning.started, "ended": time.time()}) + "\n", "utf-8"
        )
        record.move(new)
    record.forget()


def _settle(model: Model, dataset: Dataset) -> None:
    entities_E = dataset.split["val"]
    if len(entities_E):
        answers = said(model.eval(), dataset, entities_E)
        out = Outputs(answers.image_ND, answers.text_ND, answers.logits)
        model.settle(out, answers.known, dataset.cell[entities_E])


def _certainty(model: Model, dataset: Dataset) -> Certainty:
    """Return how certain the model is, by the validation split."""
    entities_E = dataset.split["val"]
    answers = said(model, dataset, entities_E)
    return fit_certainty(
        answers.logits, dataset.cell[entities_E], dataset.centres, dataset.places[entities_E],
        known=answers.known,
    )  # fmt: skip


def _model(dataset: Dataset, config: TrainConfig) -> Model:
    left_out = {name for name in ("classes", "graph") if not getattr(config, name)}
    names = [name for name in dataset.inputs() if name not in left_out]
    if config.model == "ir-le":
        names = [name for name in names if name != "graph"]
    widths = {name: dataset.rows(name).vectors.shape[1] for name in names}
    agreement = config.agreement if config.task == "mtl" else 0.0
    given = {"kind": config.model, "widths": widths, "cells": len(dataset.cells)}
    return made({**asdict(config), **given, "agreement": agreement})


def _optimizer(config: TrainConfig, model: Model, objective: Objective) -> torch.optim.Optimizer:
    groups = [
        {"params": list(model.parameters()), "lr": config.rate, "weight_decay": config.weight_decay},
        {"params": [p for p in objective.parameters() if p.requires_grad],
         "lr": config.weights_rate, "weight_decay": 0.0},
    ]  # fmt: skip
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, fused=True)


def _schedule(
    config: TrainConfig, optimizer: torch.optim.Optimizer, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if config.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0, total_iters=0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [config.rate, config.weights_rate], total_steps=steps * config.epochs,
        pct_start=config.warmup, cycle_momentum=False,
    )  # fmt: skip


def _check_name(run: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run):
        raise ModelError(
            f"{run!r} is no name for a run: it becomes a folder and an IRI", where="--name",
            action="Use letters, digits, hyphens, underscores and full stops",
        )  # fmt: skip


@contextmanager
def _alone(folder: Path, force: bool) -> Iterator[None]:
    """Let nobody else train a run meanwhile; of several processes on it, the first asks.

    :raises ModelError: if the run exists and shall not be replaced.
    :raises WorkspaceError: if another process trains it.
    """
    lock = folder.with_name(f".{folder.name}.lock")
    first = os.environ.get("RANK", "0") == "0"
    with held_alone(lock, "training this run", where=folder) if first else nullcontext():
        if folder.exists() and not force:
            raise ModelError(
                "the run exists already", where=folder,
                action="Add --force to replace it, or give another --name or --seed",
            )  # fmt: skip
        yield


@contextmanager
def _deterministic(seed: int, threads: int) -> Iterator[None]:
    """Make torch repeatable, and leave it afterwards as it was."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for it
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
