"""What the checks found, as triples of the W3C Data Quality Vocabulary.

Findings enter; a measurement per check and an annotation per example leave, in a file or as the named
graph ``quality/{version}`` with provenance. The metrics stand in the ontology, with what they count
and how serious it is; that of a check of one's own is described beside its measurement. Vocabulary:
https://www.w3.org/TR/vocab-dqv/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from mlmkg import graphfile, pipeline, quality
from mlmkg.errors import ExportError
from mlmkg.ntriples import integer, iri, line, text
from mlmkg.provenance import Made, Plan, now
from mlmkg.quality.finding import Check, Finding
from mlmkg.store import graph_iri, open_read_only
from mlmkg.vocab import DQV, MLM, OA, PREFIXES, PROV, QUALITY, RDF, RDFS, SCHEMA, VERSION
from mlmkg.workspace import Workspace, written_whole

#: Endings of files: Turtle and N-Triples.
FORMATS: Final = (".ttl", ".nt")
#: The graphs that the checks read; a version's own comes to it.
_READ: Final = ("instances", "labels", "images", "image_files", "summaries", "cells", "splits")


def triples(version: str, findings: Sequence[Finding]) -> Iterator[bytes]:
    """Yield the N-Triples lines of the measurements and annotations.

    :param version: its name; the measurements are computed on its IRI.
    """
    a, of, on = iri(RDF.type), iri(DQV.isMeasurementOf), iri(DQV.computedOn)
    measured = iri(VERSION[version])
    for finding in findings:
        check = finding.check
        node = iri(QUALITY[f"{version}/{finding.name}"])
        yield line(node, a, iri(DQV.QualityMeasurement))
        yield line(node, of, iri(check.metric))
        yield line(node, on, measured)
        yield line(measured, iri(DQV.hasQualityMeasurement), node)
        yield line(node, iri(DQV.value), integer(finding.count))
        yield line(node, iri(MLM.affected), integer(finding.affected))
        yield line(node, iri(MLM.lookedAt), integer(finding.of))
        if finding.language:
            yield line(node, iri(SCHEMA.inLanguage), text(finding.language))
        if finding.remark:
            yield line(node, iri(RDFS.comment), text(finding.remark, "en"))
        if check.metric not in MLM:
            yield from _metric(check)
        for number, example in enumerate(finding.examples, start=1):
            note = iri(f"{QUALITY[f'{version}/{finding.name}']}#{number}")
            yield line(note, a, iri(DQV.QualityAnnotation))
            yield line(note, iri(OA.motivatedBy), iri(DQV.qualityAssessment))
            yield line(note, iri(PROV.wasDerivedFrom), node)
            yield from (line(note, iri(OA.hasTarget), iri(entity)) for entity in example.entities)
            if example.words:
                yield line(note, iri(OA.bodyValue), text(example.words))


def _metric(check: Check) -> Iterator[bytes]:
    """Describe the metric of a query file that is not of the shipped set."""
    metric = iri(check.metric)
    yield line(metric, iri(RDF.type), iri(DQV.Metric))
    yield line(metric, iri(RDFS.label), text(check.title, "en"))
    yield line(metric, iri(MLM.severity), text(check.severity))


def check_ending(path: Path) -> None:
    """Refuse a file that is neither Turtle nor N-Triples by its name.

    :raises ExportError: naming the endings.
    """
    if path.suffix not in FORMATS:
        raise ExportError(
            f"triples are not written as {path.suffix or 'a file without an ending'}", where=path,
            action="Name a file that ends in .ttl (Turtle) or .nt (N-Triples)",
        )  # fmt: skip


def write_file(path: Path, version: str, findings: Sequence[Finding]) -> None:
    """Write the triples to a file, whole or not at all.

    :param path: ends in ``.ttl`` or ``.nt``.
    :raises ExportError: if it has another ending.
    """
    check_ending(path)
    lines = b"".join(sorted(set(triples(version, findings))))
    if path.suffix == ".ttl":
        lines = _turtle(lines)
    with written_whole(path) as stream:
        stream.write(lines)


def _turtle(lines: bytes) -> bytes:
    """Return N-Triples as Turtle with the prefixes that are used, the same each time."""
    from rdflib import Graph

    graph = Graph(bind_namespaces="none")
    for prefix, namespace in {**PREFIXES, "quality": str(QUALITY)}.items():
        graph.bind(prefix, namespace)
    return graph.parse(data=lines, format="nt").serialize(format="turtle", encoding="utf-8")


def write_graph(workspace: Workspace, query_set: str, version: str, findings: Sequence[Finding]) -> int:
    """Write the graph ``quality/{version}`` in the place of an earlier one, and index it.

    The same findings again change nothing.

    :param query_set: the set whose graphs it stands beside.
    :returns: how many triples it holds.
    """
    started = now()
    name = f"quality/{version}"
    lines = sorted(set(triples(version, findings)))
    key = sha256(b"".join(lines)).hexdigest()[:16]
    present = open_read_only(workspace)
    if present.keys().get(name) == key:
        return len(lines)
    modules = sorted(f"{quality.__name__}.{module.name}" for module in iter_modules(quality.__path__))
    code = b"".join(Path(str(import_module(module).__file__)).read_bytes() for module in modules)
    plan = Plan("The quality of a version", "mlmkg/quality", "python", sha256(code).hexdigest())
    graphs = present.graphs()

    def made(content: graphfile.Written) -> Made:
        return Made(
            graph=graph_iri(query_set, name), key=key, content=content, plan=plan,
            parameters={"version": version},
            used=tuple(graphs[read] for read in (version, *_READ) if read in graphs),
            origins=(), started=started, ended=now(),
        )  # fmt: skip

    return pipeline.add(workspace, query_set, made, name, key, lines).triples
