"""``mlmkg build``: run the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mlmkg.cli.building import Plan, planned, run, source_options
from mlmkg.cli.context import Context, pass_context

if TYPE_CHECKING:
    from mlmkg.sources.endpoint import Endpoint


@click.command("build")
@source_options
@click.option("--dry-run", is_flag=True, help="Print what would run and why; change nothing.")
@click.option("--force", is_flag=True, help="Run every step again.")
@pass_context
def command(context: Context, /, dry_run: bool, force: bool, **options: Any) -> None:
    """Build the graph: run every step whose query, parameters or inputs have changed.

    \b
    mlmkg build                                   # 34,000 cities, in a minute
    mlmkg build --limit 200 --dry-run             # what would run, and why
    mlmkg build --source endpoint --country Q233  # Malta, from Wikidata
    mlmkg build --source dump --dump latest-all.json.gz
    """
    from dataclasses import replace

    from mlmkg import freshness

    workspace = context.open_workspace()
    embedded = options["source"] == "gazetteer"
    moment = freshness.moment(workspace)
    plan = planned(context, options, "" if embedded else moment.as_of)
    if dry_run:
        show(context, plan, force)
        return
    if not embedded:
        freshness.remember(workspace, replace(moment, source=options["source"]))
    run(context, plan, options, force=force)


def show(context: Context, plan: Plan, force: bool) -> None:
    """Print the pipeline with what would run and why."""
    from mlmkg.cli.tables import print_table

    from mlmkg.sources.endpoint import Endpoint

    steps = plan.steps.plan(context.open_workspace(), force=force)
    rows = [
        {
            "graph": item.step.writes,
            "reads": ", ".join(item.step.reads) or "-",
            "plan": item.step.plan.path,
            "state": f"runs: {item.why}" if item.why else "is there",
        }
        for item in steps
    ]
    print_table(rows, title=f"Pipeline of {plan.steps.query_set}, in the order it runs")
    if isinstance(plan.source, Endpoint):
        show_requests(plan, plan.source, {item.step.writes for item in steps if item.why})


def show_requests(plan: Plan, endpoint: Endpoint, stale: set[str]) -> None:
    """Print how many requests will be sent, and roughly how long they take."""
    from mlmkg.cli.tables import print_table

    from mlmkg.estimate import estimate

    rows = estimate(plan.catalog, plan.recipe, endpoint, plan.part, stale)
    print_table(rows, title="Requests, estimated from counts asked of the endpoint")
