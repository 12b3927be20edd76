"""What training makes small: the losses of a batch and their weights.

A model's outputs and the batch enter, one number leaves, and each loss for the record. The
temperature and the log-variances are learned here; the model does not need them afterwards.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from mlmkg.ml.batches import Batch
from mlmkg.ml.losses import cell_loss, contrastive, cosine_batch, cosine_pairs
from mlmkg.ml.models import Outputs
from mlmkg.ml.settings import TrainConfig
from torch import Tensor, nn

#: Which losses count as one task where the weights are the published ones.
PUBLISHED: Final = {"ir": "ir", "image": "le", "text": "le"}


class Objective(nn.Module):
    """The losses of a task, weighed by what is learned of their noise.

    Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses (2018), in the
    form exp(-s) L + s / 2 with s the log-variance. ``published`` and ``fixed`` are the authors' form:
    half of retrieval, both cells together, the mean of the two; a single task is not weighed there.

    :param targets_CC: (C, C) see :func:`mlmkg.ml.losses.soft_targets`.
    :param modalities: what the model tells cells from.
    """

    targets_CC: Tensor

    def __init__(self, config: TrainConfig, targets_CC: Tensor, modalities: tuple[str, ...]) -> None:
        super().__init__()
        self.config = config
        self.losses = ("ir",) * (config.task != "le") + modalities * (config.task != "ir")
        self.own = config.weights == "learned"
        names = self.losses if self.own else tuple(dict.fromkeys(PUBLISHED[n] for n in self.losses))
        self.log_variances = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in names})
        self.log_scale = nn.Parameter(torch.tensor(2.65926))  # temperature 0.07
        if config.weights == "fixed":
            self.log_variances.requires_grad_(False)
        self.register_buffer("targets_CC", targets_CC)

    @property
    def scale(self) -> Tensor:
        """The inverse temperature, at most 100."""
        return self.log_scale.exp().clamp(max=100)

    def forward(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its parts by name."""
        known = {"image": batch.known["image"], "text": batch.text_B}
        known["fused"] = known["image"] | known["text"]
        parts: dict[str, Tensor] = {}
        if "ir" in self.losses:
            parts["ir"] = self._retrieval(outputs, batch, known["image"] & known["text"])
        target_BC = self.targets_CC[batch.cell_B]
        for name in self.losses:
            if name != "ir":
                parts[name] = cell_loss(outputs.logits[name], target_BC, batch.placed_B & known[name])
        return self._weighed(parts), parts

    def _retrieval(self, outputs: Outputs, batch: Batch, both_B: Tensor) -> Tensor:
        image_BD, text_BD, config = outputs.image_BD, outputs.text_BD, self.config
        if config.objective == "infonce":
            both_B = both_B & batch.match_B
            return contrastive(image_BD, text_BD, self.scale, both_B, batch.same_BB())
        if config.wrong_images:
            return cosine_pairs(image_BD, text_BD, batch.match_B, both_B, config.margin)
        if config.negatives == "batch":
            return cosine_batch(image_BD, text_BD, both_B, batch.same_BB(), config.margin)
        # The neighbour in the batch, whose order was drawn, is the one negative.
        right = 1 - F.cosine_similarity(image_BD, text_BD, dim=1)
        other = F.cosine_similarity(image_BD.roll(1, 0), text_BD, dim=1)
        wrong = (other - config.margin).clamp(min=0)
        pair_B = both_B & both_B.roll(1, 0)
        loss_B = (right * both_B + wrong * pair_B) / 2
        return loss_B.sum() / both_B.sum().clamp(min=1)

    def _weighed(self, parts: dict[str, Tensor]) -> Tensor:
        if self.own:
            s = self.log_variances
            return torch.stack(
                [torch.exp(-s[name]) * loss + s[name] / 2 for name, loss in parts.items()]
            ).sum()
        tasks: dict[str, Tensor] = {}
        for name, loss in parts.items():
            task = PUBLISHED[name]
            tasks[task] = tasks[task] + loss if task in tasks else loss
        if len(tasks) == 1:
            return next(iter(tasks.values()))
        half = {"ir": 0.5, "le": 1.0}
        return torch.stack(
            [half[task] * torch.exp(-self.log_variances[task]) * loss + self.log_variances[task] / 2
             for task, loss in tasks.items()]
        ).mean()  # fmt: skip
