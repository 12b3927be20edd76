"""One value of Wikidata's JSON -> a term in Wikibase's own RDF mapping.

Source: https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from mlmkg.ntriples import iri, text, typed
from mlmkg.vocab import GEO, WD, XSD

COMMONS_FILE: Final = "http://commons.wikimedia.org/wiki/Special:FilePath/"
COMMONS_DATA: Final = "http://commons.wikimedia.org/data/main/"
EARTH: Final = "http://www.wikidata.org/entity/Q2"
GREGORIAN: Final = "http://www.wikidata.org/entity/Q1985727"
#: Wikibase's precisions of a time.
_YEAR, _MONTH, _DAY = 9, 10, 11
#: What MediaWiki leaves as it is in an address (``wfUrlencode``).
PLAIN: Final = ";@$!*(),/~:"


def term_of(datavalue: Mapping[str, Any], datatype: str) -> str | None:
    """Return a value as a term, or None if this mapping does not know it."""
    write = _WRITERS.get(str(datavalue["type"]))
    return write(datavalue["value"], datatype) if write else None


def _item(value: Mapping[str, Any], datatype: str) -> str:
    kinds = {"item": "Q", "property": "P"}
    return iri(WD[value.get("id") or f"{kinds[value['entity-type']]}{int(value['numeric-id'])}"])


def _string(value: str, datatype: str) -> str | None:
    if datatype == "commonsMedia":
        return iri(COMMONS_FILE + quote(value, safe="-_.~"))
    if datatype == "url":
        return iri(value)
    if datatype in {"geo-shape", "tabular-data"}:
        return iri(COMMONS_DATA + quote_plus(value, safe=PLAIN))
    return text(value) if datatype in {"", "string", "external-id"} else None


def _coordinates(value: Mapping[str, Any], datatype: str) -> str:
    point = f"Point({number(value['longitude'])} {number(value['latitude'])})"
    globe = value.get("globe") or EARTH
    return typed(point if globe == EARTH else f"<{globe}> {point}", GEO.wktLiteral)


def number(value: float) -> str:
    """Return a number as PHP writes it: fourteen digits, no point where none is needed.

    >>> number(-30.216666666667), number(13.0), number(0.00001)
    ('-30.216666666667', '13', '1.0E-5')
    """
    digits, exponent, power = f"{value:.14g}".partition("e")
    if not exponent:
        return digits
    return f"{digits if '.' in digits else digits + '.0'}E{int(power):+d}".replace("E+", "E")


def _quantity(value: Mapping[str, Any], datatype: str) -> str:
    return typed(str(value["amount"]), XSD.decimal)


def _monolingual(value: Mapping[str, Any], datatype: str) -> str:
    return text(value["text"], value["language"])


def _time(value: Mapping[str, Any], datatype: str) -> str | None:
    """Return a date as Wikibase's ``DateTimeValueCleaner`` does.

    Months and days that are not known become the first. A day of the Julian calendar is not written:
    it would have to be counted over.
    """
    precision = int(value.get("precision", _DAY))
    if value.get("calendarmodel") != GREGORIAN and precision >= _DAY:
        return None
    stamp = str(value["time"])
    date, _, clock = stamp[1:].partition("T")
    year, month, day = map(int, date.split("-"))
    if year == 0:
        return None
    month = 1 if precision <= _YEAR else min(max(month, 1), 12)
    day = 1 if precision <= _MONTH else max(day, 1)
    before = stamp[0] == "-"
    if day > 28:
        # The Gregorian calendar repeats every 400 years.
        day = min(day, monthrange(2000 + (-year if before else year) % 400, month)[1])
    if before and precision >= _YEAR:
        year -= 1  # XSD 1.1 counts a year 0, Wikibase's JSON does not
    sign = "-" if before and year else ""
    return typed(f"{sign}{year:04d}-{month:02d}-{day:02d}T{clock}", XSD.dateTime)


_WRITERS: Final[Mapping[str, Callable[[Any, str], str | None]]] = {
    "wikibase-entityid": _item,
    "string": _string,
    "globecoordinate": _coordinates,
    "quantity": _quantity,
    "monolingualtext": _monolingual,
    "time": _time,
}
