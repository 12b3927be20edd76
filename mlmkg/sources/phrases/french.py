"""French sentences, with the prepositions, articles and elisions of the countries."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar

from mlmkg.sources.phrases.base import Facts, Phrases, capital, listed


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
                f"{capital(where)}, la capitale est {f.name}.",
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
            f"{capital(where)}, {part} du pays, se trouve {f.name}, {a}.",
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
            [f"Autre{'s noms' if len(f.others) > 1 else ' nom'} : {listed(f.others, 'et')}.",
             f"La localité est aussi connue sous le nom {self.of(f.others[0])}."] if f.others else [],
            [f"L’heure est celle {self.of(f.clock)}.",
             f"Les horloges suivent l’heure {self.of(f.clock)}."] if f.clock else [],
        ]  # fmt: skip
