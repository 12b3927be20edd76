"""Remembers what was fetched, so that a killed build fetches nothing twice and loses nothing.

A batch of answers enters in one transaction or not at all; what is there can be asked for again. One
SQLite file per kind of answer, in the workspace's ``journal`` folder.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import zstandard

from mlmkg.errors import WorkspaceError

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS answers "
    "(key TEXT PRIMARY KEY, failed INTEGER NOT NULL, content BLOB NOT NULL) WITHOUT ROWID"
)


class Journal:
    """Key -> answer, on disk, whole batches at a time; for the thread that opened it."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one.

        :raises WorkspaceError: if the file is no journal.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._connection = sqlite3.connect(path)
        self._pack = zstandard.ZstdCompressor(3).compress
        self._unpack = zstandard.ZstdDecompressor().decompress
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise WorkspaceError(
                f"not a journal ({error})", where=path,
                action="Remove the file: what it held is fetched again",
            ) from None  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._connection.close()

    def __contains__(self, key: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM answers WHERE key = ?", (key,))
        return found.fetchone() is not None

    def __len__(self) -> int:
        (number,) = self._connection.execute("SELECT COUNT(*) FROM answers").fetchone()
        return int(number)

    def get(self, key: str) -> bytes | None:
        """Return an answer, or None if there is none."""
        row = self._connection.execute("SELECT content FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._unpack(row[0])

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with a prefix, sorted."""
        for (key,) in self._connection.execute(
            "SELECT key FROM answers WHERE substr(key, 1, ?) = ? ORDER BY key", (len(prefix), prefix)
        ):
            yield key

    def add(self, answers: Mapping[str, bytes], *, failed: Iterable[str] = ()) -> None:
        """Remember a batch: after a crash either all of it is there or nothing.

        :param failed: the keys whose answer is a failure, which :meth:`forget_failures` drops.
        :raises OSError: with ENOSPC if the disk is full.
        """
        bad = set(failed)
        rows = [(key, key in bad, self._pack(content)) for key, content in answers.items()]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
        except sqlite3.OperationalError as error:
            if "full" not in str(error):
                raise
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path)) from None

    def forget_failures(self) -> int:
        """Drop the answers that are failures, so that they are asked for again; return how many."""
        with self._connection:
            return self._connection.execute("DELETE FROM answers WHERE failed").rowcount

    def forget(self, prefix: str) -> None:
        """Drop the answers whose keys begin with a prefix."""
        with self._connection:
            self._connection.execute(
                "DELETE FROM answers WHERE substr(key, 1, ?) = ?", (len(prefix), prefix)
            )
