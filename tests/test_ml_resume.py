"""A training that was stopped and is begun again otherwise: nothing is lost unasked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from mlmkg.ml.data import Dataset, load_dataset
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.train import train

from mlmkg.errors import ModelError
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.exports import write_export

T = TypeVar("T")
CONFIG = TrainConfig(epochs=3, batch=16, hidden=16, shared=8)
WORDS = ("--epochs", 3, "--set", "hidden=16", "--set", "shared=8")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("resume") / "mlm")
    write_export(place.exports / "toy", entities=40)
    return place


@pytest.fixture(scope="module")
def dataset(workspace: Workspace) -> Dataset:
    return load_dataset(workspace.exports / "toy", workspace.features)


def stopped(items: Iterable[T], what: str, **_: object) -> Iterator[T]:
    """A progress during which the user presses Ctrl-C in the second epoch."""
    for number, item in enumerate(items):
        if number == 1:
            raise KeyboardInterrupt
        yield item


@pytest.fixture
def unfinished(dataset: Dataset, workspace: Workspace) -> Path:
    """The folder of a run `k` that was stopped after its first epoch."""
    with pytest.raises(KeyboardInterrupt):
        train(dataset, CONFIG, workspace, name="k", force=True, progress=stopped, pictures=False)
    return workspace.runs / ".k.unfinished"


def test_other_settings_lose_nothing_of_an_unfinished_run(
    workspace: Workspace, unfinished: Path
) -> None:
    before = {path.name: path.read_bytes() for path in unfinished.iterdir() if path.is_file()}
    asked = ["-w", workspace.root, "train", "--version", "toy", "--name", "k", *WORDS]
    told = invoke(*asked, "--batch", 8, "--set", "rate=0.01")
    assert isinstance(told.exception, ModelError)
    said = str(told.exception)
    assert said.startswith(f"{unfinished}: ") and "--force to begin anew" in said
    assert "begun otherwise: batch 16 → 8, rate 0.001 → 0.01. " in said
    assert "another --name" in said
    assert {p.name: p.read_bytes() for p in unfinished.iterdir() if p.is_file()} == before
    assert not (workspace.runs / "k").exists()


def test_other_data_are_named_and_force_begins_anew(
    dataset: Dataset, workspace: Workspace, unfinished: Path
) -> None:
    other = replace(dataset, key="f" * 64)
    with pytest.raises(ModelError, match=rf"data {dataset.key[:12]}… → ffffffffffff…\. Repeat"):
        train(other, CONFIG, workspace, name="k", pictures=False)
    faster = replace(CONFIG, rate=0.01)
    with pytest.raises(KeyboardInterrupt):
        train(dataset, faster, workspace, name="k", force=True, progress=stopped, pictures=False)
    noted = (unfinished / "metrics.jsonl").read_text("utf-8")
    assert [json.loads(line)["epoch"] for line in noted.splitlines()] == [1]  # its own alone
    assert json.loads((unfinished / "state.json").read_text("utf-8"))["key"]["settings"]["rate"] == 0.01


@pytest.mark.parametrize("text", ["3", "{}", '{"key": 3}', '{"key": ', "[]"])
def test_a_state_that_is_no_state_is_one_line(
    dataset: Dataset, workspace: Workspace, unfinished: Path, text: str
) -> None:
    (unfinished / "state.json").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"\.k\.unfinished: .*cannot be read.*--force") as error:
        train(dataset, CONFIG, workspace, name="k", pictures=False)
    assert "\n" not in str(error.value)


def test_a_state_whose_figures_are_none_is_one_line(
    dataset: Dataset, workspace: Workspace, unfinished: Path
) -> None:
    about = json.loads((unfinished / "state.json").read_text("utf-8"))
    (unfinished / "state.json").write_text(json.dumps({**about, "history": 3}), "utf-8")
    with pytest.raises(ModelError, match=r"cannot be read.*--force"):
        train(dataset, CONFIG, workspace, name="k", pictures=False)


def test_evaluating_an_unfinished_run_says_how_it_goes_on(
    workspace: Workspace, unfinished: Path
) -> None:
    told = invoke("-w", workspace.root, "evaluate", "k")
    assert isinstance(told.exception, ModelError)
    said = str(told.exception)
    assert said.startswith(f"{workspace.runs / 'k'}: the run has not been finished. ")
    assert "`mlmkg train`" in said and "goes on" in said


@pytest.mark.parametrize("other", ["--export", "--features"])
def test_a_version_beside_a_folder_is_refused(workspace: Workspace, other: str) -> None:
    words = ["--version", "irle", other, workspace.exports / "toy"]
    told = invoke("-w", workspace.root, "train", *words, "--name", "two", *WORDS)
    assert isinstance(told.exception, ModelError)
    assert str(told.exception).startswith(f"--version and {other}: are two data sets. ")
    assert not (workspace.runs / "two").exists()
