"""Query files: each is run on a small input and compared with what it should make.

Adding a query adds its test: ``tests/queries/{kind}/{name}/`` holds ``input.ttl`` and
``expected.ttl`` (or ``expected.csv`` for a SELECT); a query that writes a graph and has no such folder
fails, and one that does not must at least answer on a small real store.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox
import pytest

from mlmkg.catalog import WRITING, QueryFile, read_catalog, read_query, shipped
from mlmkg.errors import QueryError
from mlmkg.sparql import check
from mlmkg.store import GraphStore
from mlmkg.vocab import PREFIXES

CASES = Path(__file__).parent / "queries"
CATALOG = read_catalog()
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())


def triples(path: Path) -> set[str]:
    text = HEAD + path.read_text("utf-8")
    return {str(quad.triple) for quad in ox.parse(text.encode(), ox.RdfFormat.TURTLE)}


def names(queries: list[QueryFile]) -> list[str]:
    return [f"{query.kind}/{query.name}" for query in queries]


WRITERS = [query for query in CATALOG if query.kind in WRITING]
CHECKS = CATALOG.of_kind("checks")
EXAMPLES = [q for kind in ("export", "links", "reports", "examples") for q in CATALOG.of_kind(kind)]


@pytest.mark.parametrize("query", WRITERS, ids=names(WRITERS))
def test_a_construct_makes_the_triples_it_should(query: QueryFile) -> None:
    case = CASES / query.kind / query.name
    store = ox.Store()
    store.load(HEAD + (case / "input.ttl").read_text("utf-8"), ox.RdfFormat.TURTLE)
    made = store.query(query.text)
    assert isinstance(made, ox.QueryTriples)
    assert {str(triple) for triple in made} == triples(case / "expected.ttl")


@pytest.mark.parametrize("query", CHECKS, ids=names(CHECKS))
def test_a_check_finds_what_is_wrong(query: QueryFile) -> None:
    case = CASES / query.kind / query.name
    store = ox.Store()
    store.load(HEAD + (case / "input.trig").read_text("utf-8"), ox.RdfFormat.TRIG)
    assert len(list(GraphStore(store).rows(query.text))) == 1


@pytest.mark.parametrize("query", CHECKS, ids=names(CHECKS))
def test_a_check_finds_nothing_in_a_good_store(query: QueryFile, store: GraphStore) -> None:
    assert list(store.rows(query.text)) == []


@pytest.mark.parametrize("query", EXAMPLES, ids=names(EXAMPLES))
def test_every_other_query_answers(query: QueryFile, store: GraphStore) -> None:
    case = CASES / query.kind / query.name
    if not case.is_dir():
        assert list(store.rows(query.text))
        return
    small = ox.Store()
    small.load(HEAD + (case / "input.ttl").read_text("utf-8"), ox.RdfFormat.TURTLE)
    answer = GraphStore(small).query(query.text)
    assert isinstance(answer, ox.QuerySolutions)
    written = answer.serialize(format=ox.QueryResultsFormat.CSV)
    assert (written or b"").decode().splitlines() == (case / "expected.csv").read_text().splitlines()


@pytest.mark.parametrize("query", list(CATALOG), ids=names(list(CATALOG)))
def test_a_query_file_runs_in_any_editor(query: QueryFile) -> None:
    """Plain SPARQL 1.1: rdflib's parser takes it too, with the project's prefixes known."""
    from rdflib.plugins.sparql import prepareQuery

    prepareQuery(query.text, initNs=PREFIXES)
    check(query.text, query.path)


def test_the_shipped_set_is_what_its_checksums_say() -> None:
    sums = {
        name: digest
        for digest, name in (
            line.split("  ") for line in (shipped() / "SHA256SUMS").read_text("utf-8").splitlines()
        )
    }
    files = sorted(p for p in shipped().rglob("*") if p.suffix in {".rq", ".toml"})
    now = {p.relative_to(shipped()).as_posix(): sha256(p.read_bytes()).hexdigest() for p in files}
    assert now == sums, "a released set is frozen: `cd queries/v1 && sha256sum */*.rq recipe.toml`"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT * WHERE { ?s ?p ?o }", "no header"),
        ("#+ title: [a\nCONSTRUCT WHERE { ?s ?p ?o }", "bad header line"),
        ("#+ title: x\n#+ color: red\nCONSTRUCT WHERE { ?s ?p ?o }", "unknown key 'color'"),
        ("#+ title: x\nSELECT * WHERE { ?s ?p ?o }", "a SELECT in derive/"),
        ("#+ title: x\nCONSTRUCT WHERE { ?s ?p ?o }", "writes is missing"),
        ("#+ title: x\n#+ writes: g\n#+ reads: a\nCONSTRUCT WHERE { ?s ?p ?o }", "reads is 'a'"),
        (
            "#+ title: x\n#+ writes: g\n#+ parameters: {x: y}\nCONSTRUCT WHERE { ?s ?p ?o }",
            "no block `VALUES ?x",
        ),
    ],
)
def test_a_bad_header_is_said_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "derive" / "bad.rq"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    with pytest.raises(QueryError) as error:
        read_query(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_a_syntax_error_is_said_with_file_line_column_and_the_line() -> None:
    with pytest.raises(QueryError) as error:
        check("SELECT ?s WHERE {\n  ?s ?p\n  foo bar }", "q.rq")
    assert "q.rq:3:" in str(error.value)
    assert "foo bar }" in str(error.value)
