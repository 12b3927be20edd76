"""Results as Arrow: the same cells as Oxigraph's own, whatever is in them and wherever blocks end."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest

from mlmkg.results import PEEK, pour, read_table, write_parquet

TEXTS = ["plain", "a, comma", 'a "quote"', "two\nlines", 'dos\r\nlines, "quoted"\r\n', '"', '\r\n"\r\n']
QUERY = "SELECT ?n ?t WHERE { ?s <urn:n> ?n OPTIONAL { ?s <urn:t> ?t } }"


@pytest.fixture(scope="module")
def store() -> ox.Store:
    """Rows beyond those that types are read from, every third without a text."""
    store = ox.Store()
    number, text = ox.NamedNode("urn:n"), ox.NamedNode("urn:t")
    for i in range(3 * PEEK):
        subject = ox.NamedNode(f"urn:s{i}")
        store.add(ox.Quad(subject, number, ox.Literal(i)))
        if i % 3:
            store.add(ox.Quad(subject, text, ox.Literal(f"{i} {TEXTS[i % len(TEXTS)]}")))
    return store


def answer(store: ox.Store, query: str = QUERY) -> ox.QuerySolutions:
    found = store.query(query)
    assert isinstance(found, ox.QuerySolutions)
    return found


@pytest.mark.parametrize("block", [2, 7, 100, 4096, 4 << 20])
def test_cells_survive_wherever_a_block_ends(
    store: ox.Store, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmkg.results._BLOCK", block)
    table = read_table(answer(store))
    assert table.schema == pa.schema([("n", pa.int64()), ("t", pa.string())])
    assert table.to_pylist() == [
        {"n": int(row["n"].value), "t": None if row["t"] is None else row["t"].value}
        for row in answer(store)
    ]


def test_a_column_alone_keeps_its_empty_cells(store: ox.Store) -> None:
    query = "SELECT ?t WHERE { ?s <urn:n> ?n OPTIONAL { ?s <urn:t> ?t } }"
    table = read_table(answer(store, query))
    assert table.num_rows == 3 * PEEK
    assert table["t"].null_count == PEEK


def test_a_blank_node_is_told_from_a_text_before_and_after_the_types_are_known() -> None:
    store = ox.Store()
    for i in range(2 * PEEK):
        store.add(ox.Quad(ox.BlankNode(f"b{i}"), ox.NamedNode("urn:p"), ox.Literal(i)))
    names = read_table(answer(store, "SELECT ?s WHERE { ?s <urn:p> ?o }"))["s"].to_pylist()
    assert sorted(names) == sorted(f"_:b{i}" for i in range(2 * PEEK))


def test_parquet_has_the_same_rows(store: ox.Store, tmp_path: Path) -> None:
    assert write_parquet(answer(store), tmp_path / "t.parquet") == 3 * PEEK
    assert pq.read_table(tmp_path / "t.parquet").equals(read_table(answer(store)))


@pytest.mark.parametrize(("size", "groups"), [(1, 3), (1 << 30, 1)])
def test_row_groups_are_as_large_as_asked_and_no_row_is_lost_between_them(
    store: ox.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, groups: int
) -> None:
    monkeypatch.setattr("mlmkg.results._ROW_GROUP", size)
    monkeypatch.setattr("mlmkg.results._BLOCK", 20_000)
    write_parquet(answer(store), tmp_path / "t.parquet")
    found = pq.ParquetFile(tmp_path / "t.parquet")
    assert found.read().equals(read_table(answer(store)))
    assert found.num_row_groups == groups


def test_numbers_that_are_no_digits_are_numbers() -> None:
    query = "SELECT ?x WHERE { VALUES ?x { 'INF'^^xsd:double '-INF'^^xsd:double 1.5e3 2.25 7 } }"
    found = ox.Store().query(query, prefixes={"xsd": "http://www.w3.org/2001/XMLSchema#"})
    assert isinstance(found, ox.QuerySolutions)
    assert read_table(found)["x"].to_pylist() == [float("inf"), float("-inf"), 1500.0, 2.25, 7.0]


def test_an_answer_leaves_without_pandas(tmp_path: Path) -> None:
    """It is 55 MB and 0.4 s of every command, where it is installed."""
    program = (
        "import io, sys, pyoxigraph as ox; from mlmkg.results import write_parquet\n"
        "for query in ('SELECT ?x { VALUES ?x { 1 2 } }', 'SELECT ?x { VALUES ?x {} }'):\n"
        "    write_parquet(ox.Store().query(query), io.BytesIO())\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_type_that_changes_on_the_way_is_an_error_and_not_a_guess(store: ox.Store) -> None:
    query = (
        f"SELECT ?x WHERE {{ ?s <urn:n> ?n BIND(IF(?n < {2 * PEEK}, ?n, 'late') AS ?x) }} ORDER BY ?n"
    )
    with pytest.raises(pa.ArrowInvalid):
        read_table(answer(store, query))
    stream = io.BytesIO()
    assert write_parquet(answer(store, query), stream, plain=True) == 3 * PEEK


def test_an_empty_answer_has_its_columns(store: ox.Store) -> None:
    table = read_table(answer(store, "SELECT ?a ?b WHERE { ?a <urn:none> ?b }"))
    assert table.column_names == ["a", "b"] and table.num_rows == 0


def test_an_older_answer_in_a_circle_of_references_does_no_harm(store: ox.Store) -> None:
    """The collector finds it in the thread it came from; in another it could not be dropped."""
    kept: list[object] = []

    def sink(batch: pa.RecordBatch) -> None:
        assert threading.current_thread() is threading.main_thread()
        if not kept:
            circle: list[object] = [answer(store)]
            circle.append(circle)
        kept.extend([batch] for _ in range(200_000))  # enough to call the collector, wherever it is

    pour(answer(store), sink)
    assert gc.isenabled()
    assert len(kept) >= 400_000


def test_an_error_leaves_the_answer_in_no_circle(store: ox.Store) -> None:
    """It is dropped at once, here, and not by the collector, somewhere."""
    value = f"IF(?n < {2 * PEEK}, ?n, 'late')"
    query = f"SELECT ({value} AS ?x) WHERE {{ ?s <urn:n> ?n }} ORDER BY ?n"
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(pa.ArrowInvalid):
                read_table(answer(store, query))
        left = [thing for thing in gc.get_objects() if isinstance(thing, ox.QuerySolutions)]
    finally:
        gc.enable()
    assert left == []
