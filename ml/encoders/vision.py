"""Networks of torchvision for images: the pooled layer before the one that classifies."""

from __future__ import annotations

import difflib
import socket
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mlmkg.ml.encoders.base import ImageEncoder
from mlmkg.ml.encoders.weights import digest_of, put_in, read_weights
from torch import nn

from mlmkg.errors import ModelError

#: Seconds until a host that does not answer counts as not there.
PATIENCE: Final = 10
_LICENCE: Final = "https://github.com/pytorch/vision/blob/main/LICENSE"


class Torchvision(ImageEncoder):
    """A classifier of torchvision, without its last layer.

    Weights of a file see what torchvision's first weights of that model saw: for a ResNet the short
    side at 256 pixels, the middle 224 x 224, ImageNet's means. That is also how Places365 and the
    geolocation network were trained.

    :param model: its name in torchvision, such as ``resnet152``.
    :param weights: a checkpoint file, or None for torchvision's own, which are downloaded once.
    :raises ModelError: if there is no such model or file.
    """

    def __init__(self, model: str, weights: str | None, precision: str | None = None) -> None:
        from torchvision import models

        super().__init__(precision)
        known = models.list_models(module=models)
        if model not in known:
            close = difflib.get_close_matches(model, known, 3) or ["resnet50", "vit_b_16"]
            raise ModelError(f"torchvision has no model {model!r}", action=f"Try {', '.join(close)}")
        self.name = f"torchvision:{model}"
        self._model = model
        self._path = None if weights is None else Path(weights).expanduser()
        versions = models.get_model_weights(model)
        if self._path is None:
            self._weights = versions.DEFAULT
            self.licence = self._weights.meta.get("license", _LICENCE)
            # torchvision's files end in the first digits of their sha256.
            self.revision = f"{self._weights.name}@{Path(self._weights.url).stem.rpartition('-')[2]}"
        else:
            self._weights = next(iter(versions))
            self.licence = "that of the weights file"
            self.revision = f"sha256-{digest_of(self._path)}"
        self._sized = self._weights.transforms()

    @property
    def dim(self) -> int:
        """The width of the layer before the last."""
        return self._headless[1]

    def pixels(self, image: Any) -> Any:
        """Return (3, h, w) pixels as the network was trained on."""
        return self._sized(image)

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors of (n, 3, h, w) pixels."""
        import torch

        pixels_BCHW = prepared.to(self.device, memory_format=torch.channels_last)
        return self._headless[0](pixels_BCHW).flatten(1)

    @cached_property
    def _headless(self) -> tuple[nn.Module, int]:
        import torch
        from torchvision import models

        if self._path is None:
            state = self._downloaded()
            net = models.get_model(self._model, weights=None)
            net.load_state_dict(state)
            head, dim = _last_layer(net)
        else:
            found = read_weights(self._path)
            net = models.get_model(self._model, weights=None)
            head, dim = _last_layer(net)
            put_in(net, found, head, self._model, self._path)
        net.set_submodule(head, nn.Identity())
        return net.eval().to(self.device, memory_format=torch.channels_last), dim

    def _downloaded(self) -> Any:
        """Return torchvision's weights, from its cache or from where it publishes them."""
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PATIENCE)
        try:
            return self._weights.get_state_dict(progress=False, check_hash=True)
        except (OSError, RuntimeError) as error:
            raise ModelError(
                f"the weights of {self.name} cannot be reached ({error})", where=self._weights.url,
                action="Fetch that file with another machine and give its path: "
                f"{self.name}@FILE; or use `lite0`, which needs no download",
            ) from None  # fmt: skip
        finally:
            socket.setdefaulttimeout(before)


def _last_layer(net: nn.Module) -> tuple[str, int]:
    """Return the name of the layer that classifies, and what enters it: the last linear one.

    SqueezeNet has none and classifies by a convolution, before it pools.
    """
    linear = [(name, m.in_features) for name, m in net.named_modules() if isinstance(m, nn.Linear)]
    conv = [(name, m.in_channels) for name, m in net.named_modules() if isinstance(m, nn.Conv2d)]
    return (linear or conv)[-1]
