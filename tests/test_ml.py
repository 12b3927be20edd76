"""The model, from an export of the real pipeline to predictions in the graph."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from mlmkg.ml.data import Dataset, load_dataset
from mlmkg.ml.losses import contrastive, great_circle, soft_targets
from mlmkg.ml.settings import TrainConfig, settings_of
from mlmkg.ml.train import train

from mlmkg.errors import ModelError
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke

QUICK = TrainConfig(epochs=6, batch=64, hidden=128, shared=64)


@pytest.fixture(scope="module")
def workspace(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the small dataset with an export of version irle."""
    folder = tmp_path_factory.mktemp("ml") / "mlm"
    shutil.copytree(built, folder)
    assert invoke("-w", folder, "export", "--version", "irle", "--no-report").exit_code == 0
    return Workspace(folder)


@pytest.fixture(scope="module")
def dataset(workspace: Workspace) -> Dataset:
    return load_dataset(workspace.exports / "irle", workspace.features)


def test_an_export_has_one_row_per_entity_and_images_beside_it(workspace: Workspace) -> None:
    export = workspace.exports / "irle"
    entities = pq.read_table(export / "entities.parquet")
    images = pq.read_table(export / "images.parquet")
    assert len(set(entities["entity"].to_pylist())) == entities.num_rows > 50
    assert set(images["entity"].to_pylist()) == set(entities["entity"].to_pylist())
    assert all((export / "images" / path).is_file() for path in images["path"].to_pylist())
    assert (export / "README.md").read_text("utf-8").startswith("---\n")


def test_an_export_as_the_published_files_is_read_as_they_are(
    workspace: Workspace, dataset: Dataset, tmp_path: Path
) -> None:
    import h5py

    target = tmp_path / "h5"
    words = ["--version", "irle", "--format", "hdf5", "--no-report", "-o", target]
    done = invoke("-w", workspace.root, "export", *words)
    assert done.exit_code == 0, done.output
    found = 0
    for split in ("train", "val", "test"):
        with h5py.File(target / f"{split}.h5") as file:
            for number in file["ids"][:]:
                assert file[f"{number}_images"].shape == (1, 1280)
                assert file[f"{number}_summaries"].shape == (3, 512)
                assert file[f"{number}_onehot"].shape == (len(dataset.cells),)
                found += 1
    assert found == len(dataset.entities)
    assert invoke("verify", target).exit_code == 0


def test_hdf5_has_the_same_bytes_whatever_was_encoded_before(built: Path, tmp_path: Path) -> None:
    """Once first of all and with images beside the tables, once after others and without."""

    def export(workspace: Path, many: int, *more: object) -> Path:
        query = tmp_path / "some.rq"
        chosen = "?entity mlm:inVersion version:irle ; mlm:cell ?cell"
        query.write_text(f"SELECT ?entity {{ {chosen} }} ORDER BY ?entity LIMIT {many}", "utf-8")
        target = tmp_path / f"{workspace.name}-{many}"
        words = ["--where", query, "--format", "hdf5", "--no-report", "-o", target, *more]
        done = invoke("-w", workspace, "export", *words)
        assert done.exit_code == 0, done.output
        return target

    shutil.copytree(built, tmp_path / "fresh")
    shutil.copytree(built, tmp_path / "used")
    first = export(tmp_path / "fresh", 40)
    export(tmp_path / "used", 5)
    second = export(tmp_path / "used", 40, "--images", "none")
    for split in ("train", "val", "test"):
        assert (first / f"{split}.h5").read_bytes() == (second / f"{split}.h5").read_bytes()


def test_spatial_splits_keep_regions_apart(workspace: Workspace, tmp_path: Path) -> None:
    from mlmkg.s2 import cell_ids, parents

    target = tmp_path / "spatial"
    words = ["export", "--version", "mlm", "--split", "spatial", "--no-report", "-o", target]
    assert invoke("-w", workspace.root, *words).exit_code == 0
    table = pq.read_table(target / "entities.parquet")
    regions = parents(cell_ids(table["latitude"].to_numpy(), table["longitude"].to_numpy()), 4)
    split_of: dict[int, set[str]] = {}
    for region, split in zip(regions.tolist(), table["split"].to_pylist(), strict=True):
        split_of.setdefault(region, set()).add(split)
    assert all(len(splits) == 1 for splits in split_of.values())
    assert {s for splits in split_of.values() for s in splits} == {"train", "val", "test"}


def test_a_run_on_the_spatial_split_finds_its_export_again(
    workspace: Workspace, tmp_path: Path
) -> None:
    target = tmp_path / "apart"
    words = ["export", "--version", "irle", "--split", "spatial", "--no-report", "-o", target]
    assert invoke("-w", workspace.root, *words).exit_code == 0
    apart = load_dataset(target, workspace.features)
    folder = train(apart, replace(QUICK, epochs=1), workspace, name="apart", pictures=False)
    assert json.loads((folder / "checkpoint.json").read_text("utf-8"))["split"] == "spatial"
    # Nobody says where the export is, and exports/irle is another one of the same version.
    asked = invoke("-w", workspace.root, "locate", "--run", "apart", "--text", "A city in Egypt.")
    assert asked.exit_code == 0, asked.output
    shutil.move(target, workspace.exports / "apart")  # as in a workspace that was copied whole
    again = json.loads(invoke("-w", workspace.root, "evaluate", "apart", "--json").stdout)
    assert again["entities"] == len(apart.split["test"])
    seen = set(apart.cell[apart.split["train"]].tolist())
    cells = apart.cell[apart.split["test"]].tolist()
    assert again["unseen_cells"] == sum(cell not in seen for cell in cells)


@pytest.mark.parametrize("task", ["ir", "le"])
def test_a_single_task_run_has_only_its_figures(
    dataset: Dataset, workspace: Workspace, task: str
) -> None:
    folder = train(dataset, TrainConfig(task=task, epochs=1, batch=64), workspace, pictures=False)
    result = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert (result["retrieval"] is None) == (task == "le")
    assert (result["location"] is None) == (task == "ir")


def test_predictions_come_back_as_triples(dataset: Dataset, workspace: Workspace) -> None:
    train(dataset, QUICK, workspace, name="back", pictures=False)
    dry = invoke("-w", workspace.root, "predict", "back", "--dry-run")
    assert dry.exit_code == 0 and "a mlm:Prediction" in dry.stdout
    assert "predictions/back" not in open_read_only(workspace).graphs()
    assert invoke("-w", workspace.root, "predict", "back").exit_code == 0
    assert invoke("-w", workspace.root, "predict", "back").exit_code == 0  # again: the same graph
    store = open_read_only(workspace)
    tests = len(dataset.split["test"])
    rows = list(store.rows(
        "SELECT ?e ?m (COUNT(?p) AS ?n) (SUM(?q) AS ?all) { ?p mlm:predictionFor ?e ; "
        "mlm:modality ?m ; mlm:probability ?q ; prov:wasGeneratedBy ?run . ?run a mls:Run . "
        "?e mlm:split mlm:test } GROUP BY ?e ?m"
    ))  # fmt: skip
    assert len(rows) == 3 * tests  # from the image, from the text, from both
    assert {int(row[2]) for row in rows} == {min(5, len(dataset.cells))}
    assert all(0 < float(row[3]) <= 1.0001 for row in rows)
    again = invoke("-w", workspace.root, "build", "--limit", 300)
    assert "Nothing to do" in again.stdout


@pytest.mark.slow
def test_figures_of_all_runs_are_one_query_away(dataset: Dataset, workspace: Workspace) -> None:
    baseline = settings_of("ir-le", as_released=True, epochs=1, batch=64, hidden=32)
    train(dataset, baseline, workspace, name="released", pictures=False)
    train(dataset, replace(QUICK, epochs=1), workspace, name="ours", pictures=False)
    for run in ("released", "ours"):
        done = invoke("-w", workspace.root, "evaluate", run, "--field", "--write")
        assert done.exit_code == 0, done.output
        assert "from the text\t" in done.stdout and "–" in done.stdout  # intervals
        assert invoke("-w", workspace.root, "predict", run, "--top", 1).exit_code == 0
    store = open_read_only(workspace)
    rows = list(store.rows(
        "SELECT ?run ?model ?name ?value { ?r a mls:Run ; rdfs:label ?run ; mls:hasOutput ?e ; "
        "mls:executes/dct:title ?model . ?e a mls:ModelEvaluation ; rdfs:label ?name ; "
        "mls:hasValue ?value }"
    ))  # fmt: skip
    assert len({(row[0], row[2]) for row in rows}) == len(rows)  # nothing is said twice
    models = {row[0]: row[1] for row in rows}
    assert "ir-le" in models["released"] and "mlm-clip" in models["ours"]
    names = {run: {row[2] for row in rows if row[0] == run} for run in models}
    assert "retrieval_by_dot_product-image_to_text-medR" in names["released"] - names["ours"]
    assert "location-fused-F1" in names["ours"] - names["released"]
    common = {"field-retrieval-text_to_image-MRR", "field-location-text-F1", "certainty-text-ECE"}
    assert common <= names["ours"] & names["released"]
    guesses = list(store.rows(
        "SELECT ?run (COUNT(?g) AS ?n) { ?g a mlm:Prediction ; prov:wasGeneratedBy/rdfs:label ?run } "
        "GROUP BY ?run"
    ))  # fmt: skip
    assert {"released", "ours"} <= {row[0] for row in guesses}


def test_vectors_of_the_graph_are_one_more_input(workspace: Workspace) -> None:
    words = ["embed", "--version", "irle", "--method", "class-similarity"]
    made = invoke("-w", workspace.root, *words)
    assert made.exit_code == 0, made.output
    name = made.stdout.strip().splitlines()[-1]
    words = ["train", "--version", "irle", "--graph", name, "--epochs", 1, "--name", "with-graph"]
    done = invoke("-w", workspace.root, *words, "--set", "hidden=32")
    assert done.exit_code == 0, done.output
    about = json.loads((workspace.runs / "with-graph" / "checkpoint.json").read_text("utf-8"))
    assert "graph" in about["model"]["widths"] and about["graph"]["leaking"] is False
    again = invoke("-w", workspace.root, "evaluate", "with-graph", "--json")
    assert json.loads(again.stdout)["location"]["text"]["F1"] >= 0
    (workspace.root / name).unlink()
    lost = invoke("-w", workspace.root, "evaluate", "with-graph")
    assert isinstance(lost.exception, ModelError) and "mlmkg embed" in str(lost.exception)


def test_entities_that_share_an_image_are_no_negatives_of_each_other() -> None:
    image = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), dim=1)
    same, known = torch.ones(2, 2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)
    ten = torch.tensor(10.0)
    assert float(contrastive(image, image, ten, known, same)) == pytest.approx(0, abs=1e-6)
    assert float(contrastive(image, image, ten, known, torch.eye(2).bool())) > 0.6


def test_distances_on_the_sphere() -> None:
    berlin, paris = torch.tensor([52.52, 13.405]), torch.tensor([48.8566, 2.3522])
    assert float(great_circle(berlin, paris)) == pytest.approx(877.5, abs=1.5)
    targets = soft_targets(torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 90.0]]), 75)
    assert targets.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert targets[0, 0] > targets[0, 1] > targets[0, 2]
