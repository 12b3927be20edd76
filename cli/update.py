"""``mlmkg update``: build against newer data and show what changed."""

from __future__ import annotations

from typing import Any

import click
from mlmkg.cli.building import planned, run, source_options
from mlmkg.cli.context import Context, pass_context


@click.command("update")
@source_options
@click.option("--show", "rows", type=int, default=20, show_default=True, help="Rows to print.")
@pass_context
def command(context: Context, /, rows: int, **options: Any) -> None:
    """Build again from a newer dump or endpoint, and write down what changed.

    \b
    mlmkg update --source endpoint --country Q233
    mlmkg update --source dump --dump newer.json.gz

    The changes are printed and stand in a graph of their own, changes/DATE, beside those of earlier
    updates. An update that was killed goes on where it stopped.
    """
    from mlmkg.cli.tables import print_table

    from mlmkg import freshness
    from mlmkg.changes import compare, record
    from mlmkg.errors import SourceError
    from mlmkg.store import open_read_only

    workspace = context.open_workspace()
    before = open_read_only(workspace).keys()
    last = freshness.moment(workspace).source or "gazetteer"
    if options["source"] != last:
        raise SourceError(
            f"the last build was from {last!r}", where=f"--source {options['source']}",
            action=f"Add --source {last}, or `mlmkg build` from the other source first",
        )  # fmt: skip
    moment = freshness.begin(workspace, before)
    plan = planned(context, options, moment.as_of)
    run(context, plan, options)
    after = open_read_only(workspace).keys()
    changes = compare(workspace, moment.before, after)
    record(workspace, plan.steps.query_set, moment.as_of, changes, moment.before, after)
    freshness.finish(workspace)
    print_table(changes.counts(), title="What changed")
    if changes.rows:
        print_table(changes.listed(), title="In detail", limit=rows)
