"""``mlmkg verify``: whether an export or a dump is as it was written."""

from __future__ import annotations

from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@pass_context
def command(context: Context, folder: Path) -> None:
    """Compare the files of an export, or a dump, with its checksums; exits with 1 if one differs.

    \b
    mlmkg verify mlm/exports/irle-gr
    mlmkg verify dump
    """
    from mlmkg.cli.tables import print_table

    from mlmkg.export.checksums import verify
    from mlmkg.progress import bar

    found = verify(folder, bar)
    rows = [
        {"file": name, "is": what}
        for what, names in (
            ("changed", found.changed), ("missing", found.missing), ("not of the export", found.added),
        )
        for name in names
    ]  # fmt: skip
    if rows:
        print_table(rows, title=f"{folder}", limit=40)
    state = "intact" if found.intact else "not what was written"
    context.say(f"{folder}: {found.files:,} files are as written; {state}; SHA256SUMS {found.sha256}")
    if not found.intact:
        raise SystemExit(1)
