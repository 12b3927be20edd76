"""Dumps and metadata of a store of five million triples, as ratios against `oxigraph dump` of it.

    python benchmarks/bench_dumps.py

The store is made here, of the triples of bench_store.py in five named graphs. Every job runs in a
process of its own; CPU seconds (user and system) and peak memory are the operating system's. Jobs take
turns, and the least of each counts. Prints one JSON object per figure.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench_store import OXIGRAPH, figure, measure, place, python

PLACES = 192_500
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


def main() -> None:
    """Run the jobs and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "graph.nq").open("w", encoding="utf-8") as stream:
            for i in range(PLACES):
                stream.writelines(quad(line) for line in place(i).splitlines())
        (folder / "mlm").mkdir()
        python(LOAD, folder / "graph.nq", folder / "mlm/store")
        (folder / "graph.nq").unlink()
        here, out = ["-w", f"{folder}/mlm"], ["-o", f"{folder}/dump", "--force"]
        jobs = {
            "oxigraph": [OXIGRAPH, "dump", "-l", f"{folder}/mlm/store", "-f", f"{folder}/peer.nq"],
            "plain": [*MLMKG, *here, "dump", *out, "--no-sort"],
            "sorted": [*MLMKG, *here, "dump", *out],
            "metadata": [*MLMKG, *here, "metadata", "-o", f"{folder}/metadata"],
        }
        runs: dict[str, list[tuple[float, float, float]]] = {job: [] for job in jobs}
        for _ in range(TURNS):
            for job, words in jobs.items():
                runs[job].append(measure(words))
        cpu, _, clock = (
            {job: min(run[i] for run in of_job) for job, of_job in runs.items()} for i in range(3)
        )
        memory = {job: max(run[1] for run in of_job) for job, of_job in runs.items()}
        for what, ours in (("CPU s", cpu), ("clock s", clock)):
            peer = ours["oxigraph"]
            for job, most in (("plain", 1 / 0.6), ("sorted", 4)):
                figure(f"dump, {job}, {what}", ours[job], "oxigraph dump", peer,
                       f"<= {most:.2f}", ours[job] <= most * peer)  # fmt: skip
        figure("metadata, CPU s", cpu["metadata"], "limit", 60, "<= 1", cpu["metadata"] <= 60)
        for job in ("plain", "sorted", "metadata"):
            figure(f"{job}, MB", memory[job], "limit", 500, "<= 1", memory[job] <= 500)


if __name__ == "__main__":
    main()
