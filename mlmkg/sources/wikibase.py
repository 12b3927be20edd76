"""One entity of Wikidata's JSON -> N-Triples in Wikibase's own RDF mapping.

Only what a recipe wants of an entity is written: its direct claims of best rank, its labels and its
articles. Source: https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final
from urllib.parse import quote

from mlmkg.catalog import Catalog
from mlmkg.ntriples import iri, line, text
from mlmkg.recipe import Recipe
from mlmkg.sources.leftout import LeftOut, left_out
from mlmkg.sources.terms import PLAIN, term_of
from mlmkg.sparql import tokens
from mlmkg.vocab import RDF, RDFS, SCHEMA, WD, WDT

logger = logging.getLogger(__name__)

#: Things skipped that are named; the others are only counted.
NAMED: Final = 20
#: The constraints that an entity must satisfy (section 3.3.1 of the paper): a class and a place.
CLASS, PLACE, SUBCLASS, COUNTRY, END = "P31", "P625", "P279", "P17", "P582"
#: Wikipedia's code -> the language's code, where they differ.
LANGUAGE_OF: Final = {
    "als": "gsw", "bat-smg": "sgs", "be-x-old": "be-tarask", "bh": "bho", "cbk-zam": "cbk-x-zam",
    "crh": "crh-Latn", "eml": "egl", "fiu-vro": "vro", "map-bms": "jv-x-bms", "nds-nl": "nds-NL",
    "no": "nb", "nrm": "fr-x-nrm", "roa-rup": "rup", "roa-tara": "it-x-tara", "simple": "en",
    "zh-classical": "lzh", "zh-min-nan": "nan", "zh-yue": "yue",
}  # fmt: skip
#: A wiki's code -> its database's, where they differ.
_DATABASE: Final = {"be-tarask": "be_x_old"}


#: What an entity that is no entity after all makes go wrong.
MALFORMED: Final = (ValueError, AttributeError, TypeError, KeyError)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of an entity.

    :param properties: the direct claims that are written, ``{"P31", "P625"}``.
    :param images: the properties of which an entity needs at least one.
    :param languages: of labels.
    :param sites: wikis, ``https://en.wikipedia.org/``; an entity needs an article in one of them.
    """

    properties: frozenset[str]
    images: frozenset[str]
    languages: tuple[str, ...]
    sites: tuple[str, ...]

    @cached_property
    def databases(self) -> Mapping[str, tuple[str, str]]:
        """Database name -> site, language code: ``enwiki`` -> ``https://en.wikipedia.org/``, ``en``."""
        return {database(site): (site, language(site)) for site in self.sites}


def database(site: str) -> str:
    """Return the name that a site has in Wikidata's JSON.

    >>> [database(f"https://{host}.org/") for host in ("zh-min-nan.wikipedia", "de.wikivoyage")]
    ['zh_min_nanwiki', 'dewikivoyage']
    """
    code, group = site.partition("//")[2].split(".")[:2]
    ending = "wiki" if group in {"wikipedia", "wikimedia"} else group
    return _DATABASE.get(code, code.replace("-", "_")) + ending


def language(site: str) -> str:
    """Return the code of a site's language.

    >>> language("https://simple.wikipedia.org/")
    'en'
    """
    code, group = site.partition("//")[2].split(".")[:2]
    return "en" if group == "wikimedia" else LANGUAGE_OF.get(code, code)


def wanted(catalog: Catalog, recipe: Recipe) -> Wanted:
    """Return what a query set and a recipe want: the direct claims that the extract queries name."""
    properties = {
        name for query in catalog.of_kind("extract") for name in direct_properties(query.text)
    }
    given = {
        name: [str(getattr(term, "value", term)) for term in terms]
        for name, terms in recipe.parameters.items()
    }
    named = {v.removeprefix(str(WDT)) for values in given.values() for v in values if v in WDT}
    images = frozenset(v.removeprefix(str(WDT)) for v in given.get("imageProperty", []))
    sites = given.get("site") or [f"https://{code}.wikipedia.org/" for code in recipe.languages]
    languages = tuple(given.get("language", recipe.languages))
    return Wanted(frozenset(properties | named), images, languages, tuple(sites))


def direct_properties(query: str) -> set[str]:
    """Return the direct claims that a query names.

    >>> sorted(direct_properties("ASK { ?a wdt:P31/wdt:P279 ?b }"))
    ['P279', 'P31']
    """
    found = set()
    for token in tokens(query):
        if token.kind == "name" and token.text.startswith("wdt:"):
            found.add(token.text.removeprefix("wdt:").rstrip("."))
        elif token.kind == "iri" and token.text[1:-1] in WDT:
            found.add(token.text[1:-1].removeprefix(str(WDT)))
    return {name for name in found if name[1:].isdigit()}


@dataclass
class Report:
    """What was not written, and why.

    :param counts: reason -> how often.
    :param left_out: what entities without an image or an article have -> how many there are.
    """

    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[LeftOut] = field(default_factory=Counter)

    def skipped(self, what: str, message: str) -> None:
        """Count something that cannot be read, and say so if it is one of the first of its kind."""
        self.counts[what] += 1
        if self.counts[what] <= NAMED:
            logger.warning("%s", message)


def entity_lines(entity: Mapping[str, Any], wanted: Wanted, report: Report) -> list[bytes]:
    """Return what is wanted of an entity, or nothing if it does not satisfy the constraints.

    A class (an entity with a superclass) gives its superclasses and labels. An entity with a class, a
    place, an image and an article in one of the sites gives all that is wanted of it; one that has only
    the first two is counted in the report.
    """
    name = str(entity.get("id", ""))
    claims = _mapping(entity.get("claims"))
    if not name.startswith("Q") or entity.get("type", "item") != "item" or not claims:
        return []

    @cache
    def values(of: str) -> list[str]:
        return list(_values(of, claims.get(of) or [], wanted, report))

    sitelinks = _mapping(entity.get("sitelinks"))
    links = [
        (site, code, str(sitelinks[db]["title"]))
        for db, (site, code) in wanted.databases.items() if sitelinks.get(db) is not None
    ]  # fmt: skip
    located = bool(values(CLASS) and values(PLACE))
    image = located and any(values(image) for image in wanted.images if image in claims)
    complete = image and bool(links)
    if located and not complete:
        kind = left_out(values(CLASS), values(PLACE), image=image, article=bool(links))
        report.left_out[kind] += 1
    if not complete and not values(SUBCLASS):
        return []
    subject = iri(WD[name])
    properties = sorted(wanted.properties & claims.keys()) if complete else [SUBCLASS]
    lines = [line(subject, iri(WDT[of]), value) for of in properties for value in values(of)]
    labels = _mapping(entity.get("labels"))
    lines += [
        line(subject, iri(RDFS.label), text(labels[code]["value"], code))
        for code in wanted.languages if code in labels
    ]  # fmt: skip
    for site, code, title in links if complete else ():
        article = iri(article_iri(site, title))
        lines += [
            line(article, iri(RDF.type), iri(SCHEMA.Article)),
            line(article, iri(SCHEMA.about), subject),
            line(article, iri(SCHEMA.inLanguage), text(code)),
            line(article, iri(SCHEMA.isPartOf), iri(site)),
            line(article, iri(SCHEMA.name), text(title, code)),
        ]
    return lines


def count(claims: Mapping[str, Any], wanted: Wanted, report: Report, *, article: bool) -> None:
    """Count an entity without an image or an article, if it has a class and a place.

    :param article: whether it has an article in one of the sites.
    """
    classes, places = (list(_values(of, claims.get(of) or [], wanted, report)) for of in (CLASS, PLACE))
    if classes and places:
        images = (_values(of, claims[of], wanted, report) for of in wanted.images & claims.keys())
        image = any(any(True for _ in values) for values in images)
        report.left_out[left_out(classes, places, image=image, article=article)] += 1


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping; PHP writes an empty one as a list."""
    return value if isinstance(value, dict) else {}


def article_iri(site: str, title: str) -> str:
    """Return an article's IRI as MediaWiki writes it.

    >>> article_iri("https://en.wikipedia.org/", "St. John's (Malta)")
    'https://en.wikipedia.org/wiki/St._John%27s_(Malta)'
    """
    return f"{site}wiki/{quote(title.replace(' ', '_'), safe=PLAIN)}"


def best(statements: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the statements of best rank: the preferred, else the normal, never the deprecated."""
    preferred = [s for s in statements if s.get("rank") == "preferred"]
    return preferred or [s for s in statements if s.get("rank", "normal") == "normal"]


def _values(
    name: str, statements: list[Mapping[str, Any]], wanted: Wanted, report: Report
) -> Iterator[str]:
    for statement in best(statements):
        if name == COUNTRY and END in _mapping(statement.get("qualifiers")):
            continue
        snak = statement.get("mainsnak", {})
        if snak.get("snaktype") != "value" or "datavalue" not in snak:
            continue
        # Old dumps do not say which strings are names of files.
        datatype = snak.get("datatype") or ("commonsMedia" if name in wanted.images else "")
        try:
            term = term_of(snak["datavalue"], datatype)
        except (KeyError, TypeError, ValueError):
            term = None
        if term is None:
            report.counts[f"values of {name} that cannot be written"] += 1
        else:
            yield term
