"""What every command is given: where the dataset lives and how much to say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlmkg.workspace import Workspace


@dataclass(frozen=True)
class Context:
    """The options of the root command.

    :param workspace: the dataset's folder, which need not exist yet.
    :param queries: a folder of query files, or None for the set shipped with mlmkg.
    :param contact: whom a distant server may write to, or "".
    :param verbose: whether to say more on stderr.
    """

    workspace: Path
    queries: Path | None
    contact: str
    verbose: bool

    def open_workspace(self) -> Workspace:
        """Return the workspace, without creating anything."""
        from mlmkg.workspace import Workspace

        return Workspace(self.workspace)

    def say(self, message: str) -> None:
        """Print a message on stderr."""
        click.echo(message, err=True)

    def detail(self, message: str) -> None:
        """Print a message on stderr if the user asked for more."""
        if self.verbose:
            click.echo(message, err=True)


pass_context = click.make_pass_decorator(Context)
