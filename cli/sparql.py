"""``mlmkg sparql``: a question to the graph."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mlmkg.cli.context import Context, pass_context

from mlmkg.errors import QueryError

if TYPE_CHECKING:
    from mlmkg.store import Answer

FORMATS = ("csv", "tsv", "json", "xml", "parquet", "ttl", "nt", "jsonld", "geojson")


@click.command("sparql")
@click.argument("query")
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(FORMATS),
    default=None,
    help="By default by the name of -o, else a table on a terminal and CSV (or N-Triples) in a pipe.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write the answer to a file, whole or not at all.",
)
@click.option(
    "--param",
    "-p",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Bind a parameter or a selected variable: country=wd:Q183.",
)
@click.option("--timeout", type=click.FloatRange(min=0.1), default=None, metavar="SECONDS",
              help="End the query after so long.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Print Oxigraph's plan of the query instead.")
@click.option("--allow-service", is_flag=True, help="Let SERVICE clauses ask other servers.")
@pass_context
def command(
    context: Context,
    query: str,
    format_: str | None,
    output: Path | None,
    params: tuple[str, ...],
    timeout: float | None,
    explain: bool,
    allow_service: bool,
) -> None:
    """Ask the graph. QUERY is a file, the name of a query of the set, SPARQL text, or - for stdin.

    \b
    mlmkg sparql settlements-per-continent
    mlmkg sparql worst-located -p country=wd:Q183
    mlmkg sparql "SELECT ?class ?hops WHERE { ?class mlm:hops ?hops }" -o classes.parquet
    echo "ASK { ?s a mlm:Prediction }" | mlmkg sparql -
    """
    from mlmkg.answers import ask, write
    from mlmkg.store import open_read_only
    from mlmkg.workspace import written_whole

    text, where = read(context, query)
    format_ = format_ or (output.suffix[1:] if output and output.suffix[1:] in FORMATS else None)
    store = open_read_only(context.open_workspace())
    if explain:
        click.echo(plan(text, where, context.workspace / "store"), nl=False)
        return
    if timeout is not None:
        run_limited(timeout, output, where)
        return
    answer = ask(store, text, where, values(params), service=allow_service)
    if output is not None:
        with written_whole(output) as stream:
            write(answer, stream, format_ or default(answer), where)
    elif format_ is None and sys.stdout.isatty():
        show(answer)
    else:
        write(answer, sys.stdout.buffer, format_ or default(answer), where)
        sys.stdout.buffer.flush()


def read(context: Context, query: str) -> tuple[str, str]:
    """Return the query's text and where it came from.

    :raises QueryError: if it is neither a file, nor a query's name, nor SPARQL.
    """
    if query == "-":
        return sys.stdin.read(), "<stdin>"
    if "{" in query:
        return query, "<text>"
    path = Path(query)
    if path.is_file():
        try:
            return path.read_text("utf-8"), query
        except UnicodeDecodeError as error:
            raise QueryError(f"not UTF-8 ({error})", where=path, action="Save it as UTF-8") from None
    if path.suffix == ".rq":
        raise QueryError("there is no such file", where=path, action="Correct the name")
    from mlmkg.catalog import read_catalog

    found = read_catalog(context.queries).find(query)
    return found.text, found.short_path


def values(params: tuple[str, ...]) -> dict[str, str]:
    """Return name -> value of ``name=value`` words."""
    found = {}
    for word in params:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise QueryError(
                f"{word!r} is not NAME=VALUE", where="--param", action="Write country=wd:Q183"
            )
        found[name.lstrip("?")] = value
    return found


def default(answer: Answer) -> str:
    """Return the format of an answer in a pipe."""
    from pyoxigraph import QueryTriples

    return "nt" if isinstance(answer, QueryTriples) else "csv"


def show(answer: Answer) -> None:
    """Print an answer on a terminal."""
    from mlmkg.cli.tables import MAX_ROWS, print_table
    from pyoxigraph import QuerySolutions, QueryTriples, RdfFormat

    from mlmkg.results import read_table
    from mlmkg.vocab import PREFIXES

    if isinstance(answer, QuerySolutions):
        table = read_table(answer)
        rows = [
            {name: short(value) for name, value in row.items()}
            for row in table.slice(0, MAX_ROWS).to_pylist()
        ]
        if not rows:
            click.echo("No rows.")
            return
        print_table(rows)
        if table.num_rows > MAX_ROWS:
            click.echo(
                f"… and {table.num_rows - MAX_ROWS:,} more rows: write them to a file with -o", err=True
            )
    elif isinstance(answer, QueryTriples):
        from pyoxigraph import serialize

        turtle = serialize(list(answer), format=RdfFormat.TURTLE, prefixes=PREFIXES)
        click.echo((turtle or b"").decode(), nl=False)
    else:
        click.echo("yes" if answer else "no")


def short(value: object) -> object:
    """Return an IRI in the prefixes of the project, anything else as it is."""
    from mlmkg.vocab import PREFIXES

    if isinstance(value, str) and value.startswith("http"):
        for prefix, iri in PREFIXES.items():
            local = value.removeprefix(iri)
            if local != value and local.rstrip("/").isalnum():
                return f"{prefix}:{local}"
    return value


def plan(text: str, where: str, store: Path) -> str:
    """Return what Oxigraph says of how it evaluates a query, from its own command line tool."""
    from mlmkg.answers import prepare
    from mlmkg.vocab import PREFIXES

    ready = prepare(text, {}, where)
    head = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    tool = Path(sys.executable).parent / "oxigraph"
    with tempfile.NamedTemporaryFile(suffix=".json") as explanation:
        done = subprocess.run(
            [tool, "query", "--location", store, "--union-default-graph", "--query", head + ready,
             "--explain-file", explanation.name, "--results-format",
             "nt" if "CONSTRUCT" in ready.upper() else "tsv"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, text=True,
        )  # fmt: skip
        if done.returncode:
            raise QueryError(
                f"oxigraph cannot explain it: {done.stderr.strip().splitlines()[-1]}", where=where,
                action="Leave out functions of mlmkg's own (mlmf:) to see the plan of the rest",
            )  # fmt: skip
        explained = json.loads(Path(explanation.name).read_text("utf-8"))
    return "\n".join(tree(explained["plan"])) + "\n"


def tree(node: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield a plan's lines, each part below what needs it."""
    yield f"{'  ' * depth}{node['name']}"
    for child in node.get("children", []):
        yield from tree(child, depth + 1)


def run_limited(seconds: float, output: Path | None, where: str) -> None:
    """Run this command again in a process that can be ended: Oxigraph has no time limit."""
    arguments = without_timeout(sys.argv[1:])
    process = subprocess.Popen([sys.executable, "-m", "mlmkg", *arguments])
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        if output is not None:
            for path in output.parent.glob(f".{output.name}.*.tmp"):
                path.unlink()
        raise QueryError(
            f"not finished after {seconds:g} s, ended", where=where,
            action="Allow more with --timeout, add a LIMIT, or look at --explain",
        ) from None  # fmt: skip
    if code:
        sys.exit(code)


def without_timeout(words: list[str]) -> list[str]:
    """Return a command line without its --timeout."""
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--timeout":
            skip = True
        elif not word.startswith("--timeout="):
            kept.append(word)
    return kept
