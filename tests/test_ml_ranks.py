"""Training in two processes, as `torchrun` starts them, and what it gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mlmkg.ml.data import load_dataset
from mlmkg.ml.settings import settings_of
from mlmkg.ml.train import train
from safetensors.torch import load_file

from mlmkg.workspace import Workspace
from tests.exports import write_export

SETTINGS = {"epochs": 3, "batch": 30, "hidden": 32, "shared": 16, "dropout": 0.0, "threads": 1}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace(tmp_path_factory.mktemp("ranks") / "mlm")
    write_export(place.exports / "toy", without_image=frozenset({3, 8}), same_image=((2, 6),))
    load_dataset(place.exports / "toy", place.features)  # encoded once, for all
    return place


def in_two_processes(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    pairs = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "mlmkg", "-w", str(workspace.root), "train", "--version", "toy", *pairs, *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlm-clip", "ir-le"])
def test_two_processes_learn_what_one_learns(workspace: Workspace, model: str) -> None:
    done = in_two_processes(workspace, "--name", f"two-{model}", "--model", model)
    assert done.returncode == 0, done.stderr
    dataset = load_dataset(workspace.exports / "toy", workspace.features)
    one = train(dataset, settings_of(model, **SETTINGS), workspace, name=f"one-{model}")  # type: ignore[arg-type]
    two = workspace.runs / f"two-{model}"
    alone, together = (load_file(run / "checkpoint.safetensors") for run in (one, two))
    for name, weights in alone.items():
        assert torch.allclose(weights, together[name], atol=2e-4, rtol=2e-3), name
    last = [json.loads((r / "metrics.jsonl").read_text("utf-8").splitlines()[-1]) for r in (one, two)]
    assert last[0]["loss"] == pytest.approx(last[1]["loss"], abs=1e-4)
    assert done.stdout.count("image to text") == 1  # one of the two prints its tables


@pytest.mark.slow
def test_an_error_in_two_processes_ends_both(workspace: Workspace, tmp_path: Path) -> None:
    done = in_two_processes(workspace, "--name", "../outside")
    assert done.returncode != 0
    assert "no name for a run" in done.stderr
