"""Every IRI the code needs, once.

A term of ours (``MLM``) is defined in ``ontology/mlm.ttl``; a test holds that.
"""

from __future__ import annotations

from typing import Final


class Namespace(str):
    """An IRI prefix; attributes and items are the IRIs in it, as plain strings.

    >>> Namespace("http://www.wikidata.org/prop/direct/").P31
    'http://www.wikidata.org/prop/direct/P31'
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return str(self) + name

    def __getitem__(self, name: object) -> str:  # type: ignore[override]
        return f"{self!s}{name}"


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
DCT: Final = Namespace("http://purl.org/dc/terms/")
DCAT: Final = Namespace("http://www.w3.org/ns/dcat#")
VOID: Final = Namespace("http://rdfs.org/ns/void#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
SH: Final = Namespace("http://www.w3.org/ns/shacl#")
SPDX: Final = Namespace("http://spdx.org/rdf/terms#")
GN: Final = Namespace("https://sws.geonames.org/")

#: Prefixes that every query run through mlmkg may use without declaring them.
PREFIXES: Final[dict[str, str]] = {
    "mlm": MLM,
    "mlmf": MLMF,
    "cell": CELL,
    "version": VERSION,
    "wd": WD,
    "wdt": WDT,
    "wikibase": WIKIBASE,
    "gn": GN,
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": OWL,
    "xsd": XSD,
    "skos": SKOS,
    "schema": SCHEMA,
    "geo": GEO,
    "geof": GEOF,
    "uom": UOM,
    "prov": PROV,
    "mls": MLS,
    "dct": DCT,
    "dcat": DCAT,
    "void": VOID,
    "foaf": FOAF,
}
