"""What a run notes while it goes: a line of metrics per epoch, as JSON and for TensorBoard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

METRICS: Final = "metrics.jsonl"
BOARD: Final = "tensorboard"


class Record:
    """The record of a run, in the folder of what is unfinished.

    :param writes: whether this process writes; of several on one run, one does.
    """

    def __init__(self, folder: Path, writes: bool) -> None:
        self._folder, self._writes = folder, writes
        self._board: Any = None

    def epoch(self, entry: Mapping[str, Any]) -> None:
        """Note an epoch's figures."""
        if not self._writes:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / METRICS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")
        self._shown(entry)

    def resumed(self, epoch: int, history: Sequence[Mapping[str, Any]]) -> None:
        """Begin after an epoch: what was noted of later ones is taken back."""
        if self._writes:
            lines = "".join(json.dumps(entry) + "\n" for entry in history)
            (self._folder / METRICS).write_text(lines, "utf-8")
            self._open(purge_step=epoch + 1)

    def _open(self, purge_step: int | None = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # takes two seconds
        except ImportError:
            return
        board = str(self._folder / BOARD)
        self._board = SummaryWriter(board, purge_step=purge_step)

    def _shown(self, entry: Mapping[str, Any]) -> None:
        if self._board is None:
            self._open()
        if self._board is not None:
            for name, value in entry.items():
                if name not in {"epoch", "best"}:
                    tag = name.replace("_", "/", 1) if name.startswith("val_") else f"train/{name}"
                    self._board.add_scalar(tag, value, entry["epoch"])
            self._board.flush()

    def move(self, folder: Path) -> None:
        """Move what TensorBoard reads to the run's folder."""
        self._close()
        if (self._folder / BOARD).is_dir():
            shutil.copytree(self._folder / BOARD, folder / BOARD)

    def forget(self) -> None:
        """Remove the folder of what is unfinished."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close(self) -> None:
        if self._board is not None:
            self._board.close()
            self._board = None
