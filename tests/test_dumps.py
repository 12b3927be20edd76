"""Dumps: what a folder holds, that it is the graph, and that a workspace comes back from it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from mlmkg.dumps.loading import load
from mlmkg.dumps.writing import dump
from mlmkg.errors import SourceError
from mlmkg.export.checksums import write_sums
from mlmkg.metadata.statistics import count
from mlmkg.sorting import SortingWriter
from mlmkg.store import open_read_only
from mlmkg.vocab import VOID
from mlmkg.workspace import Workspace
from tests.conftest import invoke


def quads_of(workspace: Path) -> set[ox.Quad]:
    return set(open_read_only(Workspace(workspace)).raw)


def parsed(path: Path, form: ox.RdfFormat) -> set[ox.Quad]:
    return set(ox.parse(gzip.decompress(path.read_bytes()), form))


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def dumped(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of the small dataset in all forms, with its images; tests only read it."""
    folder = tmp_path_factory.mktemp("dumped") / "dump"
    result = invoke("-w", built, "dump", "-o", folder, "--format", "nquads,trig,jelly", "--images")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def loaded(dumped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace made of that dump; tests only read it."""
    folder = tmp_path_factory.mktemp("loaded") / "mlm"
    result = invoke("load", dumped, "--workspace", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def copy(dumped: Path, tmp_path: Path) -> Path:
    """A copy of the N-Quads alone, to be spoilt."""
    folder = tmp_path / "copy"
    shutil.copytree(dumped, folder, ignore=shutil.ignore_patterns("images", "graphs", "graph.jelly*"))
    write_sums(folder, {})
    return folder


def test_every_form_holds_the_quads_of_the_store(built: Path, dumped: Path) -> None:
    from mlmkg.dumps.jelly import read

    want = quads_of(built)
    assert parsed(dumped / "graph.nq.gz", ox.RdfFormat.N_QUADS) == want
    with gzip.open(dumped / "graph.jelly.gz") as stream:
        assert set(read(stream)) == want
    by_graph = [parsed(path, ox.RdfFormat.TRIG) for path in dumped.glob("graphs/v1/*.trig.gz")]
    assert all(len({quad.graph_name for quad in graph}) == 1 for graph in by_graph)
    assert set().union(*by_graph) == want


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's, of itself
def test_rdflib_reads_the_same_from_all_forms(dumped: Path) -> None:
    def terms(data: bytes, form: str) -> set[tuple[rdflib.term.Node, ...]]:
        return set(rdflib.Dataset().parse(data, format=form).quads())

    lines = gzip.decompress((dumped / "graph.nq.gz").read_bytes()).splitlines(keepends=True)
    for name in ("cells", "ontology", "provenance"):
        of_it = [line for line in lines if line.endswith(b"graph/v1/%b> .\n" % name.encode())]
        trig = gzip.decompress((dumped / f"graphs/v1/{name}.trig.gz").read_bytes())
        assert len(of_it) > 100
        assert terms(b"".join(of_it), "nquads") == terms(trig, "trig")


def test_the_lines_are_canonical_and_in_the_order_of_sort(dumped: Path) -> None:
    lines = gzip.decompress((dumped / "graph.nq.gz").read_bytes())
    there = {**os.environ, "LC_ALL": "C"}
    ordered = subprocess.run(["sort", "-u"], input=lines, capture_output=True, env=there, check=True)
    assert lines == ordered.stdout
    assert lines == ox.serialize(ox.parse(lines, ox.RdfFormat.N_QUADS), format=ox.RdfFormat.N_QUADS)
    manifest = json.loads((dumped / "manifest.json").read_text("utf-8"))
    assert manifest["sha256_of_nquads"] == hashlib.sha256(lines).hexdigest()


def test_another_process_time_zone_and_hash_seed_give_the_same_bytes(
    built: Path, dumped: Path, tmp_path: Path
) -> None:
    there = {**os.environ, "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    command = [sys.executable, "-m", "mlmkg", "-w", built, "dump", "-o", tmp_path / "other"]
    subprocess.run(
        [*command, "--format", "nquads,trig,jelly", "--images"],
        env=there,
        check=True,
        capture_output=True,
    )
    assert all_bytes(tmp_path / "other") == all_bytes(dumped)


def test_unsorted_dumps_hold_the_same(built: Path, tmp_path: Path) -> None:
    dump(open_read_only(Workspace(built)).raw, Workspace(built), tmp_path / "d", ordered=False)
    assert parsed(tmp_path / "d/graph.nq.gz", ox.RdfFormat.N_QUADS) == quads_of(built)
    assert not json.loads((tmp_path / "d/manifest.json").read_text("utf-8"))["sorted"]


def test_void_counts_what_the_dump_holds(dumped: Path) -> None:
    quads = parsed(dumped / "graph.nq.gz", ox.RdfFormat.N_QUADS)
    void = rdflib.Graph().parse(dumped / "void.ttl")
    (whole,) = set(void.subjects(rdflib.URIRef(VOID.subset)))
    numbers = {
        VOID.triples: len(quads),
        VOID.distinctSubjects: len({quad.subject for quad in quads}),
        VOID.distinctObjects: len({quad.object for quad in quads}),
        VOID.properties: len({quad.predicate for quad in quads}),
    }
    for predicate, number in numbers.items():
        assert void.value(whole, rdflib.URIRef(predicate)) == rdflib.Literal(number)


def test_a_workspace_comes_back_with_the_same_quads_and_files(built: Path, loaded: Path) -> None:
    assert quads_of(loaded) == quads_of(built)
    there = {name: data for name, data in all_bytes(built / "graphs").items()
             if not name.startswith("source-") or name.endswith(".prov.nt")}  # fmt: skip
    assert all_bytes(loaded / "graphs") == there
    assert all_bytes(loaded / "images") == all_bytes(built / "images")


def test_commands_say_of_it_what_they_said_of_the_first(
    built: Path, loaded: Path, tmp_path: Path
) -> None:
    ask = "SELECT ?c (COUNT(*) AS ?n) WHERE { ?s a ?c } GROUP BY ?c ORDER BY ?c"
    for words in (["info", "--json"], ["sparql", ask]):
        first, second = invoke("-w", built, *words), invoke("-w", loaded, *words)
        assert first.exit_code == second.exit_code == 0
        assert first.stdout == second.stdout
    for workspace, name in ((built, "one"), (loaded, "two")):
        result = invoke(
            "-w", workspace, "export", "--version", "mlm", "--no-report", "-o", tmp_path / name
        )
        assert result.exit_code == 0, result.output
    assert all_bytes(tmp_path / "one") == all_bytes(tmp_path / "two")


def test_a_build_has_nothing_to_do_until_a_query_of_the_source_changes(
    loaded: Path, tmp_path: Path
) -> None:
    result = invoke("-w", loaded, "build", "--limit", 300)
    assert "Nothing to do" in result.stdout, result.output
    from mlmkg.catalog import shipped

    mine = tmp_path / "v1"
    shutil.copytree(shipped(), mine)
    changed = mine / "extract/labels.rq"
    changed.write_text(changed.read_text("utf-8") + "\n# changed\n", "utf-8")
    result = invoke("-w", loaded, "-q", mine, "build", "--limit", 300, "--dry-run")
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    assert "runs" in rows["source"]
    assert "runs" in rows["labels"]
    assert "is there" in rows["images"]


@pytest.mark.parametrize("form", ["trig", "jelly"])
def test_a_dump_of_another_form_is_loaded_alike(built: Path, tmp_path: Path, form: str) -> None:
    store = open_read_only(Workspace(built)).raw
    dump(store, Workspace(built), tmp_path / "d", forms=[form])
    load(tmp_path / "d", Workspace(tmp_path / "mlm"))
    assert quads_of(tmp_path / "mlm") == quads_of(built)


def test_verify_finds_what_was_changed(copy: Path) -> None:
    assert invoke("verify", copy).exit_code == 0
    (copy / "void.ttl").write_text("", "utf-8")
    result = invoke("verify", copy)
    assert result.exit_code == 1
    assert "void.ttl" in result.output


def test_a_changed_dump_is_not_loaded(copy: Path, tmp_path: Path) -> None:
    path = copy / "graph.nq.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(SourceError, match=r"graph\.nq\.gz: changed since"):
        load(copy, Workspace(tmp_path / "mlm"))
    path.unlink()
    with pytest.raises(SourceError, match=r"graph\.nq\.gz: missing since"):
        load(copy, Workspace(tmp_path / "mlm"))
    assert not (tmp_path / "mlm").exists()


def spoilt(folder: Path, data: bytes) -> None:
    """Put something else in the place of the N-Quads, with checksums that fit."""
    (folder / "graph.nq.gz").write_bytes(data)
    write_sums(folder, {})


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "no gzip", "crc"])
def test_a_file_that_is_damaged_is_named(copy: Path, tmp_path: Path, damage: str) -> None:
    data = (copy / "graph.nq.gz").read_bytes()
    half = len(data) // 2
    spoilt(copy, {
        "truncated": data[:-2000], "overwritten": data[:half] + bytes(2000) + data[half + 2000 :],
        "no gzip": b"not at all", "crc": data[:-8] + bytes(4) + data[-4:],
    }[damage])  # fmt: skip
    with pytest.raises(SourceError, match=r"graph\.nq\.gz:.*(cannot be unpacked|Parser error)"):
        load(copy, Workspace(tmp_path / "mlm"))
    assert not (tmp_path / "mlm").exists()


def test_a_syntax_error_is_named_with_its_line(copy: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((copy / "graph.nq.gz").read_bytes()).splitlines(keepends=True)
    lines[6] = b"<urn:a> nothing <urn:b> <urn:g> .\n"
    spoilt(copy, gzip.compress(b"".join(lines)))
    with pytest.raises(SourceError, match=r"graph\.nq\.gz:7: "):
        load(copy, Workspace(tmp_path / "mlm"))
    assert not (tmp_path / "mlm").exists()


def test_a_triple_less_is_found_by_the_counts(copy: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((copy / "graph.nq.gz").read_bytes()).splitlines(keepends=True)
    spoilt(copy, gzip.compress(b"".join(lines[1:])))
    with pytest.raises(SourceError, match="triples, and not the"):
        load(copy, Workspace(tmp_path / "mlm"))


def test_another_literal_is_found_by_the_provenance(copy: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((copy / "graph.nq.gz").read_bytes()).splitlines(keepends=True)
    at = next(
        i for i, line in enumerate(lines) if b'"@en <https://w3id.org/mlmkg/graph/v1/labels>' in line
    )
    lines[at] = lines[at].replace(b'"@en', b' too"@en')
    spoilt(copy, gzip.compress(b"".join(lines)))
    with pytest.raises(SourceError, match="is not the one that its provenance speaks of"):
        load(copy, Workspace(tmp_path / "mlm"))


def test_a_store_that_is_there_is_kept_unless_forced(copy: Path, loaded: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mlm"
    shutil.copytree(loaded, mine)
    (mine / "graphs/extra-0123456789abcdef.prov.nt").write_text("", "utf-8")
    result = invoke("-w", mine, "load", copy)
    assert result.exit_code != 0
    assert "is there already" in str(result.exception)
    result = invoke("-w", mine, "load", copy, "--force")
    assert result.exit_code == 0, result.output
    assert all_bytes(mine / "graphs") == all_bytes(loaded / "graphs")
    assert all_bytes(mine / "images") == all_bytes(loaded / "images")
    assert sorted(p.name for p in mine.iterdir()) == ["graphs", "images", "store"]


def test_a_folder_with_content_is_not_overwritten(built: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert invoke("-w", built, "dump", "-o", tmp_path / "empty").exit_code == 0
    for words, message in (((), "exists already"), (("--force",), "is no dump")):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine/notes.txt").write_text("mine", "utf-8")
        result = invoke("-w", built, "dump", "-o", tmp_path / "mine", *words)
        assert message in str(result.exception)
    assert invoke("-w", built, "dump", "-o", tmp_path / "empty", "--force").exit_code == 0


def test_a_killed_dump_leaves_nothing_that_looks_whole(built: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mlmkg", "-w", built, "dump", "-o", tmp_path / "d", "--images"]
    process = subprocess.Popen([str(word) for word in command])
    while not list(tmp_path.glob(".d-*/d/graph.nq.gz")) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "d").exists()
    assert invoke("-w", built, "dump", "-o", tmp_path / "d").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_blank_nodes_get_canonical_names(tmp_path: Path) -> None:
    def written(names: tuple[str, str], folder: str) -> bytes:
        store = ox.Store()
        g, p = ox.NamedNode("https://w3id.org/mlmkg/graph/v1/mine"), ox.NamedNode("urn:p")
        one, two = map(ox.BlankNode, names)
        store.extend([
            ox.Quad(one, p, two, g), ox.Quad(two, p, ox.Literal("a _:b"), g),
            ox.Quad(ox.NamedNode("urn:a"), p, ox.Literal("c"), g),
        ])  # fmt: skip
        dump(store, Workspace(tmp_path / "none"), tmp_path / folder)
        return gzip.decompress((tmp_path / folder / "graph.nq.gz").read_bytes())

    assert written(("x", "y"), "one") == written(("y", "z"), "two")


def test_characters_that_need_escapes_come_back(tmp_path: Path) -> None:
    store = ox.Store()
    nasty = 'tab\t line\n\r quote" back\\ bell\x07 del\x7f nbsp\xa0 \u2028 \U0001f600 . <g> .\n'
    quad = ox.Quad(
        ox.NamedNode("http://example.org/é"), ox.NamedNode("urn:p"), ox.Literal(nasty, language="de"),
        ox.NamedNode("urn:x:../etc/passwd"),
    )  # fmt: skip
    store.add(quad)
    forms = ("nquads", "trig", "jelly")
    dump(store, Workspace(tmp_path / "none"), tmp_path / "d", forms=forms)
    assert parsed(tmp_path / "d/graph.nq.gz", ox.RdfFormat.N_QUADS) == {quad}
    (trig,) = (tmp_path / "d/graphs").rglob("*.gz")
    assert parsed(trig, ox.RdfFormat.TRIG) == {quad}
    assert load(tmp_path / "d", Workspace(tmp_path / "mlm")).bare == ("urn:x:../etc/passwd",)
    assert quads_of(tmp_path / "mlm") == {quad}


def test_sorting_takes_the_memory_it_is_given(tmp_path: Path) -> None:
    writer = SortingWriter(tmp_path, memory=20_000)
    wanted = {b"<urn:%d> <urn:p> <urn:o> .\n" % (i * 7919 % 5000) for i in range(9000)}
    for i in range(9000):
        writer.write(b"<urn:%d> <urn:p> <urn:o> .\n" % (i * 7919 % 5000))
    assert [line for block in writer.blocks() for line in block] == sorted(wanted)


def test_counts_are_those_of_plain_sets(built: Path) -> None:
    store = open_read_only(Workspace(built)).raw
    quads, found = list(store), count(store)
    assert found.union.subjects == len({quad.subject for quad in quads})
    assert found.union.objects == len({quad.object for quad in quads})
    for iri, graph in found.graphs.items():
        inside = [quad for quad in quads if quad.graph_name.value == iri]
        assert graph.triples == len(inside)
        assert graph.objects == len({quad.object for quad in inside})
    for iri, counts in found.properties.items():
        of_it = [quad for quad in quads if quad.predicate.value == iri]
        assert counts.triples == len(of_it)
        assert counts.subjects == len({quad.subject for quad in of_it})
        assert counts.objects == len({quad.object for quad in of_it})
