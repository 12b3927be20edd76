"""Writes the vocabulary's pages into the site: a hook of MkDocs (``hooks:`` in mkdocs.yml).

``ontology/mlm.ttl`` enters; pages by pyLODE, one a language, and the files themselves leave, below
``ontology/`` of the site. pyLODE sets all languages of a label in a row, so each page is given a graph
that speaks one.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from dominate.tags import a, div
from dominate.util import raw
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pylode.profiles.ontpub import OntPub
from pylode.rdf_elements import PROP_PROPS
from pylode.utils import section_html
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal

logging.root.handlers[:] = [logging.NullHandler()]  # pyLODE, once imported, tells everything

ONTOLOGY: Final = Path(__file__).parents[1] / "ontology"
FILES: Final = ("mlm.ttl", "shapes.ttl", "context.jsonld", "countries.ttl")
LANGUAGES: Final = {"en": "English", "de": "Deutsch", "fr": "Français"}
#: What a functional property is, which pyLODE would list a second time.
ONE_VALUE: Final = {
    "en": "At most one value.", "de": "Höchstens ein Wert.", "fr": "Une valeur au plus.",
}  # fmt: skip
#: What pyLODE has no row for.
MATCHES: Final = {
    SKOS.closeMatch: "skos:closeMatch", SKOS.relatedMatch: "skos:relatedMatch",
    SKOS.broadMatch: "skos:broadMatch",
}  # fmt: skip
STYLE: Final = """
#languages { margin: 0 0 1em; } #languages a { margin-right: 1em; }
@media (max-width: 800px) {
  body { margin: 0 !important; padding: 12px !important; } #pylode, #toc { display: none; }
  #content { width: auto !important; padding: 0 !important; margin: 0 !important; }
  tr, td, th { display: block; width: auto !important; } dd { margin-left: 1em; }
  table, code, a { overflow-wrap: anywhere; word-break: break-word; }
}
"""


class Page(OntPub):  # type: ignore[misc]
    """A page that lists the named individuals, too."""

    def _make_main_sections(self) -> None:
        super()._make_main_sections()
        with self.content:
            section_html(
                "Named Individuals", self.ont, self.back_onts, self.ns, OWL.NamedIndividual,
                PROP_PROPS, self.toc, "named_individuals", self.fids, self.props_labeled,
            )  # fmt: skip


def page(language: str) -> str:
    """Return the vocabulary's page in a language, ``en``, ``de`` or ``fr``."""
    whole, spoken = (Graph(bind_namespaces="none") for _ in range(2))
    whole.parse(ONTOLOGY / "mlm.ttl")
    for prefix, space in whole.namespaces():
        spoken.bind(prefix, space, replace=True)
    for s, p, o in whole:
        if not isinstance(o, Literal) or o.language in (None, language):
            spoken.add((s, p, o))
    for term in whole.subjects(RDF.type, OWL.FunctionalProperty):
        spoken.remove((term, RDF.type, OWL.FunctionalProperty))
        spoken.add((term, SKOS.scopeNote, Literal(ONE_VALUE[language], language)))
    for term, match in ((s, p) for p in MATCHES for s in set(whole.subjects(p))):
        others = ", ".join(sorted(o.n3(whole.namespace_manager) for o in whole.objects(term, match)))
        spoken.add((term, SKOS.note, Literal(f"{MATCHES[match]} {others}")))
    for term in set(whole.subjects(RDFS.isDefinedBy)):
        kinds = set(whole.objects(term, RDF.type))
        if not any(str(kind).startswith(str(OWL)) for kind in kinds):
            spoken.add((term, RDF.type, OWL.NamedIndividual))
    made = Page(spoken, sort_subjects=True)
    # https://w3id.org/mlmkg/ontology#GeoCell shall find its place on the page.
    for term in spoken.subjects(RDFS.isDefinedBy):
        if "#" in term:
            made.fids[str(term)] = term.fragment
    made.make_html()
    made.doc["lang"] = language
    with made.doc.head:
        raw(f"<style>{STYLE}</style>")
        raw('<meta name="viewport" content="width=device-width, initial-scale=1">')
        raw("".join(f'<link rel="alternate" hreflang="{other}" href="{other}.html">'
                    for other in LANGUAGES if other != language))  # fmt: skip
        raw('<link rel="alternate" type="text/turtle" href="mlm.ttl">')
    links = div(id="languages")
    for other, name in LANGUAGES.items():
        links.add(name if other == language else a(name, href=f"{other}.html"))
        links.add(" ")
    for file in FILES:
        links.add(a(file, href=file))
    made.content.children.insert(0, links)
    return made.doc.render()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and the files to the site."""
    for language in LANGUAGES:
        files.append(File.generated(config, f"ontology/{language}.html", content=page(language)))
    for name in FILES:
        files.append(File.generated(config, f"ontology/{name}", abs_src_path=str(ONTOLOGY / name)))
    return files
