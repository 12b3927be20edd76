"""The demo after the installation: the clock of each step, and of all.

    python benchmarks/bench_demo.py

Runs the lines of docs/demo.sh in an empty workspace. The floor is the same build without its images,
queries and training: `mlmkg build --no-images`. Prints one JSON object per step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOOLS = Path(sys.executable).parent
SCRIPT = Path(__file__).parent.parent / "docs" / "demo.sh"
#: The most that the whole may take on the clock, on two cores.
TARGET_S = 360


def main() -> None:
    """Run the demo and print how long each step took."""
    environment = os.environ | {"PATH": f"{TOOLS}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as name:
        started = time.monotonic()
        subprocess.run(
            [TOOLS / "mlmkg", "-w", f"{name}/floor", "build", "--no-images"],
            check=True, capture_output=True,
        )  # fmt: skip
        floor_s = time.monotonic() - started
        started = step_started = time.monotonic()
        step = None
        process = subprocess.Popen(
            [SCRIPT, f"{name}/demo"], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("\033[1m"):  # the script's own headings
                now = time.monotonic()
                if step is not None:
                    print(
                        json.dumps({"name": step, "wall_s": round(now - step_started, 1)}), flush=True
                    )
                step, step_started = line.strip().removeprefix("\033[1m").removesuffix("\033[0m"), now
        assert process.wait() == 0
        whole = time.monotonic() - started
        content = {
            "name": "make demo after installation", "wall_s": round(whole, 1),
            "floor": "build --no-images", "floor_wall_s": round(floor_s, 1),
            "ratio": round(whole / floor_s, 2), "target": {"wall_s": TARGET_S},
            "met": whole <= TARGET_S,
        }  # fmt: skip
        print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
