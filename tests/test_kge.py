"""Vectors from the graph: what they are made from, and that they know no place unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlmkg.ml.classgraph import class_vectors, similarities
from mlmkg.ml.graphvectors import load_graph, record_of
from mlmkg.ml.kge import Settings, embed

from mlmkg.catalog import read_catalog
from mlmkg.errors import ExportError, ModelError
from mlmkg.export.links import PLACELESS, all_links, licences, without_places_of
from mlmkg.export.members import Members, of_version
from mlmkg.export.tables import Reader
from mlmkg.recipe import Recipe, read_recipe
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM, WDT
from tests.conftest import invoke

#: They train, or start processes.
pytestmark = pytest.mark.slow

FEW = {"dim": 8, "epochs": 2}
#: Two towns of training, one of test, and a country that is a town of test itself.
LINKS = [
    ("a", WDT.P31, "town"), ("b", WDT.P31, "town"), ("t", WDT.P31, "town"), ("m", WDT.P31, "town"),
    ("town", WDT.P279, "place"),
    ("a", WDT.P17, "France"), ("b", WDT.P17, "m"), ("t", WDT.P17, "France"),
    ("b", WDT.P131, "t"), ("m", WDT.P30, "Europe"), ("France", WDT.P30, "Europe"),
    ("a", MLM.cell, "47a"), ("t", MLM.cell, "47a"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reader(store: GraphStore) -> Reader:
    return Reader(store, read_catalog())


@pytest.fixture(scope="module")
def recipe(reader: Reader) -> Recipe:
    return read_recipe(reader.catalog.folder / "recipe.toml")


@pytest.fixture(scope="module")
def members(reader: Reader, recipe: Recipe) -> Members:
    return of_version(reader.store, reader.catalog, recipe, "mlm")


@pytest.fixture(scope="module")
def held_out(store: GraphStore) -> set[str]:
    rows = store.rows("SELECT ?e { ?e mlm:split ?s FILTER(?s != mlm:train) }")
    return {row[0] for row in rows}


def test_an_embedding_is_a_row_per_entity_and_comes_from_the_cache(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    made = embed(reader, recipe, members, tmp_path, Settings("transe", **FEW))
    vectors = np.load(made.path)
    assert vectors.shape == (300, 8) and vectors.dtype == np.float16 and np.isfinite(vectors).all()
    assert made.path.name.startswith("graph-transe-") and not made.cached
    about = json.loads(made.path.with_suffix(".json").read_text("utf-8"))
    assert about["rows"] == members.entities.to_pylist() == sorted(about["rows"])
    assert about["method"] == "TransE" and about["dim"] == 8 and len(about["losses"]) == 2
    assert about["licences"] == ["https://creativecommons.org/licenses/by/4.0/"] == licences(reader)
    stamp = made.path.stat().st_mtime_ns
    again = embed(reader, recipe, members, tmp_path, Settings("TransE", **FEW))
    assert again.cached and again.path == made.path and made.path.stat().st_mtime_ns == stamp
    assert len(list(tmp_path.iterdir())) == 2


def test_a_seed_gives_one_result_and_another_seed_another(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    first, second, other = (
        embed(reader, recipe, members, tmp_path / name, Settings("DistMult", seed=seed, **FEW)).path
        for name, seed in (("one", 3), ("two", 3), ("three", 4))
    )
    assert first.name == second.name != other.name
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_by_default_no_link_states_a_place(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    about = embed(reader, recipe, members, tmp_path, Settings(**FEW)).about
    every = all_links(reader, members.entities)
    kinds = every["relation"].value_counts().to_pylist()
    counts = {kind["values"]: kind["counts"] for kind in kinds}
    assert set(counts) == {WDT.P17, WDT.P30, WDT.P31, WDT.P279, MLM.cell}
    assert about["relations"] == {name: counts[name] for name in sorted(PLACELESS)}
    assert about["leaking"] is False


def test_with_places_it_is_said_to_leak_and_knows_those_of_training_alone(
    reader: Reader, recipe: Recipe, members: Members, held_out: set[str], tmp_path: Path
) -> None:
    every = all_links(reader, members.entities)
    seen = without_places_of(every, sorted(held_out)).to_pylist()
    states = [row for row in seen if row["relation"] not in PLACELESS]
    assert {row["relation"] for row in states} == {WDT.P17, WDT.P30, MLM.cell}
    assert not held_out & {row[end] for row in states for end in ("head", "tail")}
    assert held_out < {row["head"] for row in seen if row["relation"] == WDT.P31}
    made = embed(reader, recipe, members, tmp_path, Settings(places=True, **FEW))
    assert made.about["leaking"] is True and made.about["links"] == len(seen)
    # Whose vectors they are is the same as without: who has a class has one.
    assert made.about["rows"] == members.entities.to_pylist()


def test_a_place_is_hidden_from_both_ends() -> None:
    import pyarrow as pa

    links = pa.table(dict(zip(("head", "relation", "tail"), zip(*LINKS, strict=True), strict=True)))
    left = {tuple(row.values()) for row in without_places_of(links, {"t", "m"}).to_pylist()}
    gone = set(LINKS) - left
    assert gone == {
        ("t", WDT.P17, "France"), ("t", MLM.cell, "47a"),  # what is asked for
        ("b", WDT.P131, "t"),  # b's cell would say where t is
        ("b", WDT.P17, "m"), ("m", WDT.P30, "Europe"),  # a country that is a town: Monaco
    }  # fmt: skip


def test_the_spatial_split_holds_out_others(
    built: Path, reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    words = ["--version", "mlm", "--format", "parquet,pykeen", "--no-report", "--images", "none"]
    done = invoke("-w", built, "export", *words, "--split", "spatial", "-o", tmp_path / "spatial")
    assert done.exit_code == 0, done.output
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "spatial" / "entities.parquet").to_pydict()
    train = {e for e, s in zip(table["entity"], table["split"], strict=True) if s == "train"}
    text = (tmp_path / "spatial" / "triples.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    known = {head for head, relation, _ in rows if relation == MLM.cell}
    assert known and known < train, "a cell of an entity that this export holds out is in its triples"
    made = embed(reader, recipe, members, tmp_path, Settings(places=True, **FEW), "spatial")
    assert made.about["split"] == "spatial"
    load_graph(made.path, table["entity"], "spatial")
    with pytest.raises(ModelError, match="know places of entities that the hash split holds out"):
        load_graph(made.path, table["entity"], "hash")


def test_rows_follow_the_entities_that_are_asked_for(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    made = embed(reader, recipe, members, tmp_path, Settings("class-similarity"))
    vectors = np.load(made.path)
    first, second, *_ = members.entities.to_pylist()
    rows = load_graph(made.path, [second, "http://nowhere/", first])
    assert rows.start.tolist() == [0, 1, 1, 2]
    assert rows.vectors[rows.index].tolist() == vectors[[1, 0]].tolist()
    with pytest.raises(ModelError, match="no vector for any entity"):
        load_graph(made.path, ["http://nowhere/"])
    noted = record_of(made.path)
    assert noted["leaking"] is False and noted["method"] == "class-similarity"
    assert noted["file"] == made.path.name and not {"rows", "columns", "losses"} & set(noted)


@pytest.mark.parametrize("method", ["RotatE", "QuatE", "CompGCN"])
def test_other_kinds_of_models(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path, method: str
) -> None:
    """Complex numbers become two, quaternions four; some models walk links both ways."""
    made = embed(reader, recipe, members, tmp_path, Settings(method, dim=4, epochs=1))
    assert np.load(made.path).shape == (300, {"RotatE": 8, "QuatE": 16, "CompGCN": 4}[method])


# place <- city <- big city <- capital; place <- village; city village below both; a circle above place
TREE = [
    ("city", "place"), ("big city", "city"), ("capital", "big city"), ("village", "place"),
    ("city village", "city"), ("city village", "village"), ("place", "thing"), ("thing", "place"),
]  # fmt: skip


def test_class_similarity_by_hand() -> None:
    names = ["place", "city", "capital", "village", "city village", "ship"]
    found = similarities(TREE, ["place"], names, names)
    # 2 d / (a + b + 2 d): the lowest class above both at depth d, a and b steps below it.
    by_hand = np.array([
        [1.00, 2 / 3, 2 / 5, 2 / 3, 1 / 2, 0.0],
        [2 / 3, 1.00, 4 / 6, 2 / 4, 4 / 5, 0.0],
        [2 / 5, 4 / 6, 1.00, 2 / 6, 4 / 7, 0.0],
        [2 / 3, 2 / 4, 2 / 6, 1.00, 4 / 5, 0.0],
        [1 / 2, 4 / 5, 4 / 7, 4 / 5, 1.00, 0.0],
        [0.00, 0.00, 0.00, 0.00, 0.00, 1.0],
    ])  # fmt: skip
    np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_an_entity_is_the_mean_of_its_classes_and_columns_are_those_of_training() -> None:
    classes = {"a": ["city"], "b": ["village", "city"], "t": ["capital"]}
    vectors, columns = class_vectors(classes, {"a", "b"}, TREE, ["place"])
    assert columns == ["city", "village"], "a class that training lacks is no column"
    by_hand = [[1, 1 / 2], [(1 / 2 + 1) / 2, (1 + 1 / 2) / 2], [4 / 6, 2 / 6]]
    np.testing.assert_allclose(vectors, by_hand, atol=1e-3)
    assert class_vectors(classes, {"a", "b"}, TREE, ["place"], widest=1)[1] == ["city"]


def test_the_command_says_what_it_made_and_that_it_leaks(built: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(built / "store", tmp_path / "mlm" / "store")
    words = ["-w", tmp_path / "mlm", "embed", "--version", "mlm"]
    done = invoke(*words, "--dim", 4, "--epochs", 2, "--with-places")
    assert done.exit_code == 0, done.output
    name = done.stdout.strip()
    assert name.startswith("features/graph-transe-") and (tmp_path / "mlm" / name).is_file()
    assert "It LEAKS" in done.stderr and "300 of 300 entities, 4 numbers" in done.stderr
    done = invoke(*words, "--method", "class-similarity")
    assert done.exit_code == 0 and "LEAKS" not in done.output


def test_bad_input_is_one_clear_line(
    reader: Reader, recipe: Recipe, members: Members, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no such model as 'TransX'\. There are class-sim.*RotatE"):
        embed(reader, recipe, members, tmp_path, Settings("TransX"))
    with pytest.raises(ModelError, match="knows no places"):
        embed(reader, recipe, members, tmp_path, Settings("class-similarity", places=True))
    empty = Reader(reader.store, read_catalog_without_links(tmp_path / "bare"))
    with pytest.raises(ExportError, match="the version 'mlm' has no links"):
        embed(empty, recipe, members, tmp_path, Settings(**FEW))
    with pytest.raises(ModelError, match=r"there are no such vectors\. Run `mlmkg embed`"):
        load_graph(tmp_path / "graph-none.npy", ["e"])
    made = embed(reader, recipe, members, tmp_path, Settings(**FEW))
    made.path.write_bytes(made.path.read_bytes()[:500])
    with pytest.raises(ModelError, match="Delete the file and run `mlmkg embed` again"):
        load_graph(made.path, members.entities.to_pylist())


def read_catalog_without_links(folder: Path):  # type: ignore[no-untyped-def]
    """Return the shipped queries but those of ``links/``."""
    import shutil

    shutil.copytree(read_catalog().folder, folder / "v1", ignore=shutil.ignore_patterns("links"))
    return read_catalog(folder / "v1")


def test_without_pykeen_the_extra_is_named(built: Path) -> None:
    code = (
        "import sys; sys.modules['pykeen'] = None; from mlmkg.cli.main import main;"
        f"main(['-w', {str(built)!r}, 'embed', '--version', 'mlm'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "Error: PyKEEN is not installed, which trains embeddings. "
        "Install it with `pip install 'mlmkg[kge]'`.\n"
    )
