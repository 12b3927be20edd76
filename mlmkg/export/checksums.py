"""The checksums of a folder: ``SHA256SUMS``, as ``sha256sum --check`` reads it, and their proof."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from mlmkg.errors import ExportError
from mlmkg.progress import Progress, quiet

SUMS: Final = "SHA256SUMS"


def digest(path: Path) -> str:
    """Return a file's sha256, hexadecimal."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def files(folder: Path) -> Iterator[str]:
    """Yield the paths of a folder's files, relative to it, by name; not SHA256SUMS itself."""
    found = []
    for place, folders, names in os.walk(folder):
        names += [name for name in folders if (Path(place) / name).is_symlink()]
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in names]
    yield from sorted(name for name in found if name != SUMS)


def write_sums(folder: Path, known: Mapping[str, str]) -> None:
    """Write the checksums of all files of a folder.

    :param known: path -> sha256 of files that need not be read again.
    """
    lines = (f"{known.get(name) or digest(folder / name)}  {name}\n" for name in files(folder))
    (folder / SUMS).write_text("".join(lines), "utf-8")


@dataclass(frozen=True)
class Verified:
    """What the checksums of a folder say.

    :param files: how many are as they were written.
    :param changed: files whose content is another.
    :param missing: files that are gone.
    :param added: files that the export did not write.
    :param sha256: of SHA256SUMS: two folders with the same one hold the same files.
    """

    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    sha256: str

    @property
    def intact(self) -> bool:
        """Whether the folder is what was written."""
        return not (self.changed or self.missing or self.added)


def verify(folder: Path, progress: Progress = quiet) -> Verified:
    """Compare a folder with its checksums.

    :raises ExportError: if it has none, or they cannot be read.
    """
    path = folder / SUMS
    try:
        text = path.read_bytes()
    except OSError:
        raise ExportError(
            "there are no checksums", where=path,
            action="Name a folder that `mlmkg export` or `mlmkg dump` wrote",
        ) from None  # fmt: skip
    sums: dict[str, str] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        sha, _, name = line.partition("  ")
        if len(sha) != 64 or not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise ExportError(
                f"no checksum and path: {line[:80]!r}", where=f"{path}:{number}",
                action="Get it again, or write it anew with --force",
            )  # fmt: skip
        sums[name] = sha
    there = set(files(folder))
    changed = [
        name for name in progress(sorted(sums), "checksums", unit="file")
        if name in there and (
            not (folder / name).is_file() or digest(folder / name) != sums[name]  # a pipe has no end
        )
    ]  # fmt: skip
    missing = sorted(set(sums) - there)
    return Verified(
        len(sums) - len(changed) - len(missing), tuple(changed), tuple(missing),
        tuple(sorted(there - set(sums))), sha256(text).hexdigest(),
    )  # fmt: skip
