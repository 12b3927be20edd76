"""Opens dumps: plain, gzip, bzip2 or Zstandard, from a disk or the web, as one stream of bytes.

What a file is packed with is read off its first bytes. A stream that breaks off, or is not what its
name says, is an error that names the file and the place.
"""

from __future__ import annotations

import bz2
import io
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, cast

import httpx2
import zstandard
from isal import igzip_threaded, isal_zlib

from mlmkg import __version__
from mlmkg.errors import SourceError

#: Bytes read at a time, unpacked.
BLOCK: Final = 4 << 20
_MAGIC: Final = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}
_BROKEN: Final[tuple[type[Exception], ...]] = (
    EOFError, OSError, isal_zlib.IsalError, zstandard.ZstdError, httpx2.HTTPError, ValueError,
)  # type: ignore[assignment]  # fmt: skip
#: Bytes looked through for the first line's end.
_HEAD: Final = 64 << 20


class Dump:
    """An open dump.

    :param path: its path or URL.
    :param size: bytes as it lies there, 0 if unknown.
    """

    def __init__(self, path: str, raw: _Counted, size: int) -> None:
        self.path, self.size = path, size
        self._raw = raw
        self._unpacked = _unpack(path, raw)
        self._ahead = b""
        #: Unpacked bytes handed out so far.
        self.place = 0

    @property
    def consumed(self) -> int:
        """Bytes read of the file as it lies there."""
        return self._raw.count

    def read(self, size: int = BLOCK) -> bytes:
        """Return the next unpacked bytes, none at the end.

        :raises SourceError: if the file breaks off, or holds something else than it should.
        """
        if self._ahead:
            block, self._ahead = self._ahead, b""
            self.place += len(block)
            return block
        try:
            block = self._unpacked.read(size)
        except _BROKEN as error:
            raise SourceError(
                f"broken or cut off after {self.consumed:,} bytes ({self.place:,} unpacked): {error}",
                where=self.path, action="Get the file again, and compare its size or checksum",
            ) from None  # fmt: skip
        self.place += len(block)
        return block

    def head(self) -> bytes:
        """Return the beginning, at least to the first line's end; it is read again afterwards.

        No more than 64 MiB of a file without lines.
        """
        pieces: list[bytes] = []
        while self.place < _HEAD and (block := self.read()):
            pieces.append(block)
            if b"\n" in block:
                break
        self._ahead = b"".join(pieces)
        self.place -= len(self._ahead)
        return self._ahead

    def close(self) -> None:
        """Stop unpacking."""
        self._unpacked.close()

    def pieces(self) -> Iterator[bytes]:
        """Yield the unpacked bytes, in blocks that end anywhere."""
        while block := self.read():
            yield block

    def blocks(self) -> Iterator[bytes]:
        """Yield the unpacked bytes in blocks that end at a line's end, the last at the file's."""
        rest: list[bytes] = []
        while block := self.read():
            end = block.rfind(b"\n") + 1
            if not end:
                rest.append(block)  # a line longer than a block
                continue
            start = 0
            if rest:  # only the line that goes on is put together: the rest is copied once
                start = block.find(b"\n") + 1
                yield b"".join((*rest, block[:start]))
            if start < end:
                yield block[start:end]
            rest = [block[end:]] if end < len(block) else []
        if last := b"".join(rest):
            yield last

    def lines(self) -> Iterator[bytes]:
        """Yield the lines with their ends."""
        for block in self.blocks():
            yield from io.BytesIO(block)


class _Counted(io.RawIOBase):
    """Counts what is read of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if isinstance(self._file, io.RawIOBase):
            size = self._file.readinto(buffer) or 0
        else:
            data = self._file.read(len(buffer))
            size = len(data)
            buffer[:size] = data
        self.count += size
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Zstandard:
    """Reads Zstandard frames, and says when the last one is not complete."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._input = b""
        self._output = b""

    def close(self) -> None:
        """Do nothing: who opened the file closes it."""

    def read(self, size: int) -> bytes:
        pieces, have = [self._output], len(self._output)
        while have < size:
            self._input = self._input or self._file.read(1 << 17)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("the last frame is not complete")
                break
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            piece = self._frame.decompress(self._input)
            self._input = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
            pieces.append(piece)
            have += len(piece)
        output = b"".join(pieces)
        self._output = output[size:]
        return output[:size]


def _threaded(file: IO[bytes]) -> IO[bytes]:
    """Unpack gzip in a thread of its own, while this one searches what is unpacked."""
    reader = igzip_threaded.open(file, "rb", block_size=BLOCK)  # type: ignore[no-untyped-call]
    return cast("IO[bytes]", reader)


def _unpack(path: str, raw: _Counted) -> IO[bytes]:
    buffered = io.BufferedReader(raw, 1 << 20)
    try:
        head = buffered.peek(4)[:4]
    except _BROKEN as error:
        raise SourceError(f"cannot be read: {error}", where=path, action="Look at the file") from None
    found = next((ending for magic, ending in _MAGIC.items() if head.startswith(magic)), "")
    named = next((ending for ending in _MAGIC.values() if path.endswith(ending)), "")
    if not head:
        raise SourceError("an empty file", where=path, action="Get the file again")
    if named and found != named:
        what = f"{found[1:]}" if found else "something else, such as an error page"
        raise SourceError(
            f"no {named[1:]} although it is named so, but {what}: it begins with {head!r}", where=path,
            action="Get the file again",
        )  # fmt: skip
    if found == ".gz":
        return _threaded(buffered)
    if found == ".bz2":
        return cast("IO[bytes]", bz2.BZ2File(buffered))
    if found == ".zst":
        return cast("IO[bytes]", _Zstandard(buffered))
    return cast("IO[bytes]", buffered)


def is_address(path: str) -> bool:
    """Return whether a path is an address with http:// or https://."""
    return path.startswith(("http://", "https://"))


def _headers(contact: str) -> dict[str, str]:
    said = f"https://w3id.org/mlmkg; {contact}" if contact else "https://w3id.org/mlmkg"
    return {"User-Agent": f"mlmkg/{__version__} ({said})", "Accept-Encoding": "identity"}


@contextmanager
def open_dump(path: str, contact: str = "") -> Iterator[Dump]:
    """Open a dump.

    :param path: a path, or an address with http:// or https://.
    :param contact: told to the server.
    :raises SourceError: if it is not there, or is not packed as its name says.
    """
    if is_address(path):
        try:
            with httpx2.stream(
                "GET", path, headers=_headers(contact), follow_redirects=True, timeout=90
            ) as response:
                _check(path, response)
                size = response.headers.get("content-length", "")
                pieces = cast("IO[bytes]", Pieces(response.iter_raw(1 << 20)))
                stream = Dump(path, _Counted(pieces), int(size) if size.isdigit() else 0)
                try:
                    yield stream
                finally:
                    stream.close()
        except httpx2.HTTPError as error:
            raise _unreachable(path, error) from None
        return
    try:
        file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _not_there(path, error) from None
    with file:
        stream = Dump(path, _Counted(file), Path(path).stat().st_size)
        try:
            yield stream
        finally:
            stream.close()


def fingerprint(path: str, contact: str = "") -> dict[str, str | int]:
    """Return what tells a dump from another: its name, size and a checksum of its two ends.

    Of an address: what its server says of size, version and date.

    :raises SourceError: if there is no such file.
    """
    if is_address(path):
        try:
            response = httpx2.head(path, headers=_headers(contact), follow_redirects=True, timeout=60)
        except httpx2.HTTPError as error:
            raise _unreachable(path, error) from None
        _check(path, response)
        names = ("content-length", "etag", "last-modified")
        return {"name": path, **{name: response.headers.get(name, "") for name in names}}
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            ends = file.read(1 << 20)
            file.seek(max(0, size - (1 << 20)))
            ends += file.read(1 << 20)
    except OSError as error:
        raise _not_there(path, error) from None
    return {"name": Path(path).name, "size": size, "sha256 of its ends": sha256(ends).hexdigest()}


def _check(path: str, response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise SourceError(f"HTTP {response.status_code}", where=path, action="Correct the address")


def _unreachable(path: str, error: Exception) -> SourceError:
    what = f"{type(error).__name__}: {error}"
    return SourceError(what, where=path, action="Try again, or download it first")


def _not_there(path: str, error: OSError) -> SourceError:
    return SourceError(f"cannot be opened: {error.strerror}", where=path, action="Correct the name")


class Pieces:
    """Pieces that come one by one, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        if size < 0:
            size = len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def close(self) -> None:
        """Do nothing: who opened what the pieces come from closes it."""
