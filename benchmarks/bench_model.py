"""One model for two tasks against a model for each, and against chance.

    python benchmarks/bench_model.py [WORKSPACE] [--seeds 3]

Trains ``mtl``, ``ir`` and ``le`` with each seed on the irle-gr export of a workspace (of the demo, if
none is given, which is made first) and prints a JSON object per figure of the test split: the mean
over the seeds of both, their difference, and how far chance gets.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

VERSION = "irle-gr"
MLMKG = str(Path(sys.executable).parent / "mlmkg")
ROOT = Path(__file__).parent.parent
MODALITIES = {"image_to_text", "text_to_image", "image", "text"}
#: Figure -> (where it stands in an evaluation, the single task, whether less is better).
FIGURES = {
    "medR image to text": (("retrieval", "image_to_text", "medR"), "ir", True),
    "medR text to image": (("retrieval", "text_to_image", "medR"), "ir", True),
    "R@10 image to text": (("retrieval", "image_to_text", "R@10"), "ir", False),
    "R@10 text to image": (("retrieval", "text_to_image", "R@10"), "ir", False),
    "F1 image": (("location", "image", "F1"), "le", False),
    "F1 text": (("location", "text", "F1"), "le", False),
    "median km image": (("location", "image", "median_km"), "le", True),
    "median km text": (("location", "text", "median_km"), "le", True),
}


def evaluation(workspace: Path, task: str, seed: int) -> dict[str, Any]:
    """Train a model and return its evaluation on the test split."""
    run = f"bench-{task}-{seed}"
    words = [MLMKG, "-w", str(workspace), "train", "--version", VERSION, "--name", run, "--force"]
    subprocess.run([*words, "--task", task, "--seed", str(seed)], check=True, capture_output=True)
    path = workspace / "runs" / run / "evaluation.json"
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def value(result: dict[str, Any], place: tuple[str, ...]) -> float:
    """Return one number of an evaluation; chance has one for both modalities and both ways.

    :raises KeyError: if it is not there.
    """
    found: Any = result
    for key in place:
        if key in found or key not in MODALITIES:
            found = found[key]
    return float(found)


def main() -> None:
    """Train what is missing and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?", default=ROOT / "demo")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not (options.workspace / "exports" / VERSION).is_dir():
        environment = os.environ | {"PATH": f"{Path(MLMKG).parent}:{os.environ['PATH']}"}
        subprocess.run([ROOT / "docs/demo.sh", options.workspace], check=True, env=environment,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    seeds = range(options.seeds)
    results = {
        task: [evaluation(options.workspace, task, seed) for seed in seeds]
        for task in ("mtl", "ir", "le")
    }
    for name, (place, single, less) in FIGURES.items():
        both = [value(result, place) for result in results["mtl"]]
        alone = [value(result, place) for result in results[single]]
        gain = (statistics.mean(both) - statistics.mean(alone)) * (-1 if less else 1)
        content = {
            "name": name, "both": [round(x, 4) for x in both], "alone": [round(x, 4) for x in alone],
            "mean_both": round(statistics.mean(both), 4),
            "mean_alone": round(statistics.mean(alone), 4),
            "gain": round(gain, 4), "better_in": sum((b < a) == less and b != a
                                                     for b, a in zip(both, alone, strict=True)),
            "chance": value(results["mtl"][0]["chance"], place),
        }  # fmt: skip
        print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
