"""The HDF5 layout of the published MLM: written for others, read from others, trained on."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mlmkg.ml.coordinates import order_of
from mlmkg.ml.data import Dataset
from mlmkg.ml.encoders import load_encoder
from mlmkg.ml.featurefolder import load_features
from mlmkg.ml.importing import import_published
from mlmkg.ml.published import publish, write_published
from mlmkg.ml.rows import Rows

from mlmkg.errors import ExportError
from mlmkg.store import open_read_only
from mlmkg.vocab import WD
from mlmkg.workspace import Workspace
from tests import strangers
from tests.conftest import invoke
from tests.exports import dataset_of, iri, write_export
from tests.strangers import CELLS, SPLITS, WIDTH, Habit

PLAIN = Habit()


# --- written for others ----------------------------------------------------------------------


def small(**changes: Any) -> Dataset:
    """Ten entities: number 3 has no image, 4 no text, 5 no cell; 0 and 1 show one image."""
    chance = torch.Generator().manual_seed(0)
    image, text = (torch.randn(10, w, generator=chance).half() for w in (6, 4))
    split = {"train": [0, 1, 2, 3, 4, 5], "val": [6, 7], "test": [8, 9]}
    places = [(52.5 + i / 7, 13.4 - i / 3) for i in range(10)]
    centres = [(52.0, 13.0), (1 / 3, 2.0), (-9.5, 179.0)]
    dataset = dataset_of(image, text, [0, 1, 2, 0, 1, -1, 2, 0, 1, 2], split, centres, places)
    three = torch.tensor([n for n in range(10) if n != 4]).repeat_interleave(3)
    start = torch.tensor([0, *np.cumsum([0 if n == 4 else 3 for n in range(10)])])
    texts = Rows(text, three, start, torch.tensor([0, 1, 2] * 9))
    shown = torch.tensor([0, 0, 2, 4, 5, 6, 7, 8, 9])
    begin = torch.tensor([0, *np.cumsum([0 if n == 3 else 1 for n in range(10)])])
    images = Rows(image, shown, begin, torch.full((9,), -1))
    classes = Rows(text, shown, begin, torch.full((9,), -1))
    return replace(
        dataset, images=images, texts=texts, classes=classes, languages=["en", "de", "fr"],
        labels=[f"Ort {n}" for n in range(10)], recipe={"recipe": {"title": "t"}, "split": "hash"},
        **changes,
    )  # fmt: skip


def held(rows: Rows, entity: int) -> np.ndarray:
    begin, end = rows.start[entity : entity + 2].tolist()
    return rows.vectors[rows.index[begin:end]].float().numpy()


def test_code_written_for_the_published_files_reads_ours(tmp_path: Path) -> None:
    dataset = small()
    paths = write_published(dataset, tmp_path)
    assert [path.name for path in paths] == ["train.h5", "val.h5", "test.h5"]
    for path in paths:
        entities = dataset.split[path.stem].tolist()
        for entity, row in zip(entities, strangers.read(path), strict=True):
            assert row["id"] == entity  # https://example.org/place/00007
            for kind in ("images", "summaries", "classes", "onehot", "coordinates"):
                assert row[kind].dtype == np.float32
            assert np.array_equal(row["images"], held(dataset.images, entity))
            assert np.array_equal(row["summaries"], held(dataset.texts, entity))
            assert row["coordinates"] == pytest.approx(dataset.places[entity].numpy(), abs=1e-5)
            if dataset.cell[entity] >= 0:
                assert row["cell"] == dataset.cell[entity] and row["onehot"].sum() == 1


def test_what_an_entity_lacks_is_an_empty_array_of_the_right_width(tmp_path: Path) -> None:
    write_published(small(), tmp_path)
    rows = {row["id"]: row for row in strangers.read(tmp_path / "train.h5")}
    assert rows[3]["images"].shape == (0, 6) and rows[4]["summaries"].shape == (0, 4)
    assert rows[5]["onehot"].shape == (3,) and not rows[5]["onehot"].any()


def test_no_name_in_a_file_is_one_that_others_do_not_know(tmp_path: Path) -> None:
    for path in write_published(small(), tmp_path):
        with h5py.File(path) as file:
            kinds = {name.partition("_")[2] for name in file if name != "ids"}
        assert kinds == {"images", "summaries", "classes", "onehot", "coordinates"}


def test_the_same_dataset_gives_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    one = [path.read_bytes() for path in write_published(small(), tmp_path / "one")]
    time.sleep(1.1)  # HDF5's own clock counts seconds
    assert [path.read_bytes() for path in write_published(small(), tmp_path / "two")] == one


def test_two_entities_of_one_number_are_both_named(tmp_path: Path) -> None:
    names = [iri(n) for n in range(10)]
    names[2], names[7] = "https://sws.geonames.org/2950159/", "http://www.wikidata.org/entity/Q2950159"
    with pytest.raises(ExportError, match="2950159") as error:
        write_published(small(entities=names), tmp_path / "new")
    assert names[2] in str(error.value) and names[7] in str(error.value)
    assert not (tmp_path / "new").exists()


def test_an_entity_without_a_number_is_named(tmp_path: Path) -> None:
    names = [*(iri(n) for n in range(9)), "https://example2.org/berlin"]
    with pytest.raises(ExportError, match=r"berlin: its IRI does not end in a number"):
        write_published(small(entities=names), tmp_path)


def test_files_that_exist_are_spared_without_force(tmp_path: Path) -> None:
    (tmp_path / "val.h5").write_bytes(b"mine")
    with pytest.raises(ExportError, match=r"exists already.*--force"):
        write_published(small(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["val.h5"]
    write_published(small(), tmp_path, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.h5", "train.h5", "val.h5"]


def test_an_export_is_published_with_the_vectors_of_its_classes_labels(tmp_path: Path) -> None:
    export = write_export(tmp_path / "toy", entities=8)
    classes = [
        (1, "Q515", "city", 1),
        (1, "Q486972", "settlement", 0),
        (2, "Q515", "city", 1),
        (2, "Q9", None, 2),
    ]
    rows = [
        {"entity": iri(number), "class": str(WD) + qid, "label": label, "hops": hops}
        for number, qid, label, hops in classes
    ]
    pq.write_table(pa.Table.from_pylist(rows), export / "classes.parquet")
    publish(export, tmp_path / "features", tmp_path / "out")
    found = {row["id"]: row for row in strangers.read(tmp_path / "out" / "train.h5")}
    wanted = load_encoder("use").encode(["settlement", "city"]).astype(np.float32)
    assert found[1]["classes"] == pytest.approx(wanted, abs=2e-3)
    assert found[2]["classes"] == pytest.approx(wanted[1:], abs=2e-3)
    assert found[3]["classes"].shape == (0, 512)


# --- there and back --------------------------------------------------------------------------


def same(one: Dataset, other: Dataset, *names: str) -> None:
    """Assert that two datasets say the same of every entity."""
    place = {entity: n for n, entity in enumerate(other.entities)}
    for n, entity in enumerate(one.entities):
        m = place[entity]
        for modality in ("images", "texts", "classes"):
            mine, theirs = getattr(one, modality), getattr(other, modality)
            assert np.array_equal(held(mine, n), held(theirs, m)), (entity, modality)
            assert torch.equal(mine.language[mine.start[n] : mine.start[n + 1]],
                               theirs.language[theirs.start[m] : theirs.start[m + 1]])  # fmt: skip
        assert (one.cells[one.cell[n]] if one.cell[n] >= 0 else None) == (
            other.cells[other.cell[m]] if other.cell[m] >= 0 else None
        )
        assert torch.equal(one.places[n], other.places[m])
        for name in ("labels", "continents"):
            assert getattr(one, name)[n] == getattr(other, name)[m]
    for split in SPLITS:
        assert [one.entities[n] for n in one.split[split]] == [
            other.entities[m] for m in other.split[split]
        ]
    for name in names:
        assert getattr(one, name) == getattr(other, name), name


def test_our_own_files_come_back_without_loss(tmp_path: Path) -> None:
    dataset = small()
    write_published(dataset, tmp_path / "h5")
    import_published(tmp_path / "h5", tmp_path / "back")
    back = load_features(tmp_path / "back")
    same(dataset, back, "version", "cells", "encoders", "languages")
    assert torch.equal(back.centres, dataset.centres)
    assert back.recipe["recipe"] == {"title": "t"}
    one, other = back.images.first(torch.tensor([0, 1])).tolist()
    assert one == other  # the image that two entities show is one again


# --- from others -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return strangers.write(tmp_path_factory.mktemp("published") / "mlm")


@pytest.fixture(scope="module")
def workspace(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("imported") / "ws"
    result = invoke("-w", folder, "import-mlm", published)
    assert result.exit_code == 0, result.output
    assert "train\t120\t120\t120\t120\t120" in result.output
    assert "classes: 40 distinct vectors of 64 numbers" in result.output
    return Workspace(folder)


@pytest.fixture(scope="module")
def imported(workspace: Workspace) -> Dataset:
    return load_features(workspace.features / "published")


def test_every_vector_is_its_entitys(imported: Dataset) -> None:
    for split, numbers in strangers.numbers_of().items():
        assert [imported.entities[n] for n in imported.split[split].tolist()] == [
            f"http://www.wikidata.org/entity/Q{number}" for number in numbers
        ]
    for n, entity in enumerate(imported.entities):
        facts = strangers.facts(int(entity.rpartition("Q")[2]))
        for rows, kind in ((imported.images, "images"), (imported.texts, "summaries"),
                           (imported.classes, "classes")):  # fmt: skip
            assert rows is not None
            assert held(rows, n) == pytest.approx(facts[kind].astype(np.float16))
        assert imported.centres[imported.cell[n]].tolist() == pytest.approx(
            facts["coordinates"].tolist(), abs=1e-5
        )
    assert len(imported.cells) == CELLS and imported.cells == sorted(imported.cells)
    assert imported.texts.language[:3].tolist() == [0, 1, 2] and imported.languages[1] == "de"


def test_the_graph_says_who_is_where_and_from_which_file(workspace: Workspace, published: Path) -> None:
    store = open_read_only(workspace)
    assert set(store.graphs()) == {"imported", "provenance"}
    rows = list(store.rows(
        "SELECT ?e ?split ?cell ?title ?sum { ?e a mlm:Entity ; mlm:inVersion version:published ; "
        "mlm:split ?split ; mlm:cell ?cell ; prov:wasDerivedFrom ?file . ?cell a mlm:GeoCell . "
        "?file dct:title ?title ; mlm:sha256 ?sum }"
    ))  # fmt: skip
    assert len(rows) == CELLS * strangers.PER_CELL
    assert all(row[1].endswith(f"#{row[3].removesuffix('.h5')}") for row in rows)
    assert len({row[2] for row in rows}) == CELLS
    # The coordinates are those of cells: no entity is said to be there.
    assert not list(store.rows("SELECT ?p { ?e wdt:P625 ?p }"))
    used = list(store.rows(
        "SELECT ?used { <https://w3id.org/mlmkg/graph/v1/imported> prov:wasGeneratedBy ?a . "
        "?a prov:used ?used }"
    ))  # fmt: skip
    assert ["https://doi.org/10.5281/zenodo.3885753"] in used
    assert {f"https://w3id.org/mlmkg/source/{row[4]}" for row in rows} <= {row[0] for row in used}
    assert invoke("-w", workspace.root, "validate").exit_code == 0


@pytest.mark.slow
def test_train_evaluate_and_predict_on_the_imported_features(workspace: Workspace) -> None:
    words = ["train", "--features", "published", "--epochs", 12, "--batch", 64, "--seed", 1]
    trained = invoke("-w", workspace.root, *words)
    assert trained.exit_code == 0, trained.output
    result = invoke("-w", workspace.root, "evaluate", "published-mtl-1", "--json")
    figures = json.loads(result.stdout)
    written = workspace.runs / "published-mtl-1" / "evaluation.json"
    kept = json.loads(written.read_text("utf-8"))
    for part in ("retrieval", "location", "chance"):
        assert figures[part] == kept[part]
    assert figures["certainty"]["text"] == pytest.approx(kept["certainty"]["text"], abs=1e-4)
    assert figures["field"]["places"] == "cells"  # what the files have
    assert figures["location"]["image"]["F1"] > 0.9
    assert figures["chance"]["location"]["F1"] < 0.1
    assert figures["retrieval"]["text_to_image"]["R@1"] > 0.5
    assert invoke("-w", workspace.root, "predict", "published-mtl-1", "--top", 1).exit_code == 0
    rows = list(open_read_only(workspace).rows(
        "SELECT ?e { ?p mlm:predictionFor ?e ; mlm:modality 'text' ; mlm:predictedCell ?cell . "
        "?e mlm:split mlm:test ; mlm:cell ?cell }"
    ))  # fmt: skip
    assert len(rows) > 0.9 * CELLS
    both = invoke("-w", workspace.root, "evaluate", "published-mtl-1", "--features", "published",
                  "--export", "x")  # fmt: skip
    assert both.exit_code != 0 and "Name one of them" in str(both.exception)


def test_an_import_is_not_replaced_without_force_and_gives_the_same_bytes(
    workspace: Workspace, published: Path
) -> None:
    folder = workspace.features / "published"
    again = invoke("-w", workspace.root, "import-mlm", published)
    assert "exists already" in str(again.exception)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert invoke("-w", workspace.root, "import-mlm", published, "--force").exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    kept = invoke("-w", workspace.root, "import-mlm", published, "-o", workspace.graphs, "--force")
    assert "would be lost" in str(kept.exception)


def test_an_export_is_no_features_folder_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"is no features folder.*--export"):
        load_features(write_export(tmp_path / "toy", entities=8))


@pytest.mark.parametrize("name", ["images.npy", "texts-rows.npy", "entities.parquet", "manifest.json"])
def test_a_features_folder_that_is_cut_off_is_said(
    tmp_path: Path, workspace: Workspace, name: str
) -> None:
    for path in (workspace.features / "published").iterdir():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(
            content[: len(content) // 2] if path.name == name else content
        )
    with pytest.raises(ExportError, match="features folder"):
        load_features(tmp_path)


# --- what others may do ----------------------------------------------------------------------


def without(kind: str, every: int) -> Habit:
    return PLAIN.but(change=lambda n, k, c: None if k == kind and n % every == 0 else c)


def instead(kind: str, made: Any) -> Habit:
    return PLAIN.but(change=lambda n, k, c: made(n, c) if k == kind else c)


SHAPED = {
    "images": lambda c: c[0] if len(c) == 1 else c,  # (d,) for (1, d)
    "summaries": lambda c: c.astype(np.float16),
    "classes": lambda c: c[None].astype(np.float64),
    "onehot": lambda c: c[None].astype(bool),
    "coordinates": lambda c: c[None],
}
HABITS = {
    "ids as byte strings": PLAIN.but(ids=lambda n: np.array([str(x).encode() for x in n])),
    "ids as QIDs": PLAIN.but(ids=lambda n: [f"Q{x}" for x in n], begin="Q{}"),
    "ids as floats": PLAIN.but(ids=lambda n: np.array(n, dtype=float)),
    "ids as floats, in names too": PLAIN.but(ids=lambda n: np.array(n, dtype=float), begin="{}.0"),
    "ids as byte strings, in names too": PLAIN.but(
        ids=lambda n: np.array([str(x).encode() for x in n]), begin="b'{}'"
    ),
    "labels": instead("onehot", lambda n, c: np.argmax(c)),
    "labels in arrays": instead("onehot", lambda n, c: np.array([np.argmax(c)])),
    "labels as floats": instead("onehot", lambda n, c: np.float64(np.argmax(c))),
    "shapes and types": PLAIN.but(change=lambda n, k, c: SHAPED[k](c)),
    "longitude first": instead("coordinates", lambda n, c: c[::-1]),
    "not packed": PLAIN.but(packed=False),
}


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_files_of_other_habits_say_the_same(tmp_path: Path, imported: Dataset, habit: Habit) -> None:
    import_published(strangers.write(tmp_path / "h5", habit), tmp_path / "published")
    other = load_features(tmp_path / "published")
    # Cells are named after the files; the names' ends are the labels.
    ends = [[cell.rpartition("-")[2] for cell in d.cells] for d in (other, imported)]
    same(
        replace(other, cells=ends[0]),
        replace(imported, cells=ends[1]),
        "version",
        "languages",
        "encoders",
    )
    assert torch.allclose(other.centres, imported.centres, atol=1e-5)


def test_datasets_that_are_missing_or_unknown_are_no_obstacle(tmp_path: Path) -> None:
    folder = strangers.write(tmp_path / "h5", without("images", 4))
    with h5py.File(folder / "train.h5", "a") as file:
        for number in strangers.numbers_of()["train"]:
            file[f"{number}_cluster"] = [1, 2, 3]
            if number % 5 == 0:
                del file[f"{number}_onehot"], file[f"{number}_coordinates"]
            if number % 7 == 0:
                del file[f"{number}_summaries"]
                file[f"{number}_summaries"] = np.zeros((0, WIDTH))
    manifest = import_published(folder, tmp_path / "out")
    dataset = load_features(tmp_path / "out")
    for n, entity in enumerate(dataset.entities):
        number, train = int(entity.rpartition("Q")[2]), n in dataset.split["train"]
        assert bool(dataset.images.counts(torch.tensor([n]))) == (number % 4 != 0)
        assert bool(dataset.texts.counts(torch.tensor([n]))) == (not train or number % 7 != 0)
        assert (int(dataset.cell[n]) < 0) == (bool(train) and number % 5 == 0)
        assert bool(dataset.places[n].isfinite().all()) == (int(dataset.cell[n]) >= 0)
    assert manifest["splits"]["val"]["with images"] < manifest["splits"]["val"]["entities"] == CELLS


def test_texts_and_classes_may_be_of_other_widths(tmp_path: Path) -> None:
    wide = PLAIN.but(change=lambda n, k, c: np.tile(c, 3) if k == "summaries" else c)
    import_published(strangers.write(tmp_path / "h5", wide), tmp_path / "out")
    dataset = load_features(tmp_path / "out")
    assert dataset.texts.vectors.shape[1] == 3 * WIDTH
    assert dataset.classes is not None and dataset.classes.vectors.shape[1] == WIDTH


def test_coordinates_of_entities_become_statements(tmp_path: Path) -> None:
    own = instead("coordinates", lambda n, c: (c + np.array([n % 7, n % 5]) / 100).astype(np.float32))
    strangers.write(tmp_path / "h5", own)
    assert invoke("-w", tmp_path / "ws", "import-mlm", tmp_path / "h5").exit_code == 0
    (row,) = open_read_only(Workspace(tmp_path / "ws")).rows("SELECT ?p { wd:Q64 wdt:P625 ?p }")
    latitude, longitude = strangers.facts(64)["coordinates"] + np.array([64 % 7, 64 % 5]) / 100
    found = [float(x) for x in row[0].removeprefix("Point(").removesuffix(")").split()]
    assert found == pytest.approx([longitude, latitude], abs=1e-4)


# --- which number is the latitude ------------------------------------------------------------

EUROPE = np.array([[52.52, 13.41], [48.86, 2.35], [40.42, -3.7], [59.33, 18.07], [37.98, 23.73]])
TOKYO = np.array([[35.68, 139.69]])


def order(pairs: np.ndarray, asked: str = "auto") -> str:
    return order_of(pairs, [f"{n}_coordinates" for n in range(len(pairs))], asked).name


def test_a_number_beyond_90_is_a_longitude() -> None:
    both = np.concatenate([EUROPE, TOKYO])
    assert (order(both), order(both[:, ::-1])) == ("lat-lon", "lon-lat")


def test_where_none_is_beyond_90_the_towns_decide() -> None:
    assert (order(EUROPE), order(EUROPE[:, ::-1])) == ("lat-lon", "lon-lat")


def test_where_nothing_decides_it_is_as_published() -> None:
    sea = np.array([[-50.0, -30.0], [-45.0, -35.0]])
    assert order(sea) == "lat-lon"
    assert order(np.full((2, 2), np.nan)) == "lat-lon"


def test_what_is_asked_for_is_taken_unless_it_cannot_be() -> None:
    assert order(EUROPE, "lon-lat") == "lon-lat"
    with pytest.raises(
        ExportError, match=r"0_coordinates: \(35.68, 139.69\).*Try --coordinates lat-lon"
    ):
        order(TOKYO, "lon-lat")
    with pytest.raises(ExportError, match="one order"):
        order(np.concatenate([TOKYO, TOKYO[:, ::-1]]))
    with pytest.raises(ExportError, match="no place on Earth"):
        order(np.array([[10.0, 200.0]]))


# --- what cannot be meant --------------------------------------------------------------------


def spoil(what: str, folder: Path) -> None:
    """Damage one of the files."""
    test, val = folder / "test.h5", folder / "val.h5"
    number = strangers.numbers_of()["test"][0]
    if what == "missing":
        return test.unlink()
    if what == "cut off":
        test.write_bytes(test.read_bytes()[:-5000])
        return None
    if what == "a page":
        test.write_text("<html>502 Bad Gateway</html>")
        return None
    if what == "the same twice":
        test.write_bytes(val.read_bytes())
        return None
    if what == "flipped bytes":
        with h5py.File(test) as file:
            begin = file[f"{number}_images"].id.get_chunk_info(0).byte_offset
        content = bytearray(test.read_bytes())
        content[begin : begin + 40] = b"\xff" * 40
        test.write_bytes(content)
        return None
    with h5py.File(test, "a") as file:
        name = {
            "no ids": "ids", "odd ids": "ids", "narrow": f"{number}_images",
            "cells": f"{number}_onehot", "two cells": f"{number}_onehot",
            "half a label": f"{number}_onehot", "a label": f"{number}_onehot",
            "pixels": f"{number}_images", "nan": f"{number}_summaries",
            "too large": f"{number}_classes", "words": f"{number}_classes",
            "three numbers": f"{number}_coordinates", "a group": f"{number}_images",
        }[what]  # fmt: skip
        del file[name]
        vector = np.zeros((1, WIDTH))
        content_of: dict[str, Any] = {
            "odd ids": np.array([64.5, 3]), "narrow": vector[:, :5], "cells": np.eye(CELLS + 1)[0],
            "two cells": np.ones(CELLS), "half a label": 0.5, "a label": 3,
            "pixels": np.zeros((2, 8, 8, 3)), "nan": vector * np.nan, "too large": vector + 1e6,
            "words": np.array([b"city", b"town"]), "three numbers": np.zeros(3),
        }  # fmt: skip
        if what == "a group":
            file.create_group(name)
        elif what != "no ids":
            file[name] = content_of[what]
    return None


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "there is no test.h5"),
        ("cut off", r"test.h5: is no HDF5 file, or is cut off"),
        ("a page", r"test.h5: is no HDF5 file"),
        ("the same twice", r"test.h5: ids: the id \d+ is in val.h5, too"),
        ("flipped bytes", r"test.h5: \d+_images: cannot be read"),
        ("no ids", r"test.h5: has no dataset `ids`"),
        ("odd ids", r"test.h5: ids: number 0 is no id of an entity: 64.5"),
        ("narrow", r"test.h5: \d+_images: is 5 numbers wide, .*train.h5: \d+_images is 64"),
        ("cells", r"test.h5: \d+_onehot: is 41 cells wide, .*train.h5: \d+_onehot is 40"),
        ("two cells", r"test.h5: \d+_onehot: is no one-hot row: 40 of 40"),
        ("half a label", r"test.h5: \d+_onehot: is no label of a cell: 0.5"),
        ("a label", r"test.h5: \d+_onehot: is a label, .* is a one-hot row"),
        ("pixels", r"test.h5: \d+_images: is no \(n, d\) array"),
        ("nan", r"test.h5: \d+_summaries: holds a number that is not finite"),
        ("too large", r"test.h5: \d+_classes: holds a number that is not finite, or beyond 65,504"),
        ("words", r"test.h5: \d+_classes: is no \(n, d\) array of numbers"),
        ("three numbers", r"test.h5: \d+_coordinates: is no pair"),
        ("a group", r"test.h5: \d+_images: is no dataset"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_file_and_place(
    tmp_path: Path, published: Path, what: str, said: str
) -> None:
    folder = tmp_path / "h5"
    folder.mkdir()
    for path in published.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    spoil(what, folder)
    with pytest.raises(ExportError, match=said):
        import_published(folder, tmp_path / "ws" / "out")
    assert list((tmp_path / "ws").iterdir()) == []


def test_cells_whose_place_nobody_knows_are_said(tmp_path: Path) -> None:
    folder = strangers.write(tmp_path / "h5", without("coordinates", 1))
    with pytest.raises(ExportError, match=r"_coordinates: no entity of cell 0 has coordinates"):
        import_published(folder, tmp_path / "out")
