"""One choice at a time: what each is worth, over three seeds.

    python benchmarks/ablate.py ours -w mlm --version irle-gr --epochs 20 -o ours.jsonl
    python benchmarks/ablate.py published --features FOLDER/features/world -o published.jsonl
    python benchmarks/ablate.py table ours.jsonl

`ours` changes mlm-clip's settings one by one, `published` the baseline's towards its released code.
Every run's figures of the test split are a line of the file; a run that is there is not made again, so
it can be stopped at any time. The table gives the mean of the seeds and their lowest and highest.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

OURS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "retrieval alone": {"task": "ir"},
    "location alone": {"task": "le"},
    "cosine loss, one negative": {"objective": "cosine", "negatives": "one"},
    "cosine loss, the batch": {"objective": "cosine"},
    "cells not compared": {"agreement": 0.0},
    "no smoothing": {"smoothing_km": 0.0},
    "smoothing of 150 km": {"smoothing_km": 150.0},
    "no modality dropout": {"modality_dropout": 0.0},
    "modality dropout 0.3": {"modality_dropout": 0.3},
    "no z-scores": {"standard": False},
    "no classes": {"classes": False},
    "losses not weighed": {"weights_rate": 0.0},
    "log-variances ten times as fast": {"weights_rate": 1e-2},
    "constant rate": {"schedule": "constant"},
    "dropout 0.3": {"dropout": 0.3},
    "batches of 512": {"batch": 512},
    "hidden width 512": {"hidden": 512},
}
PUBLISHED: dict[str, dict[str, Any]] = {
    "ir-le": {},
    "half of the images another's": {"wrong_images": 0.5},
    "one negative": {"negatives": "one"},
    "text not normalised": {"normal_text": False},
    "log-variances not learned": {"weights": "fixed"},
    "last epoch": {"keep": "last"},
    "as released": {"as_released": True},
    "retrieval alone": {"task": "ir"},
    "location alone": {"task": "le"},
}
FIGURES = {
    f"{name} {way[0]}→{way.rpartition('_')[2][0]}": ("retrieval", way, name)
    for name in ("medR", "R@10")
    for way in ("image_to_text", "text_to_image")
} | {
    f"{short} {side.replace('fused', 'both')}": ("location", side, name)
    for short, name in (("F1", "F1"), ("km", "median_km"))
    for side in ("image", "text", "fused")
}
RELEASED = {"medR i→t by product": ("retrieval_by_dot_product", "image_to_text", "medR")}


def figure(result: Any, path: tuple[str, ...]) -> float | None:
    for step in path:
        result = (result or {}).get(step)
    return None if result is None else float(result)


def run(options: argparse.Namespace) -> None:
    import torch
    from mlmkg.ml.data import load_dataset
    from mlmkg.ml.featurefolder import load_features
    from mlmkg.ml.settings import settings_of
    from mlmkg.ml.train import EVALUATION, train

    from mlmkg.workspace import Workspace

    torch.set_num_threads(1)
    if options.features:
        dataset = load_features(options.features)
    else:
        place = Workspace(options.workspace)
        dataset = load_dataset(
            place.exports / options.version, place.features, images=place.images, graph=options.graph
        )
    variants = OURS if options.what == "ours" else PUBLISHED
    lines = options.output.read_text("utf-8").splitlines() if options.output.exists() else []
    done = {(r["variant"], r["seed"], r["epochs"], r["data"]) for r in map(json.loads, lines)}
    for seed in range(options.seeds):
        for name, changes in variants.items():
            if options.only and name not in options.only:
                continue
            shown = name + (f", {options.graph.stem}" if options.graph else "")
            if (shown, seed, options.epochs, dataset.key) in done:
                continue
            model = "mlm-clip" if options.what == "ours" else "ir-le"
            config = settings_of(model, epochs=options.epochs, seed=seed, threads=1, **changes)
            with tempfile.TemporaryDirectory() as folder:
                start, cpu = time.time(), time.process_time()
                made = train(dataset, config, Workspace(Path(folder)), name="run", pictures=False)
                result = json.loads((made / EVALUATION).read_text("utf-8"))
            entry = {
                "variant": shown, "seed": seed, "epochs": options.epochs, "data": dataset.key,
                "version": dataset.version, "model": model, "changes": changes,
                "seconds": round(time.time() - start, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
                **{key: figure(result, path) for key, path in {**FIGURES, **RELEASED}.items()},
            }  # fmt: skip
            with options.output.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
            print(json.dumps(entry, ensure_ascii=False), flush=True)


def table(path: Path) -> None:
    """Print the runs of a file as a Markdown table."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        found[entry["variant"]].append(entry)
    every = [e for entries in found.values() for e in entries]
    columns = [c for c in {**FIGURES, **RELEASED} if any(e.get(c) is not None for e in every)]
    print(f"| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, entries in found.items():
        cells = []
        for column in columns:
            values = [e[column] for e in entries if e.get(column) is not None]
            digits = 3 if column.startswith(("R@", "F1")) else 1
            spread = f" ({min(values):.{digits}f}–{max(values):.{digits}f})" if values[1:] else ""
            cells.append(f"{mean(values):.{digits}f}{spread}" if values else "")
        print(f"| {name} | {' | '.join(cells)} |")


def main() -> None:
    """Run the variants, or print the table."""
    if sys.argv[1:2] == ["table"]:
        table(Path(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["ours", "published"])
    parser.add_argument("-w", "--workspace", type=Path, default=Path("mlm"))
    parser.add_argument("--version", default="irle-gr")
    parser.add_argument("--features", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--graph", type=Path, help="vectors of `mlmkg embed`, as one more input")
    parser.add_argument("-o", "--output", type=Path, required=True)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
