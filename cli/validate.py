"""``mlmkg validate``: shapes and checks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click
from mlmkg.cli.context import Context, pass_context

SHOWN = 100


@click.command("validate")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    metavar="N",
    help="Hold N nodes of each kind against the shapes.",
)
@click.option("--all", "everything", is_flag=True, help="Hold every node against the shapes: slow.")
@click.option(
    "--seed",
    default="mlmkg",
    show_default=True,
    help="The key of the draw: another seed, another sample.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_context
def command(context: Context, sample: int, everything: bool, seed: str, as_json: bool) -> None:
    """Hold the store against the SHACL shapes and the check queries.

    Exit code 1 if anything is found. The check queries see the whole store, the shapes a sample of
    each kind of node, the same on every machine.

    \b
    mlmkg validate
    mlmkg validate --sample 5000 --seed another
    mlmkg validate --all --json > findings.json
    """
    from mlmkg.cli.tables import print_table

    from mlmkg.catalog import read_catalog
    from mlmkg.progress import bar
    from mlmkg.sparql import check as check_syntax
    from mlmkg.store import open_read_only
    from mlmkg.validate import validate

    checks = read_catalog(context.queries).of_kind("checks")
    for query in checks:
        check_syntax(query.text, query.path)
    store = open_read_only(context.open_workspace()).raw
    validation = validate(store, checks=checks, sample=sample, all=everything, seed=seed, progress=bar)
    findings = [asdict(finding) for finding in validation.findings]
    if as_json:
        seen = {"checks": validation.checks, "nodes": validation.nodes}
        click.echo(json.dumps({"findings": findings, **seen}, indent=2, ensure_ascii=False))
    elif findings:
        print_table(findings, limit=SHOWN)
        context.say(f"{len(findings):,} findings in {validation.summary()}")
    else:
        click.echo(f"No findings: {validation.summary()}")
    if findings:
        sys.exit(1)
