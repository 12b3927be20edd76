"""Loading, rebuilding and reading out a store, as ratios against a peer or a floor in the same run.

    python benchmarks/bench_store.py

Every job runs in a process of its own; CPU seconds (user and system, children included) and peak
memory are the operating system's. Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

#: Rows that are read out.
ROWS = 800_000
#: Places that are loaded, with as many triples of each kind as a build's graphs have an entity.
PLACES = 50_000
#: Brings the texts to some 520 characters, the mean of the summaries published with the paper's code.
FILLER = ", in the north-west of a country, some kilometres from a larger one. " * 7
WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS, XSD = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2001/XMLSchema#"
WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
OXIGRAPH = str(Path(sys.executable).parent / "oxigraph")
QUERY = "SELECT ?s ?n ?t WHERE { ?s <urn:number> ?n ; <urn:text> ?t }"


def measure(words: Sequence[str]) -> tuple[float, float, float]:
    """Return CPU seconds, peak memory in MB and clock seconds of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, words
    clock = time.perf_counter() - started
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, clock


def python(code: str, *arguments: object) -> tuple[float, float, float]:
    """Measure Python code."""
    return measure([sys.executable, "-c", code, *map(str, arguments)])


def figure(name: str, ours: float, peer: str, theirs: float, target: str, met: bool) -> None:
    """Print a figure."""
    content = {
        "name": name, "ours": round(ours, 2), "peer": peer, "theirs": round(theirs, 2),
        "ratio": round(ours / theirs, 2), "target": target, "met": met,
    }  # fmt: skip
    print(json.dumps(content), flush=True)


BULK_LOAD = """
import sys; from pyoxigraph import RdfFormat, Store, NamedNode
Store(sys.argv[2]).bulk_load(path=sys.argv[1], format=RdfFormat.N_TRIPLES, to_graph=NamedNode('urn:g'))
"""
OPTIMIZE = "import sys; from pyoxigraph import Store; Store(sys.argv[1]).optimize()"
GRAPH_FILE = """
import sys; from pathlib import Path
from mlmkg.graphfile import write; from mlmkg.sorting import SortingWriter
w = SortingWriter(Path(sys.argv[2]).parent); w.add(open(sys.argv[1], 'rb')); write(Path(sys.argv[2]), w)
"""
REBUILD = """
import sys; from pathlib import Path; from pyoxigraph import NamedNode, RdfFormat, Store
from mlmkg.graphfile import open_lines
lines = open_lines(Path(sys.argv[1]))
Store(sys.argv[2]).bulk_load(lines, RdfFormat.N_TRIPLES, to_graph=NamedNode('urn:g'))
"""
RDFLIB = "import sys; from rdflib import Graph; Graph().parse(sys.argv[1], format='nt')"
DRAIN = """
import sys; from pyoxigraph import Store
for _ in Store.read_only(sys.argv[1]).query(sys.argv[2], use_default_graph_as_union=True): pass
"""
PYTHON_ROWS = """
import sys; from pyoxigraph import Store
rows = [tuple(t.value for t in s) for s in
        Store.read_only(sys.argv[1]).query(sys.argv[2], use_default_graph_as_union=True)]
"""
PARQUET = """
import sys; from pathlib import Path; from pyoxigraph import Store
from mlmkg.results import write_parquet
answer = Store.read_only(sys.argv[1]).query(sys.argv[2], use_default_graph_as_union=True)
write_parquet(answer, Path(sys.argv[3]))
"""


def row(i: int) -> str:
    """Return two triples, a number and a text of some 520 characters."""
    return (
        f'<https://example.org/place/{i}> <urn:number> "{i}"^^<{XSD}integer> .\n'
        f'<https://example.org/place/{i}> <urn:text> "The place number {i} of {ROWS}{FILLER}"@en .\n'
    )


def place(i: int) -> str:
    """Return what a graph says of a place, as a build makes it: eight triples and three summaries."""
    it = f"<https://example.org/place/{i}>"
    said = (
        f'{it} <{WDT}P625> "Point({i % 360 - 180}.5 {i % 170 - 85}.25)"^^<{WKT}> .\n'
        f'{it} <{WDT}P1082> "{i}"^^<{XSD}integer> .\n'
        f"{it} <{WDT}P17> <{WD}Q{i % 200}> .\n"
        f"{it} <{WDT}P31> <{WD}Q{i % 900}> .\n"
        f'{it} <{RDFS}label> "Place {i}"@en .\n'
        f'{it} <{RDFS}label> "Ort {i}"@de .\n'
        f"{it} <{RDF}type> <urn:Entity> .\n"
        f"{it} <urn:cell> <https://example.org/cell/{i % 3000:x}> .\n"
    )
    for language in ("en", "de", "fr"):
        text = f"<https://example.org/summary/{i}/{language}>"
        said += (
            f"{text} <urn:about> {it} .\n"
            f'{text} <urn:language> "{language}" .\n'
            f'{text} <urn:text> "The place number {i} of {PLACES}{FILLER}"@{language} .\n'
            f'{text} <urn:generated> "false"^^<{XSD}boolean> .\n'
            f"{text} <urn:licence> <https://creativecommons.org/licenses/by-sa/4.0/> .\n"
            f'{text} <urn:attribution> "Wikipedia contributors, {i} {language}" .\n'
        )
    return said


def main() -> None:
    """Run the jobs and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph, data = folder / "graph.nt", folder / "rows.nt"
        with graph.open("w", encoding="utf-8") as stream:
            stream.writelines(place(i) for i in range(PLACES))
        with data.open("w", encoding="utf-8") as stream:
            stream.writelines(row(i) for i in range(ROWS))
        ours, peers, rdflibs = [], [], []
        for turn in range(3):  # in turns, and the least of each: what is left of them is noise
            ours.append(python(BULK_LOAD, graph, folder / f"ours{turn}"))
            to = ["-l", f"{folder}/theirs{turn}", "-f", str(graph), "--graph", "urn:g"]
            peers.append(measure([OXIGRAPH, "load", *to]))
            rdflibs.append(python(RDFLIB, graph))
        load, peer, rdflib = (min(runs)[0] for runs in (ours, peers, rdflibs))
        figure("load, CPU s", load, "oxigraph load", peer, "<= 1.15", load <= 1.15 * peer)
        figure("load, CPU s", load, "rdflib parse", rdflib, "", load <= rdflib / 4)
        clock, theirs = (min(run[2] for run in runs) for runs in (ours, rdflibs))
        figure("load, clock s", clock, "rdflib parse", theirs, "<= 0.25", clock <= theirs / 4)
        python(GRAPH_FILE, graph, folder / "g.nt.zst")
        again = min(python(REBUILD, folder / "g.nt.zst", folder / f"again{i}") for i in range(3))[0]
        figure("store from graph file, CPU s", again, "oxigraph load of N-Triples", peer,
               "<= 1.2", again <= 1.2 * peer)  # fmt: skip
        python(BULK_LOAD, data, folder / "a")
        python(OPTIMIZE, folder / "a")  # as a build does
        drains, parquets = [], []
        for _ in range(3):
            drains.append(python(DRAIN, folder / "a", QUERY))
            parquets.append(python(PARQUET, folder / "a", QUERY, folder / "out.parquet"))
        drain = min(drains)[0]
        parquet, memory, _ = min(parquets)
        _, rows_memory, _ = python(PYTHON_ROWS, folder / "a", QUERY)
        figure(f"{ROWS:,} rows to Parquet, CPU s", parquet, "draining the solutions", drain,
               "<= 1.15", parquet <= 1.15 * drain)  # fmt: skip
        figure("rows to Parquet, MB", memory, "Python rows", rows_memory, "< 0.5",
               memory < 0.5 * rows_memory)  # fmt: skip


if __name__ == "__main__":
    main()
