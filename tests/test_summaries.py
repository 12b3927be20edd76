"""The generated summaries: what they say is true, and said as the language says it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyoxigraph as ox
import pytest

from mlmkg.errors import SourceError
from mlmkg.sources import crops
from mlmkg.sources.gazetteer import Gazetteer, _on_earth, country_items
from mlmkg.sources.phrases import phrases
from mlmkg.sources.phrases.french import French
from mlmkg.sources.sentences import Place, relate, summarise
from mlmkg.vocab import SCHEMA
from tests.conftest import Lent


def place(key: int, latitude: float, longitude: float, population: int, country: str = "DE") -> Place:
    kind = ("city", "Stadt", "ville")
    return Place(
        key, f"Place {key}", country, latitude, longitude, population, False, kind,
        "Europe/Berlin", (),
    )  # fmt: skip


def texts(gazetteer: Gazetteer) -> dict[str, str]:
    return {
        quad.subject.value: quad.object.value
        for quad in ox.parse(b"".join(gazetteer.summaries(Lent())), ox.RdfFormat.N_TRIPLES)
        if quad.predicate.value == SCHEMA.text
    }


def test_a_text_says_its_language() -> None:
    lines = b"".join(Gazetteer(limit=3).summaries(Lent()))
    found = [
        q.object for q in ox.parse(lines, ox.RdfFormat.N_TRIPLES) if q.predicate.value == SCHEMA.text
    ]
    assert sorted(str(text.language) for text in found) == sorted(["en", "de", "fr"] * 3)


def test_a_limit_changes_no_text() -> None:
    few, more = texts(Gazetteer(limit=40)), texts(Gazetteer(limit=400))
    assert few.items() <= more.items()
    assert len(few) == 120


def test_the_nearest_larger_place_is_the_nearest() -> None:
    """Also where places are a kilometre apart, as in Paris: compared with every pair, in doubles."""
    cities = [city for city in Gazetteer().cities if city.country == "FR"]
    places = [place(c.geonames, c.latitude, c.longitude, c.population, "FR") for c in cities]
    relations = relate(places)
    lat, lon = (np.radians([getattr(p, name) for p in places]) for name in ("latitude", "longitude"))
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    distance = 2 * 6371.0088 * np.arcsin(np.sqrt(half))
    distance[np.triu_indices(len(places))] = np.inf
    assert np.allclose(relations.kilometres[1:], distance.min(axis=1)[1:], atol=1e-3)
    assert relations.neighbour[0] == -1


def test_a_country_of_few_places_has_no_centre() -> None:
    """Two places cannot say where in their country they lie."""
    places = [place(1, 52.5, 13.4, 3_000_000), place(2, 48.1, 11.6, 1_000_000)]
    for language, centre in (("en", "centre"), ("de", "Mitte"), ("fr", "centre")):
        for text in summarise(places, relate(places), language):
            assert centre not in text


def test_directions_are_those_of_the_map() -> None:
    places = [place(1, 50, 10, 9000), place(2, 51, 10, 8000), place(3, 50, 9, 7000)]
    relations = relate(places)
    assert relations.bearing[1] == 0  # north of place 1
    assert relations.bearing[2] == 6  # west of it
    assert relations.rank.tolist() == [1, 2, 3]


def test_parts_of_a_country_across_the_antimeridian() -> None:
    spots = [(-17, 177), (-18, 178), (-18, 179), (-17, -179), (-16.5, -179.5)]
    places = [place(i, lat, lon, 9000 - i, "FJ") for i, (lat, lon) in enumerate(spots)]
    quarter = relate(places).quarter
    assert quarter[0] in (5, 6, 7)  # the west
    assert quarter[3] in (1, 2, 3)  # the east


@pytest.mark.parametrize(
    ("language", "code", "phrase"),
    [
        ("en", "BA", "in Bosnia and Herzegovina"), ("en", "BQ", "in the Caribbean Netherlands"),
        ("de", "XK", "im Kosovo"), ("de", "MD", "in der Republik Moldau"), ("de", "FJ", "auf Fidschi"),
        ("de", "VC", "auf St. Vincent und den Grenadinen"), ("de", "NF", "auf der Norfolkinsel"),
        ("fr", "XK", "au Kosovo"), ("fr", "GY", "au Guyana"), ("fr", "VA", "au Vatican"),
        ("fr", "MM", "en Birmanie"), ("fr", "DM", "à la Dominique"), ("fr", "FO", "aux îles Féroé"),
        ("fr", "CD", "en République démocratique du Congo"),
    ],
)  # fmt: skip
def test_what_stands_before_a_rarer_country(language: str, code: str, phrase: str) -> None:
    assert phrases(language).within(code) == phrase


def test_every_country_has_a_phrase_without_a_bare_article_name() -> None:
    """A plural or an island name with its capital letter after "in" or "en" is one we forgot."""
    for code in {city.country for city in Gazetteer().cities} & set(country_items()):
        assert not re.search(
            r"^in (?!der |den ).*(inseln|insel|Niederlande|Staaten|Republik)\b",
            phrases("de").within(code),
        )
        assert not re.search(r"^(en|à) (Îles?|Pays|États)\b", phrases("fr").within(code))
        assert "&" not in phrases("en").within(code)


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("Le Caire", "du Caire"), ("Les Abymes", "des Abymes"), ("La Havane", "de La Havane"),
        ("Athènes", "d’Athènes"), ("Ürümqi", "d’Ürümqi"), ("Yangon", "de Yangon"), ("Ypres", "d’Ypres"),
        ("Lomé", "de Lomé"),
    ],
)  # fmt: skip
def test_french_elides(name: str, phrase: str) -> None:
    assert French.of(name) == phrase


def test_clocks_have_the_names_of_the_language() -> None:
    assert phrases("de").clock("Africa/Cairo") == "Kairo"
    assert phrases("fr").clock("Europe/London") == "Londres"
    assert phrases("de").clock("Atlantic/Reykjavik") == "Reykjavík"
    assert phrases("de").clock("Atlantic/Azores") == ""
    assert phrases("fr").clock("America/Jamaica") == ""


def test_a_language_without_words_is_said_at_once() -> None:
    with pytest.raises(SourceError, match="no summaries in 'nl'"):
        Gazetteer(languages=("en", "nl"))


def test_cities_that_are_not_on_earth_are_counted_and_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spots = [(52.5, 13.4), (float("nan"), 0.0), (91.0, 0.0), (0.0, 181.0)]
    cities = [{"latitude": latitude, "longitude": longitude} for latitude, longitude in spots]
    assert _on_earth(cities) == cities[:1]
    assert "3 cities without usable coordinates" in caplog.text


def test_each_label_of_a_country_stands_once() -> None:
    path = Path(__file__).parent.parent / "ontology" / "countries.ttl"
    labels = [
        (quad.subject, quad.object.language)
        for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE)
        if quad.predicate.value.endswith("#label") and isinstance(quad.object, ox.Literal)
    ]
    assert len(labels) == len(set(labels)) == 3 * len({subject for subject, _ in labels})


def test_others_may_read_an_image_file(tmp_path: Path) -> None:
    (crop,) = crops.cut([(700, 2900)], tmp_path)
    assert (tmp_path / crop.path).stat().st_mode & 0o777 == 0o644
    assert not list(tmp_path.rglob("*.tmp"))
