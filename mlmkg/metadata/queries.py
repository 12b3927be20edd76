"""SHACL-described queries: a query set as SPARQL editors list it.

A query set and the address of an endpoint enter, Turtle leaves: every file is a ``sh:SPARQLExecutable``
(https://www.w3.org/TR/shacl-af/#SPARQLExecutable-terms) in the form of the SIB's sparql-examples
(https://github.com/sib-swiss/sparql-examples), which the SIB's SPARQL editor reads from an endpoint
that holds it. A query has the IRI of the plan that provenance names, so a graph leads to what made
it; its text declares the prefixes it uses, so it runs anywhere as it stands.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from mlmkg.catalog import KINDS, Catalog, QueryFile
from mlmkg.metadata.turtle import Out
from mlmkg.provenance import Plan
from mlmkg.sparql import form, tokens
from mlmkg.vocab import BASE, DCT, MLM, OWL, PREFIXES, PROV, RDF, RDFS, SH, XSD, Namespace

#: Where SIB's form has its terms from: schema.org with an s, as its shapes ask.
SDO: Final = Namespace("https://schema.org/")
SPEX: Final = Namespace("https://purl.expasy.org/sparql-examples/ontology#")
#: Form of a query -> its class, the property of its text.
_FORMS: Final = {
    "SELECT": (SH.SPARQLSelectExecutable, SH.select),
    "CONSTRUCT": (SH.SPARQLConstructExecutable, SH.construct),
    "ASK": (SH.SPARQLAskExecutable, SH.ask),
    "DESCRIBE": (SPEX.SPARQLDescribeExecutable, SPEX.describe),
}


def queries(catalog: Catalog, endpoint: str | None = None) -> bytes:
    """Return the description of a query set as Turtle.

    :param catalog: the query set.
    :param endpoint: the address of the endpoint that answers; without it there is no ``schema:target``.
    """
    out = Out()
    out.graph.bind("sdo", str(SDO))
    out.graph.bind("spex", str(SPEX))
    declared = out.iri(f"{BASE}query/{catalog.name}/prefixes")
    out.say(declared, RDF.type, out.iri(OWL.Ontology))
    out.say(declared, RDFS.label, out.english(f"Prefixes of the query set {catalog.name}"))
    for prefix, namespace in sorted(PREFIXES.items()):
        declaration = out.blank()
        out.say(declared, SH.declare, declaration)
        out.say(declaration, SH.prefix, out.plain(prefix))
        out.say(declaration, SH.namespace, out.typed(namespace, XSD.anyURI))
    for query in catalog:
        cls, text = _FORMS[form(query.text)]
        subject = out.node(plan_of(catalog, query), SH.SPARQLExecutable)
        out.say(subject, RDF.type, out.iri(cls))
        out.say(subject, RDF.type, out.iri(PROV.Plan))
        out.say(subject, SH.prefixes, declared)
        out.say(subject, RDFS.label, out.english(query.title))
        out.say(subject, RDFS.comment, out.english(_comment(query)))
        out.say(subject, text, out.plain(standalone(query.text)))
        for keyword in (query.kind, *query.reads, *([query.writes] if query.writes else [])):
            out.say(subject, SDO.keywords, out.plain(keyword.replace("_", " ")))
        if endpoint:
            out.say(subject, SDO.target, out.iri(endpoint))
        out.say(subject, DCT.identifier, out.plain(query.short_path))
        out.say(subject, MLM.path, out.plain(query.short_path))
        out.say(subject, MLM.querySet, out.plain(catalog.name))
        out.say(subject, MLM.sha256, out.plain(query.sha256))
    return out.turtle()


def plan_of(catalog: Catalog, query: QueryFile) -> str:
    """Return the IRI that the provenance of a graph names a query by."""
    return Plan(query.title, query.short_path, catalog.name, query.sha256).iri


def standalone(text: str) -> str:
    """Return a query without its header, with a PREFIX for every prefix that it uses.

    >>> print(standalone("#+ title: Entities\\nSELECT ?e WHERE { ?e a mlm:Entity }"))
    PREFIX mlm: <https://w3id.org/mlmkg/ontology#>
    SELECT ?e WHERE { ?e a mlm:Entity }
    """
    lines = [line for line in text.splitlines() if not line.startswith("#+")]
    found = list(tokens(text))
    declared = {
        name.text.partition(":")[0]
        for word, name in pairwise(found)
        if word.kind == "word" and word.text.upper() == "PREFIX"
    }
    used = {token.text.partition(":")[0] for token in found if token.kind == "name"}
    head = [
        f"PREFIX {prefix}: <{PREFIXES[prefix]}>"
        for prefix in sorted((used - declared) & PREFIXES.keys())
    ]
    return "\n".join([*head, *lines]).strip("\n")


def _comment(query: QueryFile) -> str:
    """Return what a query is for, and what its parameters are."""
    told = [f"{query.title}.", query.description.strip(), f"Kind: {query.kind}, {KINDS[query.kind]}."]
    if query.parameters:
        named = "; ".join(f"?{name}: {what}" for name, what in query.parameters.items())
        told.append(f"To ask for others, change the VALUES blocks of: {named}.")
    if query.batch:
        told.append(
            f"Sent in pieces: put {query.batch.source} into the block VALUES ?{query.batch.variable}."
        )
    return " ".join(filter(None, (" ".join(part.split()) for part in told)))
