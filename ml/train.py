"""Training, to be read from top to bottom.

    mlmkg train --version irle-gr --task mtl

A dataset enters; a run's folder leaves: settings, weights, metrics per epoch, plots. The features are
in memory and a batch is a gather from them: no loader, no workers. One seed gives one result.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from mlmkg.ml import checkpoint, plots
from mlmkg.ml.data import Dataset, gathered
from mlmkg.ml.evaluate import evaluate, quick
from mlmkg.ml.losses import cell_loss, contrastive, soft_targets, weighed
from mlmkg.ml.model import ModelConfig, MultitaskModel
from torch import Tensor

from mlmkg import __version__
from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet
from mlmkg.workspace import Workspace, folder_written_whole

TASKS: Final = ("mtl", "ir", "le")
METRICS: Final = "metrics.jsonl"
EVALUATION: Final = "evaluation.json"
CONFIG: Final = "config.json"
TIMES: Final = "times.json"
#: Training entities whose features are averaged, about: those of the published MLM, all of them
#: widened to float32, would take 7 GB.
AVERAGED: Final = 20_000


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run.

    :param task: ``mtl`` for both tasks, ``ir`` for retrieval alone, ``le`` for location alone.
    :param seed: of everything drawn by chance.
    :param epochs: passes over the training entities.
    :param batch: entities per step; also the number of negatives of the contrastive loss.
    :param rate: peak learning rate of AdamW.
    :param weight_decay: of AdamW; not for the log-variances and the temperature.
    :param warmup: part of the steps during which the rate rises.
    :param smoothing_km: great-circle distance over which the target spreads to other cells; 0 for none.
    :param agreement: of a model that knows both tasks; not used by one that knows one.
    :param hidden, shared, dropout: see :class:`mlmkg.ml.model.ModelConfig`.
    :param threads: of torch on the CPU. Their number changes the order of sums and so the last bits of
        the weights: it is a setting, not what the machine happens to have.
    """

    task: str = "mtl"
    seed: int = 0
    epochs: int = 30
    batch: int = 256
    rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    smoothing_km: float = 75.0
    agreement: float = 0.4
    hidden: int = 1024
    shared: int = 256
    dropout: float = 0.3
    threads: int = 2


def train(
    dataset: Dataset, config: TrainConfig, workspace: Workspace, *, name: str | None = None,
    force: bool = False, progress: Progress = quiet,
) -> Path:  # fmt: skip
    """Train a model and write its run's folder; return the folder.

    :param name: the run's name; ``{version}-{task}-{seed}`` if None.
    :param force: replace a run of that name.
    :raises ModelError: if the run exists, or the settings or the data do not allow training.
    """
    run = name or f"{dataset.version}-{config.task}-{config.seed}"
    folder = workspace.runs / run
    _check(dataset, config, folder, run, force)
    config = replace(config, batch=min(config.batch, len(dataset.split["train"])))
    started = time.time()

    with _deterministic(config.seed, config.threads):
        _run(dataset, config, run, folder, started, force, progress)
    return folder


def _run(
    dataset: Dataset, config: TrainConfig, run: str, folder: Path, started: float, force: bool,
    progress: Progress,
) -> None:  # fmt: skip
    """Train, evaluate, draw, and put the folder in place."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    generator = torch.Generator().manual_seed(config.seed)
    model = MultitaskModel(
        ModelConfig(
            image_dim=dataset.images.vectors.shape[1],
            text_dim=dataset.texts.vectors.shape[1],
            cells=len(dataset.cells),
            hidden=config.hidden, shared=config.shared, dropout=config.dropout,
            agreement=config.agreement if config.task == "mtl" else 0.0,
        )
    )  # fmt: skip
    train_E = dataset.split["train"]
    some_E = train_E[:: max(1, len(train_E) // AVERAGED)]
    model.standardise(
        gathered(dataset.images.vectors, _known(dataset.images.first(some_E))),
        gathered(dataset.texts.vectors, _known(dataset.texts.first(some_E))),
    )
    model.to(device)
    targets_CC = soft_targets(dataset.centres, config.smoothing_km).to(device)
    images_ND = dataset.images.vectors.to(device)
    texts_ND = dataset.texts.vectors.to(device)

    steps = max(1, len(train_E) // config.batch)
    plain = [p for n, p in model.named_parameters() if n.startswith("log_")]
    decayed = [p for n, p in model.named_parameters() if not n.startswith("log_")]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay},
         {"params": plain, "weight_decay": 0.0}],
        lr=config.rate,
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=steps * config.epochs, pct_start=config.warmup,
        cycle_momentum=False,
    )  # fmt: skip

    best_score, best_state = -1.0, model.state_dict()
    history: list[dict[str, Any]] = []
    for epoch in progress(range(1, config.epochs + 1), f"training {run}", unit="epoch"):
        model.train()
        totals: dict[str, Tensor] = {}
        for batch_B in _batches(train_E, config.batch, steps, generator):
            image_B = dataset.images.drawn(batch_B, generator)
            text_B = dataset.texts.drawn(batch_B, generator)
            image_BD, image_logits_BC = model.image(gathered(images_ND, image_B.clamp(min=0)))
            text_BD, text_logits_BC = model.text(gathered(texts_ND, text_B.clamp(min=0)))
            cell_B = dataset.cell[batch_B]
            losses: dict[str, Tensor] = {}
            if config.task != "le":
                both = _known_mask(image_B, text_B)
                losses["ir"] = contrastive(
                    image_BD[both], text_BD[both], model.scale, _same(image_B[both]).to(device)
                )
            if config.task != "ir":
                target_BC = targets_CC[cell_B.clamp(min=0).to(device)]
                for modality, logits_BC, row_B in (
                    ("image", image_logits_BC, image_B), ("text", text_logits_BC, text_B),
                ):  # fmt: skip
                    known_B = ((cell_B >= 0) & (row_B >= 0)).to(device)
                    losses[modality] = cell_loss(logits_BC, target_BC, known_B)
            loss = weighed(losses, dict(model.log_variances.items()))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            for key, value in {"loss": loss, **losses}.items():
                totals[key] = totals.get(key, torch.zeros((), device=device)) + value.detach() / steps
        means = {key: float(total) for key, total in totals.items()}
        if not math.isfinite(means["loss"]):
            raise ModelError(
                f"the loss is {means['loss']} in epoch {epoch}", where=run,
                action="Look for NaN in the features, or take a lower rate",
            )  # fmt: skip
        metrics = quick(model.eval(), dataset, "val", config.task)
        history.append({"epoch": epoch, **means, **{f"val_{k}": v for k, v in metrics.items()}})
        # Without a validation split there is nothing to choose by, and the last epoch is kept.
        score = sum(metrics.values()) / len(metrics) if metrics else float(epoch)
        if score > best_score:
            best_score = score
            best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
            history[-1]["best"] = True
    model.load_state_dict(best_state)
    model.to("cpu").eval()

    with folder_written_whole(folder, replace=force) as new:
        about = {
            "run": run, "task": config.task, "seed": config.seed, "settings": asdict(config),
            "software": {"mlmkg": __version__, "torch": torch.__version__},
        }  # fmt: skip
        checkpoint.save(new, model, dataset, about)
        (new / CONFIG).write_text(json.dumps(asdict(config), indent=2) + "\n", "utf-8")
        lines = "".join(json.dumps(entry) + "\n" for entry in history)
        (new / METRICS).write_text(lines, "utf-8")
        result = evaluate(model, dataset, config.task)
        (new / EVALUATION).write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        plots.draw(new, run, history, model, dataset, result)
        times = {"started": started, "ended": time.time()}
        (new / TIMES).write_text(json.dumps(times) + "\n", "utf-8")


def _check(dataset: Dataset, config: TrainConfig, folder: Path, run: str, force: bool) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run):
        raise ModelError(
            f"{run!r} is no name for a run: it becomes a folder and an IRI", where="--name",
            action="Use letters, digits, hyphens, underscores and full stops",
        )  # fmt: skip
    if config.task not in TASKS:
        raise ModelError(f"there is no task {config.task!r}", action=f"Tasks: {', '.join(TASKS)}")
    if folder.exists() and not force:
        raise ModelError(
            "the run exists already", where=folder,
            action="Add --force to replace it, or give another --name or --seed",
        )  # fmt: skip
    train_E = dataset.split["train"]
    usable = {
        "training entities": len(train_E),
        "training images": int((dataset.images.counts(train_E) > 0).sum()) if len(train_E) else 0,
        "training texts": int((dataset.texts.counts(train_E) > 0).sum()) if len(train_E) else 0,
    }
    if config.task != "ir" and not (len(train_E) and int((dataset.cell[train_E] >= 0).sum())):
        raise ModelError(
            "no training entity has a geo cell", where=dataset.version,
            action="Export a version with cells, or train with --task ir",
        )  # fmt: skip
    for what, number in usable.items():
        if number < 2:
            raise ModelError(
                f"the export has {number} {what}", action="Export a larger version to train on"
            )


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


def _batches(entities_E: Tensor, size: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield batches of entity numbers in an order drawn anew; a rest too small for one is left out."""
    order_E = entities_E[torch.randperm(len(entities_E), generator=generator)]
    for step in range(steps):
        yield order_E[step * size : (step + 1) * size]


def _known(rows: Tensor) -> Tensor:
    return rows[rows >= 0]


def _known_mask(image_B: Tensor, text_B: Tensor) -> Tensor:
    return (image_B >= 0) & (text_B >= 0)


def _same(image_B: Tensor) -> Tensor:
    """Return (B, B) true where two entities of the batch show the same image file."""
    return image_B[:, None] == image_B[None]
