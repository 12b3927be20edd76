"""The landing page: what the dataset is, for a person who has never heard of it, and for programs.

A store, a dataset and the files that describe it enter; ``index.html``, a map and a link set leave, for
one folder. The page asks nobody for anything and needs no JavaScript; what it says is counted, never
typed in. What a label or a setting holds is text, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mlmkg import __version__
from mlmkg.licences import family
from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.landing_facts import Facts, collect
from mlmkg.metadata.landing_links import LINKSET, MOST, PAGE, Places, described, groups, links, linkset
from mlmkg.metadata.landing_pipeline import pipeline
from mlmkg.metadata.schemaorg import schemaorg
from mlmkg.metadata.terms import file_form

MAP: Final = "map.png"
#: Rows of a list; what is beyond them is one row.
ROWS: Final = 10


@dataclass(frozen=True)
class Bar:
    """A bar of a chart that is made of HTML.

    :param name: what it is.
    :param number: how many.
    :param share: of all, 0 to 1.
    :param light: the part of the bar, 0 to 1, that is drawn light.
    :param rest: whether it stands for all that have no bar of their own.
    """

    name: str
    number: int
    share: float
    light: float = 0.0
    rest: bool = False


def landing(
    store: ox.Store, dataset: Dataset, folder: Path, files: Sequence[Path]
) -> Mapping[str, bytes]:
    """Return file name -> bytes of the page and of what belongs to it.

    :param store: the workspace's store.
    :param dataset: what the page is about.
    :param folder: where the files will stand; nothing is written there.
    :param files: what has been written about the dataset; those of other folders are linked to.
    """
    facts = collect(store)
    places, beside = Places(dataset, folder), described(files)
    drawn = _map(facts)
    page = _environment().get_template("landing.html.jinja").render(
        dataset=dataset, given=dataset.description, found=dataset.inventory, places=places,
        facts=facts, numbers=_numbers(dataset, facts), links=_links(places, beside),
        described=[(places.beside(one.path), one) for one in beside], map=drawn, MAP=MAP,
        downloads=_downloads(places), most=ROWS, json=_embedded(dataset), software=__version__,
        citation=citation(dataset, places.cited), bibtex=bibtex(dataset),
        drawing=pipeline(facts.steps, facts.origins), charts=_charts(facts),
        licences=_licences(facts), LINKSET=LINKSET,
    )  # fmt: skip
    made = {PAGE: f"{page}\n".encode(errors="replace"), LINKSET: linkset(places, beside)}
    return made | ({MAP: drawn[0]} if drawn else {})


def citation(dataset: Dataset, cited: str | None) -> str:
    """Return how to cite the dataset, as in a list of references; what is not known is left out.

    :param cited: what it is cited as, an IRI.
    """
    given = dataset.description
    year = f" ({given.issued.year})" if given.issued else ""
    names = "; ".join(agent.name for agent in given.creators)
    title = f"{dataset.title} (version {dataset.version}) [data set]"
    parts = [f"{names}{year}", title] if names else [f"{title}{year}"]
    parts += [given.publisher.name] if given.publisher else []
    parts += [cited] if cited else []
    return ". ".join(part.rstrip(".") for part in parts) + ("" if cited else ".")


def bibtex(dataset: Dataset) -> str | None:
    """Return the dataset's BibTeX over several lines, or None as long as nobody is named."""
    text = dataset.bibtex
    return None if text is None else text.replace(", ", ",\n  ", 1).replace("}, ", "},\n  ")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mlmkg.metadata", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["bytes"] = in_bytes
    environment.filters["percent"] = _percent
    environment.filters["licence"] = licence_name
    environment.filters["is_address"] = lambda iri: str(iri).startswith(("https://", "http://"))
    return environment


def in_bytes(size: int) -> str:
    """Return a size as people read it.

    >>> in_bytes(312), in_bytes(41_000), in_bytes(2_500_000)
    ('312 B', '41 kB', '2.5 MB')
    """
    value, unit = float(size), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def licence_name(iri: str) -> str:
    """Return what people call a licence, or its address where that is not known.

    >>> licence_name("https://creativecommons.org/licenses/by-sa/4.0/")
    'CC BY-SA 4.0'
    >>> licence_name("https://spdx.org/licenses/Unicode-3.0")
    'Unicode-3.0'
    """
    *_, name, version = ["", "", *iri.rstrip("/").split("/")]
    if "creativecommons.org/licenses/" in iri:
        return f"CC {name.upper()} {version}"
    if "creativecommons.org/publicdomain/" in iri:
        return f"{'CC0' if name == 'zero' else 'Public Domain Mark'} {version}"
    return version if "spdx.org/licenses/" in iri else iri


def _percent(share: float) -> str:
    from mlmkg.report.charts import percent

    return percent(share, 1)


def _embedded(dataset: Dataset) -> Markup:
    """Return the schema.org description for a script element, which no text of it can close."""
    text = schemaorg(dataset).decode()
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


def _map(facts: Facts) -> tuple[bytes, str, str, int, int] | None:
    """Return the map as PNG, its title, its words, its width and height; None without a place."""
    from PIL import Image

    from mlmkg.report.places import entities_map
    from mlmkg.report.style import settings

    with settings():
        drawing = entities_map(facts.figures)
        if drawing is None:
            return None
        stream = BytesIO()
        drawing.figure.savefig(stream, format="png", metadata={"Software": None}, facecolor="white")
    with Image.open(stream) as picture:
        width, height = picture.size
    return stream.getvalue(), drawing.title, drawing.alt, width, height


def _numbers(dataset: Dataset, facts: Facts) -> list[tuple[str, int]]:
    found = dataset.inventory
    counts = [
        ("entities", found.entities),
        ("image files", found.images),
        ("summaries", sum(found.summaries.values())),
        ("languages", len(found.summaries)),
        ("countries", sum(bool(country) for country, _, _ in facts.figures.countries)),
        ("named graphs", len(found.graphs)),
        ("triples", found.statistics.union.triples),
    ]
    return [(name, number) for name, number in counts if number]


def _links(places: Places, beside: Sequence[Any]) -> list[tuple[str, dict[str, str]]]:
    """Return relation and attributes of each link element of the page."""
    found = []
    for relation, targets in links(places, beside).items():
        found += [(relation, target) for target in targets[:MOST]]
        if relation == "describedby":
            found += [("alternate", {k: v for k, v in t.items() if k != "profile"}) for t in targets]
    return [*found, ("linkset", {"href": LINKSET, "type": "application/linkset+json"})]


def _downloads(places: Places) -> list[dict[str, Any]]:
    """Return what can be downloaded in groups, with where it is."""
    found = []
    for group in groups(places.dataset):
        files = []
        for file in group.files:
            form = file_form(file.path)
            files.append((file, places.file(file), form.media if form else ""))
        report = group.export and places.dataset.inventory.root / group.export.path / "report.html"
        found.append({
            "title": group.title, "export": group.export, "dump": group.dump, "files": files,
            "bytes": sum(file.bytes for file in group.files),
            "report": places.beside(report) if report and report.is_file() else "",
        })  # fmt: skip
    return found


def _charts(facts: Facts) -> list[tuple[str, str, list[Bar]]]:
    """Return what the dataset has more of: the finding, a note, and bars."""
    from mlmkg.report.charts import percent, share, short
    from mlmkg.report.figures import SPLITS, UNKNOWN

    charts = []
    figures = facts.figures
    places = figures.continents
    if known := [(name, count) for name, count in places.items() if name != UNKNOWN]:
        (most, many), (least, few) = known[0], known[-1]
        title = f"{share(many, figures.entities, 'entities')} are in {short(most)}"
        title += f", {percent(few, figures.entities)} in {short(least)}" if len(known) > 1 else ""
        charts.append((title, "Entities by continent", bars(dict(places))))
    named = sorted(figures.countries.items(), key=lambda item: (-item[1], item[0]))
    countries = {label: number for (_, label, _), number in named}
    if countries:
        most = next(iter(countries))
        title = f"{share(countries[most], figures.entities, 'entities')} are in {short(most)}"
        title += f", one of {len(countries):,} countries" if len(countries) > 1 else ""
        charts.append((title, "Entities by country", bars(countries)))
    whole = {_language(code): number for code, (number, _) in facts.languages.items()}
    made = {_language(code): part / number for code, (number, part) in facts.languages.items()}
    if whole:
        total, written = sum(whole.values()), sum(n - part for n, part in facts.languages.values())
        title = f"{share(total - written, total, 'summaries')} are sentences made from facts by program"
        if written == total:
            title = "People wrote all summaries"
        note = "; light: made by a program" if 0 < written < total else ""
        charts.append((title, f"Summaries by language{note}", bars(whole, made if note else None)))
    if facts.splits:
        train = facts.splits.get("train", 0)
        title = f"{share(train, facts.splits.total(), 'entities')} are for training"
        order = [name for name in SPLITS if name in facts.splits]
        parts = {name: facts.splits[name] for name in dict.fromkeys([*order, *facts.splits])}
        charts.append((title, "Entities by split", bars(parts)))
    return charts


def _language(code: str) -> str:
    """Return a language's English name with its code."""
    from babel import Locale

    name = Locale("en").languages.get(code)
    return f"{name} ({code})" if name else code


def bars(counts: Mapping[str, int], light: Mapping[str, float] | None = None) -> list[Bar]:
    """Return the first counts as bars, and all others as one.

    >>> bars({"a": 3, "b": 1})[0]
    Bar(name='a', number=3, share=0.75, light=0.0, rest=False)
    """
    total = sum(counts.values())
    shown = list(counts.items())
    rest = shown[ROWS:] if len(shown) > ROWS + 1 else []
    found = [
        Bar(name, n, n / total, (light or {}).get(name, 0.0))
        for name, n in shown[: len(shown) - len(rest)] if total
    ]  # fmt: skip
    if rest:
        left = sum(number for _, number in rest)
        found.append(Bar(f"{len(rest):,} others", left, left / total, rest=True))
    return found


def _licences(facts: Facts) -> list[tuple[str, list[Bar], list[tuple[str, str, int]], int]]:
    """Return works, their families as bars, their licences, and how many licences there are."""
    from mlmkg.report.contents import FAMILY_NAMES

    found = []
    for works, counts in facts.licences.items():
        if counts:
            families = {FAMILY_NAMES[name]: n for name, n in facts.families(works).items()}
            rows = [(iri, FAMILY_NAMES[family(iri)], n) for iri, n in counts.items()]
            found.append((works, bars(families), rows[: 3 * ROWS], len(rows)))
    return found
