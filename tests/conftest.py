"""What tests share: a small dataset built once by the real pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from mlmkg.cli.main import root

from mlmkg.progress import Progress, quiet
from mlmkg.store import GraphStore, open_read_only
from mlmkg.workspace import Workspace


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the 300 most populous cities; tests only read it."""
    folder = tmp_path_factory.mktemp("built") / "mlm"
    result = CliRunner().invoke(root, ["-w", str(folder), "build", "--limit", "300"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def store(built: Path) -> GraphStore:
    """The store of the small dataset."""
    return open_read_only(Workspace(built))


def invoke(*words: object, **options: object) -> Result:
    """Run a command line in this process."""
    return CliRunner().invoke(root, [str(word) for word in words], **options)  # type: ignore[arg-type]


@dataclass
class Lent:
    """What a step lends to a source, for tests that call one without a pipeline."""

    workspace: Workspace = field(default_factory=lambda: Workspace(Path("nowhere")))
    progress: Progress = quiet
    notes: list[str] = field(default_factory=list)

    def note(self, remark: str) -> None:
        self.notes.append(remark)

    def table(self, text: str) -> pa.Table:
        raise AssertionError("no graph is read")


def in_a_tiny_disk(folder: Path, megabytes: int, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command line with a small tmpfs mounted on a folder, in a mount namespace of its own."""
    folder.mkdir(exist_ok=True)
    command = (
        f"mount -t tmpfs -o size={megabytes}m tmpfs {folder} && "
        f"{sys.executable} -m mlmkg -w {folder}/mlm {' '.join(map(str, words))}; code=$?; "
        f"find {folder}/mlm -name '*.tmp' -o -name 'store*' -o -name '.scratch*'; exit $code"
    )
    isolate = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*isolate, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets nobody but root mount a small disk")
    return subprocess.run([*isolate, "sh", "-c", command], capture_output=True, text=True, check=False)
