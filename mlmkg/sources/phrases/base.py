"""What a language must say of a place, and what all of them share.

Country names and those of the cities that time zones are called after are CLDR's (``babel``).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from babel import Locale


@dataclass(frozen=True)
class Facts:
    """What may be told of a place; see :class:`mlmkg.sources.sentences.Place`.

    :param kind: the label of its class in the text's language.
    :param rank: by population among ``siblings`` places of its country.
    :param neighbour: the nearest larger place of its country, or "".
    :param kilometres: to it, rounded.
    :param bearing: from it: 0 north, 1 north-east, ... 7 north-west.
    :param quarter: where in its country, as ``bearing``; 8 is the middle, -1 is not said.
    :param zone: ``equator``, ``tropics``, ``temperate`` or ``polar``.
    :param clock: the city that names its time zone, or "".
    :param others: other names.
    """

    name: str
    country: str
    kind: str
    capital: bool
    population: int
    rank: int
    siblings: int
    neighbour: str
    kilometres: int
    bearing: int
    quarter: int
    northern: bool
    eastern: bool
    zone: str
    clock: str
    others: tuple[str, ...]


#: Time zones called after an island or a region, which would need a preposition of their own.
_NO_CITY = re.compile(
    r"Atlantic/(?!Reykjavik|Stanley)|Indian/(?!Antananarivo)|Asia/(Kamchatka|Sakhalin)"
    r"|Pacific/(?!Apia|Auckland|Honolulu|Noumea|Pago_Pago|Port_Moresby)"
    r"|America/(Antigua|Bahia|Barbados|Cayman|Grand_Turk|Miquelon|St_|Tortola|Puerto_Rico)"
)


class Phrases(ABC):
    """A language."""

    language: ClassVar[str]
    #: Which label of a class is in this language: 0 English, 1 German, 2 French.
    column: ClassVar[int]
    _names: ClassVar[dict[str, str]] = {}
    _within: ClassVar[dict[str, str]] = {}

    def territory(self, code: str) -> str:
        """Return a country's name."""
        return self._names.get(code) or str(_territories(self.language).get(code, code))

    def clock(self, timezone: str) -> str:
        """Return the city that an IANA time zone is called after, "" if it is no city.

        >>> from mlmkg.sources.phrases import phrases
        >>> phrases("de").clock("Europe/Moscow"), phrases("de").clock("America/Jamaica")
        ('Moskau', '')
        """
        if _NO_CITY.match(timezone):
            return ""
        city = _zone_cities(self.language).get(timezone)
        city = city or timezone.rpartition("/")[2].replace("_", " ")
        city = re.sub(r" [(\[].*|, .*", "", city)
        countries = (*_territories(self.language).values(), *_territories("en").values())
        return "" if city in countries else city.replace("\u00ad", "")  # CLDR has soft hyphens

    @abstractmethod
    def within(self, code: str) -> str:
        """Return "in" and a country's name, with its article."""

    @abstractmethod
    def number(self, value: int) -> str:
        """Return a number as the language writes it."""

    @abstractmethod
    def openings(self, f: Facts) -> list[str]:
        """Return sentences that say what the place is and where."""

    @abstractmethod
    def further(self, f: Facts) -> list[list[str]]:
        """Return, per fact, sentences that tell it; an empty list where there is nothing to tell."""


@cache
def _territories(language: str) -> dict[str, str]:
    return dict(Locale(language).territories)


@cache
def _zone_cities(language: str) -> dict[str, str]:
    zones = Locale(language).time_zones
    return {zone: names["city"] for zone, names in zones.items() if "city" in names}


def listed(names: tuple[str, ...], conjunction: str) -> str:
    """Return names as a list in a sentence: commas, and a conjunction before the last."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]
