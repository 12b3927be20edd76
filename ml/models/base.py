"""What a model takes and what it gives.

Shapes: B entities, D dimensions of the shared space, C cells; each input has a width of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar, Final, NamedTuple

import torch
from torch import Tensor, nn

#: What can be known of an entity. The first is one side of retrieval, the others are the other.
INPUTS: Final = ("image", "summary", "classes", "graph")
TEXT_INPUTS: Final = INPUTS[1:]
#: What a cell can be told from.
MODALITIES: Final = ("image", "text", "fused")


class Inputs(NamedTuple):
    """What a model sees of B entities.

    :param features: input -> (B, width); what stands in a row that is not known does not matter.
    :param known: input -> (B,) true where the entity has it.
    :param kept: input, or ``text`` for all of that side together -> (B,) true where modality dropout
        left it in; empty where there is none.
    """

    features: Mapping[str, Tensor]
    known: Mapping[str, Tensor]
    kept: Mapping[str, Tensor] = {}


class Outputs(NamedTuple):
    """What a model says of B entities.

    :param image_BD: (B, D) place of the image in the shared space.
    :param text_BD: (B, D) place of the texts in it.
    :param logits: modality -> (B, C) of the cells; a model need not have ``fused``.
    """

    image_BD: Tensor
    text_BD: Tensor
    logits: Mapping[str, Tensor]


@dataclass(frozen=True)
class Config:
    """What every model has to know.

    :param widths: input -> width, for the inputs that the model has.
    :param cells: C.
    """

    widths: Mapping[str, int]
    cells: int


class Model(nn.Module, ABC):
    """A model, made from its settings alone."""

    kind: ClassVar[str]
    #: What it tells cells from.
    modalities: ClassVar[tuple[str, ...]] = ("image", "text")
    config: Config

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that it has, in the order of :data:`INPUTS`."""
        return tuple(name for name in INPUTS if name in self.config.widths)

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    @abstractmethod
    def forward(self, inputs: Inputs) -> Outputs:
        """Say what is to be said of a batch."""

    def standardise(self, samples: Mapping[str, Tensor]) -> None:
        """Remember what is typical of training features: nothing, if a model does not say otherwise.

        :param samples: input -> (n, width).
        """
        del samples

    def settle(self, outputs: Outputs, known: Mapping[str, Tensor], label_N: Tensor) -> None:
        """Fit what is left to validation when training has ended: nothing, if not said otherwise.

        :param outputs: what the model says of N validation entities.
        :param known: modality -> (N,) true where there is anything of it.
        :param label_N: (N,) true cells, -1 where unknown.
        """
        del outputs, known, label_N

    def compared(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """Return (B, d) of the images and of the texts: what retrieval compares by a dot product."""
        return outputs.image_BD, outputs.text_BD

    def settings(self) -> dict[str, Any]:
        """Return what the model can be made from again, ready for JSON."""
        assert is_dataclass(self.config)
        return {"kind": self.kind, **asdict(self.config)}
