"""What an encoder is, and what those that run on torch share: device, precision, decoded images."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from mlmkg.errors import ModelError

Half = npt.NDArray[np.float16]

#: What ``--precision`` takes: full float32, or bfloat16 where torch's autocast finds it safe.
PRECISIONS: Final = ("float32", "bf16")


class Encoder(Protocol):
    """What an encoder does.

    ``name`` and ``revision`` say what it is, without blanks and without folders of this machine;
    ``licence`` is that of the weights, an IRI, or a few words where none is known; ``modality`` is
    image or text; ``dim`` is the width of its vectors; ``batch`` is how many items it takes at a
    time; ``by_length`` says that items of about the same length belong in one batch; ``precision``
    is one of :data:`PRECISIONS`, or None where nobody asked for one (float32).
    """

    name: str
    revision: str
    licence: str
    modality: str
    batch: int
    by_length: bool
    precision: str | None

    @property
    def dim(self) -> int:
        """The width of the vectors."""
        ...

    def encode(self, batch: Sequence[Any]) -> Half:
        """Return (n, dim) vectors.

        :param batch: n paths of images, or n texts.
        """
        ...


class TwoStep(ABC):
    """An encoder whose first step needs no model: it can go ahead in another thread."""

    @abstractmethod
    def prepare(self, batch: Sequence[Any]) -> Any:
        """Return what :meth:`encoded` takes: decoded images, tokens."""

    @abstractmethod
    def encoded(self, prepared: Any) -> Half:
        """Return (n, dim) vectors of what was prepared."""

    def encode(self, batch: Sequence[Any]) -> Half:
        """Return (n, dim) vectors.

        :raises ModelError: naming the file that is no image.
        """
        return self.encoded(self.prepare(batch))


class TorchEncoder(TwoStep):
    """An encoder that runs on torch: the second step on the GPU where there is one."""

    by_length = False
    batch = 64

    def __init__(self, precision: str | None = None) -> None:
        import torch

        self.precision = precision
        # torchrun numbers the processes of a machine; each takes a GPU.
        gpu = int(os.environ.get("LOCAL_RANK", "0"))
        gpus = torch.cuda.device_count()
        self.device = torch.device(f"cuda:{gpu % gpus}" if gpus else "cpu")

    @abstractmethod
    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors as a tensor; called without gradients and in the precision."""

    def encoded(self, prepared: Any) -> Half:
        """Return (n, dim) vectors of what was prepared."""
        import torch

        bf16 = self.precision == "bf16"
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            half: Half = self.vectors(prepared).half().cpu().numpy()
        return half


class ImageEncoder(TorchEncoder):
    """An encoder of image files: decodes them in threads."""

    modality = "image"

    @abstractmethod
    def pixels(self, image: Any) -> Any:
        """Return what the network takes of one image.

        :param image: a PIL image in RGB.
        """

    def stacked(self, every: list[Any]) -> Any:
        """Return what the network takes of a batch."""
        import torch

        return torch.stack(every)

    def prepare(self, batch: Sequence[Path]) -> Any:
        """Return the decoded and sized images.

        :raises ModelError: naming the file that is no image.
        """
        return self.stacked(list(self._threads.map(self._read, batch)))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        mine = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return ThreadPoolExecutor(max(mine, 1), "decoding")

    def _read(self, path: Path) -> Any:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as image:
                return self.pixels(image.convert("RGB"))
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise ModelError(
                f"cannot be read as an image ({error})", where=path,
                action="Run `mlmkg build --force` and export again",
            ) from None  # fmt: skip


@contextmanager
def installed(name: str, extra: str) -> Iterator[None]:
    """Say which extra brings a package that is missing.

    :param name: the encoder's.
    :raises ModelError: if an import in the body fails.
    """
    try:
        yield
    except ImportError as error:
        raise ModelError(
            f"the encoder {name!r} needs the package {error.name}",
            action=f"Install it with `pip install 'mlmkg[{extra}]'`",
        ) from None
