"""Bytes that claim to be a picture: looked at before they are kept."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from markupsafe import Markup
from PIL import Image, UnidentifiedImageError

from mlmkg.harvest.client import Failed
from mlmkg.perceptual import perceptual_hash
from mlmkg.workspace import written_whole

#: Bytes and pixels of the largest picture that is taken.
LARGEST: Final = 50 << 20
MOST_PIXELS: Final = 50_000_000
#: Pillow's formats that are kept -> ending, media type.
_FORMATS: Final = {
    "JPEG": ("jpg", "image/jpeg"),
    "MPO": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
    "TIFF": ("tif", "image/tiff"),
}


@dataclass(frozen=True)
class Picture:
    """A picture that can be decoded.

    :param content: its bytes.
    :param width, height: in pixels.
    :param media_type: by its content, never by its name.
    :param path: ``ab/abcd….jpg``, by its checksum.
    :param perceptual_hash: of its pixels, see :func:`mlmkg.perceptual.perceptual_hash`.
    """

    content: bytes
    width: int
    height: int
    media_type: str
    path: str
    perceptual_hash: str

    @property
    def sha256(self) -> str:
        """The checksum of its bytes, hexadecimal."""
        return Path(self.path).stem


def check(content: bytes) -> Picture:
    """Decode a picture wholly.

    :raises Failed: if it is empty, broken off or no picture; one that is too large or of a format that
        is not kept need not be asked for again.
    """
    if not content:
        raise Failed("no bytes")
    try:
        form, width, height, looks = _decode(content)
    except Image.DecompressionBombError:
        raise Failed("too many pixels", again=False) from None
    except UnidentifiedImageError:
        raise Failed("no picture") from None
    except Failed:
        raise
    except Exception as error:  # Pillow's decoders raise what they like for broken bytes
        raise Failed(f"the picture cannot be decoded: {error}") from None
    ending, media_type = _FORMATS[form]
    digest = sha256(content).hexdigest()
    return Picture(content, width, height, media_type, f"{digest[:2]}/{digest}.{ending}", looks)


def _decode(content: bytes) -> tuple[str, int, int, str]:
    """Return format, width, height and perceptual hash of a picture whose pixels could all be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Failed(f"{image.width} x {image.height} pixels are too many", again=False)
            if image.format not in _FORMATS:
                raise Failed(f"a picture in {image.format}", again=False)
            image.load()
            return image.format, *image.size, perceptual_hash(image)


def store(picture: Picture, folder: Path) -> None:
    """Write a picture under its checksum, unless it is there."""
    path = folder / picture.path
    if not path.is_file():
        with written_whole(path) as stream:
            stream.write(picture.content)


def look(path: Path) -> str | None:
    """Return the perceptual hash of a picture that was kept, or None if it is damaged."""
    try:
        return check(path.read_bytes()).perceptual_hash
    except Failed:
        return None


def plain(html: str) -> str:
    """Return text without markup and with single spaces.

    >>> plain('<a href="x">Jane&nbsp;Doe</a>\\n  at <b>Flickr</b>')
    'Jane Doe at Flickr'
    """
    return " ".join(Markup(html).striptags().split())


def safe_iri(address: str) -> str:
    """Return an address with what no IRI may hold percent-encoded.

    >>> safe_iri('https://e.org/a "b"')
    'https://e.org/a%20%22b%22'
    """
    return quote(address, safe=":/?#[]@!$&'()*+,;=%~-._")
