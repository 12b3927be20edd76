"""The pipeline: what runs, what is kept, what is refused, what a kill leaves."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from mlmkg.catalog import read_catalog, shipped
from mlmkg.errors import PipelineError
from mlmkg.graphfile import GraphFile, open_lines, write
from mlmkg.pipeline import Step, Work, build, pipeline
from mlmkg.provenance import Plan
from mlmkg.recipe import read_recipe
from mlmkg.sorting import SortingWriter
from mlmkg.sources.gazetteer import Gazetteer
from mlmkg.steps import dataset
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import in_a_tiny_disk, invoke


def step(writes: str, *reads: str) -> Step:
    return Step(writes, reads, Plan(writes, f"{writes}.rq", "v1", "0"), lambda work: None)


def own_queries(folder: Path) -> Path:
    """Copy the shipped set, as a user does who changes it."""
    shutil.copytree(shipped(), folder / "mine")
    return folder / "mine"


def contents(workspace: Path) -> dict[str, set[str]]:
    """Every graph's triples; the provenance graph without its times."""
    store = open_read_only(Workspace(workspace))
    found: dict[str, set[str]] = {}
    for name, iri in store.graphs().items():
        quads = store.raw.quads_for_pattern(None, None, None, ox.NamedNode(iri))
        found[name] = {str(q.triple) for q in quads if "AtTime" not in str(q.predicate)}
    return found


def test_two_steps_cannot_write_one_graph() -> None:
    with pytest.raises(PipelineError, match=r"a.rq and a.rq both write the graph 'a'"):
        pipeline("v1", [step("a"), step("a")])


def test_steps_cannot_go_round_in_a_circle() -> None:
    with pytest.raises(PipelineError, match=r"round in a circle: .*a.*b"):
        pipeline("v1", [step("a", "b"), step("b", "a")])


def test_a_step_cannot_read_what_none_writes() -> None:
    with pytest.raises(PipelineError, match="reads the graph 'z'"):
        pipeline("v1", [step("a", "z")])


def test_a_graph_file_is_sorted_and_without_duplicates_however_it_is_written(tmp_path: Path) -> None:
    lines = [b"<urn:%d> <urn:p> <urn:o> .\n" % (i % 700) for i in range(2000)]
    random.Random(1).shuffle(lines)
    one, two = SortingWriter(tmp_path), SortingWriter(tmp_path)
    one.add(lines)
    joined = b"".join(reversed(lines))
    for start in range(0, len(joined), 37):
        two.write(joined[start : start + 37])
    first = write(tmp_path / "one.nt.zst", one)
    assert first == write(tmp_path / "two.nt.zst", two)
    assert first.triples == 700
    assert (tmp_path / "one.nt.zst").read_bytes() == (tmp_path / "two.nt.zst").read_bytes()
    with open_lines(tmp_path / "one.nt.zst") as stream:
        assert stream.read().splitlines() == sorted({line.strip() for line in lines})


def test_more_lines_than_memory_holds_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmkg.sorting.BYTES_IN_MEMORY", 8_000)
    writer = SortingWriter(tmp_path)
    for i in range(1000):
        writer.write(b"<urn:%d> <urn:p> <urn:o> .\n" % (i * 7919 % 500))
    assert list(writer.sorted()) == sorted(b"<urn:%d> <urn:p> <urn:o> ." % i for i in range(500))


def test_a_second_build_does_nothing_and_writes_nothing(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    result = invoke("-w", built, "build", "--limit", 300)
    assert "Nothing to do" in result.stdout
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


def test_a_changed_query_runs_itself_and_what_lies_after_it(tmp_path: Path, built: Path) -> None:
    workspace = tmp_path / "mlm"
    queries = own_queries(tmp_path)
    (tmp_path / "v1").mkdir()
    shutil.move(queries, tmp_path / "v1" / "v1")
    queries = tmp_path / "v1" / "v1"
    shutil.copytree(built, workspace)
    hops = queries / "derive" / "hops.rq"
    hops.write_text(hops.read_text("utf-8") + "# a remark\n", "utf-8")
    plan = invoke("-w", workspace, "-q", queries, "build", "--limit", 300, "--dry-run").stdout
    state = {row.split("\t")[0]: row.split("\t")[3] for row in plan.splitlines()}
    assert state["hops"] == "runs: derive/hops.rq has changed"
    assert state["eligible"] == "runs: hops is made again"
    assert state["instances"] == "is there"
    done = invoke("-w", workspace, "-q", queries, "build", "--limit", 300)
    assert done.exit_code == 0, done.output
    assert contents(workspace)["eligible"] == contents(built)["eligible"]


def test_a_store_is_made_again_from_its_files(tmp_path: Path, built: Path) -> None:
    shutil.copytree(built, tmp_path / "mlm")
    shutil.rmtree(tmp_path / "mlm" / "store")
    assert invoke("-w", tmp_path / "mlm", "build", "--limit", 300).exit_code == 0
    assert contents(tmp_path / "mlm") == contents(built)


def test_every_graph_but_provenance_has_activity_plan_and_checksum(built: Path) -> None:
    store = open_read_only(Workspace(built))
    rows = {
        row[0]: row
        for row in store.rows(
            "SELECT ?g ?a ?plan ?sum ?n { ?g prov:wasGeneratedBy ?a ; mlm:sha256 ?sum ; "
            "mlm:tripleCount ?n . ?a prov:qualifiedAssociation/prov:hadPlan ?plan }"
        )
    }
    for name, iri in store.graphs().items():
        if name != "provenance":
            assert all(rows[iri])
            counted = sum(1 for _ in store.raw.quads_for_pattern(None, None, None, ox.NamedNode(iri)))
            assert counted == int(rows[iri][4]), name


def test_a_new_graph_and_report_need_query_files_alone(tmp_path: Path) -> None:
    """What docs/queries.md shows: a modality (how many names a class has) without any Python."""
    queries = own_queries(tmp_path)
    (queries / "derive" / "big.rq").write_text(
        "#+ title: Places with over ten million people\n#+ reads: [instances]\n#+ writes: big\n"
        "CONSTRUCT { ?e <https://example.org/size> 'huge' }\n"
        "WHERE { ?e wdt:P1082 ?n FILTER(?n > 10000000) }\n",
        "utf-8",
    )
    (queries / "export" / "sizes.rq").write_text(
        "#+ title: Table sizes\n#+ parameters: {entity: whose size}\n"
        "SELECT ?entity ?size WHERE { VALUES ?entity { wd:Q64 } "
        "?entity <https://example.org/size> ?size }\n",
        "utf-8",
    )
    (queries / "reports" / "sizes.rq").write_text(
        "#+ title: Huge places\nSELECT (COUNT(*) AS ?huge) { ?e <https://example.org/size> 'huge' }\n",
        "utf-8",
    )
    shared = ["-w", tmp_path / "mlm", "-q", queries]
    assert invoke(*shared, "build", "--limit", 60).exit_code == 0
    answer = invoke(*shared, "sparql", "reports/sizes").stdout.split()
    assert answer[0] == "huge" and int(answer[1]) > 5
    done = invoke(*shared, "export", "--no-report", "--version", "mlm")
    assert done.exit_code == 0, done.output
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "mlm" / "exports" / "mlm" / "sizes.parquet")
    assert table.column_names == ["entity", "size"] and table.num_rows == int(answer[1])


@pytest.mark.slow
def test_a_build_killed_at_any_moment_ends_in_the_same_graph(tmp_path: Path, built: Path) -> None:
    workspace = tmp_path / "mlm"
    words = [sys.executable, "-m", "mlmkg", "-w", str(workspace), "build", "--limit", "300"]
    chance = random.Random(20)
    killed = 0
    for number in range(10):
        # By turns going on where the last one was killed, and making everything again.
        run = [*words, "--force"] if number % 2 else words
        process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.15, 1.1))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
    assert killed >= 5
    assert subprocess.run(words, check=False, capture_output=True).returncode == 0
    assert contents(workspace) == contents(built)
    left = [p for p in workspace.rglob("*") if p.name.startswith((".scratch", "store.new"))]
    assert not left
    assert not list(workspace.joinpath("graphs").rglob("*.tmp"))


def test_a_store_that_another_process_writes_to_is_not_touched(tmp_path: Path, built: Path) -> None:
    workspace = tmp_path / "mlm"
    shutil.copytree(built, workspace)
    code = (
        f"import pyoxigraph, time; s = pyoxigraph.Store({str(workspace / 'store')!r});"
        "print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline()
        result = invoke_error("-w", workspace, "build", "--limit", 299)
        writer.kill()
    assert "another process has the store open for writing" in result
    assert contents(workspace) == contents(built)


def invoke_error(*words: object) -> str:
    """Run a command line as a user does; it ends with one line and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "mlmkg", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = in_a_tiny_disk(tmp_path / "disk", 3, "build", "--limit", 3000, "--no-images")
    assert done.returncode == 2, done.stderr
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout.strip() == ""


def test_keys_do_not_depend_on_where_or_when(tmp_path: Path) -> None:
    catalog = read_catalog()
    recipe = read_recipe(catalog.folder / "recipe.toml")
    cities = Gazetteer(limit=5)
    steps = dataset(catalog, recipe, cities, cities)
    one = [item.file.key for item in steps.plan(Workspace(tmp_path / "a"))]
    assert one == [item.file.key for item in steps.plan(Workspace(tmp_path / "b"))]
    more = Gazetteer(limit=6)
    other = dataset(catalog, recipe, more, more).plan(Workspace(tmp_path))
    assert len(set(one)) == len(one)
    same = {p.step.writes for p, key in zip(other, one, strict=True) if p.file.key == key}
    assert same == {"countries", "ontology"}


def test_an_unwritten_graph_is_not_taken_for_a_written_one(tmp_path: Path) -> None:
    graph = GraphFile(tmp_path, "hops", "0" * 16)
    graph.path.write_bytes(b"")
    assert not graph.written


def test_an_error_that_is_kept_does_not_keep_the_store_open(tmp_path: Path) -> None:
    """In a notebook the last error stays, with all its frames; the next build must not meet it."""

    def fail(work: Work) -> None:
        held = work.store
        assert held.query("ASK { }")
        raise ValueError("broken")

    catalog = read_catalog()
    recipe = read_recipe(catalog.folder / "recipe.toml")
    cities = Gazetteer(limit=5)
    steps = dataset(catalog, recipe, cities, cities, images=False)
    broken = Step("broken", ("instances",), Plan("x", "x.rq", "v1", "0"), fail)
    with pytest.raises(ValueError, match="broken") as kept:
        build(pipeline("v1", [*steps.steps, broken]), Workspace(tmp_path))
    assert build(steps, Workspace(tmp_path)).changed
    assert kept.value.args == ("broken",)
