"""PROV-O of every step: what was made, from what, by which query file, when and by whom.

A finished step enters, its record leaves as N-Triples lines: the text of the file that stands beside
the graph file, and of its part of the provenance graph. Terms: https://www.w3.org/TR/prov-o/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from mlmkg import __version__
from mlmkg.graphfile import Written
from mlmkg.ntriples import integer, iri, line, text, typed
from mlmkg.sources import Origin
from mlmkg.vocab import ACTIVITY, AGENT, DCT, MLM, PLAN, PROV, RDF, RDFS, SCHEMA, XSD

SOFTWARE: Final = AGENT[f"mlmkg-{__version__}"]


@dataclass(frozen=True)
class Plan:
    """The file that says how a graph is made: a query, a Turtle file or a module.

    :param title: one line.
    :param path: within the query set, or within the package.
    :param query_set: the set it belongs to, ``v1``.
    :param sha256: of the file, hexadecimal.
    """

    title: str
    path: str
    query_set: str
    sha256: str

    @property
    def iri(self) -> str:
        """The plan's IRI: another text is another plan."""
        return PLAN[f"{self.query_set}/{self.path}/{self.sha256[:16]}"]


@dataclass(frozen=True)
class Made:
    """A graph that a step has written.

    :param graph: its IRI.
    :param key: what it depends on.
    :param content: how many triples, and their checksum.
    :param plan: how it was made.
    :param parameters: the values bound in the plan.
    :param used: IRIs of the graphs it was made from.
    :param origins: where the source's facts come from, if it was made from the source.
    :param started, ended: when, UTC.
    :param notes: what a reader should know, such as what was left out.
    """

    graph: str
    key: str
    content: Written
    plan: Plan
    parameters: Mapping[str, object]
    used: tuple[str, ...]
    origins: tuple[Origin, ...]
    started: datetime
    ended: datetime
    notes: tuple[str, ...] = ()


def now() -> datetime:
    """Return the time, UTC, to the second: what a provenance graph is precise to."""
    return datetime.now(UTC).replace(microsecond=0)


def time(moment: datetime) -> str:
    """Return an xsd:dateTime as a term."""
    return typed(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), XSD.dateTime)


def record(made: Made) -> list[bytes]:
    """Return the provenance of one graph as sorted N-Triples lines."""
    graph, activity = iri(made.graph), iri(ACTIVITY[made.key])
    association = iri(f"{ACTIVITY[made.key]}#association")
    plan, agent = iri(made.plan.iri), iri(SOFTWARE)
    a = iri(RDF.type)
    statements = [
        (graph, a, iri(PROV.Entity)),
        (graph, iri(PROV.wasGeneratedBy), activity),
        (graph, iri(MLM.key), text(made.key)),
        (graph, iri(MLM.sha256), text(made.content.sha256)),
        (graph, iri(MLM.tripleCount), integer(made.content.triples)),
        (activity, a, iri(PROV.Activity)),
        (activity, iri(RDFS.label), text(made.plan.title, "en")),
        (activity, iri(PROV.startedAtTime), time(made.started)),
        (activity, iri(PROV.endedAtTime), time(made.ended)),
        (activity, iri(MLM.parameters), text(json.dumps(made.parameters, sort_keys=True))),
        (activity, iri(PROV.wasAssociatedWith), agent),
        (activity, iri(PROV.qualifiedAssociation), association),
        (association, a, iri(PROV.Association)),
        (association, iri(PROV.agent), agent),
        (association, iri(PROV.hadPlan), plan),
        (plan, a, iri(PROV.Plan)),
        (plan, iri(DCT.title), text(made.plan.title, "en")),
        (plan, iri(MLM.path), text(made.plan.path)),
        (plan, iri(MLM.querySet), text(made.plan.query_set)),
        (plan, iri(MLM.sha256), text(made.plan.sha256)),
        (agent, a, iri(PROV.SoftwareAgent)),
        (agent, iri(RDFS.label), text(f"mlmkg {__version__}")),
        (agent, iri(SCHEMA.softwareVersion), text(__version__)),
    ]
    statements += [(activity, iri(PROV.used), iri(used)) for used in made.used]
    statements += [(activity, iri(RDFS.comment), text(note, "en")) for note in made.notes]
    for origin in made.origins:
        statements += [(activity, iri(PROV.used), iri(origin.iri)), *_origin(origin)]
    return sorted({line(*statement) for statement in statements})


def _origin(origin: Origin) -> Iterator[tuple[str, str, str]]:
    subject = iri(origin.iri)
    yield subject, iri(RDF.type), iri(PROV.Entity)
    yield subject, iri(DCT.title), text(origin.title, "en")
    yield subject, iri(SCHEMA.version), text(origin.version)
    yield subject, iri(DCT.license), iri(origin.licence)
    yield subject, iri(MLM.attribution), text(origin.attribution)


@dataclass(frozen=True)
class Remembered:
    """What an earlier record says a graph was made from, to say why it is made again."""

    plan_sha256: str
    parameters: str


def remembered(path: Path) -> Remembered:
    """Read a record."""
    values = {
        (triple.predicate.value, isinstance(triple.subject, ox.NamedNode) and triple.subject.value):
        triple.object.value
        for triple in _triples(path) if isinstance(triple.object, ox.Literal)
    }  # fmt: skip
    plan = parameters = ""
    for (predicate, subject), value in values.items():
        if predicate == MLM.sha256 and str(subject) in PLAN:
            plan = value
        if predicate == MLM.parameters:
            parameters = value
    return Remembered(plan, parameters)


def _triples(path: Path) -> Iterable[ox.Quad]:
    return ox.parse(path=path, format=ox.RdfFormat.N_TRIPLES)
