"""Every IRI the code needs, once.

A term of ours (``MLM``) is defined in ``ontology/mlm.ttl``; a test holds that.
"""

from __future__ import annotations

from typing import Final


class Namespace:
    """An IRI prefix; attributes and items are the IRIs in it, as plain strings.

    Not a subclass of ``str``, whose methods would hide terms such as ``title`` and ``split``.

    >>> Namespace("http://www.wikidata.org/prop/direct/").P31
    'http://www.wikidata.org/prop/direct/P31'
    """

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._prefix + name

    def __getitem__(self, name: object) -> str:
        return f"{self._prefix}{name}"

    def __str__(self) -> str:
        return self._prefix

    def __contains__(self, iri: str) -> bool:
        return iri.startswith(self._prefix)


BASE: Final = "https://w3id.org/mlmkg/"

MLM: Final = Namespace(BASE + "ontology#")
MLMF: Final = Namespace(BASE + "function#")
GRAPH: Final = Namespace(BASE + "graph/")
VERSION: Final = Namespace(BASE + "version/")
CELL: Final = Namespace(BASE + "cell/")
IMAGE: Final = Namespace(BASE + "image/")
SUMMARY: Final = Namespace(BASE + "summary/")
ACTIVITY: Final = Namespace(BASE + "activity/")
PLAN: Final = Namespace(BASE + "plan/")
AGENT: Final = Namespace(BASE + "agent/")
SOURCE: Final = Namespace(BASE + "source/")
RUN: Final = Namespace(BASE + "run/")
PREDICTION: Final = Namespace(BASE + "prediction/")
QUALITY: Final = Namespace(BASE + "quality/")
LEFT_OUT: Final = Namespace(BASE + "left-out/")

WD: Final = Namespace("http://www.wikidata.org/entity/")
WDT: Final = Namespace("http://www.wikidata.org/prop/direct/")
WIKIBASE: Final = Namespace("http://wikiba.se/ontology#")
RDF: Final = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS: Final = Namespace("http://www.w3.org/2000/01/rdf-schema#")
OWL: Final = Namespace("http://www.w3.org/2002/07/owl#")
XSD: Final = Namespace("http://www.w3.org/2001/XMLSchema#")
SKOS: Final = Namespace("http://www.w3.org/2004/02/skos/core#")
SCHEMA: Final = Namespace("http://schema.org/")
GEO: Final = Namespace("http://www.opengis.net/ont/geosparql#")
GEOF: Final = Namespace("http://www.opengis.net/def/function/geosparql/")
UOM: Final = Namespace("http://www.opengis.net/def/uom/OGC/1.0/")
PROV: Final = Namespace("http://www.w3.org/ns/prov#")
MLS: Final = Namespace("http://www.w3.org/ns/mls#")
DC: Final = Namespace("http://purl.org/dc/elements/1.1/")
DCT: Final = Namespace("http://purl.org/dc/terms/")
DCAT: Final = Namespace("http://www.w3.org/ns/dcat#")
VOID: Final = Namespace("http://rdfs.org/ns/void#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
SH: Final = Namespace("http://www.w3.org/ns/shacl#")
DQV: Final = Namespace("http://www.w3.org/ns/dqv#")
OA: Final = Namespace("http://www.w3.org/ns/oa#")
SPDX: Final = Namespace("http://spdx.org/rdf/terms#")
GN: Final = Namespace("https://sws.geonames.org/")

#: Prefixes that every query run through mlmkg may use without declaring them.
PREFIXES: Final[dict[str, str]] = {
    "mlm": str(MLM),
    "mlmf": str(MLMF),
    "cell": str(CELL),
    "version": str(VERSION),
    "wd": str(WD),
    "wdt": str(WDT),
    "wikibase": str(WIKIBASE),
    "gn": str(GN),
    "rdf": str(RDF),
    "rdfs": str(RDFS),
    "owl": str(OWL),
    "xsd": str(XSD),
    "skos": str(SKOS),
    "schema": str(SCHEMA),
    "geo": str(GEO),
    "geof": str(GEOF),
    "uom": str(UOM),
    "prov": str(PROV),
    "mls": str(MLS),
    "dct": str(DCT),
    "dcat": str(DCAT),
    "void": str(VOID),
    "foaf": str(FOAF),
    "dqv": str(DQV),
    "oa": str(OA),
}
