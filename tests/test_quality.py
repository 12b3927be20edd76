"""`mlmkg check`: each check finds the fault that it is for, and is silent without it."""

from __future__ import annotations

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mlmkg import texts
from mlmkg.catalog import read_catalog
from mlmkg.errors import MlmkgError
from mlmkg.perceptual import perceptual_hash
from mlmkg.quality import Finding, near_images, run_checks
from mlmkg.quality.dqv import write_file
from mlmkg.quality.hamming import from_hex, near_pairs
from mlmkg.quality.language import Languages
from mlmkg.quality.naming import named
from mlmkg.quality.pictures import NEAR_BITS, SPLITS, Lookalikes, arrange
from mlmkg.quality.places import within
from mlmkg.quality.texts import unscrambled
from mlmkg.recipe import read_recipe
from mlmkg.sources import crops
from mlmkg.splits import assign
from mlmkg.store import GraphStore, open_read_only
from mlmkg.vocab import PREFIXES
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.test_update import dump, words
from tests.wikidata import town as town_of
from tests.wikis import picture, wiki

CATALOG = read_catalog()
RECIPE = read_recipe(CATALOG.folder / "recipe.toml")
HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
CASES = Path(__file__).parent / "queries" / "quality"
DQV = rdflib.Namespace(PREFIXES["dqv"])
MLM = rdflib.Namespace(PREFIXES["mlm"])


def town(number: int, split: str, latitude: float, longitude: float, looks: str, name: str) -> str:
    """A town that is as it should be, in Turtle."""
    texts = {
        "en": f"{name} is a town in the north of the country, on the river, with an old market.",
        "de": f"{name} ist eine Stadt im Norden des Landes, am Fluss, mit einem alten Markt.",
        "fr": f"{name} est une ville du nord du pays, au bord du fleuve, avec un vieux marché.",
    }
    summaries = "".join(
        f'<urn:s{number}{code}> schema:about gn:{number} ; schema:inLanguage "{code}" ; '
        f'schema:text "{text}"@{code} .\n'
        for code, text in texts.items()
    )
    return f"""
gn:{number} mlm:inVersion version:mlm ; mlm:split mlm:{split} ; mlm:cell cell:1 ;
  wdt:P625 "Point({longitude} {latitude})"^^geo:wktLiteral ; wdt:P18 <urn:i{number}> ;
  rdfs:label "{name}"@en .
<urn:i{number}> mlm:file <urn:f{number}> .
<urn:f{number}> mlm:path "{number}.jpg" ; mlm:perceptualHash "{looks}" .
{summaries}"""


GOOD = (
    town(1, "train", 52.52, 13.405, "c3a5f00f96695aa5", "Aberg")
    + town(2, "test", 48.137, 11.575, "96695aa5c3a5f00f", "Bedorf")
    + town(3, "val", -0.5, -179.999, "f00fc3a55aa59669", "Cestadt")
)


def small(turtle: str) -> GraphStore:
    store = ox.Store()
    store.load((HEAD + turtle).encode(), ox.RdfFormat.TURTLE, to_graph=ox.NamedNode("urn:graph"))
    return GraphStore(store)


def checked(store: GraphStore, version: str = "mlm", examples: int = 3) -> dict[str, Finding]:
    found = run_checks(store, CATALOG, RECIPE, version, examples=examples)
    return {finding.name: finding for finding in found}


def test_a_good_store_has_no_hit_and_every_check_looked_at_something() -> None:
    found = checked(small(GOOD))
    assert {name: f.count for name, f in found.items() if f.count} == {}
    assert all(f.of > 0 for f in found.values())
    assert len(found) == 13


EN1 = "Aberg is a town in the north of the country, on the river, with an old market."
EN2 = EN1.replace("Aberg", "Bedorf")
#: check, what stands there, what is put in its place, count, a piece of the example
FAULTS = [
    ("same-image", "mlm:file <urn:f2>", "mlm:file <urn:f1>", 1, "Aberg, Bedorf: train and test: 1.jpg"),
    ("near-images", "96695aa5c3a5f00f", "c3a5f00f96695aa6", 1, "train and test, 2 bits differ"),
    ("near-images", "f00fc3a55aa59669", "96695aa5c3a5f00f", 1, "test and val, 0 bits differ"),
    ("same-text", EN2, f"  {EN1.upper()} ", 1, "1 in train and 1 in test: ABERG IS A"),
    ("near-places", "Point(11.575 48.137)", "Point(13.41 52.524)", 1, "train and test, 559 m apart"),
    ("near-places", "Point(13.405 52.52)", "Point(179.999 -0.5)", 1, "train and val, 222 m apart"),
    ("mojibake", "Aberg est une ville du", "Aberg est une citÃ© du", 1,
     "Aberg: fr: …ne citÃ© du nord d… should be …ne cité du nord du…"),
    ("wrong-language", EN1, "Aberg ist eine Stadt am Fluss, von der niemand etwas weiß.", 1,
     "says en, is de (1.00): Aberg ist"),
    ("coordinates-named", EN1, f"{EN1} It lies at 52° 31′ N.", 1, "Aberg: en: 52° 31′ N"),
    ("cell-without-train", "mlm:val ; mlm:cell cell:1", "mlm:val ; mlm:cell cell:2", 1,
     "2, Cestadt: 1 in val, 0 in test"),
    ("no-cell", "mlm:val ; mlm:cell cell:1", "mlm:val", 1, "Cestadt"),
    ("no-image", "<urn:i1> mlm:file <urn:f1>", "<urn:i1> mlm:page <urn:f1>", 1, "Aberg"),
    ("no-summary/fr", "<urn:s1fr> schema:about gn:1", "<urn:s1fr> schema:about gn:9", 1, "Aberg"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "there", "instead", "count", "says"), FAULTS,
    ids=[f"{number} {fault[0]}" for number, fault in enumerate(FAULTS)],
)  # fmt: skip
def test_a_planted_fault_is_found_and_nothing_else(
    name: str, there: str, instead: str, count: int, says: str
) -> None:
    assert GOOD.count(there) == 1
    found = checked(small(GOOD.replace(there, instead)))
    assert {key: f.count for key, f in found.items() if f.count} == {name: count}
    (example,) = found[name].examples
    assert says in example.words
    assert all(entity.startswith("http") for entity in example.entities)
    assert found[name].bad == (found[name].check.severity != "note")


def test_within_one_split_nothing_leaks() -> None:
    together = GOOD.replace("mlm:test", "mlm:train").replace("mlm:val", "mlm:train")
    for _, there, instead, _, _ in FAULTS[:6]:
        together = together.replace(there, instead)
    leaks = {"same-image", "near-images", "same-text", "near-places"}
    assert not [f for f in checked(small(together)).values() if f.name in leaks and f.count]


def test_other_versions_are_not_looked_at() -> None:
    other = town(4, "test", 52.52, 13.405, "c3a5f00f96695aa5", "Aberg")
    found = checked(small(GOOD + other.replace("version:mlm", "version:irle")))
    assert not any(f.count for f in found.values())


def test_what_cannot_be_looked_at_is_said() -> None:
    plain = GOOD.replace("f00fc3a55aa59669", "9c00000000000000")  # the flag of France, and of Ireland
    bare = plain.replace('; mlm:perceptualHash "96695aa5c3a5f00f"', "")
    near = checked(small(bare))["near-images"]
    assert near.of == 1
    assert "1 files too plain to compare; 1 files without a perceptual hash" in near.remark
    strange = GOOD.replace('schema:inLanguage "fr"', 'schema:inLanguage "xx"')
    assert checked(small(strange))["wrong-language"].remark == "not judged: 3 in xx"


def test_a_version_that_is_empty_or_unknown_is_said() -> None:
    with pytest.raises(MlmkgError, match="'irle' has no entities"):
        checked(small(GOOD), "irle")
    with pytest.raises(MlmkgError, match="no version 'irl'"):
        checked(small(GOOD), "irl")


@pytest.mark.parametrize("name", [query.name for query in CATALOG.of_kind("quality")])
def test_a_query_finds_its_one_hit(name: str) -> None:
    store = ox.Store()
    store.load(HEAD + (CASES / name / "input.trig").read_text("utf-8"), ox.RdfFormat.TRIG)
    query = CATALOG.find(f"quality/{name}")
    ((first, *_),) = GraphStore(store).rows(query.text)
    assert first in {"https://sws.geonames.org/3", "https://w3id.org/mlmkg/cell/2"}


# Hashes


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.sets(st.integers(0, 63), max_size=7)), max_size=30),
    st.integers(0, 10),
)
def test_near_pairs_are_those_of_comparing_all(
    some: list[int], changed: list[tuple[int, set[int]]], distance: int
) -> None:
    """Some hashes are others with a few bits turned, so that there are near pairs."""
    hashes = list(some)
    for at, bits in changed:
        if at < len(some):
            hashes.append(some[at] ^ sum(1 << bit for bit in bits))
    pairs, counts = near_pairs(np.array(hashes, dtype=np.uint64), distance)
    expected = {
        (a, b): n for a, b in itertools.combinations(range(len(hashes)), 2)
        if (n := (hashes[a] ^ hashes[b]).bit_count()) <= distance
    }  # fmt: skip
    found = list(zip(map(tuple, pairs.tolist()), counts.tolist(), strict=True))
    assert dict(found) == expected
    assert len(found) == len(expected)
    assert [n for _, n in found] == sorted(expected.values())


LOOKS = ["c3a5f00f96695aa5", "c3a5f00f96695aa6", "c3a5f00f96695a69", "f00fc3a55aa59669"]


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 9),
        st.tuples(st.sampled_from(LOOKS), st.sets(st.sampled_from(SPLITS), min_size=1)),
    )
)
def test_lookalikes_are_counted_as_they_are_listed(files: dict[int, tuple[str, set[str]]]) -> None:
    rows = [
        {"entity": f"{split}{path}", "path": str(path), "hash": looks}
        for path, (looks, splits) in files.items() for split in sorted(splits)
    ]  # fmt: skip
    splits = {row["entity"]: row["entity"][:-1] for row in rows}
    schema = pa.schema([(name, pa.string()) for name in ("entity", "path", "hash")])
    alike = Lookalikes(arrange(pa.Table.from_pylist(rows, schema), splits))
    expected = {
        (f"{s}{a}", f"{t}{b}")
        for a, b in itertools.combinations(sorted(files), 2)
        for s in files[a][1] for t in files[b][1]
        if s != t and (int(files[a][0], 16) ^ int(files[b][0], 16)).bit_count() <= NEAR_BITS
    }  # fmt: skip
    listed = list(alike)
    assert {tuple(sorted((p.entity, p.other))) for p in listed} == {tuple(sorted(p)) for p in expected}
    assert alike.number() == len(listed) == len(expected)
    assert alike.files() == len({entity[-1] for pair in expected for entity in pair})
    assert [p.distance for p in listed] == sorted(p.distance for p in listed)


def test_a_picture_saved_again_is_near_and_another_is_not() -> None:
    one, other = (
        Image.fromarray(picture)
        for picture in crops.sample(crops.blue_marble(), np.array([[900, 2900], [1500, 4300]]))
    )
    stream = io.BytesIO()
    one.resize((40, 40)).save(stream, "JPEG", quality=60)
    looks = from_hex([perceptual_hash(i) for i in (one, Image.open(stream), other)])
    assert near_pairs(looks, NEAR_BITS)[0].tolist() == [[0, 1]]


def test_near_images_of_a_version_are_listed_for_a_page() -> None:
    store = small(GOOD.replace("96695aa5c3a5f00f", "c3a5f00f96695aa6"))
    (pair,) = near_images(store, "mlm")
    assert (pair.path, pair.split, pair.other_path, pair.other_split) == (
        "1.jpg",
        "train",
        "2.jpg",
        "test",
    )
    assert (pair.entity[-2:], pair.other[-2:], pair.distance) == ("/1", "/2", 2)
    assert near_images(store, "mlm", limit=0) == []


# Places

DEGREES = st.tuples(
    st.one_of(st.floats(-90, 90), st.sampled_from([90.0, -90.0, 89.999, 0.0])),
    st.one_of(st.floats(-180, 180), st.sampled_from([180.0, -180.0, 179.999, 0.0])),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(DEGREES, max_size=12),
    st.lists(
        st.tuples(st.integers(0, 11), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), max_size=12
    ),
    st.sampled_from([0.5, 1.0, 50.0]),
)
def test_places_within_a_distance_are_those_of_comparing_all(
    some: list[tuple[float, float]], moved: list[tuple[int, float, float]], km: float
) -> None:
    points = list(some)
    for at, north, east in moved:
        if at < len(some):
            latitude, longitude = some[at]
            points.append((max(-90, min(90, latitude + north)), (longitude + east + 180) % 360 - 180))
    points.append((float("nan"), 0.0))  # whose place is not known: it is in no pair
    latitudes, longitudes = (np.array(column) for column in zip(*points, strict=True))
    pairs, distances = within(latitudes, longitudes, km)
    found = dict(zip(map(tuple, pairs.tolist()), distances.tolist(), strict=True))
    assert len(points) - 1 not in pairs
    for a, b in itertools.combinations(range(len(points) - 1), 2):
        apart = haversine(points[a], points[b])
        if apart <= km - 1e-6:
            assert found[a, b] == pytest.approx(apart, abs=1e-6)
        elif apart > km + 1e-6:
            assert (a, b) not in found


def haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    (a, b), (c, d) = np.radians(one), np.radians(other)
    h = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    return float(2 * 6371.0088 * np.arcsin(np.sqrt(min(h, 1.0))))


# Texts

BERLIN = (52.5186, 13.4083)


@pytest.mark.parametrize(
    "text",
    [
        "It lies at 52.52, 13.405.",
        "It lies at 52.5186° N, 13.4083° E.",
        "It lies at 52.5°N.",
        "Sie liegt auf 52,52° nördlicher Breite.",
        "Sie liegt bei 52° 31′ 7″ N, 13° 24′ 30″ O.",
        "It lies at 52°31'N.",
        "It lies at 52°31'12''N.",
        "N 52° 31' E 13° 24'",
        "Elle se trouve à 13° 24′ est.",
        "Elle se trouve à 52º31’ nord.",
        "latitude 52.52",
        "Der Breitengrad ist 52,52.",
        "(13.4083 / 52.5186)",
        "Point(13.4083 52.5186)",
        "52.52°, 13.41°",
        "52 degrees 31 minutes north",
    ],
)
def test_coordinates_are_found_however_they_are_written(text: str) -> None:
    assert named(text, *BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "A population of 52.5 thousand, 13.4 % of them students.",
        "It covers 52.52 km² and has 13.41 inhabitants per hectare.",
        "The mean temperature is 13.4 °C, in July 13.4 degrees Celsius.",
        "Am wärmsten war es bei 13,4 Grad Celsius.",
        "It lies at 48° 8′ N, 11° 34′ E.",
        "It lies at 48.137, 11.575.",
        "It lies between 52° and 53° north.",
        "It lies at 13° 24′ N.",
        "The tower leans by 13.4°.",
        "The church was built in 1352 and has 52 bells.",
        "latitude 52",
    ],
)
def test_other_numbers_are_no_coordinates(text: str) -> None:
    assert named(text, *BERLIN) is None


def test_south_and_west_and_places_where_both_are_equal() -> None:
    assert named("33°52′S 151°12′E", -33.87, 151.21) == "33°52′S"
    assert named("58.38° W", -34.6, -58.38)
    assert named("10.05°", 10.05, 10.05) is None
    assert named("10.05°, 10.06°", 10.05, 10.05)


#: Sentences as Wikipedia begins its articles: short, and full of names in other languages.
TRUE = [
    ("en", "Hoseynabad-e Sofla (Persian: حسین‌آباد سفلی‎, also Romanized as Ḩoseynābād-e Soflá) is a "
           "village in Howmeh Rural District, Iran. At the 2006 census, its population was 94."),
    ("en", "Łęczyca [wɛnˈt͡ʂɨt͡sa] (in full the Royal Town of Łęczyca, Polish: Królewskie Miasto "
           "Łęczyca; German: Lentschitz) is a town of inhabitants in central Poland."),
    ("en", "Xixian (simplified Chinese: 息县; pinyin: Xī Xiàn) is a county in Xinyang, Henan."),
    ("en", "Bad Münstereifel is a historical spa town in the district of Euskirchen."),
    ("en", "Saint-Rémy-de-Provence is a commune in the Bouches-du-Rhône department."),
    ("en", "Nowa Wieś Ełcka is a village in Gmina Ełk."),
    ("en", "Csákánydoroszló is a village in Vas County, Hungary."),
    ("en", "Bruck an der Mur is a city in Styria."),
    ("de", "Nowa Wieś Ełcka (deutsch Neuendorf) ist ein Dorf in der Woiwodschaft Ermland-Masuren."),
    ("de", "Saint-Rémy-de-Provence ist eine Gemeinde in der Region Provence-Alpes-Côte d’Azur."),
    ("de", "Llanfairpwllgwyngyll ist ein Ort in Wales."),
    ("de", "San Miguel de Allende ist eine Stadt im mexikanischen Bundesstaat Guanajuato."),
    ("de", "Thành phố Hồ Chí Minh ist eine Stadt in Vietnam."),
    ("de", "Aabenraa (deutsch Apenrade, plattdeutsch Affenråd) ist eine Hafenstadt in Nordschleswig."),
    ("fr", "Stratford-upon-Avon est une ville du Warwickshire, en Angleterre."),
    ("fr", "Bad Kissingen est une ville allemande, chef-lieu de l'arrondissement du même nom."),
    ("fr", "Ouagadougou (API : /wa.ga.du.gu/, en moré : Wogodogo) est la capitale du Burkina Faso."),
    ("fr", "Hódmezővásárhely est une ville hongroise de rang de comitat."),
    ("fr", "Santa Cruz de la Sierra est la ville la plus peuplée de Bolivie."),
    ("fr", "Tokyo (東京, Tōkyō, « capitale de l'Est ») est la capitale du Japon."),
]  # fmt: skip


def test_true_texts_full_of_names_are_not_accused_and_false_ones_mostly_are() -> None:
    languages = Languages(("en", "de", "fr"))
    assert [text for code, text in TRUE if languages.other(text, code)] == []
    others = [(text, code) for own, text in TRUE for code in ("en", "de", "fr") if code != own]
    assert sum(languages.other(text, code) is not None for text, code in others) >= 0.8 * len(others)
    assert languages.other("Город стоит на берегу большой реки.", "en") == (
        "ru",
        pytest.approx(1, abs=0.1),
    )


def test_languages_go_by_their_main_code() -> None:
    languages = Languages(("en-gb", "nb", "xx"))
    assert [code for code in ("en-gb", "nb", "xx") if languages.knows(code)] == ["en-gb", "nb"]
    assert languages.other("The town lies on the river and has an old market.", "en-gb") is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("MÃ¼nchen liegt in Bayern, nahe 東京.", True),
        ("Caf\ufffd am Markt", True),
        ("â€œThe Cityâ€\x9d", True),
        ("München, Łódź, Shahrak-e Mohandesī-ye Zerā‘ī, Île-de-France, 東京, Thị Trấn Đồng Văn", False),
        ("Plain ASCII, of course?", False),
    ],
)
def test_mojibake_is_told_from_letters(text: str, broken: bool) -> None:
    assert (unscrambled(text) is not None) == broken


# Triples


def test_the_turtle_holds_the_counts_and_the_ontology_the_metrics(tmp_path: Path) -> None:
    bad = GOOD.replace("96695aa5c3a5f00f", "c3a5f00f96695aa6").replace(EN2, EN1)
    findings = list(checked(small(bad)).values())
    write_file(tmp_path / "q.ttl", "mlm", findings)
    graph = rdflib.Graph().parse(tmp_path / "q.ttl")
    version = rdflib.URIRef(f"{PREFIXES['version']}mlm")
    values = {
        (str(graph.value(m, DQV.isMeasurementOf)), str(graph.value(m, rdflib.SDO.inLanguage, default="")
         or graph.value(m, rdflib.URIRef("http://schema.org/inLanguage"), default=""))):
        graph.value(m, DQV.value).toPython()
        for m in graph.subjects(rdflib.RDF.type, DQV.QualityMeasurement)
        if graph.value(m, DQV.computedOn) == version
    }  # fmt: skip
    assert values == {(f.check.metric, f.language): f.count for f in findings}
    assert sum(values.values()) == 2
    ontology = rdflib.Graph().parse(Path(__file__).parents[1] / "ontology" / "mlm.ttl")
    for finding in findings:
        metric = rdflib.URIRef(finding.check.metric)
        assert (metric, rdflib.RDF.type, DQV.Metric) in ontology
        assert str(ontology.value(metric, MLM.severity)) == finding.check.severity
        assert ontology.value(metric, DQV.inDimension) is not None
    targets = {str(t) for t in graph.objects(None, rdflib.Namespace(PREFIXES["oa"]).hasTarget)}
    assert targets == {"https://sws.geonames.org/1", "https://sws.geonames.org/2"}
    write_file(tmp_path / "q.nt", "mlm", findings)
    assert set(rdflib.Graph().parse(tmp_path / "q.nt")) == set(graph)
    again = (tmp_path / "q.ttl").read_bytes()
    write_file(tmp_path / "q.ttl", "mlm", findings)
    assert (tmp_path / "q.ttl").read_bytes() == again


# The command


def test_a_build_is_clean_and_says_so(built: Path, tmp_path: Path) -> None:
    done = invoke("-w", built, "check", "mlm", "-o", tmp_path / "q.ttl")
    assert done.exit_code == 0, done.output
    assert "mlm: clean, no leak and no error" in done.stderr
    assert "near-places\tnote\t0 pairs" in done.stdout
    assert len(rdflib.Graph().parse(tmp_path / "q.ttl")) > 13 * 6
    printed = json.loads(invoke("-w", built, "check", "mlm", "--json").stdout)
    assert printed["clean"] is True
    assert {f["check"]: f["of"] for f in printed["findings"]}["no-summary/de"] == 300


def test_what_was_fetched_for_wikidatas_entities_is_clean(tmp_path: Path) -> None:
    numbers = range(1, 9)
    with wiki() as server:
        for n in numbers:
            server.pages[f"Thing Q{n}"] = f"Thing {n} is a town in the north, on the river."
            stream = io.BytesIO()
            noise = np.random.default_rng(n).integers(0, 255, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((330, 248)).save(stream, "JPEG")
            server.files[f"Q{n}.jpg"] = stream.getvalue()
        path = dump(tmp_path, "wikidata.json", *(town_of(f"Q{n}") for n in numbers))
        done = invoke(*words(tmp_path, server, path, "build"))
        assert done.exit_code == 0, done.output
    done = invoke("-w", tmp_path / "mlm", "check", "mlm", "--json")
    assert done.exit_code == 0, done.output
    found = {f["check"]: (f["count"], f["of"]) for f in json.loads(done.stdout)["findings"]}
    assert found["near-images"] == (0, 8)
    assert found["wrong-language"] == (0, 8)
    assert found["no-summary/de"] == (8, 8)
    assert invoke("-w", tmp_path / "mlm", "validate").exit_code == 0


@pytest.mark.parametrize("common", [100, 2])
def test_entities_of_one_text_are_in_one_split_unless_it_is_boilerplate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    """Three towns that their hashes put into three splits; two more that have texts of their own."""
    monkeypatch.setattr(texts, "COMMON", common)
    alone = assign([f"{PREFIXES['wd']}Q{n}" for n in range(1, 80)], [], RECIPE.splits)
    of = {split: [int(e.rpartition("Q")[2]) for e in alone if alone[e] == split] for split in SPLITS}
    same = [of[split][0] for split in SPLITS]
    numbers = [*same, *of["train"][1:3]]
    with wiki() as server:
        for n in numbers:
            text = "  A Village in the north.\n" if n == same[0] else "a village in the  NORTH."
            server.pages[f"Thing Q{n}"] = text if n in same else f"Thing {n} is a town on the river."
            server.files[f"Q{n}.jpg"] = picture(n * 3, "JPEG")
        path = dump(tmp_path, "wikidata.json", *(town_of(f"Q{n}") for n in numbers))
        done = invoke(*words(tmp_path, server, path, "build"))
        assert done.exit_code == 0, done.output
    folder = tmp_path / "mlm"
    store = open_read_only(Workspace(folder))
    rows = store.rows("SELECT ?e ?split { ?e mlm:split ?split }")
    found = {int(e.rpartition("Q")[2]): split.removeprefix(str(MLM)) for e, split in rows}
    marked = [row[0] for row in store.rows("SELECT ?s { ?s mlm:boilerplate true }")]
    said = invoke("-w", folder, "check", "mlm", "--json")
    finding = next(f for f in json.loads(said.stdout)["findings"] if f["check"] == "same-text")
    assert finding["count"] == 0
    if common == 2:
        assert [found[n] for n in same] == list(SPLITS)
        assert len(marked) == 3
        assert finding["remark"].startswith("not judged: 1 texts of more than")
        comments = store.rows("SELECT ?c { ?activity a prov:Activity ; rdfs:comment ?c }")
        assert any("1 texts are of more than 2 entities each (3 summaries)" in c for (c,) in comments)
    else:
        assert len({found[n] for n in same}) == 1
        assert marked == []
        assert finding["remark"] == ""
    assert all(found[n] == "train" for n in of["train"][1:3])
    assert invoke("-w", folder, "validate").exit_code == 0


@pytest.fixture
def faulty(built: Path, tmp_path: Path) -> Path:
    """The built workspace with German called English, put into its store."""
    folder = tmp_path / "mlm"
    shutil.copytree(built, folder)
    store = ox.Store(str(folder / "store"))
    summaries = ox.NamedNode("https://w3id.org/mlmkg/graph/v1/summaries")
    english = ox.NamedNode("http://schema.org/inLanguage"), ox.Literal("en")
    german = ox.NamedNode("http://schema.org/inLanguage"), ox.Literal("de")
    subjects = sorted(str(q.subject.value) for q in store.quads_for_pattern(None, *german, summaries))
    for subject in subjects[:5]:
        store.remove(ox.Quad(ox.NamedNode(subject), *german, summaries))
        store.add(ox.Quad(ox.NamedNode(subject), *english, summaries))
    store.flush()
    return folder


def test_a_faulty_store_ends_with_1_and_examples(faulty: Path) -> None:
    done = invoke("-w", faulty, "check", "mlm", "--examples", "2")
    assert done.exit_code == 1
    assert "wrong-language\terror\t5 of 900 summaries\t0.6%" in done.stdout
    assert done.stdout.count("says en, is de") == 2
    assert done.stdout.count("https://sws.geonames.org/") >= 2
    assert "no-summary/de\tnote\t5 of 300 entities" in done.stdout
    assert "mlm: not clean: 1 error" in done.stderr


def test_findings_become_a_graph_with_provenance_that_a_build_keeps(
    built: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mlm"
    shutil.copytree(built, folder)
    done = invoke("-w", folder, "check", "mlm", "--write")
    assert done.exit_code == 0, done.output
    assert "triples in the graph quality/mlm" in done.stderr
    assert invoke("-w", folder, "check", "mlm", "--write").exit_code == 0
    assert invoke("-w", folder, "check", "irle", "--write").exit_code == 0
    assert "Nothing to do" in invoke("-w", folder, "build", "--limit", "300").output
    asked = (
        "SELECT ?n ?plan { GRAPH ?g { ?m dqv:isMeasurementOf mlm:noSummaryMetric ; dqv:value ?n ; "
        "dqv:computedOn version:mlm ; schema:inLanguage 'de' } ?g prov:wasGeneratedBy/"
        "prov:qualifiedAssociation/prov:hadPlan/mlm:path ?plan }"
    )
    answer = invoke("-w", folder, "sparql", "-", input=asked).stdout
    assert "mlmkg/quality" in answer
    validated = invoke("-w", folder, "validate", "--sample", "5")
    assert validated.exit_code == 0, validated.output


def test_a_check_of_ones_own_is_a_file(built: Path, tmp_path: Path) -> None:
    mine = tmp_path / "v1"
    shutil.copytree(CATALOG.folder, mine)
    query = (
        "#+ title: a huge place\n#+ severity: leak\n#+ parameters: {version: which}\n"
        "SELECT ?entity ?message WHERE { VALUES ?version { version:mlm }"
        " ?entity mlm:inVersion ?version ; wdt:P1082 ?n"
        " FILTER(?n > 20000000) BIND(CONCAT(STR(?n), ' people') AS ?message) }"
    )
    (mine / "quality" / "huge.rq").write_text(query, "utf-8")
    done = invoke("-w", built, "-q", mine, "check", "mlm", "--json", "-o", tmp_path / "q.ttl")
    assert done.exit_code == 1, done.output
    (huge,) = (f for f in json.loads(done.stdout)["findings"] if f["check"] == "huge")
    assert huge["count"] >= 1
    assert huge["examples"][0]["words"].endswith(" people")
    graph = rdflib.Graph().parse(tmp_path / "q.ttl")
    assert str(graph.value(rdflib.URIRef(huge["metric"]), MLM.severity)) == "leak"
    nameless = query.replace("version: ", "entity: ").replace(
        "VALUES ?version { version:mlm }", "VALUES ?entity { wd:Q64 }"
    )
    for wrong, says in (
        (query.replace("leak", "bad"), "severity 'bad'"),
        (nameless, "no parameter `version`"),
    ):
        (mine / "quality" / "huge.rq").write_text(wrong, "utf-8")
        refused = invoke("-w", built, "-q", mine, "check", "mlm")
        assert says in str(refused.exception)


def test_bad_input_is_said_before_anything_is_done(built: Path, tmp_path: Path) -> None:
    for asked, says in (
        (("mlm", "-o", tmp_path / "q.csv"), r"\.ttl \(Turtle\)"),
        (("irl",), "the versions are|The versions are"),
    ):
        done = invoke("-w", built, "check", *asked)
        with pytest.raises(MlmkgError, match=says):
            raise done.exception or AssertionError(done.output)
    assert not (tmp_path / "q.csv").exists()
