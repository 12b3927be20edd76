"""What a run that was stopped goes on from: everything that its next epoch depends on, without pickle.

runs/.NAME.unfinished/state.safetensors    weights, the best weights, the optimizer's moments, chance
runs/.NAME.unfinished/state.json           settings, data, epoch, figures so far
runs/.NAME.unfinished/metrics.jsonl        a line per epoch, as it ends
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mlmkg.errors import ModelError
from mlmkg.workspace import written_whole

STATE: Final = "state.safetensors"
ABOUT: Final = "state.json"
#: Saving may take one part in so many of the time.
SPARING: Final = 20


@dataclass
class Learning:
    """What changes while a model learns.

    :param parts: the modules, by name.
    :param started: when it began, seconds since 1970.
    :param epoch: the last one that has ended.
    :param best_score: of the best epoch so far.
    :param best: the model's weights after it.
    :param history: metrics by epoch.
    """

    parts: Mapping[str, nn.Module]
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generator: torch.Generator
    started: float = field(default_factory=time.time)
    epoch: int = 0
    best_score: float = -1.0
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


class Unfinished:
    """The folder of a run that has not ended.

    :param key: what the run depends on: names -> values, some of them such mappings again. It is kept
        with the state, and another one's state is neither gone on from nor lost.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        self.folder = folder
        self._key = json.loads(json.dumps(key))
        self._saved, self._took = 0.0, 0.0

    def save(self, learning: Learning, *, always: bool = False) -> bool:
        """Write the state after an epoch if the last time is long enough ago; return whether it was."""
        now = time.monotonic()
        if not always and now - self._saved < SPARING * self._took:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        moments = learning.optimizer.state_dict()
        tensors = {f"best.{name}": tensor for name, tensor in learning.best.items()}
        for part, module in learning.parts.items():
            tensors |= {f"{part}.{name}": t for name, t in module.state_dict().items()}
        for number, state in moments["state"].items():
            tensors |= {f"optimizer.{number}.{name}": t for name, t in state.items()}
        tensors["chance.own"] = learning.generator.get_state()
        tensors["chance.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["chance.cuda"] = torch.cuda.get_rng_state()
        about = {
            "key": self._key, "started": learning.started, "epoch": learning.epoch,
            "best_score": learning.best_score, "history": learning.history,
            "schedule": learning.schedule.state_dict(), "groups": moments["param_groups"],
        }  # fmt: skip
        # The weights first: state.json, which names the epoch of both, makes them count.
        fresh = self.folder / f"{learning.epoch}-{STATE}"
        save_file({k: t.detach().contiguous().cpu().clone() for k, t in tensors.items()}, fresh)
        with written_whole(self.folder / ABOUT, "w") as stream:
            json.dump(about, stream, default=str)
        for old in self.folder.glob(f"*-{STATE}"):
            if old != fresh:
                old.unlink()
        self._saved = time.monotonic()
        self._took = self._saved - now
        return True

    def load(self, learning: Learning) -> bool:
        """Go on from what is there; return whether there is anything of this run.

        :raises ModelError: if it is damaged, or was begun with other settings, data or software.
        """
        if not (self.folder / ABOUT).is_file():
            return False
        try:
            about = _read(self.folder / ABOUT)
            if changed := _changes(about["key"], self._key):
                raise ModelError(
                    f"an unfinished run of this name was begun otherwise: {changed}",
                    where=self.folder,
                    action="Repeat what it was begun with to go on, add --force to begin anew, or give "
                    "another --name",
                )  # fmt: skip
            tensors = load_file(self.folder / f"{about['epoch']}-{STATE}")
            self._restore(learning, about, tensors)
        except (
            OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError
        ) as error:  # fmt: skip
            raise ModelError(
                f"what the run got to cannot be read ({' '.join(str(error).split())[:160]})",
                where=self.folder, action="Add --force to begin anew",
            ) from None  # fmt: skip
        return True

    def _restore(
        self, learning: Learning, about: Mapping[str, Any], tensors: Mapping[str, Tensor]
    ) -> None:
        def of(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) :]: t for k, t in tensors.items() if k.startswith(prefix)}

        for part, module in learning.parts.items():
            module.load_state_dict(of(f"{part}."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in of("optimizer.").items():
            number, _, moment = name.partition(".")
            state.setdefault(int(number), {})[moment] = tensor
        learning.optimizer.load_state_dict({"state": state, "param_groups": about["groups"]})
        learning.schedule.load_state_dict(about["schedule"])
        learning.generator.set_state(tensors["chance.own"])
        torch.set_rng_state(tensors["chance.cpu"])
        if "chance.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["chance.cuda"])
        device = next(iter(learning.parts["model"].parameters())).device
        learning.best = {name: tensor.to(device) for name, tensor in of("best.").items()}
        learning.epoch = int(about["epoch"])
        learning.history = [dict(entry) for entry in about["history"]]
        learning.started = float(about["started"])
        learning.best_score = float(about["best_score"])


def _read(path: Path) -> dict[str, Any]:
    about = json.loads(path.read_text("utf-8"))
    if not isinstance(about, dict) or not isinstance(about.get("key"), dict):
        raise TypeError(f"{path.name} does not say what was trained")
    return about


def _changes(key: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return in what two keys differ, ``batch 64 → 128``; nothing where they do not."""
    old, new = _flat(key), _flat(other)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{n} {_shown(old.get(n))} → {_shown(new.get(n))}" for n in names)


def _flat(key: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return names and values with those of mappings in it; a setting goes by its bare name."""
    found: dict[str, Any] = {}
    for name, value in key.items():
        if isinstance(value, Mapping):
            found |= _flat(value, "" if name == "settings" else f"{name} ")
        else:
            found[f"{within}{name}"] = value
    return found


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    said = " + ".join(map(str, value)) if isinstance(value, list) else str(value)
    digest = len(said) == 64 and " " not in said
    return f"{said[:12]}…" if digest else said
