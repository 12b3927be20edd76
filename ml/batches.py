"""What a step is fed with: a whole epoch's rows drawn at once, then one gather a step and input.

Everything is on the model's device and drawn there; a batch is a slice. No work is done per sample in
Python, and no value is waited for: the shapes of a step do not depend on what is drawn.

Shapes: E entities, n of them in training, B in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from mlmkg.ml.data import Dataset
from mlmkg.ml.models import TEXT_INPUTS, Inputs
from mlmkg.ml.rows import gathered
from torch import Tensor

#: Part of a GPU's free memory that features may take.
ROOM: Final = 0.6


@dataclass(frozen=True)
class Batch:
    """A step's entities.

    :param rows: input -> (B,) rows of its features; where there is none, row 0.
    :param known: input -> (B,) true where there is one.
    :param kept: see :class:`mlmkg.ml.models.Inputs`.
    :param match_B: (B,) true where the image is the entity's own.
    :param cell_B: (B,) label, 0 where it is not known.
    :param placed_B: (B,) true where it is.
    """

    rows: Mapping[str, Tensor]
    known: Mapping[str, Tensor]
    kept: Mapping[str, Tensor]
    match_B: Tensor
    cell_B: Tensor
    placed_B: Tensor

    @property
    def size(self) -> int:
        """B."""
        return len(self.cell_B)

    @property
    def text_B(self) -> Tensor:
        """(B,) true where the entity has anything on the text side."""
        return torch.stack([there for name, there in self.known.items() if name != "image"]).any(dim=0)

    def same_BB(self) -> Tensor:
        """Return (B, B) true where two entities show the same image or are said the same of."""
        same = torch.eye(self.size, dtype=torch.bool, device=self.cell_B.device)
        for name in ("image", "summary"):
            row_B, known_B = self.rows[name], self.known[name]
            both_BB = known_B[:, None] & known_B[None]
            same = same | ((row_B[:, None] == row_B[None]) & both_BB)
        return same

    def sliced(self, start: int, end: int) -> Batch:
        """Return some of the entities."""
        cut = slice(start, end)
        return Batch(
            {name: row_B[cut] for name, row_B in self.rows.items()},
            {name: there_B[cut] for name, there_B in self.known.items()},
            {name: there_B[cut] for name, there_B in self.kept.items()},
            self.match_B[cut], self.cell_B[cut], self.placed_B[cut],
        )  # fmt: skip


class Feeder:
    """A dataset on a device, ready to be drawn from.

    :param inputs: those that the model has.
    :param wrong_images: see :class:`mlmkg.ml.settings.TrainConfig`.
    :param modality_dropout: likewise.
    """

    def __init__(
        self, dataset: Dataset, inputs: tuple[str, ...], device: torch.device, *,
        wrong_images: float = 0.0, modality_dropout: float = 0.0,
    ) -> None:  # fmt: skip
        self.device = device
        self.train_n = dataset.split["train"].to(device)
        self.cell_E = dataset.cell.to(device)
        self._index = {name: dataset.rows(name).to(device) for name in inputs}
        self._vectors = {name: _placed(dataset.rows(name).vectors, device) for name in inputs}
        self._wrong, self._hidden = wrong_images, modality_dropout

    def epoch(self, size: int, generator: torch.Generator) -> Iterator[Batch]:
        """Yield batches of training entities in an order drawn anew; a rest too small is left out.

        Each entity's image, language and class are drawn anew, too.
        """
        number = len(self.train_n)
        steps = max(1, number // size)

        def chance(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=self.device)

        order_n = self.train_n[torch.randperm(number, generator=generator, device=self.device)]
        shown_n = order_n
        match_n = torch.ones(number, dtype=torch.bool, device=self.device)
        if self._wrong:
            match_n = chance(number) >= self._wrong
            others = (chance(number) * (number - 1)).long()
            places = torch.arange(number, device=self.device)
            others = others + (others >= places)  # any other one
            shown_n = torch.where(match_n, order_n, order_n[others])
        rows = {
            name: index.drawn(shown_n if name == "image" else order_n, generator)
            for name, index in self._index.items()
        }
        known = {name: row >= 0 for name, row in rows.items()}
        cell_n = self.cell_E[order_n]
        epoch = Batch(
            {name: row.clamp(min=0) for name, row in rows.items()}, known,
            self._kept(known, chance) if self._hidden else {},
            match_n, cell_n.clamp(min=0), cell_n >= 0,
        )  # fmt: skip
        for step in range(steps):
            yield epoch.sliced(step * size, (step + 1) * size)

    def _kept(
        self, known: Mapping[str, Tensor], chance: Callable[..., Tensor]
    ) -> dict[str, Tensor]:  # fmt: skip
        """Draw what stays. Of the text inputs one stays, and of the two sides of the fused cell."""
        texts = [name for name in known if name in TEXT_INPUTS]
        number = len(known["image"])
        kept: dict[str, Tensor] = {}
        if len(texts) > 1:
            drawn = torch.stack([chance(number) for _ in texts])
            there = torch.stack([known[name] for name in texts])
            # The best drawn of those that are there stays in any case.
            best = torch.where(there, drawn, torch.full_like(drawn, -1)).argmax(dim=0)
            for place, name in enumerate(texts):
                kept[name] = (drawn[place] >= self._hidden) | (best == place)
        side = chance(number)
        text_n = torch.stack([known[name] for name in texts]).any(dim=0)
        kept["image"] = (side >= self._hidden) | ~text_n
        kept["text"] = (side < 1 - self._hidden) | ~known["image"]
        return kept

    def inputs(self, batch: Batch) -> Inputs:
        """Return what the model sees of a batch."""
        features = {
            name: gathered(self._vectors[name], row_B).to(self.device, non_blocking=True)
            for name, row_B in batch.rows.items()
        }
        return Inputs(features, batch.known, batch.kept)

    def samples(self, most: int) -> dict[str, Tensor]:
        """Return features of some training entities, evenly spread: input -> (n, width).

        :param most: how many, about: all of a large dataset's, widened to float32, would take GBs.
        """
        some = self.train_n[:: max(1, len(self.train_n) // most)]
        found = {}
        for name, index in self._index.items():
            row = index.first(some)
            found[name] = gathered(self._vectors[name], row[row >= 0])
        return found


def _placed(vectors_ND: Tensor, device: torch.device) -> Tensor:
    """Return features on the device if they fit there, else where they are, memory-mapped."""
    if device.type != "cuda":
        return vectors_ND
    free, _ = torch.cuda.mem_get_info(device)
    size = vectors_ND.numel() * vectors_ND.element_size()
    return vectors_ND.to(device) if size < ROOM * free else vectors_ND
