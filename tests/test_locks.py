"""Two processes at the same work: the second is told of the first; a dead one is in nobody's way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from mlmkg.ml.data import load_dataset
from mlmkg.ml.features import encode
from mlmkg.ml.kge import CLASS_SIMILARITY
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.train import train

from mlmkg.errors import WorkspaceError
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.exports import write_export
from tests.letters import TEXTS, Letters

#: They start processes.
pytestmark = pytest.mark.slow

TRAIN = """
import sys
from pathlib import Path
from mlmkg.ml.data import load_dataset
from mlmkg.ml.settings import TrainConfig
from mlmkg.ml.train import train
from mlmkg.workspace import Workspace
place = Workspace(Path(sys.argv[1]))
dataset = load_dataset(place.exports / "toy", place.features)
train(dataset, TrainConfig(epochs=100_000, hidden=16, batch=32), place)
"""
ENCODE = """
import sys
from pathlib import Path
from mlmkg.ml import encoding
from mlmkg.ml.features import encode
from tests.letters import TEXTS, Letters
encoding.SYNC = 0
class Slow(Letters):
    def encode(self, batch):
        __import__("time").sleep(0.2)
        return super().encode(batch)
encode(Slow(), TEXTS, TEXTS, Path(sys.argv[1]))
"""
HOLD = """
import sys
from pathlib import Path
from mlmkg.workspace import held_alone
with held_alone(Path(sys.argv[1]), "at it", where=Path(sys.argv[1])):
    sys.stdin.read()
"""


@contextmanager
def at_work(code: str, *words: object, until: tuple[Path, str]) -> Iterator[int]:
    """Run a process that has got so far that a file of such a name is there; kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    folder, name = until
    try:
        while not any(path.stat().st_size for path in folder.glob(name)):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.005)
        yield process.pid
        assert process.poll() is None, "it ended before it was in anybody's way"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "mlm")
    dataset = load_dataset(write_export(place.exports / "toy", entities=40), place.features)
    quick = TrainConfig(epochs=1, hidden=16, batch=32)
    runs, noted = place.runs, place.runs / ".toy-mtl-0.unfinished"
    with at_work(TRAIN, place.root, until=(noted, "metrics.jsonl")) as pid:
        for force in (False, True):
            with pytest.raises(WorkspaceError) as second:
                train(dataset, quick, place, force=force, pictures=False)
            said = str(second.value)
            assert said.startswith(f"{runs / 'toy-mtl-0'}: process {pid} on ")
            assert "is training this run already" in said and "Wait until it has finished" in said
        assert (noted / "metrics.jsonl").stat().st_size  # what the first one notes is still there
    assert (runs / ".toy-mtl-0.lock").exists()  # a file, and no lock: its process is dead
    train(dataset, quick, place, pictures=False)
    assert sorted(path.name for path in runs.iterdir()) == ["toy-mtl-0"]


def test_items_are_encoded_by_one_job_at_a_time(tmp_path: Path) -> None:
    with at_work(ENCODE, tmp_path, until=(tmp_path, ".*.part")) as pid:
        with pytest.raises(WorkspaceError, match=rf"process {pid} on .*is encoding the same items"):
            encode(Letters(), TEXTS, TEXTS, tmp_path)
        others = encode(Letters(), TEXTS[:8], TEXTS[:8], tmp_path)  # other items are
        assert len(others.vectors) == 8
    whole = encode(Letters(), TEXTS, TEXTS, tmp_path)
    assert np.array_equal(whole.vectors[whole.row[TEXTS[7]]], Letters().encode([TEXTS[7]])[0])
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npy"}


def test_vectors_of_the_graph_are_made_by_one_process_at_a_time(built: Path) -> None:
    words = ("-w", built, "embed", "--version", "mlm", "--method", CLASS_SIMILARITY)
    array = built / invoke(*words).stdout.strip()
    array.unlink()
    lock = array.parent / f".{array.stem}.lock"
    with at_work(HOLD, lock, until=(lock.parent, lock.name)) as pid:
        second = invoke(*words)
        assert isinstance(second.exception, WorkspaceError)
        assert f"{array}: process {pid} on " in str(second.exception)
    assert invoke(*words).exit_code == 0 and array.exists()


def test_of_many_that_ask_at_once_one_is_at_work(tmp_path: Path) -> None:
    """Each of six processes adds one to a number a hundred times, whenever it gets the lock."""
    add = """
import sys
from pathlib import Path
from mlmkg.errors import WorkspaceError
from mlmkg.workspace import held_alone
folder, done = Path(sys.argv[1]), 0
while done < 100:
    try:
        with held_alone(folder / "lock", "adding", where=folder):
            number = folder / "number"
            number.write_text(str(int(number.read_text()) + 1))
            done += 1
    except WorkspaceError:
        pass
"""
    (tmp_path / "number").write_text("0")
    them = [subprocess.Popen([sys.executable, "-c", add, str(tmp_path)]) for _ in range(6)]
    assert [process.wait(60) for process in them] == [0] * 6
    assert (tmp_path / "number").read_text() == "600"
    assert not (tmp_path / "lock").exists()
