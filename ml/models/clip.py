"""``mlm-clip``: light trunks into a shared space, cells from either side and from both.

Shapes: B entities, H hidden width, D shared space, C cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mlmkg.ml.models.base import MODALITIES, TEXT_INPUTS, Config, Inputs, Model, Outputs
from torch import Tensor, nn


@dataclass(frozen=True)
class ClipConfig(Config):
    """Widths.

    :param hidden: H.
    :param shared: D.
    :param dropout: probability of dropping a hidden number, 0 to 1.
    :param agreement: how much retrieval counts that both sides are put into the same cells, see
        :meth:`MlmClip.compared`; 0 for a model that knows no cells.
    :param standard: subtract the training features' mean and divide by their deviation.
    """

    hidden: int = 1024
    shared: int = 256
    dropout: float = 0.1
    agreement: float = 0.0
    standard: bool = True


class MlmClip(Model):
    """A trunk per input; on it a layer and a head per task.

    The tasks of a side share the trunks and have a second layer each: with that shared, too, cells
    lost to retrieval. What is missing has a learned vector in its place, so any subset of the inputs
    gives an answer. The cell from both sides is the sum of what either says and of a correction that
    sees both; how much each of the three counts is fitted on validation when training has ended, as
    what a side says of what it was trained on is too certain.
    """

    shares: Tensor

    kind = "mlm-clip"
    modalities = MODALITIES
    config: ClipConfig

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.trunks = nn.ModuleDict({name: self._layer(config.widths[name]) for name in self.inputs})
        self.missing = nn.ParameterDict(
            {name: nn.Parameter(0.02 * torch.randn(hidden)) for name in self.inputs}
        )
        self.image_space, self.text_space = (self._head(hidden, config.shared) for _ in range(2))
        self.image_cell, self.text_cell = (self._head(hidden, config.cells) for _ in range(2))
        self.fused_cell = self._head(2 * hidden, config.cells)
        # Of the image, the text and the correction in the cell from both.
        self.register_buffer("shares", torch.ones(3))
        # Means and deviations of the training features: the encoders' numbers differ in size.
        for name in self.inputs:
            self.register_buffer(f"{name}_shift", torch.zeros(config.widths[name]))
            self.register_buffer(f"{name}_spread", torch.ones(config.widths[name]))

    def _layer(self, width: int) -> nn.Sequential:
        hidden = self.config.hidden
        return nn.Sequential(
            nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(self.config.dropout)
        )

    def _head(self, width: int, out: int) -> nn.Sequential:
        return nn.Sequential(self._layer(width), nn.Linear(self.config.hidden, out))

    def standardise(self, samples: Mapping[str, Tensor]) -> None:
        """Remember the mean and deviation of the training features.

        A deviation counts for at least a tenth of the average one: a channel that hardly stirs in
        training would else be thousands of deviations away on the first image that wakes it.
        """
        if not self.config.standard:
            return
        with torch.no_grad():
            for name, x in samples.items():
                if len(x) < 2:
                    continue
                spread = x.float().std(dim=0)
                floor = max(0.1 * float(spread.mean()), 1e-4)
                getattr(self, f"{name}_shift").copy_(x.float().mean(dim=0))
                getattr(self, f"{name}_spread").copy_(spread.clamp(min=floor))

    def _seen(self, inputs: Inputs, name: str, there_B: Tensor) -> Tensor:
        """Return (B, H) of an input, or what stands for it where it is missing."""
        x = inputs.features[name].float()
        h_BH = self.trunks[name]((x - getattr(self, f"{name}_shift")) / getattr(self, f"{name}_spread"))
        return torch.where(there_B[:, None], h_BH, self.missing[name].to(h_BH.dtype))

    def forward(self, inputs: Inputs) -> Outputs:
        """Return places of length 1, and logits from the image, from the texts and from both."""
        known, kept = inputs.known, inputs.kept
        texts = [name for name in self.inputs if name in TEXT_INPUTS]
        image_BH = self._seen(inputs, "image", known["image"])
        text_BH = torch.stack(
            [self._seen(inputs, name, known[name] & kept.get(name, known[name])) for name in texts]
        ).mean(dim=0)
        image_BC, text_BC = self.image_cell(image_BH), self.text_cell(text_BH)

        # Of either side, or of what stands for it: modality dropout hides a whole side from the third.
        some_B = torch.stack([known[name] for name in texts]).any(dim=0)
        image_B = (known["image"] & kept.get("image", known["image"]))[:, None]
        text_B = (some_B & kept.get("text", some_B))[:, None]
        absent_H = torch.stack([self.missing[name] for name in texts]).mean(dim=0)
        both_BH = torch.cat(
            [torch.where(image_B, image_BH, self.missing["image"].to(image_BH.dtype)),
             torch.where(text_B, text_BH, absent_H.to(text_BH.dtype))], dim=1,
        )  # fmt: skip
        of_image, of_text, of_both = self.shares
        fused_BC = (
            of_image * image_B * image_BC + of_text * text_B * text_BC
            + of_both * self.fused_cell(both_BH)
        )  # fmt: skip
        return Outputs(
            F.normalize(self.image_space(image_BH).float(), dim=1),
            F.normalize(self.text_space(text_BH).float(), dim=1),
            {"image": image_BC.float(), "text": text_BC.float(), "fused": fused_BC.float()},
        )

    def settle(self, outputs: Outputs, known: Mapping[str, Tensor], label_N: Tensor) -> None:
        """Fit the shares of image, text and correction: the least cross-entropy on validation."""
        there_N = (label_N >= 0) & known["image"] & known["text"]
        if int(there_N.sum()) < 2:
            return
        logits, label_n = {k: v[there_N] for k, v in outputs.logits.items()}, label_N[there_N]
        parts_3NC = torch.stack([logits["image"], logits["text"], logits["fused"]])
        parts_3NC[2] -= logits["image"] + logits["text"]  # the shares have been 1
        log_shares = torch.zeros(3, requires_grad=True)
        optimizer = torch.optim.LBFGS([log_shares], max_iter=50, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            fused_NC = torch.einsum("s,snc->nc", log_shares.exp(), parts_3NC)
            # Towards 1 as if one more entity said so, for a validation split that says little.
            prior = log_shares.square().sum() / len(label_n)
            found = F.cross_entropy(fused_NC, label_n) + prior
            found.backward()  # type: ignore[no-untyped-call]
            return found

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        if bool(torch.isfinite(log_shares).all()):
            self.shares.copy_(log_shares.detach().exp())

    def compared(self, outputs: Outputs) -> tuple[Tensor, Tensor]:
        """Return what retrieval compares, (B, D + C) of length 1: the place and the cells.

        The product of two is that of their places plus ``agreement`` squared times the overlap of their
        cells' probabilities (the Bhattacharyya coefficient, 0 to 1), over what keeps it below 1. So an
        index of nearest neighbours over these vectors needs to know nothing of cells.
        """
        if not self.config.agreement:
            return outputs.image_BD, outputs.text_BD
        return (
            self._joined(outputs.image_BD, outputs.logits["image"]),
            self._joined(outputs.text_BD, outputs.logits["text"]),
        )

    def _joined(self, place_BD: Tensor, logits_BC: Tensor) -> Tensor:
        cells_BC = self.config.agreement * torch.softmax(logits_BC, dim=1).sqrt()
        return F.normalize(torch.cat([place_BD, cells_BC], dim=1), dim=1)
