"""What a stranger installs: the wheel, in an empty venv, away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*words: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_builds_and_answers_without_torch(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mlmkg"}
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    mlmkg = tmp_path / "venv" / "bin" / "mlmkg"
    run(mlmkg, "build", "--limit", "200", cwd=tmp_path)
    answer = run(mlmkg, "sparql", "SELECT (COUNT(?e) AS ?n) { ?e a mlm:Entity }", cwd=tmp_path)
    assert answer.split() == ["n", "200"]
    assert "torch" not in run(python, "-m", "pip", "list", cwd=tmp_path)
    train = subprocess.run([mlmkg, "train"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert train.returncode == 2
    assert train.stderr == (
        "Error: this command needs torch. Install it with `pip install 'mlmkg[demo]'`.\n"
    )
    assert "mlmkg build" in run(python, "-m", "mlmkg", "--help", cwd=tmp_path)
