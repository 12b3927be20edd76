"""Training on a small export made by hand: what comes out, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from mlmkg.ml import checkpoint
from mlmkg.ml import train as training
from mlmkg.ml.data import Dataset, load_dataset
from mlmkg.ml.models import ClipConfig, MlmClip
from mlmkg.ml.predict import predict
from mlmkg.ml.settings import TrainConfig

from mlmkg.errors import ModelError
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.exports import iri, write_export

T = TypeVar("T")
#: Pictures take longer than these runs; that of the fixture ``run`` has them.
train = partial(training.train, pictures=False)
QUICK = TrainConfig(epochs=4, batch=32, hidden=64, shared=32)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("ml") / "mlm")
    write_export(place.exports / "toy")
    return place


@pytest.fixture(scope="module")
def dataset(workspace: Workspace) -> Dataset:
    return load_dataset(workspace.exports / "toy", workspace.features)


@pytest.fixture(scope="module")
def run(dataset: Dataset, workspace: Workspace) -> Path:
    return training.train(dataset, replace(QUICK, epochs=40), workspace, name="run")


def toy(tmp_path: Path, workspace: Workspace, **options: object) -> Dataset:
    """Read an export of its own kind, with the features of the others."""
    return load_dataset(write_export(tmp_path / "toy", **options), workspace.features)  # type: ignore[arg-type]


def test_both_tasks_are_learnt_far_beyond_chance(run: Path) -> None:
    result = json.loads((run / "evaluation.json").read_text("utf-8"))
    for side in ("image", "text"):
        assert result["location"][side]["F1"] > 0.9
        assert result["location"][side]["median_km"] < 100
    assert result["chance"]["location"]["F1"] < 0.2
    # Three test entities of a region look alike, so a perfect model cannot do better than 2 of 12.
    assert result["retrieval"]["image_to_text"]["medR"] < 3.5 < result["chance"]["retrieval"]["medR"]


def test_a_run_folder_holds_what_is_needed_to_read_it(run: Path, dataset: Dataset) -> None:
    about = json.loads((run / "checkpoint.json").read_text("utf-8"))
    assert about["export_key"] == dataset.key
    assert about["cells"] == dataset.cells
    assert about["recipe"] == {"title": "a toy"} and about["split"] == "hash"
    assert about["languages"] == ["en", "de", "fr"]
    names = [name for split in about["entities"].values() for name in split]
    assert sorted(names) == [iri(i) for i in range(120)]
    assert json.loads((run / "config.json").read_text("utf-8"))["epochs"] == 40
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [entry["epoch"] for entry in epochs] == list(range(1, 41))
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert all(path.stat().st_size > 10_000 for path in run.glob("*.png"))
    assert len(list(run.glob("*.png"))) == 5


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"precision": "bf16"}, {"part": 24}])
def test_other_ways_of_a_step_learn_as_well(
    dataset: Dataset, workspace: Workspace, changes: dict[str, object]
) -> None:
    config = replace(QUICK, epochs=30, **changes)  # type: ignore[arg-type]
    folder = train(dataset, config, workspace, name="-".join(map(str, changes)))
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert result["location"]["text"]["F1"] > 0.9
    assert result["retrieval"]["image_to_text"]["medR"] < 3.5


@pytest.mark.slow
def test_one_seed_gives_the_same_bytes_and_another_seed_others(
    dataset: Dataset, workspace: Workspace
) -> None:
    one, two, other = (
        train(dataset, replace(QUICK, seed=seed), workspace, name=name)
        for name, seed in (("one", 3), ("two", 3), ("other", 4))
    )
    for file in ("checkpoint.safetensors", "metrics.jsonl", "evaluation.json", "config.json"):
        assert (one / file).read_bytes() == (two / file).read_bytes(), file
    weights = "checkpoint.safetensors"
    assert (one / weights).read_bytes() != (other / weights).read_bytes()


def test_torch_is_left_as_it_was(dataset: Dataset, workspace: Workspace) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    train(dataset, replace(QUICK, epochs=1, threads=threads + 1), workspace, name="tidy")
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.rand(3), expected)


def test_a_channel_silent_in_training_does_not_drown_the_rest_when_it_stirs() -> None:
    model = MlmClip(ClipConfig({"image": 8, "summary": 8}, 2, hidden=16, shared=8)).eval()
    seen = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    seen[:, 3] = 0
    model.standardise({"image": seen, "summary": seen})
    stirred = seen[:1].clone()
    stirred[0, 3] = 0.3
    distance = ((stirred - seen[:1]) / model.get_buffer("image_spread")).abs().max()
    assert 1 < float(distance) < 5


@pytest.mark.slow
@pytest.mark.parametrize(("task", "agreement"), [("mtl", 0.4), ("ir", 0.0), ("le", 0.0)])
def test_only_a_model_that_learnt_cells_compares_by_them(
    dataset: Dataset, workspace: Workspace, task: str, agreement: float
) -> None:
    folder = train(dataset, replace(QUICK, epochs=1, task=task), workspace, name=f"agree-{task}")
    about = json.loads((folder / "checkpoint.json").read_text("utf-8"))
    assert about["model"]["agreement"] == agreement


def test_a_batch_larger_than_the_data_is_the_data(dataset: Dataset, workspace: Workspace) -> None:
    folder = train(dataset, replace(QUICK, epochs=1, batch=5000), workspace, name="large")
    assert json.loads((folder / "config.json").read_text("utf-8"))["batch"] == 96


def test_entities_without_an_image_or_a_text_or_both_are_no_obstacle(
    tmp_path: Path, workspace: Workspace
) -> None:
    nothing = frozenset(range(0, 120, 12))  # neither, of every split
    holes = toy(
        tmp_path, workspace, without_image=frozenset(range(0, 120, 3)),
        without_text=frozenset(range(1, 120, 3)) | nothing, same_image=((2, 5), (2, 8)),
    )  # fmt: skip
    assert nothing & set(holes.split["train"].tolist()) and nothing & set(holes.split["test"].tolist())
    folder = train(holes, QUICK, workspace, name="holes")
    for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines():
        assert "NaN" not in line
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    test = holes.split["test"].tolist()
    assert result["pairs"] == sum(i % 3 == 2 for i in test)
    _, predictions = predict(workspace, "holes", top=1)  # the run knows where its export is
    guesses = list(predictions)
    by = {m: {g.entity for g in guesses if g.modality == m} for m in ("image", "text", "fused")}
    assert by["image"] == {iri(i) for i in test if i % 3 != 0}
    assert by["text"] == {iri(i) for i in test if i % 3 != 1 and i not in nothing}
    assert by["fused"] == {iri(i) for i in test if i not in nothing}


def test_no_entity_with_both_modalities_leaves_retrieval_out(
    tmp_path: Path, workspace: Workspace
) -> None:
    apart = toy(
        tmp_path, workspace, without_image=frozenset(range(0, 120, 2)),
        without_text=frozenset(range(1, 120, 2)),
    )  # fmt: skip
    folder = train(apart, QUICK, workspace, name="apart")
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert result["retrieval"] is None
    assert result["location"]["text"]["F1"] > 0


def test_one_cell_trains_and_is_always_right(tmp_path: Path, workspace: Workspace) -> None:
    alone = toy(tmp_path, workspace, regions=1, entities=40)
    folder = train(alone, QUICK, workspace, name="alone")
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert result["location"]["image"]["F1"] == 1.0


def test_a_cell_that_only_the_test_split_has_is_wrong_and_counted(
    tmp_path: Path, workspace: Workspace
) -> None:
    # Every entity of Svealand is put into the test split.
    far = dict.fromkeys(range(3, 120, 4), "test")
    folder = train(toy(tmp_path, workspace, splits=far), QUICK, workspace, name="far")
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert result["unseen_cells"] == 30
    assert result["location"]["image"]["R"] < 1 - 30 / result["entities"] + 0.05


def test_without_a_validation_split_the_last_epoch_is_kept(
    tmp_path: Path, workspace: Workspace
) -> None:
    unwatched = dict.fromkeys(range(32, 36), "train") | dict.fromkeys(range(72, 76), "train")
    dataset = toy(tmp_path, workspace, splits=unwatched | dict.fromkeys(range(112, 116), "train"))
    assert not len(dataset.split["val"])
    folder = train(dataset, QUICK, workspace, name="unwatched")
    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[-1])["best"] is True


class Interrupted:
    """A progress during which the user presses Ctrl-C in the third epoch."""

    def __call__(
        self, items: Iterable[T], what: str, *, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        for number, item in enumerate(items):
            if number == 2:
                raise KeyboardInterrupt
            yield item


@pytest.mark.slow
def test_an_interrupted_run_spares_the_one_it_would_replace(
    dataset: Dataset, workspace: Workspace
) -> None:
    kept = train(dataset, QUICK, workspace, name="kept")
    before = {path.name: path.read_bytes() for path in kept.iterdir() if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        train(dataset, QUICK, workspace, name="kept", force=True, progress=Interrupted())
    assert {p.name: p.read_bytes() for p in kept.iterdir() if p.is_file()} == before


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlm-clip", "ir-le"])
def test_a_run_that_was_stopped_goes_on_to_the_same_end(
    dataset: Dataset, workspace: Workspace, model: str
) -> None:
    config = replace(QUICK, model=model, objective="cosine" if model == "ir-le" else "infonce")
    whole = train(dataset, config, workspace, name=f"{model}-whole")
    with pytest.raises(KeyboardInterrupt):
        train(dataset, config, workspace, name=f"{model}-stopped", progress=Interrupted())
    unfinished = workspace.runs / f".{model}-stopped.unfinished"
    assert len((unfinished / "metrics.jsonl").read_text("utf-8").splitlines()) == 2
    began = json.loads((unfinished / "state.json").read_text("utf-8"))["started"]
    seen: list[int] = []

    def watched(items: Iterable[T], what: str, **_: object) -> Iterator[T]:
        for item in items:
            assert isinstance(item, int)
            seen.append(item)
            yield item

    stopped = train(dataset, config, workspace, name=f"{model}-stopped", progress=watched)
    assert seen[0] > 1 and seen[-1] == 4  # of the epochs that had ended, none or one again
    for file in ("checkpoint.safetensors", "metrics.jsonl", "evaluation.json"):
        assert (whole / file).read_bytes() == (stopped / file).read_bytes(), file
    assert json.loads((stopped / "times.json").read_text("utf-8"))["started"] == began
    assert not unfinished.exists()


@pytest.mark.slow
def test_a_damaged_state_says_so(dataset: Dataset, workspace: Workspace) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(dataset, QUICK, workspace, name="hurt", progress=Interrupted())
    for state in (workspace.runs / ".hurt.unfinished").glob("*.safetensors"):
        state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cannot be read.*--force"):
        train(dataset, QUICK, workspace, name="hurt")
    train(dataset, QUICK, workspace, name="hurt", force=True)


@pytest.mark.slow
def test_force_replaces_a_run_whole(dataset: Dataset, workspace: Workspace) -> None:
    first = train(dataset, QUICK, workspace, name="again")
    (first / "stray.txt").write_text("old")
    with pytest.raises(ModelError, match=r"exists already.*--force"):
        train(dataset, QUICK, workspace, name="again")
    second = train(dataset, replace(QUICK, epochs=1), workspace, name="again", force=True)
    assert not (second / "stray.txt").exists()
    assert len((second / "metrics.jsonl").read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize("name", ["../outside", "a b", ".hidden", "a/b", "x>y"])
def test_a_name_that_is_no_folder_and_no_iri_is_refused(
    dataset: Dataset, workspace: Workspace, name: str
) -> None:
    with pytest.raises(ModelError, match="no name for a run"):
        train(dataset, QUICK, workspace, name=name)


def test_features_that_are_no_numbers_are_refused(dataset: Dataset, workspace: Workspace) -> None:
    vectors = dataset.images.vectors.clone()
    row = int(dataset.images.index[5])
    vectors[row, 3] = float("nan")
    broken = replace(dataset, images=replace(dataset.images, vectors=vectors))
    with pytest.raises(ModelError, match=f"row {row} of the image features.*{dataset.entities[5]}"):
        train(broken, QUICK, workspace, name="broken")
    assert not (workspace.runs / "broken").exists()


def test_a_loss_that_is_no_number_stops_the_run(dataset: Dataset, workspace: Workspace) -> None:
    with pytest.raises(ModelError, match=r"loss is (nan|inf) in epoch \d"):
        train(dataset, replace(QUICK, rate=1e30, clip=0.0), workspace, name="wild")
    assert not (workspace.runs / "wild").exists()


def test_an_export_too_small_or_without_cells_is_refused(
    dataset: Dataset, workspace: Workspace
) -> None:
    nobody = replace(
        dataset, split={name: torch.tensor([], dtype=torch.long) for name in dataset.split}
    )
    with pytest.raises(ModelError, match="0 training entities"):
        train(nobody, replace(QUICK, task="ir"), workspace, name="nobody")
    nowhere = replace(dataset, cell=torch.full_like(dataset.cell, -1))
    with pytest.raises(ModelError, match=r"no training entity has a geo cell.*--task ir"):
        train(nowhere, QUICK, workspace, name="nowhere")
    train(nowhere, replace(QUICK, task="ir"), workspace, name="nowhere")


def test_a_checkpoint_that_does_not_fit_says_how(run: Path, dataset: Dataset, tmp_path: Path) -> None:
    loaded = checkpoint.load(run)
    checkpoint.check_fits(loaded, dataset, run)
    with pytest.raises(ModelError, match=f"{dataset.key[:12]}.*not ffffffffffff"):
        checkpoint.check_fits(loaded, replace(dataset, key="f" * 64), run)
    with pytest.raises(ModelError, match="not of a 9, b 9"):
        checkpoint.check_fits(loaded, replace(dataset, encoders=("a 9", "b 9")), run)
    narrow = replace(dataset.images, vectors=dataset.images.vectors[:, :64])
    with pytest.raises(ModelError, match="image features 1280 wide, not 64"):
        checkpoint.check_fits(loaded, replace(dataset, images=narrow), run)


def test_a_checkpoint_of_another_width_is_one_line(run: Path, tmp_path: Path) -> None:
    for name in ("checkpoint.json", "checkpoint.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    about = json.loads((tmp_path / "checkpoint.json").read_text("utf-8"))
    about["model"]["hidden"] = 48
    (tmp_path / "checkpoint.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(ModelError, match="does not fit together") as error:
        checkpoint.load(tmp_path)
    assert "\n" not in str(error.value)


def test_weights_cut_short_are_said(run: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_bytes((run / "checkpoint.json").read_bytes())
    (tmp_path / "checkpoint.safetensors").write_bytes(
        (run / "checkpoint.safetensors").read_bytes()[:900]
    )
    with pytest.raises(ModelError, match="weights cannot be read"):
        checkpoint.load(tmp_path)


def test_evaluate_says_what_training_said(run: Path, workspace: Workspace) -> None:
    said = json.loads(invoke("-w", workspace.root, "evaluate", "run", "--json").stdout)
    kept = json.loads((run / "evaluation.json").read_text("utf-8"))
    assert said["retrieval"]["image_to_text"] == pytest.approx(kept["retrieval"]["image_to_text"])
    assert said["location"]["text"] == pytest.approx(kept["location"]["text"])
    table = invoke("-w", workspace.root, "evaluate", "run").stdout
    assert "image to text" in table and "always the largest cell" in table


@pytest.mark.slow
def test_the_commands_encode_and_train(workspace: Workspace) -> None:
    told = invoke("-w", workspace.root, "encode", "--version", "toy")
    assert told.exit_code == 0 and "vectors of 1280 numbers" in told.stdout
    words = ["train", "--version", "toy", "--task", "le", "--epochs", 1, "--batch", 32]
    assert invoke("-w", workspace.root, *words).exit_code == 0
    assert (workspace.runs / "toy-le-0" / "evaluation.json").exists()
    unknown = invoke("-w", workspace.root, "evaluate", "nope")
    assert isinstance(unknown.exception, ModelError)
    assert "toy-le-0" in str(unknown.exception)


@pytest.mark.slow
def test_a_sweep_is_a_run_for_every_combination(workspace: Workspace, tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text("rate = [1e-3, 1e-6]\nhidden = [16]\n", "utf-8")
    words = ["train", "--version", "toy", "--epochs", 5, "--batch", 32, "--sweep", grid]
    done = invoke("-w", workspace.root, *words, "--name", "swept")
    assert done.exit_code == 0, done.output
    head, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert head[:3] == ["run", "hidden", "rate"] and head[-1] == "mean"
    assert [row[2] for row in rows] == ["1e-06", "0.001"]  # the best last
    before = (workspace.runs / "swept-1" / "times.json").read_bytes()
    assert invoke("-w", workspace.root, *words, "--name", "swept").stdout == done.stdout
    assert (workspace.runs / "swept-1" / "times.json").read_bytes() == before
    for text, said in (("rate = [", "no TOML"), ("", "nothing to try"), ("rat = [1]", "no setting")):
        grid.write_text(text, "utf-8")
        wrong = invoke("-w", workspace.root, *words)
        assert isinstance(wrong.exception, ModelError) and said in str(wrong.exception)
