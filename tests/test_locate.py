"""`mlmkg locate`: a text and an image of a place, told by a run on a small export made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from mlmkg.ml.data import load_dataset
from mlmkg.ml.locate import Locator
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.train import train

from mlmkg.errors import ModelError
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
    assert isinstance(result.exception, ModelError) and "no.jpg" in str(result.exception)
