"""The whole gazetteer build, a build with nothing to do, and --help.

    python benchmarks/bench_build.py

Every job is a process of its own; CPU seconds and peak memory are the operating system's. The floor of
the build is Oxigraph loading the same triples from one file; that of the other two, Python importing
what any click program imports. Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mlmkg.graphfile import open_lines, written_graphs

TOOLS = Path(sys.executable).parent
MLMKG = str(TOOLS / "mlmkg")
FLOOR = [sys.executable, "-c", "import click"]


def measure(words: Sequence[str]) -> dict[str, float]:
    """Return CPU and wall seconds and peak memory in MB of a command.

    Linux counts what this process held when it started the command: so keep it small.
    """
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, words
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_s": round(time.monotonic() - start, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def figure(
    name: str, ours: dict[str, float], floor: str, theirs: dict[str, float], **target: float
) -> None:
    """Print a figure; ``target`` holds the most that each of its numbers may be."""
    met = all(ours[key] <= most for key, most in target.items())
    ratio = round(ours["cpu_s"] / theirs["cpu_s"], 2)
    content = {"name": name, **ours, "floor": floor, "floor_cpu_s": theirs["cpu_s"], "ratio": ratio}
    print(json.dumps({**content, "target": target, "met": met}), flush=True)


def main() -> None:
    """Build once and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = folder / "mlm"
        words = [MLMKG, "-w", str(workspace), "build", "--no-images"]
        built = measure(words)
        lines = folder / "all.nt"
        with lines.open("wb") as stream:
            for graph in written_graphs(workspace / "graphs"):
                if graph.name != "source":
                    with open_lines(graph.path) as source:
                        shutil.copyfileobj(source, stream)
        load = [str(TOOLS / "oxigraph"), "load", "-l", f"{folder}/store", "-f", str(lines)]
        figure("build, no images", built, "oxigraph load", measure(load), cpu_s=60, peak_mb=1200)
        before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
        again = measure(words)
        assert before == {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
        figure("second build", again, "import click", measure(FLOOR), wall_s=1)
        figure("--help", measure([MLMKG, "--help"]), "import click", measure(FLOOR), wall_s=0.3)


if __name__ == "__main__":
    main()
