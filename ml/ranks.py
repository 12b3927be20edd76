"""Training on several devices at once, as `torchrun` starts it: one process a device.

Every process draws the same batches and takes its share of each; the loss is that of the whole batch
in all of them, so more processes change how fast it goes and not what is learned.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from mlmkg.ml.models import Outputs
from torch import Tensor, nn


@dataclass(frozen=True)
class Ranks:
    """This process among the others.

    :param rank: its number, from 0.
    :param world: how many there are.
    :param device: what it computes on.
    """

    rank: int
    world: int
    device: torch.device

    def share(self, size: int) -> tuple[int, int]:
        """Return where this process's entities of a batch begin and end."""
        return size * self.rank // self.world, size * (self.rank + 1) // self.world

    def whole(self, own: Outputs, size: int) -> Outputs:
        """Return the outputs for the whole batch; gradients reach this process's own."""
        if self.world == 1:
            return own
        return Outputs(
            self._joined(own.image_BD, size), self._joined(own.text_BD, size),
            {name: self._joined(logits, size) for name, logits in own.logits.items()},
        )  # fmt: skip

    def _joined(self, own: Tensor, size: int) -> Tensor:
        ends = [(size * r // self.world, size * (r + 1) // self.world) for r in range(self.world)]
        most = max(end - start for start, end in ends)
        padded = own.new_zeros((most, *own.shape[1:]))
        padded[: len(own)] = own.detach()
        parts = [torch.empty_like(padded) for _ in ends]
        dist.all_gather(parts, padded)
        shown = [part[: end - start] for part, (start, end) in zip(parts, ends, strict=True)]
        shown[self.rank] = own
        return torch.cat(shown)

    def sum_gradients(self, model: nn.Module) -> None:
        """Make every process's gradients of the model those of the whole batch.

        Each has computed the whole loss, and knows of the model's parameters the part that came through
        its own entities. Of the objective's parameters each knows everything.
        """
        if self.world == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)

    def wait(self) -> None:
        """Wait for the others."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def ranks() -> Iterator[Ranks]:
    """Join the other processes, if `torchrun` started this one; leave them in the end."""
    cuda = torch.cuda.is_available()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks(0, 1, torch.device("cuda" if cuda else "cpu"))
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Ranks(dist.get_rank(), world, device)
    finally:
        dist.destroy_process_group()
