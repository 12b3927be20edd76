"""A part of what a source has: a country, a box, the first so many entities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from mlmkg.errors import SourceError
from mlmkg.sparql import Term
from mlmkg.vocab import WD, XSD

#: The parameter that marks an extract query which chooses the entities, and its default branch.
EVERYWHERE: Final = "everywhere"
#: The parameter that marks an extract query about all that a source has, which has no value for a part.
WHOLE: Final = "whole"


@dataclass(frozen=True)
class Slice:
    """Which entities are wanted.

    :param country: the QID of a country.
    :param bbox: west, south, east, north in degrees; west beyond east crosses the antimeridian.
    :param limit: how many entities at most.
    """

    country: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.country is not None and not re.fullmatch(r"Q[1-9]\d*", self.country):
            raise SourceError(
                f"{self.country!r} is no Wikidata item", where="--country",
                action="Name one such as Q233",
            )  # fmt: skip
        if self.bbox is not None:
            west, south, east, north = self.bbox
            if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
                raise SourceError(
                    f"{self.bbox} is no box", where="--bbox",
                    action="Give west,south,east,north in degrees, for instance 14.1,35.7,14.6,36.1",
                )  # fmt: skip
            if self.country is not None:
                raise SourceError(
                    "a country and a box at once", where="--country, --bbox", action="Name one of them"
                )

    @property
    def parameters(self) -> Mapping[str, tuple[Term, ...]]:
        """The values for the branches of a query that chooses the entities; empty for all of them."""
        if self.country is not None:
            return {EVERYWHERE: (), "inCountry": (NamedNode(WD[self.country]),)}
        if self.bbox is not None:
            double = NamedNode(XSD.double)
            numbers = [(Literal(repr(float(x)), datatype=double),) for x in self.bbox]
            names = ("west", "south", "east", "north")
            return {EVERYWHERE: (), **dict(zip(names, numbers, strict=True))}
        return {}
