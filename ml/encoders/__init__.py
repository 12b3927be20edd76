"""Encoders: names on the command line, frozen networks that turn images and texts into vectors.

``lite0`` and ``use`` ship their weights in packages; ``torchvision:MODEL`` takes torchvision's weights,
``torchvision:MODEL@FILE`` those of a file; ``hf:ID`` and ``hf:FOLDER`` are models of the Hugging Face
hub; ``A+B`` puts the vectors of both side by side. See docs/encoders.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mlmkg.ml.encoders.base import PRECISIONS, Encoder, Half, installed
from mlmkg.ml.encoders.joined import Joined
from mlmkg.ml.encoders.shipped import Lite0, Use

from mlmkg.errors import ModelError

__all__ = ["ENCODERS", "PRECISIONS", "Encoder", "Half", "load_encoder"]

#: Those that need nothing but a package.
ENCODERS: Final[dict[str, Callable[[str | None], Encoder]]] = {"lite0": Lite0, "use": Use}
#: A plus sign may stand in a path: only one before the name of an encoder joins two.
_PLUS: Final = re.compile(rf"\+(?=torchvision:|hf:|(?:{'|'.join(ENCODERS)})(?:\+|$))")
_OF: Final = {"image": "images", "text": "texts"}


def load_encoder(
    name: str | Encoder, modality: str | None = None, *, precision: str | None = None,
    batch: int | None = None,
) -> Encoder:  # fmt: skip
    """Return an encoder by its name; one that is loaded already is returned as it is.

    :param modality: image or text; says which side of a model that has both, and is checked.
    :param precision: one of :data:`PRECISIONS`; None is float32, and vectors that are there already
        may be of another.
    :param batch: items at a time, where it is not what the encoder takes by itself.
    :raises ModelError: if there is none of that name, it cannot be reached, its file does not fit, or
        a package is not installed.

    >>> _PLUS.split("torchvision:resnet50@a+b.pth+hf:x/y+lite0")
    ['torchvision:resnet50@a+b.pth', 'hf:x/y', 'lite0']
    """
    if not isinstance(name, str):
        return name
    parts = [_load(part.strip(), modality, precision) for part in _PLUS.split(name)]
    for part in parts:
        if modality not in (None, part.modality):
            raise ModelError(
                f"{part.name} encodes {_OF[part.modality]}, not {_OF[str(modality)]}",
                where="--encoders", action="Name the encoder of images first: IMAGE,TEXT",
            )  # fmt: skip
    encoder: Encoder = parts[0] if len(parts) == 1 else Joined(parts)
    if batch is not None:
        encoder.batch = batch
    return encoder


def _load(name: str, modality: str | None, precision: str | None) -> Encoder:
    kind, _, rest = name.partition(":")
    if name in ENCODERS:
        with installed(name, "demo"):
            return ENCODERS[name](precision)
    if kind == "torchvision" and rest:
        from mlmkg.ml.encoders.vision import Torchvision

        model, _, path = rest.partition("@")
        with installed(name, "ml"):
            return Torchvision(model, path or None, precision)
    if kind == "hf" and rest:
        from mlmkg.ml.encoders.huggingface import load

        with installed(name, "hf"):
            return load(rest, modality, precision)
    raise ModelError(
        f"there is no encoder {name!r}",
        action=f"The encoders are {', '.join(ENCODERS)}, torchvision:MODEL, torchvision:MODEL@FILE, "
        "hf:ID and hf:FOLDER",
    )
