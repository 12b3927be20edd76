"""The folder one dataset lives in.

::

    mlm/
      graphs/    one file per named graph, the truth: {name}-{key}.nt.zst and its .prov.nt
      store/     the Oxigraph store, an index of the graph files; can be made again from them
      images/    image files by sha256
      journal/   what was fetched, so that nothing is fetched twice
      exports/   one folder per version
      features/  encoded images and texts
      runs/      one folder per training run
      metadata/  FAIR metadata
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from mlmkg.errors import WorkspaceError

#: A file that whoever writes a folder holds locked, beside the folder that grows.
_LOCK: Final = ".mlmkg-is-writing"


@dataclass(frozen=True)
class Workspace:
    """Names of the places in a dataset's folder; creates nothing until something is written.

    >>> Workspace(Path("mlm")).graphs.as_posix()
    'mlm/graphs'
    """

    root: Path

    @property
    def graphs(self) -> Path:
        """The graph files and their provenance records."""
        return self.root / "graphs"

    @property
    def store(self) -> Path:
        """The Oxigraph store that indexes the graph files."""
        return self.root / "store"

    @property
    def images(self) -> Path:
        """Image files, as ``ab/abcd….jpg`` by their sha256."""
        return self.root / "images"

    @property
    def journal(self) -> Path:
        """What was fetched over the network, batch by batch."""
        return self.root / "journal"

    @property
    def exports(self) -> Path:
        """One folder per exported version."""
        return self.root / "exports"

    @property
    def features(self) -> Path:
        """Encoded images and texts."""
        return self.root / "features"

    @property
    def runs(self) -> Path:
        """One folder per training run."""
        return self.root / "runs"

    @property
    def metadata(self) -> Path:
        """FAIR metadata."""
        return self.root / "metadata"


@contextmanager
def written_whole(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when it is complete and on disk.

    Writes to a temporary name in the same folder, then fsync and rename; if the body raises, the
    temporary file is removed and what stood at ``path`` still stands there.

    :param path: the file to write; its folder is created.
    :param mode: ``wb`` or ``w`` (UTF-8, newlines as given).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    text = "b" not in mode
    try:
        with open(  # noqa: PTH123 - a descriptor, not a path
            handle, mode, encoding="utf-8" if text else None, newline="" if text else None
        ) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_written_whole(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """Make a folder that appears under its name only when it is complete.

    It grows in a hidden folder beside its name; if the body raises, that is removed and what stood
    there still stands. What a killed process has left of the same folder is removed first.

    :param folder: what it will be called; where it is a link, the place that it leads to.
    :param replace: whether it takes the place of one that is there.
    :raises WorkspaceError: if there is one by then, and it shall not be replaced.
    """
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}-"
    for left in target.parent.glob(f"{glob.escape(prefix)}*/{_LOCK}"):
        _remove_abandoned(left)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as name,
        (Path(name) / _LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = Path(name) / target.name
        new.mkdir()
        yield new
        if target.exists():
            if not replace and (not target.is_dir() or any(target.iterdir())):
                raise WorkspaceError(
                    "somebody else has written it meanwhile", where=folder,
                    action="Name another folder, or remove that one",
                )  # fmt: skip
            target.rename(Path(name) / "replaced")
        new.rename(target)


def _remove_abandoned(lock: Path) -> None:
    """Remove what a killed process has left: nobody holds its lock."""
    try:
        with lock.open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    except OSError:
        pass  # at work, or gone by now


@contextmanager
def held_alone(lock: Path, doing: str, *, where: Path) -> Iterator[None]:
    """Keep other processes from the same work until the body ends.

    The kernel holds the lock (``flock``) and lets go of it when a process dies, however it dies: a file
    that is left is no lock.

    :param lock: a file that says who holds it; it is removed in the end.
    :param doing: what is done, for the message to others: ``training this run``.
    :param where: what is worked on, for the same.
    :raises WorkspaceError: if another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        while True:
            stream = stack.enter_context(lock.open("a+", encoding="utf-8"))
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                holder = stream.read() or "another process"
                raise WorkspaceError(
                    f"{holder} is {doing} already", where=where,
                    action="Wait until it has finished, or end it; what it has done is kept",
                ) from None  # fmt: skip
            if _is_at(stream, lock):
                break
            stream.close()  # its last holder has just removed it: another one counts now
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()}")
        stream.flush()
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _is_at(stream: IO[str], path: Path) -> bool:
    """Return whether an open file still stands under its name."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
