"""The docs know every command and every query file."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click
import mlmkg.ml
import pytest
from mlmkg.cli.main import root

import mlmkg.dumps
import mlmkg.export
import mlmkg.harvest
import mlmkg.metadata
import mlmkg.quality
import mlmkg.report
import mlmkg.sources
from mlmkg.catalog import read_catalog

DOCS = Path(__file__).parent.parent / "docs"
PACKAGES = (
    mlmkg, mlmkg.dumps, mlmkg.export, mlmkg.harvest, mlmkg.metadata, mlmkg.ml, mlmkg.quality,
    mlmkg.report, mlmkg.sources,
)  # fmt: skip


@pytest.mark.parametrize("name", root.list_commands(click.Context(root)))
def test_a_command_is_in_the_docs_with_all_its_options(name: str) -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    assert f"## mlmkg {name}\n" in text
    command = root.get_command(click.Context(root), name)
    assert command is not None
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[-1] in text.split(f"## mlmkg {name}\n")[1].split("\n## ")[0]


def modules() -> list[str]:
    return sorted(
        f"{package.__name__}.{module.name}"
        for package in PACKAGES
        for module in iter_modules(package.__path__)
        if not module.ispkg and module.name != "__main__"
    )


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_every_query_file_is_in_the_docs() -> None:
    text = (DOCS / "queries.md").read_text("utf-8")
    assert [q.short_path for q in read_catalog() if f"`{q.short_path}`" not in text] == []
