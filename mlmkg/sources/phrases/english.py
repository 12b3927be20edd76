"""English sentences."""

from __future__ import annotations

from typing import ClassVar

from mlmkg.sources.phrases.base import Facts, Phrases, listed


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
             f"{listed(f.others, 'and')}.",
             f"It is also called {listed(f.others, 'or')}."] if f.others else [],
            [f"Clocks are set as in {f.clock}.", f"It keeps the time of {f.clock}."]
            if f.clock else [],
        ]  # fmt: skip
