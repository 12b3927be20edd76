"""``mlmkg check``: leakage and quality of a version."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from mlmkg.cli.context import Context, pass_context


@click.command("check")
@click.argument("version")
@click.option(
    "--examples",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="Show so many hits of each check.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write them as triples (W3C Data Quality Vocabulary): FILE.ttl or FILE.nt.",
)
@click.option("--write", is_flag=True, help="Put them into the store as the graph quality/VERSION.")
@pass_context
def command(
    context: Context, version: str, examples: int, as_json: bool, output: Path | None, write: bool
) -> None:
    """Look for leakage between the splits of a version, broken texts and gaps.

    Exit code 1 if a leak or an error is found; notes are to be known. What each check means, and where
    its threshold comes from, is in docs/quality.md. Checks of your own are query files, quality/*.rq.

    \b
    mlmkg check irle-gr
    mlmkg check mlm --examples 20 --json > quality.json
    mlmkg check irle -o quality.ttl --write
    """
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.progress import bar
    from mlmkg.quality import run_checks
    from mlmkg.quality.dqv import check_ending, write_file, write_graph
    from mlmkg.recipe import read_recipe
    from mlmkg.sparql import check as check_syntax
    from mlmkg.store import open_read_only

    if output is not None:
        check_ending(output)
    workspace = context.open_workspace()
    catalog = read_catalog(context.queries)
    recipe = read_recipe(catalog.folder / "recipe.toml")
    for query in catalog.of_kind("quality"):
        check_syntax(query.text, query.path)
    store = open_read_only(workspace)
    findings = run_checks(store, catalog, recipe, version, examples=examples, progress=bar)
    bad = [finding for finding in findings if finding.bad]
    if as_json:
        found = {"version": version, "clean": not bad, "findings": [f.as_json() for f in findings]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_table([
            {
                "check": f.name, "severity": f.check.severity, "found": f.found,
                "share": f"{f.share:.1%}", "what": f.check.title,
            }
            for f in findings
        ])  # fmt: skip
        shown = [
            {"check": f.name, "example": example.words, "about": "\n".join(example.entities)}
            for f in findings for example in f.examples
        ]  # fmt: skip
        if shown:
            if not sys.stdout.isatty():
                click.echo()
            print_table(shown)
    for finding in findings:
        if finding.remark:
            context.say(f"{finding.name}: {finding.remark}")
    if output is not None:
        write_file(output, version, findings)
        context.say(f"{output}: {len(findings)} measurements")
    if write:
        del store  # it is replaced
        number = write_graph(workspace, catalog.name, version, findings)
        context.say(f"{number:,} triples in the graph quality/{version}")
    if bad:
        kinds = [finding.check.severity for finding in bad]
        said = [f"{kinds.count(k)} {k}{'s' * (kinds.count(k) > 1)}" for k in dict.fromkeys(kinds)]
        context.say(f"{version}: not clean: {' and '.join(said)}")
        sys.exit(1)
    notes = sum(finding.count > 0 for finding in findings)
    context.say(
        f"{version}: clean, no leak and no error"
        + (f"; {notes} note{'s' * (notes > 1)} to know" if notes else "")
    )
