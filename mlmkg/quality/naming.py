"""Finds coordinates in a text that are those of the place it is about.

"Berlin lies at 52° 31′ N, 13° 24′ E" gives the answer away to a model that locates by text. A number
is no hit by itself: it has to be the entity's own latitude or longitude, within :data:`TOLERANCE`,
and to be written as one.
"""

from __future__ import annotations

import re
from typing import Final

#: Degrees by which an article's coordinates may differ from the graph's: 11 km.
TOLERANCE: Final = 0.1
_NUMBER: Final = r"\d{1,3}(?:[.,]\d+)?"
_SIDES: Final = (
    r"(?-i:[NSEWO])(?![^\W\d_])|(?:north|south|east|west)(?:ern)?\b|nord\b|sud\b|est\b|ouest\b"
    r"|nördl\w*|südl\w*|östl\w*|westl\w*|(?:nord|süd|ost|west)\b"
)
#: 52°, 52.52°, 52° 31′, 52° 31′ 12″, with the side of the world before or after, or none.
_ANGLE: Final = re.compile(
    rf"""
    (?<![\d.,])
    (?:(?<![^\W\d_])(?P<before>(?-i:[NSEWO]))[ \u00a0\u202f]*)?
    (?P<degrees>{_NUMBER})\s*(?:°|º|˚|degrees?\b|Grad\b|degrés?\b)
    (?:\s*(?P<minutes>\d{{1,2}}(?:[.,]\d+)?)\s*(?:['’′´‘ʹ](?!['’′´‘ʹ])|minutes?\b|Minuten?\b|min\b))?
    (?:\s*(?P<seconds>\d{{1,2}}(?:[.,]\d+)?)\s*(?:["”″“ʺ]|['’′´‘ʹ]{{2}}|seconds?\b|Sekunden?\b|secondes?\b))?
    (?:\s*(?P<after>{_SIDES}))?
    (?P<heat>\s*(?:(?-i:[CF])|Celsius|Fahrenheit)\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: 52.5200, 13.4050: two numbers with two decimals or more, either first.
_PAIR: Final = re.compile(
    r"(?<![\d.,])[-−]?(\d{1,3}\.\d{2,})\s*[,;/|]?\s*[-−]?(\d{1,3}\.\d{2,})(?![\d.]*\d)"
)
#: latitude 52.52, Längengrad: 13,405
_SAID: Final = re.compile(
    rf"\b(?P<axis>latitude|breitengrad|breite|longitude|längengrad|länge|lat|lon|long)\b\.?"
    rf"[ :=]*(?:(?:of|is|ist|von|de|est) )?\s*[-−]?(?P<number>{_NUMBER})",
    re.IGNORECASE,
)


def named(text: str, latitude: float, longitude: float) -> str | None:
    """Return where a text names the place's coordinates, or None.

    Whole degrees name a square of 111 km and do not count.

    :param latitude, longitude: the entity's own, degrees.

    >>> named("It lies at 52° 31′ N, 13° 24′ E.", 52.52, 13.405)
    '52° 31′ N'
    >>> named("It has 52.5 inhabitants per hectare and 13.4 °C.", 52.52, 13.405) is None
    True
    """
    if not any(character.isdigit() for character in text):
        return None
    bare: list[tuple[str, set[str]]] = []
    for angle in _ANGLE.finditer(text):
        found, words = _degrees(angle), angle.group().strip()
        if found is None or angle["heat"]:
            continue
        near = _axes(found, latitude, longitude)
        if side := (angle["before"] or angle["after"] or "")[:1].upper():
            if ("latitude" if side in "NS" else "longitude") in near:
                return words
            continue
        if other := next((said for said, axes in bare if _both(axes, near)), None):
            return f"{other}, {words}"
        bare.append((words, near))
    for pair in _PAIR.finditer(text):
        if _both(*(_axes(float(number), latitude, longitude) for number in pair.groups())):
            return pair.group()
    for said in _SAID.finditer(text):
        number, axis = said["number"], said["axis"].lower()
        wanted = "latitude" if axis.startswith(("lat", "b")) else "longitude"
        if re.search("[.,]", number) and wanted in _axes(_number(number), latitude, longitude):
            return said.group()
    return None


def _number(digits: str) -> float:
    return float(digits.replace(",", "."))


def _degrees(angle: re.Match[str]) -> float | None:
    """Return an angle in degrees, or None if it is a whole number of them."""
    minutes, seconds = angle["minutes"], angle["seconds"]
    if minutes is None and not re.search("[.,]", angle["degrees"]):
        return None
    return _number(angle["degrees"]) + _number(minutes or "0") / 60 + _number(seconds or "0") / 3600


def _axes(degrees: float, latitude: float, longitude: float) -> set[str]:
    """Return which of the entity's coordinates a number is, north or south, east or west."""
    own = {"latitude": latitude, "longitude": longitude}
    return {axis for axis, value in own.items() if abs(degrees - abs(value)) <= TOLERANCE}


def _both(one: set[str], other: set[str]) -> bool:
    """Return whether two numbers can be latitude and longitude, in either order."""
    return bool(one and other and len(one | other) == 2)
