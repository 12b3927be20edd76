"""Summaries made of facts: a few sentences per place and language.

Places enter, one text per place and language leaves. Which facts a text tells, in which order and in
which words, is chosen by a hash of the place and the language, so two places do not read alike and
the three languages are no translations of each other. The words stand in :mod:`phrases`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from mlmkg.sources.phrases import Facts, Phrases, phrases

_EARTH_RADIUS_KM: Final = 6371.0088
_BLOCK: Final = 512
_TROPIC: Final = 23.44
_POLAR_CIRCLE: Final = 66.56
#: Degrees within which the equator is said to be near.
_NEAR_EQUATOR: Final = 5.0
#: A country with fewer places has no parts.
_FEWEST_FOR_PARTS: Final = 5
#: A text with fewer words tells another fact.
_FEWEST_WORDS: Final = 22
#: Signs of a Cyrillic name in Latin letters ("Kol'jado", "Vehst Khehjvn"), which nobody calls a place.
_ROMANISED: Final = re.compile(
    r"[^aeiou ]'|[a-z]'$|[Ee]h[^aeiou]|[Kk]he|[Zz]h|[Dd]z[hj]|[a-z][A-Z]|[A-Z]{2}"
)
#: A direction is said where the other coordinate is at least this part of the way from the middle.
_OFF_CENTRE: Final = 0.2


@dataclass(frozen=True)
class Place:
    """What is known of a place.

    :param key: a number that names it and never changes.
    :param country: ISO 3166-1 alpha-2.
    :param latitude, longitude: degrees.
    :param kind: the label of its class in English, German and French.
    :param other_names: in any script.
    """

    key: int
    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    capital: bool
    kind: tuple[str, str, str]
    timezone: str
    other_names: tuple[str, ...]


@dataclass(frozen=True)
class Relations:
    """(N,) arrays of what a place is among the others of its country."""

    rank: np.ndarray  # by population in its country, from 1
    siblings: np.ndarray  # how many places its country has here
    neighbour: np.ndarray  # index of the nearest larger one, or -1
    kilometres: np.ndarray  # to it
    bearing: np.ndarray  # 0 to 7: from it, north, north-east, ...
    quarter: np.ndarray  # where in its country: 0 to 7 as bearing, 8 for the middle, -1 for unsaid


def summarise(
    places: Sequence[Place], relations: Relations, language: str, limit: int | None = None
) -> Iterator[str]:
    """Yield one text per place.

    :param places: (N,), the most populous first.
    :param relations: of the same places, from :func:`relate`.
    :param language: en, de or fr.
    :param limit: texts of the first so many places only; they are the same as without it.
    :raises KeyError: for another language.
    """
    words = phrases(language)
    for index, place in enumerate(places[:limit]):
        seed = blake2b(f"{place.key}/{language}".encode(), digest_size=16).digest()
        yield " ".join(_sentences(_facts(places, relations, index, words), words, seed))


def _facts(places: Sequence[Place], of: Relations, index: int, words: Phrases) -> Facts:
    place = places[index]
    neighbour = int(of.neighbour[index])
    clock = words.clock(place.timezone)
    return Facts(
        name=place.name,
        country=place.country,
        kind=place.kind[words.column],
        capital=place.capital,
        population=place.population,
        rank=int(of.rank[index]),
        siblings=int(of.siblings[index]),
        neighbour="" if neighbour < 0 else places[neighbour].name,
        kilometres=_rounded(float(of.kilometres[index])),
        bearing=int(of.bearing[index]),
        quarter=int(of.quarter[index]),
        northern=place.latitude >= 0,
        eastern=place.longitude >= 0,
        zone=_zone(place.latitude),
        clock="" if clock in place.name or clock in place.other_names else clock,
        others=_latin_names(place),
    )


def _zone(latitude: float) -> str:
    if abs(latitude) <= _NEAR_EQUATOR:
        return "equator"
    if abs(latitude) <= _TROPIC:
        return "tropics"
    return "polar" if abs(latitude) >= _POLAR_CIRCLE else "temperate"


def _rounded(kilometres: float) -> int:
    step = 1 if kilometres < 20 else 5 if kilometres < 100 else 10
    return max(1, round(kilometres / step) * step)


def _latin_names(place: Place) -> tuple[str, ...]:
    """Return up to three other names that a reader of Latin script can read."""
    seen = {place.name.casefold()}
    found = []
    for name in place.other_names:
        readable = name[:1].isupper() and 3 <= len(name) <= 30 and all(
            ord(c) < 0x250 and (c.isalpha() or c in " -'’") for c in name
        )  # fmt: skip
        if readable and name.casefold() not in seen and not _ROMANISED.search(name):
            seen.add(name.casefold())
            found.append(name)
    # Evenly from the list, which is in alphabetical order: neighbours in it are spellings of one name.
    return tuple(found[:: max(1, len(found) // 3)][:3])


def _sentences(facts: Facts, words: Phrases, seed: bytes) -> Iterator[str]:
    """Yield an opening and two to four further sentences, chosen by the seed's bytes."""
    opening = _pick(words.openings(facts), seed[0])
    yield opening
    people, *others = words.further(facts)
    told = words.number(facts.population) in opening
    further = [options for options in ([] if told else people, *others) if options]
    order = sorted(range(len(further)), key=lambda i: seed[4 + i])
    words_told = len(opening.split())
    for told_facts, i in enumerate(order):
        if told_facts >= 2 + seed[1] % 3 and words_told >= _FEWEST_WORDS:
            break
        sentence = _pick(further[i], seed[10 + i % 6])
        words_told += len(sentence.split())
        yield sentence


def _pick(options: Sequence[str], number: int) -> str:
    return options[number % len(options)]


def relate(places: Sequence[Place]) -> Relations:
    """Compare every place with the others of its country.

    :param places: (N,), the most populous first.
    """
    size = len(places)
    by_country: dict[str, list[int]] = defaultdict(list)
    for index, place in enumerate(places):
        by_country[place.country].append(index)
    latitudes = np.radians([place.latitude for place in places])
    longitudes = np.radians([place.longitude for place in places])
    of = Relations(
        np.ones(size, np.int64), np.ones(size, np.int64), np.full(size, -1), np.zeros(size),
        np.zeros(size, np.int64), np.full(size, -1),
    )  # fmt: skip
    for members in by_country.values():
        own = np.array(members)
        lat, lon = latitudes[own], longitudes[own]
        of.rank[own] = np.arange(1, len(own) + 1)
        of.siblings[own] = len(own)
        of.quarter[own] = _quarters(lat, lon)
        nearest, distance = _nearest_before(lat, lon)
        has = nearest >= 0
        of.neighbour[own[has]] = own[nearest[has]]
        of.kilometres[own] = distance
        of.bearing[own[has]] = _bearings(lat[nearest[has]], lon[nearest[has]], lat[has], lon[has])
    return of


def _nearest_before(lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, per place, the nearest one earlier in the list (larger) and the kilometres to it."""
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    # Doubles: the cosine of two kilometres and that of three are one number in float32.
    size = len(lat)
    nearest = np.full(size, -1)
    distance = np.zeros(size)
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        closeness = points[start:stop] @ points[:stop].T
        closeness[np.arange(stop)[None, :] >= np.arange(start, stop)[:, None]] = -2
        nearest[start:stop] = closeness.argmax(axis=1)
    nearest[0] = -1
    has = nearest >= 0
    chord = np.linalg.norm(points[has] - points[nearest[has]], axis=1)
    distance[has] = 2 * np.arcsin(np.clip(chord / 2, 0, 1)) * _EARTH_RADIUS_KM
    return nearest, distance


def _bearings(lat: np.ndarray, lon: np.ndarray, to_lat: np.ndarray, to_lon: np.ndarray) -> np.ndarray:
    """Return the eighth of the compass from one place to another: 0 is north, 2 is east."""
    y = np.sin(to_lon - lon) * np.cos(to_lat)
    x = np.cos(lat) * np.sin(to_lat) - np.sin(lat) * np.cos(to_lat) * np.cos(to_lon - lon)
    eighths: np.ndarray = np.rint(np.arctan2(y, x) / (np.pi / 4)).astype(int) % 8
    return eighths


def _quarters(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return where each place lies between its country's outermost: 0 to 7, 8 or -1."""
    if len(lat) < _FEWEST_FOR_PARTS:
        return np.full(len(lat), -1)
    lon = np.angle(np.exp(1j * (lon - lon[0])))  # a country across the antimeridian is one piece
    north, south, east, west = lat.max(), lat.min(), lon.max(), lon.min()
    up = (lat - (north + south) / 2) / max(north - south, 1e-9)
    right = (lon - (east + west) / 2) / max(east - west, 1e-9)
    eighths = np.rint(np.arctan2(right, up) / (np.pi / 4)).astype(int) % 8
    return np.where(np.hypot(up, right) < _OFF_CENTRE, 8, eighths)
