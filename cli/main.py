"""The root command: finds the others by their files, loads settings, turns errors into one line."""

from __future__ import annotations

import os
import sys
import tomllib
import traceback
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click
from mlmkg.cli.context import Context

from mlmkg import __version__
from mlmkg import cli as storey
from mlmkg.errors import MlmkgError, RecipeError

NOT_COMMANDS = {"main", "context", "tables", "building"}
EXIT_BAD_INPUT = 2
#: What only the extra `ml` installs.
OF_THE_MODEL = {"torch", "sklearn", "safetensors"}


class CommandFiles(click.Group):
    """A group whose commands are the modules of this package, each with a function ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        names = [m.name for m in iter_modules(storey.__path__) if m.name not in NOT_COMMANDS]
        return sorted(name.replace("_", "-") for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's file."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"mlmkg.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


def settings() -> dict[str, Any]:
    """Return the settings of ``mlmkg.toml`` (or of the file that MLMKG_SETTINGS names)."""
    named = os.environ.get("MLMKG_SETTINGS")
    path = Path(named or "mlmkg.toml")
    if not path.is_file():
        if named:
            raise RecipeError("there is no such file", where=named, action="Correct MLMKG_SETTINGS")
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"not valid TOML: {error}", where=path, action="Correct it") from None
    # `queries` is an option of the root and a command: a string is meant for the option.
    if isinstance(found.get("queries"), str):
        found["query_set"] = found.pop("queries")
    return found


@click.command(
    cls=CommandFiles,
    context_settings={"auto_envvar_prefix": "MLMKG", "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="mlmkg")
@click.option(
    "--workspace",
    "-w",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("mlm"),
    show_default=True,
    help="The folder the dataset lives in.",
)
@click.option(
    "--queries",
    "-q",
    "query_set",
    envvar="MLMKG_QUERIES",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="A folder of query files of your own instead of the shipped set v1.",
)
@click.option(
    "--contact",
    metavar="ADDRESS",
    default="",
    help="Your mail address or URL, told to the servers that are asked for data.",
)
@click.option("--verbose", "-v", is_flag=True, help="Say what is done, and show tracebacks.")
@click.pass_context
def root(
    ctx: click.Context, workspace: Path, query_set: Path | None, contact: str, verbose: bool
) -> None:
    """Build, query, export and train on a multimodal knowledge graph of the world's settlements.

    \b
    mlmkg build                           # the graph: SPARQL files -> named graphs
    mlmkg sparql -                        # a question on stdin, a table on the terminal
    mlmkg export --version irle-gr        # tables, images, splits
    mlmkg train --version irle-gr         # retrieval and location, one model
    mlmkg predict RUN                     # its predictions, back in the graph

    Every option can also be set in mlmkg.toml or as MLMKG_COMMAND_OPTION.
    """
    ctx.obj = Context(workspace=workspace, queries=query_set, contact=contact, verbose=verbose)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends with one line and exit code 2."""
    words = sys.argv[1:] if arguments is None else arguments
    verbose = "--verbose" in words or "-v" in words or bool(os.environ.get("MLMKG_VERBOSE"))
    try:
        root.main(args=words, prog_name="mlmkg", default_map=settings(), standalone_mode=True)
    except MlmkgError as error:
        if verbose:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except ModuleNotFoundError as error:
        if error.name not in OF_THE_MODEL:
            raise
        click.echo(
            f"Error: this command needs {error.name}. Install it with `pip install 'mlmkg[demo]'`.",
            err=True,
        )
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # `mlmkg sparql ... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        if error.filename is None:
            raise
        if verbose:
            traceback.print_exc()
        what = f"{error.filename}: {(error.strerror or str(error)).lower()}"
        click.echo(f"Error: {what}. Name another place, or make this one accessible.", err=True)
        sys.exit(EXIT_BAD_INPUT)
