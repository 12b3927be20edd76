"""German sentences, with the prepositions and articles of the countries."""

from __future__ import annotations

from typing import ClassVar

from mlmkg.sources.phrases.base import Facts, Phrases, capital, listed


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
                f"{capital(where)} ist {f.name} die Hauptstadt.",
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
            f"{capital(where)}, {part} des Landes, liegt {f.name}, {a}.",
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
             f"{listed(f.others, 'und')}.",
             f"Man kennt den Ort auch als {listed(f.others, 'oder')}."] if f.others else [],
            [f"Die Uhren gehen wie in {f.clock}.", f"Es gilt die Zeit von {f.clock}."]
            if f.clock else [],
        ]  # fmt: skip
