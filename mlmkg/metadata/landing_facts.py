"""What the landing page shows besides the inventory: places, languages, licences, how graphs were made.

A store enters, counts leave: aggregated by SPARQL, so that no text is read. A place takes 8 bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph as ox

from mlmkg.licences import FAMILIES, family
from mlmkg.store import graph_name
from mlmkg.vocab import PREFIXES

if TYPE_CHECKING:
    from mlmkg.report.figures import Figures

_POINT: Final = re.compile(r"point\s*\(\s*([-+.\deE]+)\s+([-+.\deE]+)\s*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """How a graph was made.

    :param iri: the graph's.
    :param name: its name, ``hops``.
    :param title: what made it, one line.
    :param plan: the path of the file that says how, ``derive/hops.rq``.
    :param triples: how many it holds.
    :param used: names of the graphs and titles of the origins that it was made from.
    """

    iri: str
    name: str
    title: str
    plan: str
    triples: int
    used: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The folder of its query, or "" where a program or a file of terms made it."""
        return self.plan.partition("/")[0] if self.plan.endswith(".rq") else ""


@dataclass(frozen=True)
class Facts:
    """Counts of a store.

    :param figures: where the entities are; nothing else is counted in them.
    :param languages: language -> summaries, and how many of them a program has written.
    :param licences: ``images`` or ``summaries`` -> licence's IRI -> works under it, the most first.
    :param splits: split -> entities.
    :param steps: by name.
    :param origins: titles of what the graphs were made from in the first place.
    """

    figures: Figures
    languages: dict[str, tuple[int, int]]
    licences: dict[str, Counter[str]]
    splits: Counter[str]
    steps: tuple[Step, ...]
    origins: tuple[str, ...] = field(default=())

    def families(self, works: str) -> dict[str, int]:
        """Return licence family -> works, in the order of :data:`mlmkg.licences.FAMILIES`."""
        found: Counter[str] = Counter()
        for licence, number in self.licences[works].items():
            found[family(licence)] += number
        return {name: found[name] for name in FAMILIES if found[name]}


def collect(store: ox.Store) -> Facts:
    """Return the facts of a store."""
    languages: dict[str, tuple[int, int]] = {}
    for code, generated, number in _rows(
        store,
        "SELECT ?l ?g (COUNT(*) AS ?n) WHERE { ?s a mlm:Summary ; schema:inLanguage ?l "
        "OPTIONAL { ?s mlm:generated ?g } } GROUP BY ?l ?g",
    ):
        whole, made = languages.get(code, (0, 0))
        languages[code] = (whole + int(number), made + (int(number) if generated == "true" else 0))
    works = {"images": "?w mlm:file ?f", "summaries": "?w a mlm:Summary"}
    steps = tuple(sorted(_steps(store), key=lambda step: step.name))
    names = {step.name for step in steps}
    return Facts(
        figures=_figures(store),
        languages=dict(sorted(languages.items(), key=lambda item: (-item[1][0], item[0]))),
        licences={
            name: _counter(
                store,
                f"SELECT ?l (COUNT(DISTINCT ?w) AS ?n) WHERE {{ {pattern} . ?w dct:license ?l }} "
                "GROUP BY ?l",
            )
            for name, pattern in works.items()
        },
        splits=_counter(
            store,
            "SELECT ?of (COUNT(*) AS ?n) WHERE { ?e a mlm:Entity ; mlm:split ?s "
            "BIND(STRAFTER(STR(?s), '#') AS ?of) } GROUP BY ?of",
        ),
        steps=steps,
        origins=tuple(sorted({u for step in steps for u in step.used if u not in names})),
    )


def _rows(store: ox.Store, query: str) -> Iterator[list[str]]:
    answer: Any = store.query(query, prefixes=PREFIXES, use_default_graph_as_union=True)
    for solution in answer:
        yield ["" if term is None else term.value for term in solution]


def _counter(store: ox.Store, query: str) -> Counter[str]:
    rows = [(of, int(number)) for of, number in _rows(store, query)]
    return Counter(dict(sorted(rows, key=lambda row: (-row[1], row[0]))))


def _steps(store: ox.Store) -> Iterator[Step]:
    used: dict[str, set[str]] = {}
    for activity, source, title in _rows(
        store, "SELECT ?a ?u ?t WHERE { ?a prov:used ?u OPTIONAL { ?u dct:title ?t } }"
    ):
        used.setdefault(activity, set()).add(title or graph_name(source))
    for graph, activity, title, plan, triples in _rows(
        store,
        "SELECT ?g ?a ?t ?plan ?n WHERE { ?g mlm:tripleCount ?n ; prov:wasGeneratedBy ?a . "
        "?a rdfs:label ?t ; prov:qualifiedAssociation/prov:hadPlan/mlm:path ?plan }",
    ):
        sources = tuple(sorted(used.get(activity, ())))
        yield Step(graph, graph_name(graph), title, plan, int(triples), sources)


def _figures(store: ox.Store) -> Figures:
    import pyarrow as pa

    from mlmkg.report.figures import Figures

    countries: dict[str, tuple[str, str | None]] = {}
    for country, label, continent in _rows(
        store,
        "SELECT ?c (MIN(?l) AS ?label) (MIN(?k) AS ?continent) WHERE { ?c a mlm:Country ; "
        "rdfs:label ?l FILTER(LANG(?l) = 'en') OPTIONAL { ?c wdt:P30/rdfs:label ?k "
        "FILTER(LANG(?k) = 'en') } } GROUP BY ?c",
    ):
        countries[country] = (label, continent or None)
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("entity", "latitude", "longitude", "country", "country_label", "continent")
    }
    for entity, point, country in _rows(
        store,
        "SELECT ?e (MIN(STR(?p)) AS ?w) (MIN(?c) AS ?country) WHERE { ?e a mlm:Entity "
        "OPTIONAL { ?e wdt:P625 ?p FILTER(STRSTARTS(STR(?p), 'P')) } "
        "OPTIONAL { ?e wdt:P17 ?c } } GROUP BY ?e",
    ):
        place = _POINT.fullmatch(point)
        label, where = countries.get(country, (country, None))
        columns["entity"].append(entity)
        columns["latitude"].append(float(place[2]) if place else None)
        columns["longitude"].append(float(place[1]) if place else None)
        columns["country"].append(country or None)
        columns["country_label"].append(label or None)
        columns["continent"].append(where)
    figures = Figures()
    figures.add({"entities": pa.table(columns)})
    return figures
