"""``mlmkg info``: what is in the store."""

from __future__ import annotations

import json

import click
from mlmkg.cli.context import Context, pass_context


@click.command("info")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@pass_context
def command(context: Context, as_json: bool) -> None:
    """Count what is in the store: entities, images, summaries, classes, cells, graphs."""
    from mlmkg.cli.tables import print_table

    from mlmkg.reports import count
    from mlmkg.store import open_read_only

    counts = count(open_read_only(context.open_workspace()))
    if as_json:
        click.echo(json.dumps(counts.as_json(), indent=2))
        return
    rows: list[dict[str, object]] = [
        {"what": "entities", "number": counts.entities},
        {"what": "images", "number": counts.images},
        {"what": "image files", "number": counts.image_files},
        *({"what": f"summaries in {k}", "number": n} for k, n in counts.summaries.items()),
        *({"what": f"classes at hop {k}", "number": n} for k, n in counts.classes.items()),
        {"what": "geo cells", "number": counts.cells},
        *({"what": f"entities in {k}", "number": n} for k, n in counts.versions.items()),
        {"what": "triples", "number": counts.triples},
    ]
    print_table(rows, title=f"{context.workspace}: what is in the graph")
    graphs = [{"graph": name, "triples": n} for name, n in counts.graphs.items()]
    print_table(graphs, title="Named graphs")
