"""The command line as a user meets it: answers, formats, and errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import invoke
from tests.test_pipeline import invoke_error

COUNT = "SELECT (COUNT(?e) AS ?n) WHERE { ?e a mlm:Entity }"


def test_an_answer_in_a_pipe_is_csv(built: Path) -> None:
    assert invoke("-w", built, "sparql", COUNT).stdout.split() == ["n", "300"]


def test_the_union_of_all_graphs_is_asked_and_prefixes_are_known(built: Path) -> None:
    query = "ASK { ?e wdt:P17 wd:Q148 ; mlm:inVersion version:mlm }"
    assert invoke("-w", built, "sparql", query).stdout == "true\n"


@pytest.mark.parametrize(
    ("name", "starts"),
    [("csv", b"name,"), ("tsv", b"?name\t"), ("json", b'{"head"'), ("xml", b"<?xml"),
     ("geojson", b'{"type": "FeatureCollection"')],
)  # fmt: skip
def test_a_select_in_every_format(built: Path, tmp_path: Path, name: str, starts: bytes) -> None:
    target = tmp_path / f"answer.{name}"
    result = invoke("-w", built, "sparql", "capitals", "-o", target, "-f", name)
    assert result.exit_code == 0, result.output
    assert target.read_bytes().startswith(starts)


def test_parquet_has_typed_columns(built: Path, tmp_path: Path) -> None:
    assert invoke("-w", built, "sparql", "capitals", "-o", tmp_path / "a.parquet").exit_code == 0
    table = pq.read_table(tmp_path / "a.parquet")
    assert str(table.schema.field("population").type) == "int64"
    assert table["name"].to_pylist()[0] == "Beijing"


@pytest.mark.parametrize("name", ["ttl", "nt", "jsonld"])
def test_triples_in_every_format(built: Path, name: str) -> None:
    query = "CONSTRUCT { ?c mlm:hops ?h } WHERE { ?c mlm:hops ?h }"
    result = invoke("-w", built, "sparql", query, "-f", name)
    assert result.exit_code == 0 and "ontology#hops" in result.stdout


def test_a_parameter_is_bound(built: Path) -> None:
    query = "SELECT ?n WHERE { VALUES ?country { wd:Q148 } ?e wdt:P17 ?country ; rdfs:label ?n }"
    found = invoke("-w", built, "sparql", query, "-p", "country=wd:Q142").stdout
    assert "Paris" in found and "Shanghai" not in found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-w", "nowhere", "info"], "there is no store. Run `mlmkg build`"),
        (["-w", "BUILT", "sparql", "SELECT * { ?s nope:x ?o }"], "<text>:1:"),
        (["-w", "BUILT", "sparql", "missing.rq"], "missing.rq: there is no such file"),
        (["-w", "BUILT", "sparql", "nothing"], "there is no query 'nothing'"),
        (["-w", "BUILT", "sparql", "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }"], "SERVICE"),
        (["-w", "BUILT", "sparql", "DELETE WHERE { ?s ?p ?o }"], "an update"),
        (["-w", "BUILT", "sparql", COUNT, "-p", "x=1"], "no variable ?x"),
        (["-w", "BUILT", "sparql", COUNT, "-f", "ttl"], "a SELECT cannot be written as ttl"),
        (["-w", "BUILT", "export", "--version", "nope"], "there is no version 'nope'"),
        (["-w", "BUILT", "export", "--version", "mlm", "-o", "."], "exists already"),
        (["-w", "BUILT", "predict", "nope"], "no run"),
        (["-w", "BUILT", "train", "--version", "nope"], "no export"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(built: Path, words: list[str], says: str) -> None:
    line = invoke_error(*(str(built) if word == "BUILT" else word for word in words))
    assert says in line
    assert line.startswith("Error: ") and line.count("\n") == 1


def test_a_query_that_takes_too_long_is_ended(built: Path, tmp_path: Path) -> None:
    endless = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    target = tmp_path / "n.csv"
    line = invoke_error("-w", built, "sparql", endless, "--timeout", "0.5", "-o", target)
    assert "not finished after 0.5 s" in line
    assert list(tmp_path.iterdir()) == []


def test_one_summary_has_one_origin_of_each_kind(built: Path) -> None:
    words = ["sparql", "how-did-this-summary-get-here", "-f", "json"]
    found = json.loads(invoke("-w", built, *words).stdout)["results"]["bindings"]
    assert [row["language"]["value"] for row in found] == ["de", "en", "fr"]
    for row in found:
        assert row["plan"]["value"] == "mlmkg/sources/gazetteer.py#summaries"
        assert set(row["from"]["value"].split(", ")) == {"GeoNames", "Unicode CLDR"}


def test_info_counts_what_was_asked_for(built: Path) -> None:
    info = json.loads(invoke("-w", built, "info", "--json").stdout)
    assert info["entities"] == 300
    assert info["summaries"] == {"de": 300, "en": 300, "fr": 300}
    assert set(info["classes"]) == {"0", "1", "2", "3"}
    assert info["triples"] == sum(info["graphs"].values())


def test_settings_come_from_a_file_and_from_the_environment(built: Path, tmp_path: Path) -> None:
    (tmp_path / "mlmkg.toml").write_text(f'workspace = "{built}"\n[info]\nas_json = true\n', "utf-8")
    words = [sys.executable, "-m", "mlmkg", "info"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["entities"] == 300


def test_a_plan_is_explained(built: Path) -> None:
    result = invoke("-w", built, "sparql", "capitals", "--explain")
    assert result.exit_code == 0, result.output
    assert "QuadPattern(" in result.stdout and result.stdout.startswith("Project(")


def test_a_column_that_changes_its_kind_is_said_and_leaves_no_file(built: Path, tmp_path: Path) -> None:
    """Numbers first, more than are looked at; then text."""
    query = (
        "SELECT ?x WHERE { { ?s wdt:P1082 ?x . ?t mlm:hops ?h BIND(0 AS ?late) } "
        "UNION { ?s wdt:P1566 ?id BIND(CONCAT('id ', ?id) AS ?x) BIND(1 AS ?late) } } "
        "ORDER BY ?late"
    )
    line = invoke_error("-w", built, "sparql", query, "-o", tmp_path / "x.parquet")
    assert "begins with numbers" in line and "Select STR(?variable)" in line
    assert list(tmp_path.iterdir()) == []


def test_an_export_takes_only_what_its_licences_allow(built: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    words = ["-w", built, "export", "--no-report", "--version", "mlm", "-o"]
    # The crops are in the public domain, the summaries under CC BY.
    assert invoke(*words, tmp_path / "all", "--licences", "pd,cc-by").exit_code == 0
    assert pq.read_table(tmp_path / "all" / "entities.parquet").num_rows == 300
    credits = (tmp_path / "all" / "ATTRIBUTION.tsv").read_text("utf-8").splitlines()
    assert credits[0] == "work\tentity\tlicence\tattribution"
    assert len(credits) == 1 + 300 + 900
    assert any("NASA" in line and line.startswith("images/") for line in credits)
    none = invoke(*words, tmp_path / "none", "--licences", "CC0")
    assert "no entity of 'mlm' has both an image and a summary" in str(none.exception)
    assert not (tmp_path / "none").exists()
    wrong = invoke(*words, tmp_path / "wrong", "--licences", "free")
    assert "'free' is no family of licences" in str(wrong.exception)
    assert not (tmp_path / "wrong").exists()


def test_force_replaces_exports_and_nothing_else(built: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "mine.txt").write_text("mine")
    for folder in (tmp_path / "precious", built, built.parent):
        result = invoke("-w", built, "export", "--version", "mlm", "-o", folder, "--force")
        assert "is no export" in str(result.exception)
    assert (tmp_path / "precious" / "mine.txt").read_text() == "mine"
    assert (built / "store").is_dir()
    for _ in range(2):
        words = [
            "-w",
            built,
            "export",
            "--no-report",
            "--version",
            "mlm",
            "-o",
            tmp_path / "ours",
            "--force",
        ]
        assert invoke(*words).exit_code == 0


def test_a_setting_that_is_called_as_a_command_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlmkg.cli.main import main

    assert invoke("init", tmp_path / "museums", "--class", "Q33506").exit_code == 0
    monkeypatch.chdir(tmp_path / "museums")
    with pytest.raises(SystemExit) as ended:
        main(["queries", "list"])
    assert ended.value.code == 0
    assert "Instances of the classes" in capsys.readouterr().out


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlmkg.cli.main import main

    (tmp_path / "file").write_text("x")
    with pytest.raises(SystemExit) as ended:
        main(["init", str(tmp_path / "file" / "x")])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ") and len(said.splitlines()) == 1
