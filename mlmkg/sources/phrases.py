"""The words of the generated summaries, in English, German and French.

Facts of a place enter, alternative sentences leave. Country names are CLDR's (``babel``); what goes
before them ("in der Schweiz", "aux États-Unis") stands in tables here. So are the names of the cities
that time zones are called after.
"""

from __future__ import annotations

import re
import unicodedata
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

        >>> German().clock("Europe/Moscow"), German().clock("America/Jamaica")
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


class English(Phrases):
    """English."""

    language = "en"
    column = 0
    _names: ClassVar = {"HK": "Hong Kong", "MO": "Macao", "CG": "the Republic of the Congo",
                        "CD": "the Democratic Republic of the Congo", "MM": "Myanmar"}  # fmt: skip
    _the: ClassVar = {
        "US", "GB", "NL", "AE", "PH", "BS", "MV", "GM", "DO", "CF", "KM", "SB", "MH", "KY", "FO",
        "TC", "VI", "VG", "MP", "PS", "FK", "AX", "CK", "CC", "UM", "BQ", "TF", "PN", "IO",
    }  # fmt: skip
    _compass: ClassVar = (
        "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
    )  # fmt: skip

    def territory(self, code: str) -> str:
        """Return a country's name without the "&" of tables."""
        return super().territory(code).replace(" & ", " and ")

    def the(self, code: str) -> str:
        """Return a country's name with its article."""
        return f"the {self.territory(code)}" if code in self._the else self.territory(code)

    def within(self, code: str) -> str:
        """Return "in" and a country's name."""
        return "on the Isle of Man" if code == "IM" else f"in {self.the(code)}"

    def number(self, value: int) -> str:
        """Return 12,345."""
        return f"{value:,}"

    def openings(self, f: Facts) -> list[str]:
        """Say what the place is and where."""
        a = f"a{'n' if f.kind[0] in 'aeiou' else ''} {f.kind}"
        where = self.within(f.country)
        if f.capital:
            return [
                f"{f.name} is the capital of {self.the(f.country)}.",
                f"{f.name}, {a}, is the capital of {self.the(f.country)}.",
                f"The capital of {self.the(f.country)} is {f.name}.",
            ]
        if f.quarter < 0:
            return [
                f"{f.name} is {a} {where}.",
                f"{f.name}, {a} {where}, has {self.number(f.population)} inhabitants.",
            ]
        part = "the centre" if f.quarter == 8 else f"the {self._compass[f.quarter]}"
        of = f"of {self.the(f.country)}"
        return [
            f"{f.name} is {a} {where}.",
            f"{f.name} is {a} in {part} {of}.",
            f"In {part} {of} lies {f.name}, {a}.",
            f"{f.name}, {a} {where}, has {self.number(f.population)} inhabitants.",
        ]

    def further(self, f: Facts) -> list[list[str]]:
        """Tell one fact each."""
        people = self.number(f.population)
        side = "north" if f.northern else "south"
        half = "eastern" if f.eastern else "western"
        pole = "Arctic" if f.northern else "Antarctic"
        climate = {
            "equator": [f"The equator is near: it runs to the {'south' if f.northern else 'north'}.",
                        f"It lies deep in the tropics, a little {side} of the equator."],
            "tropics": [f"It lies within the tropics, {side} of the equator.",
                        f"The equator lies {'south' if f.northern else 'north'} of it, the tropic of "
                        f"{'Cancer' if f.northern else 'Capricorn'} {side}."],
            "polar": [f"It lies beyond the {pole} Circle."],
            "temperate": [f"It lies {side} of the equator, in the {half} hemisphere.",
                          f"On the map it is found {side} of the equator and "
                          f"{'east' if f.eastern else 'west'} of Greenwich."],
        }[f.zone]  # fmt: skip
        near = [
            f"It is some {f.kilometres} km {self._compass[f.bearing]} of {f.neighbour}.",
            f"The nearest larger place is {f.neighbour}, about {f.kilometres} km away.",
            f"{f.neighbour} lies {f.kilometres} km to the {self._compass[(f.bearing + 4) % 8]}.",
        ]
        ranked = [
            f"By population it is number {self.number(f.rank)} of {self.number(f.siblings)} listed "
            f"{self.within(f.country)}.",
            f"Of the places listed {self.within(f.country)}, {self.number(f.rank - 1)} are larger.",
        ]
        largest = [f"No place {self.within(f.country)} has more people."]
        return [
            [f"Its population is {people}.", f"About {people} people live there.",
             f"It counts {people} inhabitants."],
            near if f.neighbour else [],
            climate,
            (largest if f.rank == 1 else ranked if f.rank > 2 else []) if f.siblings > 1 else [],
            [f"{'Other names are' if len(f.others) > 1 else 'Another name is'} "
             f"{_listed(f.others, 'and')}.",
             f"It is also called {_listed(f.others, 'or')}."] if f.others else [],
            [f"Clocks are set as in {f.clock}.", f"It keeps the time of {f.clock}."]
            if f.clock else [],
        ]  # fmt: skip


class German(Phrases):
    """German."""

    language = "de"
    column = 1
    _names: ClassVar = {"HK": "Hongkong", "MO": "Macau", "BN": "Brunei"}
    _within: ClassVar = {
        "CH": "in der Schweiz", "TR": "in der Türkei", "UA": "in der Ukraine",
        "SK": "in der Slowakei", "MN": "in der Mongolei", "EH": "in der Westsahara",
        "DO": "in der Dominikanischen Republik", "CF": "in der Zentralafrikanischen Republik",
        "VA": "in der Vatikanstadt", "IR": "im Iran", "IQ": "im Irak", "LB": "im Libanon",
        "SD": "im Sudan", "SS": "im Südsudan", "TD": "im Tschad", "YE": "im Jemen", "OM": "im Oman",
        "GB": "im Vereinigten Königreich", "US": "in den Vereinigten Staaten",
        "NL": "in den Niederlanden", "AE": "in den Vereinigten Arabischen Emiraten",
        "PS": "in den Palästinensischen Autonomiegebieten", "PH": "auf den Philippinen",
        "MV": "auf den Malediven", "BS": "auf den Bahamas", "SC": "auf den Seychellen",
        "KM": "auf den Komoren", "SB": "auf den Salomonen", "MH": "auf den Marshallinseln",
        "KY": "auf den Kaimaninseln", "FO": "auf den Färöern", "AX": "auf den Ålandinseln",
        "VI": "auf den Amerikanischen Jungferninseln", "VG": "auf den Britischen Jungferninseln",
        "TC": "auf den Turks- und Caicosinseln", "MP": "auf den Nördlichen Marianen",
        "CK": "auf den Cookinseln", "IM": "auf der Isle of Man",
        "CC": "auf den Kokosinseln", "BM": "auf den Bermudas", "XK": "im Kosovo",
        "MD": "in der Republik Moldau", "BQ": "in den Karibischen Niederlanden",
        "CX": "auf der Weihnachtsinsel", "NF": "auf der Norfolkinsel", "PN": "auf den Pitcairninseln",
        "SJ": "auf Spitzbergen und Jan Mayen", "VC": "auf St. Vincent und den Grenadinen",
        "GS": "auf Südgeorgien und den Südlichen Sandwichinseln",
        "TF": "in den Französischen Süd- und Antarktisgebieten", "FK": "auf den Falklandinseln",
        "CD": "in der Demokratischen Republik Kongo", "CG": "in der Republik Kongo",
        **{code: f"auf {name}" for code, name in {
            "MT": "Malta", "CY": "Zypern", "CU": "Kuba", "JM": "Jamaika", "MG": "Madagaskar",
            "RE": "Réunion", "GP": "Guadeloupe", "MQ": "Martinique", "MU": "Mauritius",
            "BB": "Barbados", "AW": "Aruba", "CW": "Curaçao", "GU": "Guam", "GG": "Guernsey",
            "JE": "Jersey", "YT": "Mayotte", "LC": "St. Lucia", "GD": "Grenada", "DM": "Dominica",
            "FJ": "Fidschi", "MS": "Montserrat", "AI": "Anguilla", "BL": "St. Barthélemy",
            "MF": "St. Martin", "SX": "Sint Maarten", "SH": "St. Helena", "NU": "Niue", "NR": "Nauru",
            "KN": "St. Kitts und Nevis", "AG": "Antigua und Barbuda", "PR": "Puerto Rico",
            "WF": "Wallis und Futuna", "PM": "St. Pierre und Miquelon", "TT": "Trinidad und Tobago",
        }.items()},
    }  # fmt: skip
    _compass: ClassVar = (
        "nördlich", "nordöstlich", "östlich", "südöstlich", "südlich", "südwestlich", "westlich",
        "nordwestlich",
    )  # fmt: skip
    _parts: ClassVar = (
        "Norden", "Nordosten", "Osten", "Südosten", "Süden", "Südwesten", "Westen", "Nordwesten",
    )  # fmt: skip
    _gender: ClassVar = {"menschliche Siedlung": "eine", "Dorf": "ein"}

    def within(self, code: str) -> str:
        """Return "in" and a country's name in the dative."""
        return self._within.get(code, f"in {self.territory(code)}")

    def number(self, value: int) -> str:
        """Return 12.345."""
        return f"{value:,}".replace(",", ".")

    def openings(self, f: Facts) -> list[str]:
        """Say what the place is and where."""
        a = f"{self._gender.get(f.kind, 'eine')} {f.kind}"
        where = self.within(f.country)
        if f.capital:
            return [
                f"{f.name} liegt {where} und ist dort die Hauptstadt.",
                f"{f.name}, {a} {where}, ist die Hauptstadt des Landes.",
                f"{_capital(where)} ist {f.name} die Hauptstadt.",
            ]
        if f.quarter < 0:
            return [
                f"{f.name} ist {a} {where}.",
                f"{f.name} ist {a} mit {self.number(f.population)} Einwohnern {where}.",
            ]
        part = "in der Mitte" if f.quarter == 8 else f"im {self._parts[f.quarter]}"
        return [
            f"{f.name} ist {a} {where}.",
            f"{f.name} liegt {where}, {part} des Landes.",
            f"{_capital(where)}, {part} des Landes, liegt {f.name}, {a}.",
            f"{f.name} ist {a} mit {self.number(f.population)} Einwohnern {where}.",
        ]

    def further(self, f: Facts) -> list[list[str]]:
        """Tell one fact each."""
        people = self.number(f.population)
        side = "nördlich" if f.northern else "südlich"
        half = "östlich" if f.eastern else "westlich"
        circle = "nördlichen" if f.northern else "südlichen"
        climate = {
            "equator": [f"Bis zum Äquator, der {'südlich' if f.northern else 'nördlich'} verläuft, "
                        "ist es nicht weit.",
                        f"Der Ort liegt nahe am Äquator, {side} von ihm."],
            "tropics": [f"Der Ort gehört zu den Tropen, {side} des Äquators.",
                        f"Der Ort liegt zwischen den Wendekreisen, {side} des Äquators."],
            "polar": [f"Der Ort liegt jenseits des {circle} Polarkreises."],
            "temperate": [f"Die Lage ist {side} des Äquators und {half} von Greenwich.",
                          f"Der Ort liegt auf der {'Nord' if f.northern else 'Süd'}halbkugel, "
                          f"{half} des Nullmeridians."],
        }[f.zone]  # fmt: skip
        near = [
            f"Etwa {f.kilometres} km entfernt liegt {f.neighbour}, der nächste größere Ort.",
            f"Der Ort befindet sich rund {f.kilometres} km {self._compass[f.bearing]} von "
            f"{f.neighbour}.",
            f"Bis {f.neighbour} sind es in der Luftlinie {f.kilometres} km.",
        ]
        ranked = [
            f"Nach der Einwohnerzahl steht der Ort auf Platz {self.number(f.rank)} von "
            f"{self.number(f.siblings)} {self.within(f.country)}.",
            f"Unter {self.number(f.siblings)} verzeichneten Orten des Landes ist es die Nummer "
            f"{self.number(f.rank)}.",
        ]
        largest = [f"Kein Ort {self.within(f.country)} hat mehr Einwohner."]
        return [
            [f"{people} Menschen leben dort.", f"Gezählt werden {people} Einwohner.",
             f"Die Bevölkerung umfasst {people} Personen."],
            near if f.neighbour else [],
            climate,
            (largest if f.rank == 1 else ranked) if f.siblings > 1 else [],
            [f"{'Andere Namen' if len(f.others) > 1 else 'Ein anderer Name'}: "
             f"{_listed(f.others, 'und')}.",
             f"Man kennt den Ort auch als {_listed(f.others, 'oder')}."] if f.others else [],
            [f"Die Uhren gehen wie in {f.clock}.", f"Es gilt die Zeit von {f.clock}."]
            if f.clock else [],
        ]  # fmt: skip


class French(Phrases):
    """French."""

    language = "fr"
    column = 2
    _names: ClassVar = {
        "HK": "Hong Kong", "MO": "Macao", "RE": "La Réunion", "MM": "Birmanie", "VA": "Vatican",
        "CD": "République démocratique du Congo", "CG": "République du Congo",
    }  # fmt: skip
    _masculine: ClassVar = {
        "BD",
        "BF",
        "BI",
        "BJ",
        "BN",
        "BR",
        "BT",
        "BW",
        "BZ",
        "CA",
        "CL",
        "CM",
        "CR",
        "CV",
        "DK",
        "EH",
        "GA",
        "GB",
        "GH",
        "GL",
        "GT",
        "GY",
        "HN",
        "JP",
        "KE",
        "KG",
        "KH",
        "KW",
        "KZ",
        "LA",
        "LB",
        "LI",
        "LK",
        "LR",
        "LS",
        "LU",
        "MA",
        "ME",
        "ML",
        "MW",
        "MX",
        "MZ",
        "NE",
        "NG",
        "NI",
        "NP",
        "PA",
        "PE",
        "PK",
        "PT",
        "PY",
        "QA",
        "RW",
        "SD",
        "SJ",
        "SN",
        "SR",
        "SS",
        "SV",
        "TD",
        "TG",
        "TJ",
        "TL",
        "TM",
        "VA",
        "VE",
        "VN",
        "VU",
        "XK",
        "YE",
        "ZW",
    }
    _plural: ClassVar = {
        "AE",
        "AS",
        "AX",
        "BM",
        "BQ",
        "BS",
        "CC",
        "CK",
        "FJ",
        "FK",
        "FO",
        "KI",
        "KM",
        "KY",
        "MH",
        "MP",
        "MV",
        "NL",
        "PH",
        "PN",
        "PW",
        "SB",
        "SC",
        "TC",
        "TO",
        "TV",
        "UM",
        "US",
        "VG",
        "VI",
        "WS",
    }
    _islands: ClassVar = {
        "AG",
        "AI",
        "AW",
        "BH",
        "BL",
        "CU",
        "CW",
        "CY",
        "DJ",
        "GG",
        "GI",
        "GU",
        "HK",
        "JE",
        "KN",
        "LC",
        "MC",
        "MF",
        "MG",
        "MO",
        "MS",
        "MT",
        "MU",
        "NR",
        "NU",
        "OM",
        "PM",
        "PR",
        "RE",
        "SG",
        "SH",
        "SM",
        "ST",
        "SX",
        "TT",
        "TW",
        "VC",
        "WF",
        "YT",
    }
    _within: ClassVar = {
        "PS": "dans les Territoires palestiniens", "IM": "sur l’île de Man", "BB": "à la Barbade",
        "GD": "à la Grenade", "DM": "à la Dominique", "CX": "sur l’île Christmas",
        "NF": "sur l’île Norfolk", "CG": "en République du Congo",
        "CD": "en République démocratique du Congo",
        "GS": "en Géorgie du Sud-et-les îles Sandwich du Sud",
        "TF": "dans les Terres australes françaises",
    }  # fmt: skip
    _compass: ClassVar = (
        "au nord", "au nord-est", "à l’est", "au sud-est", "au sud", "au sud-ouest", "à l’ouest",
        "au nord-ouest",
    )  # fmt: skip
    _parts: ClassVar = (
        "le nord", "le nord-est", "l’est", "le sud-est", "le sud", "le sud-ouest", "l’ouest",
        "le nord-ouest",
    )  # fmt: skip

    def within(self, code: str) -> str:
        """Return "en", "au", "aux" or "à" and a country's name."""
        name = self.territory(code)
        if code in self._within:
            return self._within[code]
        if code in self._masculine:
            return f"au {name}"
        if code in self._plural:
            return f"aux {name.replace('Îles', 'îles')}"
        return f"{'à' if code in self._islands else 'en'} {name}"

    def number(self, value: int) -> str:
        """Return 12 345, with narrow no-break spaces."""
        return f"{value:,}".replace(",", "\u202f")

    @staticmethod
    def of(name: str) -> str:
        """Return "de" and a place's name."""
        if name.startswith("Le "):
            return f"du {name[3:]}"
        if name.startswith("Les "):
            return f"des {name[4:]}"
        letters = unicodedata.normalize("NFD", name.lower())
        # "d’Ypres", but "de Yangon"
        elided = bool(re.match("[aeiou]|y[^aeiou]", letters))
        return f"d’{name}" if elided else f"de {name}"

    def openings(self, f: Facts) -> list[str]:
        """Say what the place is and where."""
        a = f"un {f.kind}" if f.kind in {"village", "établissement humain"} else f"une {f.kind}"
        where = self.within(f.country)
        if f.capital:
            return [
                f"{f.name} se trouve {where} et en est la capitale.",
                f"{f.name}, {a} {where}, est la capitale du pays.",
                f"{_capital(where)}, la capitale est {f.name}.",
            ]
        if f.quarter < 0:
            return [
                f"{f.name} est {a} {where}.",
                f"{f.name}, {a} {where}, compte {self.number(f.population)} habitants.",
            ]
        part = "au centre" if f.quarter == 8 else f"dans {self._parts[f.quarter]}"
        return [
            f"{f.name} est {a} {where}.",
            f"{f.name} se trouve {where}, {part} du pays.",
            f"{_capital(where)}, {part} du pays, se trouve {f.name}, {a}.",
            f"{f.name}, {a} {where}, compte {self.number(f.population)} habitants.",
        ]

    def further(self, f: Facts) -> list[list[str]]:
        """Tell one fact each."""
        people = self.number(f.population)
        side = "au nord" if f.northern else "au sud"
        half = "à l’est" if f.eastern else "à l’ouest"
        circle = "arctique" if f.northern else "antarctique"
        climate = {
            "equator": [f"L’équateur est proche, {'au sud' if f.northern else 'au nord'}.",
                        f"La localité est proche de l’équateur, {side} de celui-ci."],
            "tropics": [f"La localité se situe entre les tropiques, {side} de l’équateur.",
                        f"On est sous les tropiques, {side} de l’équateur."],
            "polar": [f"La localité se situe au-delà du cercle polaire {circle}."],
            "temperate": [f"La localité est située {side} de l’équateur et {half} de Greenwich.",
                          f"C’est {side} de l’équateur, {half} du premier méridien."],
        }[f.zone]  # fmt: skip
        near = [
            f"{f.neighbour}, plus grande, est à {f.kilometres} km.",
            f"La localité est à environ {f.kilometres} km {self._compass[f.bearing]} "
            f"{self.of(f.neighbour)}.",
            f"À vol d’oiseau, {f.kilometres} km séparent la localité {self.of(f.neighbour)}."
            if f.kilometres > 1
            else f"{f.neighbour} est tout près, à 1 km.",
        ]
        ranked = [
            f"Par sa population, la localité vient au rang {self.number(f.rank)} sur "
            f"{self.number(f.siblings)} {self.within(f.country)}.",
            f"C’est le numéro {self.number(f.rank)} parmi {self.number(f.siblings)} localités du pays.",
        ]
        largest = [f"Aucune localité n’est plus peuplée {self.within(f.country)}."]
        return [
            [f"Sa population est de {people} personnes.", f"On y recense {people} habitants.",
             f"{people} personnes y vivent."],
            near if f.neighbour else [],
            climate,
            (largest if f.rank == 1 else ranked) if f.siblings > 1 else [],
            [f"Autre{'s noms' if len(f.others) > 1 else ' nom'} : {_listed(f.others, 'et')}.",
             f"La localité est aussi connue sous le nom {self.of(f.others[0])}."] if f.others else [],
            [f"L’heure est celle {self.of(f.clock)}.",
             f"Les horloges suivent l’heure {self.of(f.clock)}."] if f.clock else [],
        ]  # fmt: skip


def _listed(names: tuple[str, ...], conjunction: str) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


#: Language code -> its words.
LANGUAGES: dict[str, type[Phrases]] = {c.language: c for c in (English, German, French)}


def phrases(language: str) -> Phrases:
    """Return the words of a language.

    :raises KeyError: if it is none of en, de, fr.
    """
    return LANGUAGES[language]()
