"""One step of training: forward, loss, backward; whole, or in parts that fit into memory.

Shapes: B entities in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from mlmkg.ml.batches import Batch, Feeder
from mlmkg.ml.encoding import memory_is_short
from mlmkg.ml.models import Inputs, Model, Outputs
from mlmkg.ml.objective import Objective
from mlmkg.ml.ranks import Ranks
from mlmkg.ml.settings import TrainConfig
from torch import Tensor

from mlmkg.errors import ModelError


class Step:
    """What is done with a batch; gradients are added to the parameters'.

    :param feeder: where features come from.
    """

    def __init__(
        self, model: Model, objective: Objective, feeder: Feeder, config: TrainConfig, ranks: Ranks
    ) -> None:
        self._model, self._objective, self._feeder, self._ranks = model, objective, feeder, ranks
        self._part = config.part
        self._half = config.precision == "bf16"
        compiled = config.compile == "yes" or (config.compile == "auto" and ranks.device.type == "cuda")
        # The model and the objective each become one graph; on a GPU the model's is replayed as a CUDA
        # graph, whose outputs the next replay overwrites: not where those of several parts are kept.
        mode = "reduce-overhead" if ranks.device.type == "cuda" and not self._part else None
        self._say: Callable[[Inputs], Outputs] = model
        self._lose: Callable[[Outputs, Batch], tuple[Tensor, dict[str, Tensor]]] = objective
        if compiled:
            self._say = torch.compile(model, mode=mode, fullgraph=True)
            self._lose = torch.compile(objective, fullgraph=True)

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss and its parts, detached, and add the gradients.

        :raises ModelError: if the device has not enough memory.
        """
        start, end = self._ranks.share(batch.size)
        own = batch.sliced(start, end) if self._ranks.world > 1 else batch
        with out_of_memory(batch.size, self._part):
            if self._part and self._part < own.size:
                loss, parts = self._in_parts(batch, own)
            else:
                with self._cast():
                    said = self._say(self._feeder.inputs(own))
                loss, parts = self._lose(self._ranks.whole(said, batch.size), batch)
                loss.backward()  # type: ignore[no-untyped-call]
        self._ranks.sum_gradients(self._model)
        return {name: value.detach() for name, value in {"loss": loss, **parts}.items()}

    def _cast(self) -> torch.autocast:
        return torch.autocast(self._ranks.device.type, torch.bfloat16, enabled=self._half)

    def _in_parts(self, batch: Batch, own: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Go through the model part by part, twice: for the outputs, then for their gradients.

        Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup (2021).
        The loss is that of the whole batch. Chance is what it was the first time.
        """
        slices = [own.sliced(s, min(s + self._part, own.size)) for s in range(0, own.size, self._part)]
        states, said = [], []
        with torch.no_grad(), self._cast():
            for part in slices:
                states.append(_chance(self._ranks.device))
                said.append(self._say(self._feeder.inputs(part)))
        leaves = [torch.cat(parts).requires_grad_() for parts in zip(*map(_flat, said), strict=True)]
        names = list(said[0].logits)
        whole = self._ranks.whole(
            Outputs(leaves[0], leaves[1], dict(zip(names, leaves[2:], strict=True))), batch.size
        )
        loss, losses = self._lose(whole, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        after, at = _chance(self._ranks.device), 0
        for part, state in zip(slices, states, strict=True):
            _set_chance(self._ranks.device, state)
            with self._cast():
                again = _flat(self._say(self._feeder.inputs(part)))
            pulls = [
                (tensor, leaf.grad[at : at + part.size])
                for tensor, leaf in zip(again, leaves, strict=True) if leaf.grad is not None
            ]  # fmt: skip
            torch.autograd.backward([t for t, _ in pulls], [g for _, g in pulls])
            at += part.size
        _set_chance(self._ranks.device, after)
        return loss, losses


def _flat(outputs: Outputs) -> list[Tensor]:
    return [outputs.image_BD, outputs.text_BD, *outputs.logits.values()]


def _chance(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_chance(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


@contextmanager
def out_of_memory(batch: int, part: int) -> Iterator[None]:
    """Say which batch would fit, where memory of the device runs out.

    What a batch needs grows with its size; a quarter of what did not fit leaves room for what grows
    with its square.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch has a class of its own for that of a GPU alone
        if not memory_is_short(error):
            raise
        tried = min(part or batch, batch)
        fits = max(2, tried // 4)
        raise ModelError(
            f"the device has not enough memory for {tried:,} entities at a time "
            f"({str(error).rpartition('Allocator: ')[2].split('. ')[0]})",
            where=f"--batch {batch}",
            action=f"--set part={fits} keeps the batch and needs about a quarter; "
            f"or take --batch {fits}",
        ) from None
