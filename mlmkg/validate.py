"""Asks whether a store holds what it should: SHACL shapes on single nodes, queries on the whole.

A store enters, findings leave. The shapes (``ontology/shapes.ttl``) say what a node must look like;
pySHACL holds a thousand nodes a second against them, so by default it sees a sample of each kind, the
same on every machine. The check queries (``queries/*/checks``) see everything: each row of an
answer is a finding.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyoxigraph as ox

from mlmkg.progress import Progress, quiet
from mlmkg.store import FUNCTIONS
from mlmkg.vocab import PREFIXES, RDF, SH, XSD

if TYPE_CHECKING:
    import rdflib
    from rdflib.term import Node

SAMPLE: Final = 200
SEED: Final = "mlmkg"
#: Nodes that pySHACL is given at a time: enough to outweigh its start, little enough memory.
BATCH: Final = 2_000
_LONGEST_VALUE: Final = 60

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


class Check(Protocol):
    """A check query, as :meth:`mlmkg.catalog.Catalog.of_kind` returns them."""

    @property
    def name(self) -> str:
        """Return the file's name without ``.rq``."""
        ...

    @property
    def title(self) -> str:
        """Return what a row of the answer means."""
        ...

    @property
    def text(self) -> str:
        """Return the query, a SELECT."""
        ...


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    :param check: the shape or the check query that says so.
    :param focus: the IRI it is said of, or ``""``.
    :param message: what is wrong, in words.
    :param severity: ``violation``, ``warning`` or ``info``.
    """

    check: str
    focus: str
    message: str
    severity: str = "violation"


@dataclass(frozen=True)
class Validation:
    """What was looked at, and what was found.

    :param findings: none of them: all is well.
    :param nodes: shape -> (nodes looked at, nodes there are).
    :param checks: the names of the check queries that ran.
    """

    findings: tuple[Finding, ...]
    nodes: dict[str, tuple[int, int]]
    checks: tuple[str, ...]

    def summary(self) -> str:
        """Return what was looked at, in one line."""
        seen = ", ".join(
            f"{looked:,} {label}" if looked == there else f"{looked:,} of {there:,} {label}"
            for label, (looked, there) in self.nodes.items() if there
        )  # fmt: skip
        return f"{len(self.checks)} checks; shapes on {seen or 'nothing'}"


@dataclass(frozen=True)
class _Shape:
    """A node shape with targets.

    :param iri: its IRI in the shapes graph.
    :param label: what a person calls what it describes.
    :param targets: patterns (predicate, object) whose subjects it is for; the object may be None.
    :param depth: the length of the longest path it follows.
    """

    iri: str
    label: str
    targets: tuple[tuple[str, str | None], ...]
    depth: int


def validate(
    store: ox.Store, *, checks: Iterable[Check] = (), sample: int = SAMPLE, all: bool = False,
    seed: str = SEED, shapes: Path | None = None, progress: Progress = quiet,
) -> Validation:  # fmt: skip
    """Hold a store against the shapes and the check queries.

    :param store: named graphs; their union is what is validated.
    :param checks: SELECT queries whose answers are empty when all is well. A row's ``?message`` is
        the message; without one it is the title and the row.
    :param sample: how many nodes per shape, chosen by a keyed hash of their IRIs.
    :param all: look at every node instead.
    :param seed: the key of that hash: another seed, another sample.
    :param shapes: a Turtle file of shapes instead of the shipped one.
    :raises SyntaxError: if a check is not valid SPARQL.
    """
    import rdflib

    graph = rdflib.Graph()
    graph.parse(shapes or Path(str(files("mlmkg.ontology").joinpath("shapes.ttl"))), format="turtle")
    nodes: dict[str, tuple[int, int]] = {}
    jobs: list[tuple[_Shape, tuple[ox.NamedNode, ...]]] = []
    for shape in _shapes(graph):
        there = _focus_nodes(store, shape)
        chosen = sorted(there) if all else draw(there, sample, seed)
        nodes[shape.label] = (len(chosen), len(there))
        jobs += [
            (shape, tuple(map(ox.NamedNode, chosen[start : start + BATCH])))
            for start in range(0, len(chosen), BATCH)
        ]
    findings: dict[Finding, None] = {}
    for shape, focus in progress(jobs, "shapes", unit="batch"):
        findings |= dict.fromkeys(_hold(store, graph, shape, focus))
    names = []
    for check in progress(list(checks), "checks", unit="check"):
        names.append(check.name)
        findings |= dict.fromkeys(run_check(store, check))
    return Validation(tuple(findings), nodes, tuple(names))


def draw(iris: Iterable[str], size: int, seed: str = SEED) -> list[str]:
    """Return ``size`` of the IRIs, or all if there are fewer: those with the least keyed hashes.

    :param seed: the key, at most 64 bytes of UTF-8.

    >>> draw(["urn:a", "urn:b", "urn:c"], 2) == draw(["urn:c", "urn:b", "urn:a"], 2)
    True
    """
    key = seed.encode()

    def place(iri: str) -> tuple[bytes, str]:
        return blake2b(iri.encode(), key=key, digest_size=8).digest(), iri

    return heapq.nsmallest(size, iris, key=place)


def run_check(store: ox.Store, check: Check) -> Iterator[Finding]:
    """Yield a finding per row of a check query's answer.

    :raises SyntaxError: if it is not valid SPARQL.
    :raises TypeError: if it is not a SELECT.
    """
    answer = store.query(
        check.text,
        prefixes=PREFIXES,
        use_default_graph_as_union=True,
        custom_functions=FUNCTIONS,
    )
    if not isinstance(answer, ox.QuerySolutions):
        raise TypeError(f"the check {check.name} is not a SELECT")
    variables = [variable.value for variable in answer.variables]
    for row in answer:
        cells = dict(zip(variables, row, strict=True))
        focus = next((t.value for t in cells.values() if isinstance(t, ox.NamedNode)), "")
        said = cells.pop("message", None)
        if said is not None:
            message = _text(said)
        else:
            rest = ", ".join(
                f"{name} {_text(term)}" for name, term in cells.items() if term is not None
            )
            message = f"{check.title}: {rest}"
        yield Finding(check.name, focus, message)


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _text(term: Any) -> str:
    return str(getattr(term, "value", term))


def _shapes(graph: rdflib.Graph) -> list[_Shape]:
    """Return the shapes that have targets, in the order of their labels."""
    from rdflib import RDF as TYPES
    from rdflib import RDFS, URIRef

    found = []
    for node in graph.subjects(TYPES.type, URIRef(SH.NodeShape)):
        targets = [(RDF.type, str(c)) for c in graph.objects(node, URIRef(SH.targetClass))]
        by_predicate: list[tuple[str, str | None]] = [
            (str(p), None) for p in graph.objects(node, URIRef(SH.targetSubjectsOf))
        ]
        label = str(graph.value(node, RDFS.label, default=node))
        if targets or by_predicate:
            found.append(_Shape(str(node), label, (*targets, *by_predicate), _depth(graph, node)))
    return sorted(found, key=lambda shape: shape.label)


def _depth(graph: rdflib.Graph, shape: Node) -> int:
    """Return how many steps the longest path of a shape takes."""
    from rdflib import URIRef

    paths = [
        path
        for prop in graph.objects(shape, URIRef(SH.property))
        for path in graph.objects(prop, URIRef(SH.path))
    ]
    return max((len(list(graph.items(path))) or 1 for path in paths), default=1)


def _focus_nodes(store: ox.Store, shape: _Shape) -> set[str]:
    found = set()
    for predicate, value in shape.targets:
        target = None if value is None else ox.NamedNode(value)
        for quad in store.quads_for_pattern(None, ox.NamedNode(predicate), target, None):
            if isinstance(quad.subject, ox.NamedNode):
                found.add(quad.subject.value)
    return found


def _hold(
    store: ox.Store, shapes: rdflib.Graph, shape: _Shape, focus: Sequence[ox.NamedNode]
) -> list[Finding]:
    """Return what pySHACL finds about some nodes, with what the shape needs of the nodes beyond.

    The neighbours are not fully known here and must not be validated themselves: the shape's targets
    are replaced by the nodes' names. (pySHACL's own ``focus_nodes`` also filters the values inside
    nested shapes, which then pass unseen.)
    """
    from pyshacl import validate as pyshacl_validate
    from rdflib import RDF as TYPES
    from rdflib import Graph, URIRef

    targeted = Graph()
    targeting = {URIRef(SH.targetClass), URIRef(SH.targetSubjectsOf)}
    for triple in shapes:
        if triple[1] not in targeting:
            targeted.add(triple)
    for node in focus:
        targeted.add((URIRef(shape.iri), URIRef(SH.targetNode), URIRef(node.value)))
    _, results, _ = pyshacl_validate(
        _surroundings(store, focus, shape.depth), shacl_graph=targeted, inplace=True
    )
    findings = set()
    for result in results.subjects(TYPES.type, URIRef(SH.ValidationResult)):
        message = str(results.value(result, URIRef(SH.resultMessage)))
        value = results.value(result, URIRef(SH.value))
        severity = str(results.value(result, URIRef(SH.resultSeverity)))
        finding = Finding(
            check=shape.label,
            focus=str(results.value(result, URIRef(SH.focusNode))),
            message=message if value is None else f"{message} Found: {_shortened(str(value))}",
            severity=severity.removeprefix(str(SH)).lower(),
        )
        findings.add(finding)
    return sorted(findings, key=lambda finding: (finding.focus, finding.message))


def _surroundings(store: ox.Store, focus: Sequence[ox.NamedNode], depth: int) -> rdflib.Graph:
    """Return what is said of the nodes, of what they lead to in ``depth`` steps, and its types."""
    import rdflib

    graph = rdflib.Graph()
    cache: dict[Term, Node] = {}

    def converted(term: Term) -> Node:
        if (known := cache.get(term)) is None:
            known = cache[term] = _rdflib(term)
        return known

    seen: set[Term] = set(focus)
    level: list[Term] = list(focus)
    for step in range(depth + 1):
        predicate = ox.NamedNode(RDF.type) if step == depth else None
        ahead: list[Term] = []
        for node in level:
            for quad in store.quads_for_pattern(node, predicate, None, None):  # type: ignore[arg-type]
                if isinstance(quad.object, ox.Triple):
                    continue  # rdflib has no triple terms
                graph.add((converted(node), converted(quad.predicate), converted(quad.object)))
                if not isinstance(quad.object, ox.Literal) and quad.object not in seen:
                    seen.add(quad.object)
                    ahead.append(quad.object)
        level = ahead
    return graph


def _rdflib(term: Term) -> Node:
    import rdflib

    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return rdflib.Literal(term.value, lang=term.language)
        if term.datatype.value == XSD.string:  # for rdflib, another literal than the plain one
            return rdflib.Literal(term.value)
        datatype = rdflib.URIRef(term.datatype.value)
        return rdflib.Literal(term.value, datatype=datatype, normalize=False)
    raise TypeError(f"rdflib has no such term: {term}")
