"""A storey imports only what lies below it: cli -> ml -> mlmkg."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "mlmkg": ("mlmkg.ml", "mlmkg.cli", "torch", "torchvision", "click", "sklearn"),
    "ml": ("mlmkg.cli", "click"),
}
#: Python looks for ``python -m mlmkg`` in this file; it is the front door, not a room.
FRONT_DOOR = ROOT / "mlmkg" / "__main__.py"


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("storey", FORBIDDEN)
def test_a_storey_does_not_look_up(storey: str) -> None:
    for path in sorted((ROOT / storey).rglob("*.py")):
        if path == FRONT_DOOR:
            continue
        for name in imported(path):
            for forbidden in FORBIDDEN[storey]:
                assert name != forbidden and not name.startswith(f"{forbidden}."), (path, name)


def test_only_the_report_draws() -> None:
    for path in sorted((ROOT / "mlmkg").rglob("*.py")):
        drawn = {
            name for name in imported(path) if name.split(".")[0] in {"matplotlib", "mpl_toolkits"}
        }
        assert not drawn or path.parent.name == "report", (path, drawn)


def test_the_core_loads_without_torch_and_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, click.testing; from mlmkg.cli.main import root;"
        "r = click.testing.CliRunner().invoke(root, ['--help']); assert r.exit_code == 0, r.output;"
        "print(sorted({'torch', 'pyoxigraph', 'pyarrow', 'rdflib', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_folder_is_in_the_wheels_list() -> None:
    import tomllib

    listed = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    )
    folders = set()
    for top in ("mlmkg", "ml", "cli", "queries", "ontology"):
        for path in (ROOT / top).rglob("__init__.py"):
            parts = path.parent.relative_to(ROOT / top).parts
            folders.add(".".join(["mlmkg", *([] if top == "mlmkg" else [top]), *parts]))
    assert folders == listed
