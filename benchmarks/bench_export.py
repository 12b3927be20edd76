"""Exporting a large version: time beyond the queries' own against DuckDB's, and memory as it grows.

    python benchmarks/bench_export.py [--large]

A store of 220,000 entities with three summaries each is made here, without images; `--large` makes one
of 2,200,000 too (66 million triples: some forty minutes and 30 GB of disk). Every job runs in a process
of its own; CPU seconds and peak memory are the operating system's. Prints one JSON object per figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
from pyoxigraph import NamedNode, RdfFormat, Store

from mlmkg.store import graph_iri
from mlmkg.vocab import CELL, DCT, GEO, MLM, RDF, RDFS, SCHEMA, VERSION, XSD

ENTITIES = 220_000
LARGE = 10 * ENTITIES
LANGUAGES = ("en", "de", "fr")
WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
#: Brings the texts to some 520 characters, the mean of the summaries published with the paper's code.
FILLER = ", in the north-west of a country, some kilometres from a larger one. " * 7
OPTIONS = ("--version", "mlm", "--images", "none", "--no-report")
DRAIN = """
import sys; from pathlib import Path
from mlmkg.catalog import read_catalog; from mlmkg.export.members import of_version
from mlmkg.export.tables import BATCH, Reader; from mlmkg.recipe import read_recipe
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
store, catalog = open_read_only(Workspace(Path(sys.argv[1]))), read_catalog()
recipe = read_recipe(catalog.folder / "recipe.toml")
entities = of_version(store, catalog, recipe, "mlm").entities
reader = Reader(store, catalog)
for start in range(0, len(entities), BATCH):
    for query in reader.batched():
        for _ in reader.answer(query, entities.slice(start, BATCH)): pass
"""
COPY = """
import sys; import duckdb; from pathlib import Path
for path in sorted(Path(sys.argv[1]).glob("*.csv")):
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{path}')) TO '{path}.parquet' (COMPRESSION zstd)")
"""


def lines(entities: int) -> Iterator[tuple[str, str]]:
    """Yield (graph, N-Triples) of every entity, and of what they are linked to."""

    def said(*statements: tuple[str, str]) -> str:
        return "".join(
            f"{subject} <{predicate}> {value} .\n" for (subject, predicate, value) in statements
        )

    def literal(text: object, kind: str = "") -> str:
        return json.dumps(str(text)) + (f"^^<{kind}>" if kind else "")

    for number in range(50):
        state, cell = f"<{WD}Q{number + 1}>", f"<{CELL[f'{number:04x}']}>"
        yield (
            "countries",
            said((state, RDFS.label, f'"Country {number}"@en'), (state, f"{WDT}P30", f"<{WD}Q46>")),
        )
        yield (
            "cells",
            said(
                (cell, MLM.s2Token, literal(f"{number:04x}")),
                (cell, MLM.s2Level, literal(5, XSD.integer)),
                (cell, MLM.polygon, literal("POLYGON((0 0,1 0,1 1,0 0))", GEO.wktLiteral)),
                (cell, MLM.centroid, literal("Point(0.5 0.5)", GEO.wktLiteral)),
            ),
        )
        kind = f"<{WD}Q{number + 1000}>"
        yield "classes", said((kind, RDFS.label, f'"class {number}"@en'))
        yield "hops", said((kind, MLM.hops, literal(number % 4, XSD.integer)))
    yield "countries", said((f"<{WD}Q46>", RDFS.label, '"Europe"@en'))
    for number in range(entities):
        it = f"<{WD}Q{number + 10_000}>"
        place = f"Point({number % 3600 / 10 - 180:.1f} {number % 1700 / 10 - 85:.1f})"
        yield (
            "instances",
            said(
                (it, f"{WDT}P625", literal(place, GEO.wktLiteral)),
                (it, f"{WDT}P17", f"<{WD}Q{number % 50 + 1}>"),
                (it, f"{WDT}P1082", literal(number, XSD.integer)),
            ),
        )
        yield "labels", said((it, RDFS.label, f'"Place {number}"@en'))
        yield "eligible", said((it, RDF.type, f"<{MLM.Entity}>"))
        yield "mlm", said((it, MLM.inVersion, f"<{VERSION.mlm}>"))
        yield "cells", said((it, MLM.cell, f"<{CELL[f'{number % 50:04x}']}>"))
        part = ("train",) * 8 + ("val", "test")
        yield "splits", said((it, MLM.split, f"<{MLM[part[number % 10]]}>"))
        yield "triple_classes", said((it, MLM.tripleClass, f"<{WD}Q{number % 50 + 1000}>"))
        for language in LANGUAGES:
            text = f"<https://example.org/{language}/{number}>"
            yield (
                "summaries",
                said(
                    (text, RDF.type, f"<{MLM.Summary}>"),
                    (text, SCHEMA.about, it),
                    (text, SCHEMA.inLanguage, literal(language)),
                    (text, SCHEMA.text, literal(f"The place number {number} of {entities}{FILLER}")),
                    (text, MLM.generated, literal("true", XSD.boolean)),
                    (text, DCT.license, "<https://creativecommons.org/licenses/by-sa/4.0/>"),
                    (text, MLM.attribution, literal("Wikipedia contributors")),
                ),
            )


def make(workspace: Path, entities: int) -> None:
    """Make a workspace whose store holds so many entities."""
    workspace.mkdir()
    files: dict[str, Path] = {}
    streams = {}
    for graph, text in lines(entities):
        if graph not in streams:
            files[graph] = workspace / f"{graph}.nt"
            streams[graph] = files[graph].open("w", encoding="utf-8")
        streams[graph].write(text)
    store = Store(str(workspace / "store"))
    for graph, path in files.items():
        streams[graph].close()
        into = NamedNode(graph_iri("v1", graph))
        store.bulk_load(path=str(path), format=RdfFormat.N_TRIPLES, to_graph=into)
        path.unlink()
    store.optimize()
    store.flush()


def measure(words: Sequence[object]) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a command."""
    process = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, words
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def figure(name: str, ours: float, peer: str, theirs: float, target: float) -> None:
    """Print a figure."""
    print(json.dumps({
        "name": name, "ours": round(ours, 2), "peer": peer, "theirs": round(theirs, 2),
        "ratio": round(ours / theirs, 2), "target": f"<= {target}", "met": ours <= target * theirs,
    }), flush=True)  # fmt: skip


def made(workspace: Path, entities: int) -> None:
    """Make a workspace in a process of its own: a child's peak begins at its parent's memory."""
    measure([__file__, "make", workspace, entities])


def export(workspace: Path, folder: Path) -> tuple[float, float]:
    """Measure an export."""
    return measure(["-m", "mlmkg", "-w", workspace, "export", *OPTIONS, "-o", folder])


def main() -> None:
    """Run the jobs and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder / "mlm", ENTITIES)
        runs = []
        for turn in range(3):  # in turns, and the least of each: what is left of them is noise
            ours_now = export(folder / "mlm", folder / str(turn))
            runs.append((ours_now, measure(["-c", DRAIN, folder / "mlm"])))
        ours, drain = min(run[0][0] for run in runs), min(run[1][0] for run in runs)
        memory = max(run[0][1] for run in runs)
        ready = folder / "csv"
        ready.mkdir()
        for path in sorted((folder / "0").glob("*.parquet")):
            columns = "* EXCLUDE (geometry)" if path.stem in {"entities", "cells"} else "*"
            query = f"COPY (SELECT {columns} FROM '{path}') TO '{ready / path.stem}.csv'"
            duckdb.sql(query)
        theirs = min(measure(["-c", COPY, ready])[0] for _ in range(3))
        print(json.dumps({"entities": ENTITIES, "export CPU s": round(ours, 2),
                          "the queries' own CPU s": round(drain, 2)}))  # fmt: skip
        figure("export beyond its queries, CPU s", ours - drain, "DuckDB, CSV to Parquet", theirs, 3)
        figure("export, MB", memory, "limit", 2048, 1)
        if "--large" in sys.argv:
            made(folder / "large", LARGE)
            cpu, most = export(folder / "large", folder / "of-large")
            print(json.dumps({"entities": LARGE, "export CPU s": round(cpu, 2)}))
            figure("export of ten times as many, MB", most, "of the smaller", memory, 1.5)
            figure("export of ten times as many, MB", most, "limit", 2048, 1)


if __name__ == "__main__":
    if "make" in sys.argv:
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
