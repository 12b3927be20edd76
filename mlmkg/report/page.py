"""The page: figures and pictures as one HTML file that asks nobody for anything.

Figures and what the store knows enter; ``report.html``, ``report.json`` and the pictures beside them
leave, the same bytes for the same figures. What a label holds is text, whatever it looks like.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from mlmkg import __version__
from mlmkg.report.charts import many
from mlmkg.report.contents import FAMILY_NAMES
from mlmkg.report.figures import Figures
from mlmkg.report.origin import Lookalike, Step, as_json, removals
from mlmkg.report.pictures import Picture, draw

PAGE: Final = "report.html"
NUMBERS: Final = "report.json"
#: The folder of the pictures beside the page.
PICTURES: Final = "report"
#: Rows of a table on the page; all of them stand in report.json.
MOST: Final = 300
#: The longest side of a small picture, pixels.
THUMBNAIL: Final = 240


def write_report(
    folder: Path, figures: Figures, title: str, *, version: str = "", steps: Sequence[Step] = (),
    about: str = "", alike: Lookalike | None = None, images: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Write the page, its numbers and its pictures into a folder; return their paths.

    :param folder: where ``report.html``, ``report.json`` and ``report/*.png`` go; created, and what
        stands there under these names is replaced.
    :param title: the page's heading.
    :param version: the version's name, if it has one.
    :param steps: what each constraint left, see :func:`mlmkg.report.origin.steps_to`.
    :param about: what the query of the constraints says of itself.
    :param alike: images that look alike across splits; None if nobody has looked.
    :param images: the folder that the paths of these images begin in.
    """
    pictures = draw(folder / PICTURES, figures, steps)
    pairs = _thumbnails(folder / PICTURES, alike, images)
    numbers = {
        "title": title, "version": version or None, **figures.as_json(),
        "constraints": as_json(steps),
        "near_images": alike and {
            "pairs": alike.pairs, "compared": alike.compared, "shown": [vars(p) for p in alike.shown]
        },
    }  # fmt: skip
    text = json.dumps(numbers, indent=1, ensure_ascii=False) + "\n"
    (folder / NUMBERS).write_text(text, "utf-8", errors="replace", newline="\n")
    page = _environment().get_template("page.html.jinja").render(
        title=title, version=version, json=NUMBERS, software=__version__, pictures=pictures,
        numbers=_headline(figures), table=table_2(figures), tables=_tables(figures),
        bare=numbers["cells"]["without_train"], about=about, alike=alike, pairs=pairs,
        steps=list(zip(steps, removals(steps), strict=True)),
        hops=sorted({hop for step in steps for hop in step.hops}),
    )  # fmt: skip
    (folder / PAGE).write_text(page + "\n", "utf-8", errors="replace", newline="\n")
    small = [folder / name for _, *names in pairs for name in names]
    return [folder / PAGE, folder / NUMBERS, *_paths(pictures), *small]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mlmkg.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = lambda number: f"{number:,}"
    environment.filters["many"] = many
    environment.filters["is_address"] = lambda iri: str(iri).startswith(("https://", "http://"))
    return environment


def _paths(pictures: dict[str, Picture]) -> list[Path]:
    return [picture.path for picture in pictures.values()]


def _headline(figures: Figures) -> list[tuple[str, int]]:
    counts = [
        ("entity", "entities", figures.entities),
        ("image", "images", figures.images),
        ("summary", "summaries", sum(language.summaries for language in figures.languages.values())),
        ("language", "languages", len(figures.languages)),
        ("triple class", "triple classes", len(figures.classes)),
        ("geo cell", "geo cells", len(figures.cells)),
        ("country", "countries", sum(bool(country) for country, _, _ in figures.countries)),
    ]
    return [(one if number == 1 else more, number) for one, more, number in counts if number]


def table_2(figures: Figures) -> list[tuple[str, int]]:
    """Return the rows of the paper's Table 2."""
    return [
        ("Entities", figures.entities),
        *((f"Entities in {name}", count) for name, count in figures.splits.items()),
        ("Images", figures.images),
        ("Image files", figures.image_files),
        *((f"Summaries in {n}", la.summaries) for n, la in sorted(figures.languages.items())),
        ("Triple classes", len(figures.classes)),
        ("Geo cells", len(figures.cells)),
        ("Entities in no geo cell", figures.without_cell),
    ]


def _tables(figures: Figures) -> list[tuple[str, list[tuple[str, str]], list[Sequence[Any]], int]]:
    """Return the long tables: what it lists, columns with their kinds, rows, and how many there are.

    A value that is a link is a pair of its label and its IRI.
    """
    numbers = figures.as_json()
    countries = [
        ((row["label"], row["country"]), row["continent"], row["entities"])
        for row in numbers["countries"]
    ]
    classes = [
        ((row["label"], row["class"]), row["hops"], row["entities"])
        for row in numbers["classes"]["entities"]
    ]
    combinations = [
        (" + ".join(row["has"]) or "nothing", row["entities"]) for row in numbers["modalities"]
    ]
    works = [
        (table, (iri, iri), count)
        for table, found in numbers["licences"].items()
        for iri, count in found["licences"].items()
    ]
    families = [
        (table, FAMILY_NAMES[family], count)
        for table, found in numbers["licences"].items()
        for family, count in found["families"].items()
    ]
    properties = list(numbers["images"]["properties"].items())
    entities, text = ("entities", "n"), ""
    tables: list[tuple[str, list[tuple[str, str]], list[Any]]] = [
        ("Countries", [("country", text), ("continent", text), entities], countries),
        ("Classes", [("class", text), ("hop", "n"), entities], classes),
        ("What entities have", [("has", text), entities], combinations),
        ("Properties of images", [("property", text), ("images", "n")], properties),
        ("Families of licences", [("of", text), ("family", text), ("works", "n")], families),
        ("Licences", [("of", text), ("licence", text), ("works", "n")], works),
    ]
    return [(what, columns, rows[:MOST], len(rows)) for what, columns, rows in tables]


def _thumbnails(
    folder: Path, alike: Lookalike | None, images: Path | None
) -> list[tuple[Any, str, str]]:
    """Write small pictures of the pairs; return each pair with their paths beside the page."""
    found = []
    for number, pair in enumerate(alike.shown if alike and images else (), start=1):
        names = [f"near-{number}-{side}.jpg" for side in "ab"]
        sources = [Path(str(images)) / path for path in (pair.path, pair.other_path)]
        drawn = [_small(a, folder / b) for a, b in zip(sources, names, strict=True)]
        if all(drawn):
            found.append((pair, *(f"{folder.name}/{name}" for name in names)))
        else:
            for name in names:
                (folder / name).unlink(missing_ok=True)
    return found  # type: ignore[return-value]


def _small(source: Path, target: Path) -> bool:
    """Write a small copy of a picture; return whether it could be read."""
    try:
        with Image.open(source) as picture:
            picture.draft("RGB", (THUMBNAIL, THUMBNAIL))
            small = picture.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    small.save(target, quality=88)
    return True
