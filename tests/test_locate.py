"""`mlmkg locate`: a text and an image of a place, told by a run on a small export made by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from mlmkg.ml.data import load_dataset
from mlmkg.ml.locate import Locator
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.sphere import lies_in
from mlmkg.ml.train import train

from mlmkg.errors import ExportError, ModelError
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.exports import PHRASES, REGIONS, write_export


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("locate") / "mlm")
    dataset = load_dataset(write_export(place.exports / "toy"), place.features)
    quick = TrainConfig(epochs=40, batch=32, hidden=64, shared=32)
    train(dataset, quick, place, name="run", pictures=False)
    train(dataset, replace(quick, epochs=1, task="ir"), place, name="ir", pictures=False)
    return place


@pytest.fixture(scope="module")
def locator(workspace: Workspace) -> Locator:
    return Locator(workspace)


def sentence(region: int) -> str:
    """Return what is said of a place of the test split, in French."""
    return PHRASES["fr"].format(name=f"Place {36 + region}", region=REGIONS[region][3])


@pytest.mark.parametrize("region", range(4))
def test_a_text_is_put_where_it_is_from(locator: Locator, region: int) -> None:
    token, (latitude, longitude), _, _ = REGIONS[region]
    found = locator.locate(sentence(region))
    assert found.modality == "text" and found.cells[0].cell == token
    assert abs(found.latitude - latitude) < 3 and abs(found.longitude - longitude) < 4
    assert 1 <= found.set_size <= 4 and found.coarse is not None
    similarities = [near.similarity for near in found.neighbours]
    assert len(similarities) == 5 and similarities == sorted(similarities, reverse=True)
    near = [near for near in found.neighbours if abs(near.latitude - latitude) < 1]
    assert len(near) >= 3


def test_an_image_is_put_where_it_is_from_alone_and_with_a_text(
    locator: Locator, workspace: Workspace
) -> None:
    for number in locator.dataset.split["test"].tolist()[:4]:
        table = pq.read_table(workspace.exports / "toy" / "images.parquet").to_pylist()
        (path,) = (r["path"] for r in table if r["entity"] == locator.dataset.entities[number])
        image, region = workspace.exports / "toy" / "images" / path, number % 4
        for found, modality in (
            (locator.locate(image=image), "image"),
            (locator.locate(sentence(region), image), "fused"),
        ):
            assert found.modality == modality
            assert found.cells[0].cell == REGIONS[region][0]


def test_a_second_question_loads_nothing(locator: Locator, monkeypatch: pytest.MonkeyPatch) -> None:
    locator.load_encoders("image", "summary")
    for name in ("load_encoder", "load_for_run"):
        monkeypatch.setattr(f"mlmkg.ml.locate.{name}", None)  # calling it would be an error
    assert locator.locate("A town by the sea.").modality == "text"


def test_the_command_prints_tables_and_json(workspace: Workspace) -> None:
    told = invoke("-w", workspace.root, "locate", "--text", "A town in Castile.", "--json")
    answer = json.loads(told.stdout)
    assert answer["run"] == "run"  # the newest, `ir`, cannot locate
    assert answer["coverage"] == 0.9 and 0 < answer["cells"][0]["probability"] <= 1
    assert sum(c["probability"] for c in answer["cells"]) == pytest.approx(1, abs=1e-3)
    table = invoke("-w", workspace.root, "locate", "--text", "A town in Castile.").stdout
    assert "similarity" in table


def fitted_otherwise(run: Path, copy: Path, **fitted: object) -> Path:
    """Copy a run's folder, with other numbers of its certainty."""
    shutil.copytree(run, copy)
    about = json.loads((copy / "checkpoint.json").read_text("utf-8"))
    for modality in about["certainty"]["fitted"].values():
        modality.update(fitted)
    (copy / "checkpoint.json").write_text(json.dumps(about), "utf-8")
    return copy


def test_a_place_between_cells_that_lies_in_none_of_them_is_not_the_answer(
    workspace: Workspace, tmp_path: Path
) -> None:
    # Nothing is known for sure: the mean of Berlin, Paris, Madrid and Stockholm is in no cell of them.
    wide = fitted_otherwise(
        workspace.runs / "run", tmp_path / "wide", estimate="centroid", temperature=100, threshold=0.1
    )
    asked = ["-w", workspace.root, "locate", "--text", "A town in Castile.", "--run", wide]
    answer = json.loads(invoke(*asked, "--json").stdout)
    place, mean = (answer["latitude"], answer["longitude"]), answer["mean"]
    assert answer["set_size"] == 4 and answer["estimate"] == "argmax" and mean["likely"] is False
    assert place == (answer["cells"][0]["latitude"], answer["cells"][0]["longitude"])
    assert 47 < mean["latitude"] < 53 and 4 < mean["longitude"] < 12
    said = " ".join(invoke(*asked).stderr.split())
    assert f"the likeliest cell's centre (the cells' mean, {mean['latitude']:.2f}, " in said
    assert "lies in no likely cell" in said
    assert "In 90 of 100 cases the true cell is among the likely ones, here the first 4 in" in said
    few = " ".join(invoke(*asked, "--top", 2).stderr.split())
    assert "here 4, more than are in this table" in few


def test_a_mean_that_lies_in_a_likely_cell_is_the_answer_where_that_was_nearer(
    workspace: Workspace, tmp_path: Path
) -> None:
    sure = fitted_otherwise(
        workspace.runs / "run", tmp_path / "sure", estimate="centroid", temperature=0.01, threshold=0.5
    )
    asked = ["-w", workspace.root, "locate", "--text", "A town in Castile.", "--run", sure]
    answer = json.loads(invoke(*asked, "--json").stdout)
    assert answer["estimate"] == "centroid" and answer["mean"]["likely"] is True
    assert answer["latitude"] == answer["mean"]["latitude"]
    said = " ".join(invoke(*asked).stderr.split())
    assert "the mean of the cells, weighted by probability (the likeliest cell's centre: " in said
    assert "the likely ones, here the first one in this table" in said


@pytest.mark.parametrize(
    ("place", "chosen", "cells", "lies"),
    [
        ((52.6, 13.2), [0, 1], ["47a85", "0d423"], True),
        ((52.6, 13.2), [1], ["47a85", "0d423"], False),
        ((85.8, -104.0), [0, 1], ["47a85", "0d423"], False),
        ((50.0, 10.0), [0], ["17", "cell 4"], True),  # no S2 cells: that of the nearest centre
        ((42.0, -3.0), [0], ["17", "cell 4"], False),
    ],
)
def test_whether_a_place_lies_in_one_of_some_cells(
    place: tuple[float, float], chosen: list[int], cells: list[str], lies: bool
) -> None:
    centres = torch.tensor([[52.5, 13.4], [40.4, -3.7]], dtype=torch.float64)
    among = torch.tensor([i in chosen for i in range(2)])
    assert lies_in(torch.tensor(place, dtype=torch.float64), among, cells, centres) is lies


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to locate"),
        (["--text", "  "], "nothing to locate"),
        (["--image", "nowhere.jpg"], "no such image"),
        (["--text", "x", "--run", "ir"], "learnt retrieval alone"),
        (["--text", "x", "--run", "nope"], "no run"),
    ],
)
def test_what_cannot_be_answered_is_said(workspace: Workspace, words: list[str], said: str) -> None:
    result = invoke("-w", workspace.root, "locate", *words)
    assert isinstance(result.exception, ModelError) and said in str(result.exception)


def test_a_file_that_is_no_image_is_said(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "no.jpg"
    path.write_text("text")
    result = invoke("-w", workspace.root, "locate", "--image", path)
    assert isinstance(result.exception, ModelError)
    said = str(result.exception)
    assert said.startswith(f"{path}: cannot be read as an image")
    assert "with --image" in said and "mlmkg build" not in said  # it is the user's own file


def test_an_export_that_was_moved_is_named_and_the_new_place_taken(
    locator: Locator, workspace: Workspace, tmp_path: Path
) -> None:
    moved, was = tmp_path / "moved", tmp_path / "was" / "apart"
    shutil.copytree(workspace.exports / "toy", moved)
    run = fitted_otherwise(workspace.runs / "run", tmp_path / "run")
    about = json.loads((run / "checkpoint.json").read_text("utf-8"))
    (run / "checkpoint.json").write_text(json.dumps({**about, "export": str(was)}), "utf-8")
    for words in (["evaluate", run], ["locate", "--text", "A town in Castile.", "--run", run]):
        missing = invoke("-w", workspace.root, *words)
        assert isinstance(missing.exception, ExportError)
        said = str(missing.exception)
        assert said.startswith(f"{was}: the export that run was trained on is not there. ")
        assert "--export if it has been moved" in said
        found = invoke("-w", workspace.root, *words, "--export", moved)
        assert found.exit_code == 0, found.output
