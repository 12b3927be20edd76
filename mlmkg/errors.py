"""The errors a user can meet, each one clear line: where, what, and the next action.

The command line prints an :class:`MlmkgError` as ``Error: <where>: <what>. <next action>`` and exits
with code 2. Anything else that is raised is a fault of ours and keeps its traceback under
``--verbose``.
"""

from __future__ import annotations

from pathlib import Path


class MlmkgError(Exception):
    """Bad input, said in one line.

    :param what: what is wrong, as a clause without a full stop.
    :param where: the file, the graph or the option it is wrong in.
    :param action: what the user does next, as a sentence without a full stop.

    >>> str(MlmkgError("there is no store", where="mlm/store", action="Run `mlmkg build`"))
    'mlm/store: there is no store. Run `mlmkg build`.'
    """

    def __init__(self, what: str, *, where: str | Path | None = None, action: str = "") -> None:
        self.what = " ".join(what.split())  # other people's messages may have several lines
        self.where = None if where is None else str(where)
        self.action = action
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        action = f" {self.action.rstrip('.')}." if self.action else ""
        return f"{place}{self.what.rstrip('.')}.{action}"


class WorkspaceError(MlmkgError):
    """The workspace, its store or one of its files is missing, locked or damaged."""


class QueryError(MlmkgError):
    """A query file has a bad header, a syntax error, or fails when it runs."""


class RecipeError(MlmkgError):
    """The recipe, or a setting, names something that does not exist or is out of range."""


class PipelineError(MlmkgError):
    """The steps do not form a pipeline: two write one graph, or they go round in a circle."""


class SourceError(MlmkgError):
    """The source holds something that cannot be read."""


class ExportError(MlmkgError):
    """An export cannot be written or read."""


class ModelError(MlmkgError):
    """An encoder, a feature file, a checkpoint or a run does not fit."""
