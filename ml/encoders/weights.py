"""Weights from a file: a checkpoint in one of the forms that people publish, put into a network.

Plain state dicts; ``{"state_dict": ...}`` with the ``module.`` of DataParallel, as Places365 publishes
its networks; Lightning's with ``model.`` and numbered children, as the geolocation network of
Müller-Budack et al. (ECCV 2018) in its PyTorch version; safetensors.
"""

from __future__ import annotations

import argparse
import re
from hashlib import file_digest
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

from torch import Tensor, nn

from mlmkg.errors import ModelError

_PREFIXES: Final = ("", "module.", "model.", "module.model.", "_orig_mod.", "backbone.")
#: Layers that classify, under the names that people give them, and those that only training needs.
_HEADS: Final = ("fc.", "classifier.", "head.", "heads.")
_AUXILIARY: Final = ("AuxLogits.", "aux1.", "aux2.")
#: DenseNet's layers were called ``norm.1`` before torch 0.4, and still are in Places365's.
_OLD_DENSE: Final = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)")


def digest_of(path: Path) -> str:
    """Return the first 16 digits of a file's sha256.

    :raises ModelError: if it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()[:16]
    except OSError as error:
        raise ModelError(
            f"the weights cannot be read ({error.strerror})", where=path,
            action="Give the path of a checkpoint file: torchvision:MODEL@FILE",
        ) from None  # fmt: skip


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint file by their names in it.

    :raises ModelError: if it is no checkpoint of PyTorch, or would run code when it is read.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals([argparse.Namespace]):  # Lightning's hparams
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, SafetensorError) as error:
        raise _unreadable(path, error) from None
    except UnpicklingError as error:
        if "Unsupported global" not in str(error):
            raise _unreadable(path, error) from None
        raise ModelError(
            "holds Python objects beside the weights, which could run code", where=path,
            action="If you trust it, keep its weights only: torch.save("
            "torch.load(FILE, weights_only=False)['state_dict'], 'weights.pth')",
        ) from None  # fmt: skip
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise _unreadable(path, "it holds no names of weights")
    found = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    if not found:
        raise _unreadable(path, "it holds no weights")
    return found


def _unreadable(path: Path, why: object) -> ModelError:
    return ModelError(
        f"is no checkpoint of PyTorch ({str(why).split('. ')[0]})", where=path,
        action="Give a file of torch.save or safetensors; TensorFlow's must be converted first",
    )  # fmt: skip


def put_in(net: nn.Module, found: dict[str, Tensor], head: str, model: str, path: Path) -> None:
    """Put weights into a network, all but those of the layer that classifies.

    :param head: the name of that layer, which may be of any width in the file.
    :param model: the network's name, for messages.
    :raises ModelError: if weights are missing, left over, or of other shapes.
    """
    own = net.state_dict()
    wanted = {name: value for name, value in own.items() if not name.startswith(f"{head}.")}
    unneeded = ("num_batches_tracked", *_AUXILIARY)
    needed = {name for name in wanted if not any(part in name for part in unneeded)}
    every = [named for prefix in _PREFIXES for named in _namings(net, found, prefix)]
    best = max(every, key=lambda named: len(needed & named.keys()))
    body = {name: value for name, value in best.items() if name in wanted}
    missing = sorted(needed - body.keys())
    extra = sorted(
        n for n in best if n not in wanted and not n.startswith((f"{head}.", *_HEADS, *_AUXILIARY))
    )
    shapes = sorted(name for name, value in body.items() if value.shape != wanted[name].shape)
    for names, what in ((missing, "lacks"), (extra, "has besides"), (shapes, "has in another shape")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(
                f"does not hold the weights of {model}: it {what} {names[0]}{more}", where=path,
                action="Name the model that these weights belong to: torchvision:MODEL@FILE",
            )  # fmt: skip
    net.load_state_dict(body, strict=False)


def _namings(net: nn.Module, found: dict[str, Tensor], prefix: str) -> list[dict[str, Tensor]]:
    """Return what stands under a prefix, also with numbered children named as the network's are."""
    inside = {
        _OLD_DENSE.sub(r"\1\2", name[len(prefix) :]): value
        for name, value in found.items()
        if name.startswith(prefix)
    }
    children = [name for name, _ in net.named_children()]
    named = {}
    for name, value in inside.items():
        number, _, rest = name.partition(".")
        if number.isdigit() and int(number) < len(children):
            named[f"{children[int(number)]}.{rest}"] = value
    return [inside, named]
