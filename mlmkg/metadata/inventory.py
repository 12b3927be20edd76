"""What there is to describe: the graphs and their files, the exports, the origins, the coverage.

A store and its workspace enter; an :class:`Inventory` leaves, from which all metadata files are
written. Everything in it is read from the store, its provenance graph, and the exports' manifests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import pyoxigraph as ox

from mlmkg import __version__
from mlmkg.errors import WorkspaceError
from mlmkg.graphfile import GraphFile
from mlmkg.metadata.exports import Export, read_exports
from mlmkg.metadata.parts import Box, File
from mlmkg.metadata.statistics import StoreStatistics, count
from mlmkg.progress import Progress, quiet
from mlmkg.provenance import SOFTWARE
from mlmkg.sources import Origin
from mlmkg.store import PROVENANCE, graph_name
from mlmkg.vocab import PREFIXES
from mlmkg.workspace import Workspace

_POINT: Final = re.compile(r"point\s*\(\s*([-+.\de]+)\s+([-+.\de]+)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Graph:
    """A named graph.

    :param iri: its IRI.
    :param name: its name in the query set, ``hops``.
    :param title: what made it, one line.
    :param checksum: the sha256 of its sorted N-Triples, or None for the provenance graph.
    :param written: when, an xsd:dateTime, or None.
    :param licence: the one licence that its own nodes or its origins have, or None.
    :param file: the graph file, if it is there.
    """

    iri: str
    name: str
    title: str
    checksum: str | None
    written: str | None
    licence: str | None
    file: File | None


@dataclass(frozen=True)
class Inventory:
    """All that the metadata files say.

    :param root: where the workspace is, an absolute path.
    :param statistics: counts of the store.
    :param graphs: by IRI.
    :param exports: by name.
    :param origins: where the facts come from.
    :param kind: the label of the class whose instances the entities are.
    :param entities: how many there are.
    :param images: how many image files.
    :param summaries: language -> how many.
    :param box: what the entities span.
    :param example: the IRI of an entity.
    :param modified: when the newest graph was written, an xsd:dateTime, or None.
    :param software: IRI and name of what made it.
    """

    root: Path
    statistics: StoreStatistics
    graphs: tuple[Graph, ...]
    exports: tuple[Export, ...]
    origins: tuple[Origin, ...]
    kind: str
    entities: int
    images: int
    summaries: dict[str, int]
    box: Box | None
    example: str | None
    modified: str | None
    software: tuple[str, str]

    @property
    def licences(self) -> tuple[str, ...]:
        """The different licences of the origins."""
        return tuple(sorted({origin.licence for origin in self.origins}))

    @property
    def urn(self) -> str:
        """A name for this content: the same graphs have the same, any other have another.

        The provenance graph, which holds the time of day, does not count.
        """
        sums = [f"{g.iri} {g.checksum}" for g in self.graphs if g.name != PROVENANCE]
        digest = sha256("\n".join(sorted(sums)).encode()).hexdigest()
        return uuid5(NAMESPACE_URL, f"{SOFTWARE} {digest}").urn


def take(
    store: ox.Store, workspace: Workspace, version: str | None = None, *,
    statistics: StoreStatistics | None = None, files: bool = True, progress: Progress = quiet,
) -> Inventory:  # fmt: skip
    """Return what there is in a store and its workspace.

    :param version: describe this export alone; by default all that are there.
    :param statistics: the store's counts, if they are known.
    :param files: whether to look at graph files, exports and places; VoID needs none of them.
    :raises WorkspaceError: if the store holds no named graphs.
    :raises ExportError: if there is no such export, or one is not what its manifest says.
    """
    statistics = statistics or count(store, progress=progress)
    if not statistics.graphs:
        raise WorkspaceError(
            "the store is empty", where=workspace.store, action="Run `mlmkg build` to fill it"
        )
    graphs = tuple(_graphs(store, workspace if files else None, statistics, progress))
    images = _rows(store, "SELECT (COUNT(*) AS ?n) WHERE { ?f a mlm:ImageFile }")
    where = "SELECT (STR(?p) AS ?w) WHERE { ?e a mlm:Entity ; wdt:P625 ?p }"
    points = _rows(store, where) if files else iter(())
    languages = _rows(  # joined by two scans: a third of the time of a look-up per summary
        store,
        "SELECT ?l (COUNT(*) AS ?n) WHERE { { SELECT ?s { ?s a mlm:Summary } } "
        "{ SELECT ?s ?l { ?s schema:inLanguage ?l } } } GROUP BY ?l",
    )
    example = _rows(store, "SELECT (MIN(?e) AS ?first) WHERE { ?e a mlm:Entity }")
    software = _rows(store, "SELECT DISTINCT ?a ?l WHERE { ?a a prov:SoftwareAgent ; rdfs:label ?l }")
    return Inventory(
        root=workspace.root.resolve(),
        statistics=statistics,
        graphs=graphs,
        exports=tuple(read_exports(workspace, version)) if files else (),
        origins=tuple(_origins(store)),
        kind=_kind(store),
        entities=statistics.union.classes[f"{PREFIXES['mlm']}Entity"],
        images=int(next(images)[0]),
        summaries={row[0]: int(row[1]) for row in sorted(languages)},
        box=_box(row[0] for row in points),
        example=next((row[0] for row in example if row[0]), None),
        modified=max((g.written for g in graphs if g.written), default=None),
        software=max(((a, label) for a, label in software), default=(SOFTWARE, f"mlmkg {__version__}")),
    )


def _kind(store: ox.Store) -> str:
    """Return the label of the base class, in English if it has one."""
    labels = _rows(store, "SELECT ?l (LANG(?l) AS ?code) { ?c mlm:hops 0 ; rdfs:label ?l }")
    by_language = {code: label for label, code in labels}
    return by_language.get("en") or next(iter(sorted(by_language.values())), "one class")


def _rows(store: ox.Store, query: str) -> Iterator[list[str]]:
    answer: Any = store.query(query, prefixes=PREFIXES, use_default_graph_as_union=True)
    for solution in answer:
        yield ["" if term is None else term.value for term in solution]


def _graphs(
    store: ox.Store, workspace: Workspace | None, statistics: StoreStatistics, progress: Progress
) -> Iterator[Graph]:
    records = {
        row[0]: row[1:]
        for row in _rows(  # by the key first, which image files have not
            store,
            "SELECT ?g ?title ?sum ?key ?end WHERE { ?g mlm:key ?key ; mlm:sha256 ?sum ; "
            "prov:wasGeneratedBy ?a . ?a rdfs:label ?title ; prov:endedAtTime ?end }",
        )
    }
    licences = _licences(store)
    for iri in progress(sorted(statistics.graphs), "checksums of graph files", unit="graph"):
        name = graph_name(iri)
        if iri in records:
            title, checksum, key, written = records[iri]
            file = None
            if workspace is not None:
                path = GraphFile(workspace.graphs, name, key).path
                file = _file(workspace, path) if path.is_file() else None
            found = licences.get(iri, set())
            licence = found.pop() if len(found) == 1 else None
            yield Graph(iri, name, title, checksum, written, licence, file)
        else:
            title = "How the graphs were made" if name == PROVENANCE else name
            yield Graph(iri, name, title, None, None, None, None)


def _licences(store: ox.Store) -> dict[str, set[str]]:
    """Return graph -> licences: what its own nodes say, else those of the origins it comes from."""
    stated: dict[str, set[str]] = {}
    for graph, licence in _rows(
        store, "SELECT DISTINCT ?g ?l WHERE { GRAPH ?g { ?s dct:license ?l } }"
    ):
        stated.setdefault(graph, set()).add(licence)
    derived: dict[str, set[str]] = {}
    for graph, licence in _rows(
        store,
        "SELECT DISTINCT ?g ?l WHERE { ?g mlm:tripleCount ?n ; "
        "(prov:wasGeneratedBy/prov:used)+ ?origin . ?origin dct:license ?l }",
    ):
        derived.setdefault(graph, set()).add(licence)
    return derived | stated


def _origins(store: ox.Store) -> Iterator[Origin]:
    query = (
        "SELECT DISTINCT ?o ?title ?version ?licence ?credit WHERE { ?o a prov:Entity ; "
        "dct:title ?title ; schema:version ?version ; dct:license ?licence ; mlm:attribution ?credit }"
    )
    for row in sorted(_rows(store, query)):
        yield Origin(*row)


def _file(workspace: Workspace, path: Path) -> File:
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return File(path.relative_to(workspace.root).as_posix(), path.stat().st_size, digest)


def _box(points: Iterable[str]) -> Box | None:
    """Return the box around WKT points; one on another globe begins with its IRI and is left out."""
    found = [match for point in points if (match := _POINT.fullmatch(point))]
    if not found:
        return None
    longitudes = [float(match[1]) for match in found]
    latitudes = [float(match[2]) for match in found]
    return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))
