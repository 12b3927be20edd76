"""Tables on a terminal; tab-separated lines where the output is piped."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click

MAX_ROWS = 40


def print_table(
    rows: Sequence[Mapping[str, object]], *, title: str = "", limit: int | None = None
) -> None:
    """Print rows with the keys of the first as column names.

    :param rows: one mapping per row, same keys.
    :param title: printed above, on a terminal only.
    :param limit: on a terminal, how many rows to show.
    """
    columns = list(rows[0]) if rows else []
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(_plain(row[column]) for column in columns))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in columns:
        numeric = bool(rows) and all(isinstance(row[column], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows[:limit]:
        table.add_row(*(Text(_pretty(row[column])) for column in columns))
    Console().print(table)
    if limit is not None and len(rows) > limit:
        click.echo(f"… and {len(rows) - limit:,} more rows")


def _pretty(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def _plain(value: object) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")
