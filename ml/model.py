"""The multitask model: two trunks, one shared space, one cell head per modality.

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
    """

    image_dim: int
    text_dim: int
    cells: int
    hidden: int = 512
    shared: int = 256
    dropout: float = 0.3


class MultitaskModel(nn.Module):
    """Retrieval and location from one trunk per modality.

    The trunk feeds both the shared space and the cell head, so what helps to tell where a place is
    also helps to tell places apart.
    """

    image_shift: Tensor
    image_spread: Tensor
    text_shift: Tensor
    text_spread: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.image_trunk = self._trunk(config.image_dim)
        self.text_trunk = self._trunk(config.text_dim)
        self.image_space = nn.Linear(config.hidden, config.shared)
        self.text_space = nn.Linear(config.hidden, config.shared)
        self.image_cell = nn.Linear(config.hidden, config.cells)
        self.text_cell = nn.Linear(config.hidden, config.cells)
        self.log_scale = nn.Parameter(torch.tensor(2.65926))  # temperature 0.07
        self.log_variances = nn.ParameterDict({t: nn.Parameter(torch.zeros(())) for t in TASKS})
        # Means and deviations of the training features: the encoders' numbers differ in size.
        self.register_buffer("image_shift", torch.zeros(config.image_dim))
        self.register_buffer("image_spread", torch.ones(config.image_dim))
        self.register_buffer("text_shift", torch.zeros(config.text_dim))
        self.register_buffer("text_spread", torch.ones(config.text_dim))

    def _trunk(self, width: int) -> nn.Sequential:
        hidden = self.config.hidden
        return nn.Sequential(
            nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(self.config.dropout),
            nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.GELU(),
            nn.Dropout(self.config.dropout),
        )  # fmt: skip

    def standardise(self, images_ND: Tensor, texts_ND: Tensor) -> None:
        """Remember the mean and deviation of the training features."""
        with torch.no_grad():
            for name, x in (("image", images_ND), ("text", texts_ND)):
                getattr(self, f"{name}_shift").copy_(x.mean(dim=0))
                getattr(self, f"{name}_spread").copy_(x.std(dim=0).clamp(min=1e-4))

    def image(self, x_BI: Tensor) -> tuple[Tensor, Tensor]:
        """Return the place in the shared space (B, D), of length 1, and the cell logits (B, C)."""
        h_BH = self.image_trunk((x_BI - self.image_shift) / self.image_spread)
        return F.normalize(self.image_space(h_BH), dim=1), self.image_cell(h_BH)

    def text(self, x_BT: Tensor) -> tuple[Tensor, Tensor]:
        """Return the place in the shared space (B, D), of length 1, and the cell logits (B, C)."""
        h_BH = self.text_trunk((x_BT - self.text_shift) / self.text_spread)
        return F.normalize(self.text_space(h_BH), dim=1), self.text_cell(h_BH)

    @property
    def scale(self) -> Tensor:
        """The inverse temperature, at most 100."""
        return self.log_scale.exp().clamp(max=100)
