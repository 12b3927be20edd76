"""The report: figures counted from tables, pictures, and a page that asks nobody for anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from mlmkg.catalog import read_catalog
from mlmkg.export.members import of_version
from mlmkg.export.tables import Reader
from mlmkg.quality import NearImages
from mlmkg.recipe import Recipe, read_recipe
from mlmkg.report.figures import Figures
from mlmkg.report.origin import Lookalike, Step, read_steps, removals, steps_to
from mlmkg.report.page import write_report
from mlmkg.report.pictures import draw
from mlmkg.store import GraphStore
from mlmkg.vocab import VERSION

from .conftest import invoke

MLM = ("--version", "mlm")
HOSTILE = "<script>alert('x')</script> & \"$\\frac{1}{2}$\" {{ 7 * 7 }}\n第一"
SQUARE = "POLYGON((0 0,10 0,10 10,0 10,0 0))"


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return read_recipe(read_catalog().folder / "recipe.toml")


@pytest.fixture(scope="module")
def figures(store: GraphStore, recipe: Recipe) -> Figures:
    """The figures of mlm in the small dataset, from batches of 70 entities."""
    catalog = read_catalog()
    reader, found = Reader(store, catalog), Figures()
    entities = of_version(store, catalog, recipe, "mlm").entities
    for start in range(0, len(entities), 70):
        for batch in reader.batches(entities.slice(start, 70)):
            found.add(batch)
    found.add(reader.whole())
    return found


@pytest.fixture(scope="module")
def written(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of mlm, as the command writes it."""
    folder = tmp_path_factory.mktemp("report") / "out"
    done = invoke("-w", built, "report", "--version", "mlm", "-o", folder)
    assert done.exit_code == 0, done.output
    assert "Entities\t300\n" in done.stdout
    return folder


class Page(HTMLParser):
    """What a page is made of; fails where tags do not close each other."""

    EMPTY = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        yield from (attributes for name, attributes in self.tags if name == tag)


def read_page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text("utf-8"))


def small(entities: int = 4, label: str = "Testland", country: str = "http://e/Q1") -> Figures:
    """Figures of some entities that somebody else made up."""
    names = [f"http://e/{n}" for n in range(entities)]
    found = Figures()
    found.add(
        {
            "entities": pa.table(
                {
                    "entity": names, "label": [label] * entities, "country": [country] * entities,
                    "country_label": [label] * entities, "continent": [label] * entities,
                    "latitude": np.linspace(1, 9, entities), "longitude": np.linspace(1, 9, entities),
                    "cell": ["a"] * entities, "split": ["test"] * entities,
                }
            ),
            "images": pa.table(
                {"entity": names[:2], "property": [label] * 2, "sha256": ["aa", "aa"],
                 "media_type": ["image/png"] * 2, "licence": [label, "http://e/licence"]}
            ),
            "summaries": pa.table(
                {"entity": names[1:3], "language": [label, "de"], "text": ["four", "à la"],
                 "generated": [True, False], "licence": [None, None]},
                schema=pa.schema([("entity", pa.string()), ("language", pa.string()),
                                  ("text", pa.string()), ("generated", pa.bool_()),
                                  ("licence", pa.string())]),
            ),
            "classes": pa.table(
                {"entity": names[:1], "class": ["javascript:alert(1)"], "label": [label], "hops": [3]}
            ),
            "cells": pa.table({"cell": ["a"], "level": [4], "polygon": [SQUARE]}),
        }
    )  # fmt: skip
    return found


# The figures


def test_the_figures_are_what_the_store_itself_counts(store: GraphStore, figures: Figures) -> None:
    def counted(pattern: str) -> dict[str, int]:
        text = f"SELECT ?of (COUNT(*) AS ?n) WHERE {{ {pattern} }} GROUP BY ?of"
        return {of: int(n) for of, n in store.rows(text)}

    def distinct(pattern: str) -> int:
        return len(list(store.rows(f"SELECT DISTINCT ?of WHERE {{ {pattern} }}")))

    numbers = figures.as_json()
    assert numbers["entities"] == distinct("?of a mlm:Entity") == 300
    assert numbers["continents"] == counted(
        "?e a mlm:Entity ; wdt:P17/wdt:P30/rdfs:label ?of FILTER(LANG(?of) = 'en')"
    )
    assert {row["country"]: row["entities"] for row in numbers["countries"]} == counted(
        "?e a mlm:Entity ; wdt:P17 ?of"
    )
    classes = numbers["classes"]["entities"]
    assert {row["class"]: row["entities"] for row in classes} == counted("?e mlm:tripleClass ?of")
    assert all(str(row["hops"]) in counted(f"<{row['class']}> mlm:hops ?of") for row in classes)
    assert {
        cell: sum(parts.values()) for cell, parts in numbers["cells"]["entities"].items()
    } == counted("?e mlm:cell/mlm:s2Token ?of")
    splits = counted("?e a mlm:Entity ; mlm:split ?split BIND(STRAFTER(STR(?split), '#') AS ?of)")
    assert numbers["splits"] == splits
    assert numbers["images"]["statements"] == 300
    assert numbers["images"]["files"] == distinct("?of a mlm:ImageFile")
    languages = counted("?s a mlm:Summary ; schema:inLanguage ?of")
    assert {name: one["summaries"] for name, one in numbers["summaries"].items()} == languages
    (length,) = store.rows(
        "SELECT (SUM(STRLEN(?t)) AS ?n) { ?s a mlm:Summary ; schema:inLanguage 'fr' ; schema:text ?t }"
    )
    assert numbers["summaries"]["fr"]["characters"] == int(length[0])
    assert numbers["modalities"] == [{"has": ["image", "de", "en", "fr"], "entities": 300}]


def test_batches_do_not_matter(store: GraphStore, recipe: Recipe, figures: Figures) -> None:
    catalog = read_catalog()
    whole, reader = Figures(), Reader(store, catalog)
    whole.add(reader.whole())
    for batch in reader.batches(of_version(store, catalog, recipe, "mlm").entities):
        whole.add(batch)
    assert json.dumps(whole.as_json()) == json.dumps(figures.as_json())


def test_what_an_entity_lacks_is_counted() -> None:
    numbers = small(label="xx").as_json()
    assert Counter({tuple(m["has"]): m["entities"] for m in numbers["modalities"]}) == Counter(
        {("image",): 1, ("image", "xx"): 1, ("de",): 1, (): 1}
    )
    assert numbers["summaries"]["de"] == {"summaries": 1, "generated": 0, "characters": 4}
    assert numbers["images"] == {
        "statements": 2, "files": 1, "properties": {"xx": 2}, "media_types": {"image/png": 2}
    }  # fmt: skip
    assert numbers["licences"]["summaries"]["families"] == {"unknown": 2}
    assert numbers["cells"]["without_train"] == ["a"]


def test_a_table_or_a_column_may_be_missing(tmp_path: Path) -> None:
    figures = Figures()
    figures.add({"entities": pa.table({"entity": ["http://e/1"]})})
    write_report(tmp_path, figures, "Museums")
    assert "Museums" in read_page(tmp_path).text
    assert list((tmp_path / "report").iterdir()) == []


# What each constraint removed


def test_the_constraints_end_at_the_version(store: GraphStore, recipe: Recipe) -> None:
    steps, about = read_steps(store, read_catalog(), recipe)
    assert "half a million to 40,000" in about
    for version in ("mlm", "irle"):
        size = len(list(store.rows(f"SELECT ?e {{ ?e mlm:inVersion <{VERSION[version]}> }}")))
        funnel = steps_to(steps, version, size)
        assert (funnel[-1].version, funnel[-1].entities) == (version, size)
        assert min(removals(funnel)) >= 0
        assert funnel[0].entities - sum(removals(funnel)) == size > 0


def test_a_selection_is_one_more_step() -> None:
    steps = [
        Step(1, "in the tree", 9), Step(2, "with an image", 5, {1: 5}, "mlm"),
        Step(3, "drawn", 2, {}, "gr"), Step(3, "drawn", 4, {}, "gr-27"),
    ]  # fmt: skip
    assert [s.version for s in steps_to(steps, "gr-27", 4)] == ["", "mlm", "gr-27"]
    assert [(s.constraint, s.entities) for s in steps_to(steps, "mlm", 3)] == [
        ("in the tree", 9), ("with an image", 5), ("in this selection", 3),
    ]  # fmt: skip
    assert steps_to((), "mlm", 3) == []


# The page


def test_every_picture_is_there_and_described(written: Path) -> None:
    page = read_page(written)
    sources = [str(image["src"]) for image in page.all("img")]
    assert {Path(source).stem for source in sources} >= {
        "entities", "cells", "continents", "coverage", "languages", "classes", "licences", "splits",
        "constraints",
    }  # fmt: skip
    for image in page.all("img"):
        with Image.open(written / str(image["src"])) as picture:
            assert picture.width > 50
        assert len(str(image["alt"])) > 8
    beside = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert beside == {*sources, "report.html", "report.json"}


def test_the_page_asks_nobody_for_anything(written: Path) -> None:
    page = read_page(written)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base"}
    for name in ("src", "srcset", "poster", "data", "action"):
        assert all("//" not in str(a.get(name)) for _, a in page.tags)
    text = (written / "report.html").read_text("utf-8")
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_says_what_the_numbers_say(written: Path) -> None:
    numbers = json.loads((written / "report.json").read_text("utf-8"))
    page = read_page(written)
    assert numbers["version"] == "mlm"
    assert f"{sum(s['summaries'] for s in numbers['summaries'].values()):,}" in page.text
    assert [step["constraint"] for step in numbers["constraints"]][-1] == "with a summary"
    pairs = numbers["near_images"]["pairs"]
    assert (f"{pairs:,} pair" if pairs else "None of the") in page.text


def test_a_hostile_label_is_text(tmp_path: Path) -> None:
    steps = [Step(1, HOSTILE, 9, {0: 9}, HOSTILE)]
    write_report(
        tmp_path, small(label=HOSTILE, country="javascript:alert(1)"), HOSTILE, version=HOSTILE,
        steps=steps, about=HOSTILE,
    )  # fmt: skip
    page = read_page(tmp_path)
    assert not list(page.all("script"))
    assert "49" not in page.text
    assert HOSTILE.splitlines()[0] in page.text
    links = [str(link["href"]) for link in page.all("a")]
    assert links
    assert not [link for link in links if "script" in link]


def test_images_that_look_alike_stand_side_by_side(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        Image.new("RGBA", (900, 600), "#406080").save(tmp_path / name)
    pairs = tuple(
        NearImages("http://e/1", "one.png", "train", "http://e/2", other, "test", 3)
        for other in ("two.png", "gone.png")
    )
    alike = Lookalike(2, 10, pairs, {"http://e/1": "Œne & <i>", "http://e/2": "Two"})
    write_report(tmp_path / "out", small(), "x", alike=alike, images=tmp_path)
    page = read_page(tmp_path / "out")
    shown = [str(i["src"]) for i in page.all("img") if "near" in str(i["src"])]
    assert shown == ["report/near-1-a.jpg", "report/near-1-b.jpg"]
    with Image.open(tmp_path / "out" / shown[0]) as picture:
        assert picture.size == (240, 160)
    assert "Œne & <i>" in page.text
    assert "2 pairs" in page.text
    write_report(tmp_path / "none", small(), "x", alike=Lookalike(0, 10))
    assert "None of the 10 image files looks like one" in read_page(tmp_path / "none").text


def test_one_place_far_from_any_coast_is_drawn(tmp_path: Path) -> None:
    for name, latitude, longitude in (
        ("ocean", -20.0, -20.0),
        ("pole", 90.0, 180.0),
    ):
        figures = Figures()
        figures.add(
            {"entities": pa.table({"entity": ["a"], "latitude": [latitude], "longitude": [longitude]})}
        )
        drawn = draw(tmp_path / name, figures)
        assert drawn["entities"].title == "1 entity"
        with Image.open(drawn["entities"].path) as picture:
            assert len(set(picture.convert("RGB").get_flattened_data())) > 20


def test_an_unknown_place_is_no_place(tmp_path: Path) -> None:
    figures = Figures()
    figures.add({"entities": pa.table({
        "entity": ["a", "b", "c"], "latitude": [1.0, 2.0, 3.0], "longitude": [1.0, 2.0, 3.0],
        "country": ["http://e/mt", None, None], "country_label": ["Malta", None, None],
        "continent": ["Europe", None, None], "split": ["train", "val", "test"],
    })})  # fmt: skip
    drawn = draw(tmp_path / "drawn", figures)
    assert drawn["entities"].title == "3 entities"
    assert drawn["continents"].title == "33 % of the entities are in Europe"
    write_report(tmp_path / "report", figures, "x")
    said = "".join(read_page(tmp_path / "report").text.split())
    assert "country1" in said and "countries1" not in said


# The command


def test_the_same_build_gives_the_same_bytes_anywhere(
    built: Path, written: Path, tmp_path: Path
) -> None:
    """Another process, another time zone and another taste in pictures."""
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: black\n")
    words = [
        sys.executable,
        "-m",
        "mlmkg",
        "-w",
        built.resolve(),
        "report",
        "--version",
        "mlm",
        "-o",
        "out",
    ]
    environment = {**os.environ, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    subprocess.run(words, cwd=tmp_path, env=environment, check=True, capture_output=True)
    names = sorted(path.relative_to(written) for path in written.rglob("*") if path.is_file())
    assert len(names) > 10
    assert [n for n in names if (written / n).read_bytes() != (tmp_path / "out" / n).read_bytes()] == []


def test_a_folder_is_replaced_only_if_it_is_a_report(
    built: Path, written: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(written, folder)
    words = ["-w", built, "report", "--version", "mlm", "-o", folder]
    again = invoke(*words)
    assert again.exit_code != 0
    assert "Add --force" in str(again.exception)
    (folder / "report.html").write_text("old")
    assert invoke(*words, "--force").exit_code == 0
    assert (folder / "report.html").read_bytes() == (written / "report.html").read_bytes()
    (folder / "thesis.docx").write_text("years of work")
    kept = invoke(*words, "--force")
    assert "would be lost" in str(kept.exception)
    assert (folder / "thesis.docx").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
