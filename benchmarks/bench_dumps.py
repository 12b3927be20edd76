"""Dumps and metadata of stores of 1.5 and 5 million triples, as ratios against `oxigraph dump` of them.

    python benchmarks/bench_dumps.py

The stores are made here, of the triples of bench_store.py in five named graphs. Every job runs in a
process of its own; CPU seconds (user and system) and peak memory are the operating system's. Jobs take
turns, and the least of each counts. Prints one JSON object per figure.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench_store import OXIGRAPH, figure, measure, place, python

PLACES = 192_500
#: With as many triples as the gazetteer's 34,006 cities make.
FEWER = 58_500
GRAPH = "https://w3id.org/mlmkg/graph/v1/"
#: End of a property -> the graph that its triples stand in; those of summaries have one of their own.
GRAPHS = {"label>": "labels", "cell>": "cells", "type>": "mlm"}
LOAD = """
import sys; from pyoxigraph import RdfFormat, Store
store = Store(sys.argv[2])
store.bulk_load(path=sys.argv[1], format=RdfFormat.N_QUADS)
store.optimize()
"""
MLMKG = [sys.executable, "-m", "mlmkg"]
TURNS = 2


def quad(line: str) -> str:
    """Put a triple into its graph."""
    subject, predicate, _ = line.split(" ", 2)
    found = [name for end, name in GRAPHS.items() if predicate.endswith(end)]
    name = "summaries" if "/summary/" in subject else (*found, "instances")[0]
    return f"{line[:-1]}<{GRAPH}{name}> .\n"


def make(folder: Path, places: int) -> None:
    """Make a workspace with a store."""
    with (folder / "graph.nq").open("w", encoding="utf-8") as stream:
        for i in range(places):
            stream.writelines(quad(line) for line in place(i).splitlines())
    (folder / "mlm").mkdir()
    python(LOAD, folder / "graph.nq", folder / "mlm/store")
    (folder / "graph.nq").unlink()


def compare(folder: Path, size: str, limits: Mapping[str, float], *, metadata: bool) -> None:
    """Run the jobs in turn and print the figures.

    :param limits: kind of dump -> times that of `oxigraph dump`, at most.
    """
    here, out = ["-w", f"{folder}/mlm"], ["-o", f"{folder}/dump", "--force"]
    jobs = {
        "oxigraph": [OXIGRAPH, "dump", "-l", f"{folder}/mlm/store", "-f", f"{folder}/peer.nq"],
        "plain": [*MLMKG, *here, "dump", *out, "--no-sort"],
        "sorted": [*MLMKG, *here, "dump", *out],
        "metadata": [*MLMKG, *here, "metadata", "-o", f"{folder}/metadata"],
    }
    chosen = ["oxigraph", *limits, *["metadata"] * metadata]
    runs: dict[str, list[tuple[float, float, float]]] = {job: [] for job in chosen}
    for _ in range(TURNS):
        for job in chosen:
            runs[job].append(measure(jobs[job]))
    cpu, _, clock = (
        {job: min(run[i] for run in of_job) for job, of_job in runs.items()} for i in range(3)
    )
    memory = {job: max(run[1] for run in of_job) for job, of_job in runs.items()}
    for what, ours in (("CPU s", cpu), ("clock s", clock)):
        peer = ours["oxigraph"]
        for job, most in limits.items():
            figure(f"{size}: dump, {job}, {what}", ours[job], "oxigraph dump", peer,
                   f"<= {most:.2f}", ours[job] <= most * peer)  # fmt: skip
    if metadata:
        figure(f"{size}: metadata, CPU s", cpu["metadata"], "limit", 60, "<= 1",
               cpu["metadata"] <= 60)  # fmt: skip
    for job in chosen[1:]:
        figure(f"{size}: {job}, MB", memory[job], "limit", 500, "<= 1", memory[job] <= 500)


def main() -> None:
    """Measure a store as large as the gazetteer's, and one of five million triples."""
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), FEWER)
        compare(Path(name), "1.5 million", {"plain": 1 / 0.6}, metadata=False)
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), PLACES)
        compare(Path(name), "5 million", {"plain": 1 / 0.6, "sorted": 4}, metadata=True)


if __name__ == "__main__":
    main()
