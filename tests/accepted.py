"""Who accepts a published file: other people's validators, a recount, and where there is none, shapes.

Each takes what is published and returns its complaints; an accepted file has none. No package on the
index has the shapes of DCAT-AP and of Google, or DataCite's XSD: what they demand is stated here.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import urlopen

import jsonschema
import mlcroissant as mlc
import pyoxigraph as ox
import pyshacl
import rdflib
import requests_cache
import rocrate.rocrate
from datacite import schema45
from lxml import etree
from mlcroissant._src.core.issues import GenerationError
from PIL import Image
from rdflib import RDF, VOID
from rdflib.void import generateVoID
from requests import Response
from requests.adapters import BaseAdapter, HTTPAdapter
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from signposting import find_signposting_html, find_signposting_linkset
from soso.validation import validate as soso_validate
from urllib3.response import HTTPResponse

from mlmkg.export.checksums import verify
from tests.described import DCAT, SPDX, whole
from tests.shapes import CODEMETA, DATACITE, GOOGLE

CRATE_CONTEXT = "https://w3id.org/ro/crate/1.2/context"


#: What a count is of, and the term if it is one of a partition -> the number.
Counts = dict[tuple[str, str], int]
_WHOLE = ("triples", "distinctSubjects", "distinctObjects", "properties", "classes")


def recount(store: ox.Store) -> dict[str, Counts]:
    """Count each graph of a store, and as "" their union, with rdflib, and what it has no count of."""
    graphs = {
        graph.value: rdflib.Graph().parse(
            data=store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph), format="nt"
        )
        for graph in store.named_graphs()
    }
    union = rdflib.Graph()
    for graph in graphs.values():
        union += graph
    return {iri: _counts(graph) for iri, graph in {"": union, **graphs}.items()}


def _counts(graph: rdflib.Graph) -> Counts:
    void, node = generateVoID(graph)
    found = {(number, ""): int(void.value(node, VOID[number])) for number in _WHOLE}
    found["entities", ""] = len({s for s in graph.subjects() if isinstance(s, rdflib.URIRef)})
    for term in set(graph.predicates()):
        pairs = list(graph.subject_objects(term))
        found["property", str(term)] = len(pairs)
        found["subjects of property", str(term)] = len({s for s, _ in pairs})
        found["objects of property", str(term)] = len({o for _, o in pairs})
    for term in set(graph.objects(None, RDF.type)):
        found["class", str(term)] = len(set(graph.subjects(RDF.type, term)))
    return found


def _told(said: rdflib.Graph, node: rdflib.term.Node) -> Counts:
    """Return what VoID says of a dataset or a graph."""
    found = {(number, ""): said.value(node, VOID[number]) for number in (*_WHOLE, "entities")}
    for part in said.objects(node, VOID.propertyPartition):
        term = str(said.value(part, VOID.property))
        found["property", term] = said.value(part, VOID.triples)
        found["subjects of property", term] = said.value(part, VOID.distinctSubjects)
        found["objects of property", term] = said.value(part, VOID.distinctObjects)
    for part in said.objects(node, VOID.classPartition):
        found["class", str(said.value(part, VOID["class"]))] = said.value(part, VOID.entities)
    return {key: int(number) for key, number in found.items() if number is not None}


def void(said: rdflib.Graph, counted: dict[str, Counts], store: ox.Store) -> Iterator[str]:
    """Compare what VoID says with a recount, and its links with what SPARQL counts.

    :param counted: see :func:`recount`.
    """
    linksets = set(said.subjects(RDF.type, VOID.Linkset))
    subsets = set(said.objects(whole(said), VOID.subset)) - linksets
    told = {str(node): _told(said, node) for node in subsets} | {"": _told(said, whole(said))}
    for iri in told.keys() ^ counted.keys():
        yield f"graph: {iri}"
    for iri in told.keys() & counted.keys():
        in_graphs = {
            key: number for key, number in counted[iri].items() if not (iri and " of " in key[0])
        }
        for key, number in told[iri].items() ^ in_graphs.items():
            yield f"{' '.join(filter(None, key))} of {iri or 'all graphs'}: {number}"
    found = {
        (str(said.value(one, VOID.objectsTarget)), str(said.value(one, VOID.linkPredicate))): int(
            said.value(one, VOID.triples)
        )
        for one in linksets
    }
    yield from (f"links: {key} of {n}" for key, n in found.items() ^ links(said, store).items())


def links(said: rdflib.Graph, store: ox.Store) -> dict[tuple[str, str], int]:
    """Return dataset and property -> triples whose object fits the pattern that VoID gives for it."""
    found = {}
    for target, pattern in said.subject_objects(VOID.uriRegexPattern):
        rows = store.query(
            "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o FILTER(isIRI(?o) && REGEX(STR(?o), "
            f"{ox.Literal(str(pattern))})) }} GROUP BY ?p",
            use_default_graph_as_union=True,
        )
        found |= {(str(target), row["p"].value): int(row["n"].value) for row in rows}
    return found


def shacl(said: rdflib.Graph, shapes: str) -> list[str]:
    """Ask pySHACL."""
    conforms, _, report = pyshacl.validate(said, shacl_graph=rdflib.Graph().parse(data=shapes))
    return [] if conforms else [report]


def distributions(said: rdflib.Graph, root: Path, address: str) -> Iterator[str]:
    """Compare the sizes and checksums of DCAT with the files."""
    for node in said.subjects(RDF.type, DCAT.Distribution):
        name = unquote(str(said.value(node, DCAT.downloadURL)).removeprefix(address))
        if not (root / name).is_file():
            yield f"no file: {name}"
            continue
        content = (root / name).read_bytes()
        checksum = said.value(said.value(node, SPDX.checksum), SPDX.checksumValue)
        if str(checksum).lower() != sha256(content).hexdigest():
            yield f"checksum: {name}"
        if said.value(node, DCAT.byteSize).toPython() != len(content):
            yield f"size: {name}"


def science_on_schema_org(path: Path) -> list[str]:
    """Ask the package soso, which has the shapes of Science-on-Schema.org 1.2.3."""
    answer = soso_validate(str(path))
    return [] if answer["conforms"] else [answer["report"]]


def google(path: Path) -> list[str]:
    """Ask pySHACL what Google's dataset search would."""
    return shacl(rdflib.Graph().parse(path, format="json-ld"), GOOGLE)


def croissant(path: Path, sets: tuple[str, ...] = ()) -> list[str]:
    """Ask mlcroissant: for issues, and for the first record of record sets; by default of all."""
    try:
        data = mlc.Dataset(path)
        issues = data.metadata.ctx.issues
        for name in sets or [one.id for one in data.metadata.record_sets]:
            next(iter(data.records(name)))
    except (ValueError, mlc.ValidationError, GenerationError) as error:
        return ["".join(traceback.format_exception(error))]
    return [*issues.errors, *issues.warnings]


class Shipped(BaseAdapter):
    """Answers for the network with the context of RO-Crate that the package rocrate ships."""

    def send(self, request, **options) -> Response:
        body = (Path(rocrate.rocrate.__file__).parent / "data" / "ro-crate.jsonld").open("rb")
        raw = HTTPResponse(body, {"Content-Type": "application/ld+json"}, status=200,
                           preload_content=False, request_url=request.url)  # fmt: skip
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Hold nothing."""


def crate_validator(cache: Path) -> Callable[[Path], list[str]]:
    """Return roc-validator, offline.

    :param cache: a file for what it would fetch.
    """
    session = requests_cache.CachedSession(str(cache), backend="sqlite", expire_after=-1)
    session.mount("https://", Shipped())
    session.get(CRATE_CONTEXT)

    def crate(folder: Path) -> list[str]:
        settings = ValidationSettings(
            rocrate_uri=str(folder), profile_identifier="ro-crate-1.2", offline=True,
            cache_path=cache, requirement_severity=Severity.REQUIRED,
        )  # fmt: skip
        return [issue.message for issue in services.validate(settings).get_issues(Severity.REQUIRED)]

    return crate


def datacite_json(path: Path) -> list[str]:
    """Ask the schema 4.5 that the package datacite ships."""
    record = json.loads(path.read_text("utf-8"))
    return [f"{e.json_path}: {e.message}" for e in schema45.validator.iter_errors(record)]


def datacite_xml(path: Path) -> list[str]:
    """Ask a short RELAX NG schema."""
    schema = etree.RelaxNG(etree.fromstring(DATACITE))
    schema.validate(etree.parse(path))
    return [str(error) for error in schema.error_log]


def codemeta(path: Path) -> list[str]:
    """Ask a short JSON schema."""
    document = json.loads(path.read_text("utf-8"))
    found = jsonschema.Draft202012Validator(CODEMETA).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def checksums(folder: Path) -> list[str]:
    """Compare a folder with its SHA256SUMS."""
    found = verify(folder)
    return [*found.changed, *found.missing, *found.added]


def picture(path: Path) -> list[str]:
    """Ask Pillow."""
    try:
        with Image.open(path) as image:
            image.load()
    except OSError as error:
        return [str(error)]
    return []


def signposted(page: str) -> Iterator[str]:
    """Ask the package signposting, follow every link of a page, compare files with their checksums."""
    found = find_signposting_html(page)
    for kind in ("citeAs", "license", "authors", "types", "describedBy", "items", "linksets"):
        if not getattr(found, kind):
            yield f"no {kind}"
    with urlopen(page) as answer:
        text = answer.read().decode()
    for sign in (*found.items, *found.describedBy, *found.linksets):
        try:
            with urlopen(sign.target) as answer:
                content = answer.read()
        except HTTPError as error:
            yield f"{sign.target}: {error}"
            continue
        if sign in found.items and f"<code>{sha256(content).hexdigest()}</code>" not in text:
            yield f"checksum: {sign.target}"


def link_set(page: str) -> Iterator[str]:
    """Ask the package signposting whether a link set says what the page says, and leads back to it."""
    found = find_signposting_html(page)
    (sign,) = found.linksets
    links = find_signposting_linkset(sign.target)
    mine = links.for_context(page)
    for kind in ("citeAs", "license", "authors", "types", "describedBy", "items"):
        if getattr(mine, kind) != getattr(found, kind):
            yield f"{kind}: {getattr(mine, kind)}"
    for item in found.items:
        back = {sign.target for sign in links.for_context(item.target) if sign.rel == "collection"}
        if back != {page}:
            yield f"collection: {item.target}"
