"""What the scripts on loading and training share: a run's steps, and features as the authors read them.

A :class:`Loop` is :mod:`mlmkg.ml.train` without its records. A :class:`PeerFeeder` gives the same model
what the authors' loader would: per sample four datasets of a gzip-9 HDF5 file, in Python.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from mlmkg.ml import train
from mlmkg.ml.batches import Batch, Feeder
from mlmkg.ml.data import Dataset
from mlmkg.ml.losses import soft_targets
from mlmkg.ml.models import Inputs
from mlmkg.ml.objective import Objective
from mlmkg.ml.ranks import Ranks
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.step import Step
from torch import nn


class Loop:
    """A model in training.

    :param feeder: where features come from; the one that training uses if None.
    """

    def __init__(
        self, dataset: Dataset, config: TrainConfig, device: torch.device, feeder: Feeder | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.model = train._model(dataset, config)
        self.feeder = feeder or Feeder(
            dataset, self.model.inputs, device, modality_dropout=config.modality_dropout
        )
        self.model.standardise(self.feeder.samples(2_000))
        self.model.to(device).train()
        targets_CC = soft_targets(dataset.centres, config.smoothing_km)
        self.objective = Objective(config, targets_CC, self.model.modalities).to(device)
        self.optimizer = train._optimizer(config, self.model, self.objective)
        steps = max(1, len(dataset.split["train"]) // config.batch)
        self.schedule = train._schedule(config, self.optimizer, steps)
        self._step = Step(self.model, self.objective, self.feeder, config, Ranks(0, 1, device))
        self._generator = torch.Generator(device).manual_seed(config.seed)
        self._weights = [*self.model.parameters(), *self.objective.parameters()]

    def as_released(self) -> None:
        """Compute ``ir-le``'s texts by LSTM modules, as the authors' code does."""
        model: Any = self.model
        for side in (model.summary, model.classes):
            step = side[0]
            gates, width = step.weight_ih_l0.shape
            lstm = nn.LSTM(width, gates // 4, batch_first=True)
            for name, parameter in step.named_parameters():
                setattr(lstm, name, parameter)
            step.forward = lambda x_BT, lstm=lstm: lstm(x_BT[:, None])[0][:, 0]

    def batches(self) -> Iterator[Batch]:
        """Yield an epoch's batches."""
        return self.feeder.epoch(self.config.batch, self._generator)

    def step(self, batch: Batch) -> torch.Tensor:
        """Learn from a batch; return the loss, which nobody has waited for."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._step(batch)["loss"]
        if self.config.clip:
            nn.utils.clip_grad_norm_(self._weights, self.config.clip)
        self.optimizer.step()
        self.schedule.step()
        return loss

    def epoch(self) -> torch.Tensor:
        """Learn from every batch once; return the sum of the losses, on the device."""
        total = torch.zeros((), device=self.feeder.device)
        for batch in self.batches():
            total += self.step(batch)
        return total


def write_peer(path: Path, dataset: Dataset, entities: list[int]) -> None:
    """Write some entities as the authors' scripts do: a gzip-9 dataset per entity and kind, float32."""
    packed: dict[str, Any] = {"compression": "gzip", "compression_opts": 9}
    with h5py.File(path, "w") as file:
        file.create_dataset("ids", data=np.array(entities), **packed)
        for i in entities:
            for name, rows in (
                ("images", dataset.images), ("summaries", dataset.texts), ("classes", dataset.classes)
            ):  # fmt: skip
                begin, end = rows.start[i : i + 2].tolist()
                vectors = rows.vectors[rows.index[begin:end]].float().numpy()
                file.create_dataset(f"{i}_{name}", data=vectors, **packed)
            onehot = np.zeros(len(dataset.cells), dtype=np.float32)
            onehot[int(dataset.cell[i])] = 1
            file.create_dataset(f"{i}_onehot", data=onehot, **packed)


def read_sample(file: h5py.File, i: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
    """Return an image, a summary and a class of an entity, and its cell: four datasets are read."""
    image, summary, classes = (
        torch.from_numpy(random.choice(file[f"{i}_{name}"][()]))
        for name in ("images", "summaries", "classes")
    )
    return image, summary, classes, int(np.argmax(file[f"{i}_onehot"][()]))


def read_batch(file: h5py.File, entities: list[int]) -> list[torch.Tensor]:
    """Return a batch as PyTorch's loader puts samples together: (B, I), (B, T), (B, T), (B,)."""
    batch: list[torch.Tensor] = torch.utils.data.default_collate(
        [read_sample(file, i) for i in entities]
    )
    return batch


class PeerFeeder(Feeder):
    """Draws as ours does, and then reads what the batch's entities have from an HDF5 file."""

    def __init__(self, dataset: Dataset, inputs: tuple[str, ...], path: Path) -> None:
        super().__init__(dataset, inputs, torch.device("cpu"))
        counts = dataset.images.start[1:] - dataset.images.start[:-1]
        self._owner = torch.empty(len(dataset.images.vectors), dtype=torch.long)
        self._owner[dataset.images.index] = torch.repeat_interleave(torch.arange(len(counts)), counts)
        self._file = h5py.File(path, "r")

    def inputs(self, batch: Batch) -> Inputs:
        """Return what the model sees of a batch."""
        owners = self._owner[batch.rows["image"]].tolist()
        features = dict(
            zip(("image", "summary", "classes"), read_batch(self._file, owners), strict=False)
        )
        return Inputs(features, batch.known, batch.kept)
