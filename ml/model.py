"""The multitask model: a trunk per modality, and on it a layer and a head per task.

Shapes: B entities, I and T widths of image and text features, H hidden width, D shared space, C cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TASKS = ("ir", "image", "text")


@dataclass(frozen=True)
class ModelConfig:
    """Widths.

    :param image_dim: I.
    :param text_dim: T.
    :param cells: C.
    :param hidden: H.
    :param shared: D.
    :param dropout: probability of dropping a hidden number, 0 to 1.
    :param agreement: how much retrieval counts that both sides are put into the same cells, see
        :meth:`MultitaskModel.joined`; 0 for a model that knows no cells.
    """

    image_dim: int
    text_dim: int
    cells: int
    hidden: int = 1024
    shared: int = 256
    dropout: float = 0.3
    agreement: float = 0.0


class MultitaskModel(nn.Module):
    """Retrieval and location from one trunk per modality.

    The tasks of a modality share its first layer and have a second one each. With both layers shared,
    retrieval gained from the cells but the cells lost to retrieval. On the gazetteer's irle-gr
    (validation, four seeds, mean and deviation), trained together against alone:

    ================  =================  ==================  ==================
    second layer      recall at 10       F1 from the image   F1 from the text
    ================  =================  ==================  ==================
    shared            .521±.009, .502    .949±.002, .957     .652±.006, .655
    one a task        .517±.009, .505    .954±.003, .956     .653±.005, .652
    ================  =================  ==================  ==================

    So retrieval gains a little and location nothing; a task trained alone has the same layers, and
    those of the other stay unused. What retrieval gains most from is knowing the cells when it
    compares (:meth:`joined`): with the same weights, recall at 10 on validation went from .572±.003 to
    .585±.007 from image to text and from .571±.006 to .581±.010 back (three seeds; alone .545±.006 and
    .552±.011). .3 to .5 are alike, 1 is worse than none. Training with joined vectors added nothing to
    that; neighbours in the shared space, or its vector as a further input, nothing to location.
    """

    image_shift: Tensor
    image_spread: Tensor
    text_shift: Tensor
    text_spread: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.image_trunk = self._layer(config.image_dim)
        self.text_trunk = self._layer(config.text_dim)
        self.image_space = self._head(config.shared)
        self.text_space = self._head(config.shared)
        self.image_cell = self._head(config.cells)
        self.text_cell = self._head(config.cells)
        self.log_scale = nn.Parameter(torch.tensor(2.65926))  # temperature 0.07
        self.log_variances = nn.ParameterDict({t: nn.Parameter(torch.zeros(())) for t in TASKS})
        # Means and deviations of the training features: the encoders' numbers differ in size.
        self.register_buffer("image_shift", torch.zeros(config.image_dim))
        self.register_buffer("image_spread", torch.ones(config.image_dim))
        self.register_buffer("text_shift", torch.zeros(config.text_dim))
        self.register_buffer("text_spread", torch.ones(config.text_dim))

    def _layer(self, width: int) -> nn.Sequential:
        hidden = self.config.hidden
        return nn.Sequential(
            nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(self.config.dropout)
        )

    def _head(self, width: int) -> nn.Sequential:
        return nn.Sequential(self._layer(self.config.hidden), nn.Linear(self.config.hidden, width))

    def standardise(self, images_ND: Tensor, texts_ND: Tensor) -> None:
        """Remember the mean and deviation of the training features.

        A deviation counts for at least a tenth of the average one: a channel that hardly stirs in
        training would else be thousands of deviations away on the first image that wakes it.
        """
        with torch.no_grad():
            for name, x in (("image", images_ND.float()), ("text", texts_ND.float())):
                spread = x.std(dim=0)
                floor = max(0.1 * float(spread.mean()), 1e-4)
                getattr(self, f"{name}_shift").copy_(x.mean(dim=0))
                getattr(self, f"{name}_spread").copy_(spread.clamp(min=floor))

    def image(self, x_BI: Tensor) -> tuple[Tensor, Tensor]:
        """Return the place in the shared space (B, D), of length 1, and the cell logits (B, C)."""
        h_BH = self.image_trunk((x_BI.float() - self.image_shift) / self.image_spread)
        return F.normalize(self.image_space(h_BH), dim=1), self.image_cell(h_BH)

    def text(self, x_BT: Tensor) -> tuple[Tensor, Tensor]:
        """Return the place in the shared space (B, D), of length 1, and the cell logits (B, C)."""
        h_BH = self.text_trunk((x_BT.float() - self.text_shift) / self.text_spread)
        return F.normalize(self.text_space(h_BH), dim=1), self.text_cell(h_BH)

    def joined(self, place_BD: Tensor, logits_BC: Tensor) -> Tensor:
        """Return what retrieval compares, (B, D + C) of length 1: the place and the cells.

        The product of two is that of their places plus ``agreement`` squared times the overlap of their
        cells' probabilities (the Bhattacharyya coefficient, 0 to 1), over what keeps it below 1. So an
        index of nearest neighbours over these vectors needs to know nothing of cells.
        """
        if not self.config.agreement:
            return place_BD
        cells_BC = self.config.agreement * torch.softmax(logits_BC, dim=1).sqrt()
        return F.normalize(torch.cat([place_BD, cells_BC], dim=1), dim=1)

    @property
    def scale(self) -> Tensor:
        """The inverse temperature, at most 100."""
        return self.log_scale.exp().clamp(max=100)
