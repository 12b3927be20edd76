"""``ir-le``: the paper's IR+LE, layer by layer as its authors published it.

An image is one affine map (a convolution of width 1), a text one step of an LSTM; both have a layer
after that. The layers that follow are shared by the tasks: a coordinate net is put on all three. Of
the LSTMs, a single step uses neither the forget gates nor what is remembered.

Shapes: B entities, H embedding width (1,024), C cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mlmkg.ml.models.base import Config, Inputs, Model, Outputs
from torch import Tensor, nn


@dataclass(frozen=True)
class BaselineConfig(Config):
    """Settings.

    :param hidden: H.
    :param dropout: probability, in the coordinate net and on the classes.
    :param normal_text: give the text side of retrieval the length 1 that the image side has. The
        released code does not.
    """

    hidden: int = 1024
    dropout: float = 0.1
    normal_text: bool = True


class OneStep(nn.Module):
    """An LSTM over a sequence of one, (B, width) -> (B, H), with the parameters of torch's.

    Written out: from nothing there is nothing to forget, and no weights on what was. So a third of the
    parameters never has a gradient. It gives the module's numbers in a quarter of the time on a CPU (a
    training step of 128: 230 ms where the module took 899), and can be compiled, which LSTM modules
    cannot.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        for name, parameter in nn.LSTM(width, hidden, batch_first=True).named_parameters():
            self.register_parameter(name, parameter)

    def forward(self, x_BT: Tensor) -> Tensor:
        """Return what the LSTM says of its only step."""
        bias_G = self.get_parameter("bias_ih_l0") + self.get_parameter("bias_hh_l0")
        gates_BG = F.linear(x_BT, self.get_parameter("weight_ih_l0"), bias_G)
        in_BH, _, cell_BH, out_BH = gates_BG.chunk(4, dim=1)
        return torch.sigmoid(out_BH) * torch.tanh(torch.sigmoid(in_BH) * torch.tanh(cell_BH))


class _Affine(nn.Conv1d):
    """A convolution of width 1 over one place: (B, width) -> (B, H), by a matrix product."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, kernel_size=1)

    def forward(self, x_BI: Tensor) -> Tensor:
        """Return the convolution's channels."""
        return F.linear(x_BI, self.weight[:, :, 0], self.bias)


class IrLe(Model):
    """Three embeddings, a coordinate net on each, and a layer that joins the two of the text.

    A dataset without classes gets the authors' later form, in which the summary stands alone. Missing
    features are zeros.
    """

    kind = "ir-le"
    config: BaselineConfig

    def __init__(self, config: BaselineConfig) -> None:
        super().__init__()
        self.config = config
        hidden, cells, widths = config.hidden, config.cells, config.widths
        self.image = nn.Sequential(
            _Affine(widths["image"], hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.Tanh()
        )  # fmt: skip
        self.summary = nn.Sequential(
            OneStep(widths["summary"], hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        sides = 1
        if "classes" in widths:
            sides = 2
            self.classes = nn.Sequential(
                OneStep(widths["classes"], hidden), nn.ReLU(), nn.Dropout(config.dropout),
                nn.Linear(hidden, hidden),
            )  # fmt: skip
        self.coordinates = nn.Sequential(
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(hidden, cells)
        )
        self.text_space = nn.Linear(sides * hidden, hidden)
        self.text_cell = nn.Linear(sides * cells, cells)

    def forward(self, inputs: Inputs) -> Outputs:
        """Return places, of length 1 but for the text side as released, and logits of either side."""
        image_BH = F.normalize(self.image(self._known(inputs, "image")), dim=1)
        texts = [F.normalize(self.summary(self._known(inputs, "summary")), dim=1)]
        if "classes" in self.config.widths:
            texts.append(F.normalize(self.classes(self._known(inputs, "classes")), dim=1))
        text_BH = self.text_space(torch.cat(texts, dim=1))
        if self.config.normal_text:
            text_BH = F.normalize(text_BH, dim=1)
        text_BC = self.text_cell(torch.cat([self.coordinates(text) for text in texts], dim=1))
        image_BC = self.coordinates(image_BH)
        return Outputs(
            image_BH.float(), text_BH.float(), {"image": image_BC.float(), "text": text_BC.float()}
        )

    def _known(self, inputs: Inputs, name: str) -> Tensor:
        x = inputs.features[name].float()
        return torch.where(inputs.known[name][:, None], x, torch.zeros_like(x))
