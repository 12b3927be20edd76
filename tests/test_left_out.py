"""What a dump leaves out is counted: every kind of entity, every layout, and the funnel of a report."""

from __future__ import annotations

import bz2
import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import zstandard

from mlmkg.catalog import read_catalog
from mlmkg.ntriples import iri, line
from mlmkg.progress import quiet
from mlmkg.recipe import read_recipe
from mlmkg.report.origin import read_steps
from mlmkg.sources import scan
from mlmkg.sources.dump import Dump
from mlmkg.sources.leftout import LeftOut
from mlmkg.sources.terms import term_of
from mlmkg.sources.wikibase import Report, article_iri, best, entity_lines, wanted
from mlmkg.store import open_read_only
from mlmkg.vocab import MLM, RDF, SCHEMA, WD, WDT
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.wikidata import at, below, entity, is_a, shows, statement, town

CATALOG = read_catalog()
RECIPE = read_recipe(CATALOG.folder / "recipe.toml")
WANTED = wanted(CATALOG, RECIPE)
CITY, VILLAGE, PERSON = "Q515", "Q532", "Q5"


def ranked(claims: list[dict[str, Any]], rank: str) -> list[dict[str, Any]]:
    return [{**claim, "rank": rank} for claim in claims]


def barren(qid: str, *classes: str, links: Any = None, **claims: Any) -> dict[str, Any]:
    """A place without an image; with an article unless other links are given."""
    named = {"P31": is_a(*(classes or [CITY])), "P625": at(1, 2), **claims}
    return entity(qid, named, links)


UNKNOWN = [{"mainsnak": {"snaktype": "somevalue", "property": "P31"}, "rank": "normal"}]
QUALIFIED = statement("P31", {"id": PERSON, "entity-type": "item"}, "wikibase-entityid", None)
QUALIFIED["qualifiers"] = {"P625": [at(1, 2)[0]["mainsnak"]], "P18": [shows("x.jpg")[0]["mainsnak"]]}
ARMS = [statement("P94", "a.svg", "string", "commonsMedia")]
ENDS = {"en": {"language": "en", "value": 'Ends with \\ and "enwiki", "P18":[{"mainsnak":'}}

#: Three that are taken, one of them on the Moon, and the class tree.
TAKEN = [town("Q64"), town("Q7", P31=is_a(VILLAGE, CITY)), town("Q8", P625=at(1, 2, "Q405"))]
CLASSES = [
    entity(CITY, {"P279": below("Q486972")}, {}), entity(VILLAGE, {"P279": below(CITY)}, {}),
]  # fmt: skip
#: What is left out, entity by entity, and how it is counted: its classes, and what it has.
KINDS: list[tuple[dict[str, Any], str, str]] = [
    (barren("Q101"), "Q515", "earth article"),
    (barren("Q102"), "Q515", "earth article"),
    (barren("Q103", P18=shows("a.jpg"), links={}), "Q515", "earth image"),
    (barren("Q104", links={}), "Q515", "earth"),
    # The order of the classes, and one that is said twice, make no difference.
    (barren("Q105", VILLAGE, CITY), "Q515 Q532", "earth article"),
    (barren("Q106", CITY, VILLAGE, CITY), "Q515 Q532", "earth article"),
    (barren("Q107", P625=at(1, 2, "Q405")), "Q515", "article"),
    (barren("Q108", P625=[*at(1, 2, "Q405"), *at(1, 2)]), "Q515", "earth article"),
    # The best rank counts, for classes, places and images.
    (barren("Q109", P31=[*ranked(is_a(CITY), "deprecated"), *is_a(PERSON)]), "Q5", "earth article"),
    (barren("Q110", P31=[*ranked(is_a(VILLAGE), "preferred"), *is_a(CITY)]), "Q532", "earth article"),
    (barren("Q111", P18=ranked(shows("a.jpg"), "deprecated")), "Q515", "earth article"),
    # What only looks like an image or an article.
    (barren("Q112", P31=[*is_a(CITY), QUALIFIED]), "Q5 Q515", "earth article"),
    (barren("Q113", P94=ARMS, links={"itwiki": {"title": "Sette"}}), "Q515", "earth image"),
    ({**barren("Q114", P18=shows("a.jpg"), links=[]), "labels": ENDS}, "Q515", "earth image"),
    # A class that is a place; it is read for its superclass.
    (barren("Q115", P279=below(PERSON)), "Q515", "earth article"),
    # As old dumps write a class.
    (barren("Q116", P31=is_a(VILLAGE, old=True)), "Q532", "earth article"),
]  # fmt: skip
LEFT = [
    (made, LeftOut(tuple(sorted(iri(WD[c]) for c in classes.split())),
                   *(word in has for word in ("earth", "image", "article"))))
    for made, classes, has in KINDS
]  # fmt: skip
#: What has no class or no place is no place that is left out.
OTHERS = [
    barren("Q201", P31=UNKNOWN), barren("Q202", P625=UNKNOWN), barren("Q203", P31=[]),
    barren("Q204", P625=ranked(at(1, 2), "deprecated")),
    entity("Q205", {"P31": [QUALIFIED]}), entity("Q206", [], []),
    {**barren("Q207"), "type": "property", "id": "P207"},
]  # fmt: skip
ENTITIES = [*TAKEN[:1], *OTHERS[:3], *(made for made, _ in LEFT), *TAKEN[1:], *OTHERS[3:], *CLASSES]
EXPECTED = Counter(kind for _, kind in LEFT)
#: Counted by hand, what is taken and what is left out: step -> hops -> entities. Q110 and Q116 are
#: villages, two hops away; Q109 is no settlement; Q8 and Q107 are on the Moon.
FUNNEL = {
    "in the class tree, with coordinates": {1: 3 + 13, 2: 2},
    "with coordinates on Earth": {1: 2 + 12, 2: 2},
    "with an image": {1: 2 + 3},
}  # fmt: skip


def compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def as_rdf(entities: list[dict[str, Any]]) -> bytes:
    """All best statements and articles of entities, in the order of Wikibase's own dumps."""
    found = []
    for made in entities:
        subject = iri(WD[made["id"]])
        for site, link in dict(made["sitelinks"]).items():
            wiki = f"https://{site.removesuffix('wiki')}.wikipedia.org/"
            page = iri(article_iri(wiki, link["title"]))
            found += [
                line(page, iri(RDF.type), iri(SCHEMA.Article)),
                line(page, iri(SCHEMA.about), subject),
            ]
            found.insert(-2, line(subject, iri(RDF.type), "<http://wikiba.se/ontology#Item>"))
        for name, claims in dict(made["claims"]).items():
            for claim in best(claims):
                value = claim["mainsnak"].get("datavalue")
                kind = claim["mainsnak"].get("datatype") or ""
                term = term_of(value, kind) if value else "_:unknown"
                found.append(line(subject, iri(WDT[name]), str(term)))
    return b"".join(found)


def as_turtle(data: bytes) -> bytes:
    triples = (quad.triple for quad in ox.parse(data, ox.RdfFormat.N_TRIPLES))
    return bytes(ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes={"wdt": str(WDT)}) or b"")


LINES = "".join(compact(made) + "\n" for made in ENTITIES).encode()
ARRAY = ("[\n" + ",\n".join(map(compact, ENTITIES)) + "\n]\n").encode()
TRIPLES = as_rdf([made for made in ENTITIES if made["id"] != "P207"])
JSON_FORMS: dict[str, bytes] = {
    "array.json": ARRAY, "lines.json": LINES, "windows.json": ARRAY.replace(b"\n", b"\r\n"),
    "spaced.json": "".join(json.dumps(made) + "\n" for made in ENTITIES).encode(),
    "pretty.json": json.dumps(ENTITIES, indent=2).encode(),
    "api.json": compact({"entities": {made["id"]: made for made in ENTITIES}}).encode(),
    "packed.json.gz": gzip.compress(ARRAY), "packed.json.bz2": bz2.compress(LINES),
    "packed.json.zst": zstandard.compress(ARRAY),
}  # fmt: skip
RDF_FORMS: dict[str, bytes] = {
    "a.nt": TRIPLES, "a.nt.gz": gzip.compress(TRIPLES), "a.nt.bz2": bz2.compress(TRIPLES),
    "a.ttl": as_turtle(TRIPLES), "a.ttl.gz": gzip.compress(as_turtle(TRIPLES)),
}  # fmt: skip


def read(*paths: Path, journal: Path, engine: str = "local") -> tuple[Counter[LeftOut], set[str]]:
    """What is counted of dumps, and which entities are taken."""
    source = Dump(tuple(map(str, paths)), WANTED, journal, engine=engine)
    store = ox.Store()
    store.load(b"".join(source.statements(quiet)), ox.RdfFormat.N_TRIPLES)
    return counted(store), {
        quad.subject.value.removeprefix(str(WD))
        for quad in store.quads_for_pattern(None, ox.NamedNode(WDT.P625), None)
    }


def counted(store: ox.Store) -> Counter[LeftOut]:
    found: Counter[LeftOut] = Counter()
    said = [ox.NamedNode(MLM[n]) for n in ("leftOutCount", "onEarth", "withImage", "withArticle")]
    for quad in store.quads_for_pattern(None, ox.NamedNode(RDF.type), ox.NamedNode(MLM.LeftOut)):
        of = store.quads_for_pattern(quad.subject, ox.NamedNode(MLM.ofClass), None)
        (number, *flags) = (
            value.object.value for p in said for value in store.quads_for_pattern(quad.subject, p, None)
        )
        classes = tuple(sorted(str(q.object) for q in of))
        found[LeftOut(classes, *(flag == "true" for flag in flags))] += int(number)
    return found


@pytest.mark.parametrize("name", JSON_FORMS)
def test_every_layout_of_json_gives_the_same_counts(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(JSON_FORMS[name])
    assert read(tmp_path / name, journal=tmp_path) == (EXPECTED, {"Q64", "Q7", "Q8"})


@pytest.mark.parametrize("name", RDF_FORMS)
def test_rdf_counts_the_same_and_takes_what_has_an_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(RDF_FORMS[name])
    found, taken = read(tmp_path / name, journal=tmp_path)
    assert found == Counter({kind: n for kind, n in EXPECTED.items() if not kind.image})
    assert taken == {"Q64", "Q7", "Q8", *(made["id"] for made, kind in LEFT if kind.image)}


def test_a_line_as_wikidata_writes_it_is_cut_and_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = scan.parsed

    def noted(text: bytes, *words: Any) -> list[bytes]:
        parsed.append(json.loads(text)["id"])
        return real(text, *words)

    monkeypatch.setattr(scan, "parsed", noted)
    report = Report()
    for made, _ in LEFT:
        scan.keep(compact(made).encode(), WANTED, report)
    assert report.left_out == EXPECTED
    # What names an image and an article, or a superclass, is read whole.
    assert parsed == ["Q111", "Q112", "Q115"]


def test_what_is_cut_out_is_what_a_parser_finds() -> None:
    chance = random.Random(4)
    snaks = {"P625": at(1, 2)[0]["mainsnak"], "P18": shows("a.jpg")[0]["mainsnak"]}
    tail = {"lastrevid": 7, "modified": "2026-11-25T00:00:00Z"}

    def some(*claims: dict[str, Any]) -> list[dict[str, Any]]:
        found = [{**claim, "rank": chance.choice(["normal", "preferred", "deprecated"])}
                 for claim in claims if chance.random() < 0.7]  # fmt: skip
        for claim in found:
            if chance.random() < 0.2:
                claim["qualifiers"] = {name: [snak] for name, snak in snaks.items()}
                claim["references"] = [{"snaks": {"P31": [is_a(PERSON)[0]["mainsnak"]]}}]
        return found

    cut, whole = Report(), Report()
    for number in range(500):
        claims = {
            "P31": some(*is_a(CITY, VILLAGE, PERSON)), "P625": some(*at(1, 2, "Q405"), *at(1, 2)),
            "P18": some(*shows(']}},"sitelinks":{')), "P17": some(*is_a(PERSON)),
            "P94": some(*ARMS),
        }  # fmt: skip
        names = [name for name in claims if claims[name] or chance.random() < 0.1]
        chance.shuffle(names)
        links = {site: {"title": '"P31":[{"mainsnak":'} for site in ("dewiki", "itwiki")
                 if chance.random() < 0.4}  # fmt: skip
        made = entity(f"Q{number}", {name: claims[name] for name in names}, links) | tail
        scan.keep(compact(made).encode(), WANTED, cut)
        entity_lines(json.loads(compact(made)), WANTED, whole)
    assert cut.left_out == whole.left_out
    assert len(whole.left_out) > 30


def test_counts_of_several_files_are_summed_and_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    half = len(ENTITIES) // 2
    for name, part in (("a.json", ENTITIES[:half]), ("b.json", ENTITIES[half:])):
        (tmp_path / name).write_text("".join(compact(made) + "\n" for made in part), "utf-8")
    paths = [tmp_path / name for name in ("a.json", "b.json", "a.json")]
    assert read(*paths, journal=tmp_path) == (EXPECTED, {"Q64", "Q7", "Q8"})
    assert read(*paths, journal=tmp_path)[0] == EXPECTED  # all of it from the journal


@pytest.mark.parametrize("name", ["array.json", "pretty.json", "a.nt", "a.ttl"])
def test_wherever_a_reading_stops_nothing_is_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mlmkg.sources import dump, streams

    monkeypatch.setattr(dump, "CHECKPOINT", 1)
    monkeypatch.setattr(streams.Dump.read, "__defaults__", (2048,))
    (tmp_path / name).write_bytes({**JSON_FORMS, **RDF_FORMS}[name])
    whole = read(tmp_path / name, journal=tmp_path / "whole")
    assert sum(whole[0].values()) > 10
    source = Dump((str(tmp_path / name),), WANTED, tmp_path / "whole")
    for stop in range(1, len(list(source.statements(quiet))), 13):
        begun = Dump((str(tmp_path / name),), WANTED, tmp_path / str(stop)).statements(quiet)
        for _ in range(stop):
            next(begun)
        begun.close()  # type: ignore[attr-defined]
        assert read(tmp_path / name, journal=tmp_path / str(stop)) == whole


def test_a_line_that_is_counted_and_malformed_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = compact(barren("Q301"))[:-30] + "\n"
    odd = compact({**barren("Q302"), "claims": "none", "x": "P625"}).replace('"P625"', '"P625":"P31"')
    (tmp_path / "dump.json").write_bytes(LINES + broken.encode() + odd.encode())
    assert read(tmp_path / "dump.json", journal=tmp_path)[0] == EXPECTED
    assert "malformed lines: 2" in caplog.text


def test_an_entity_of_rdf_whose_class_cannot_be_read_is_not_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = f'<{WD.Q301}> <{WDT.P31}> "x .\n<{WD.Q301}> <{WDT.P625}> "Point(1 2)" .\n'
    (tmp_path / "a.nt").write_bytes(TRIPLES + bad.encode())
    assert sum(read(tmp_path / "a.nt", journal=tmp_path)[0].values()) == len(LEFT) - 3
    assert "lines that cannot be read: 1" in caplog.text


def build(folder: Path, dump: Path, *words: str) -> Path:
    built = invoke("-w", folder, "build", "--source", "dump", "--dump", dump, "--offline", *words)
    assert built.exit_code == 0, built.output
    return folder


def funnel(workspace: Path) -> dict[str, dict[int, int]]:
    steps, _ = read_steps(open_read_only(Workspace(workspace)), CATALOG, RECIPE)
    return {step.constraint: dict(step.hops) for step in steps}


@pytest.mark.slow
def test_the_report_of_a_dump_says_what_each_constraint_removed(tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_bytes(ARRAY)
    page = {"title": "Thing Q7", "wikibase_item": "Q7", "opening_text": "A village.", "version": 7,
            "namespace": 0, "wiki": "enwiki", "language": "en"}  # fmt: skip
    cirrus = tmp_path / "enwiki-20260101-cirrussearch-content.json"
    cirrus.write_text(f"{compact({'index': {}})}\n{compact(page)}\n", "utf-8")
    words = ("--cirrus", str(cirrus))
    # Nobody has counted what a part of a dump leaves out; the whole is counted afterwards.
    mlm = build(tmp_path / "mlm", tmp_path / "dump.json", "--country", "Q183", *words)
    assert funnel(mlm)["in the class tree, with coordinates"] == {1: 3}
    build(mlm, tmp_path / "dump.json", *words)
    result = invoke("-w", mlm, "report", "--version", "mlm", "-o", tmp_path / "report")
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))["constraints"]
    assert [(step["entities"], step["removed"]) for step in said] == [(18, 0), (16, 2), (5, 11), (1, 4)]
    assert {step["constraint"]: step["hops"] for step in said[:3]} == {
        constraint: {str(hops): number for hops, number in of.items()}
        for constraint, of in FUNNEL.items()
    }
    assert invoke("-w", mlm, "validate").exit_code == 0


def test_the_funnel_of_an_rdf_dump_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_bytes(RDF_FORMS["a.ttl"])
    mlm = build(tmp_path / "mlm", tmp_path / "a.ttl")
    found = funnel(mlm)
    assert {step: found[step] for step in FUNNEL} == FUNNEL
    # Without summaries nothing is left, and it can be seen where: an empty step is a step.
    assert [found[step] for step in list(found)[len(FUNNEL) :]] == [{}, {}, {}, {}]
    assert "with a summary" in found
    refused = invoke("-w", mlm, "report", "--version", "irle", "-o", tmp_path / "report")
    assert "`mlmkg sparql constraints` says what each constraint left" in str(refused.exception)
