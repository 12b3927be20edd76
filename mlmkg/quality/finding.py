"""What a check is, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: How serious a hit is: a *leak* makes a test score too good, an *error* is a fault of the data, a
#: *note* is something to know. Leaks and errors make ``mlmkg check`` end with exit code 1.
LEAK: Final = "leak"
ERROR: Final = "error"
NOTE: Final = "note"
SEVERITIES: Final = (LEAK, ERROR, NOTE)


@dataclass(frozen=True)
class Check:
    """A question that is asked of a version.

    :param name: for the command line and in IRIs, ``near-images``.
    :param title: what a hit is, in a few words: ``nearly same image in two splits``.
    :param severity: ``leak``, ``error`` or ``note``.
    :param unit: what is counted, in the plural: ``pairs``, ``entities``, ``summaries``.
    :param among: what ``affected`` and ``of`` of a finding count, in the plural.
    :param metric: the IRI of its ``dqv:Metric``.
    :param sparql: the query file that asks it, ``quality/NAME.rq``, or "".
    """

    name: str
    title: str
    severity: str
    unit: str
    among: str
    metric: str
    sparql: str = ""


@dataclass(frozen=True)
class Example:
    """One hit.

    :param entities: the IRIs of what it is about: of the entities, or of a cell and one entity in it.
    :param words: what is wrong, in a few words.
    """

    entities: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class Finding:
    """The answer to a check; ``count`` is 0 where all is well.

    :param check: what was asked.
    :param count: how many hits.
    :param affected: how many of what was looked at are concerned by them.
    :param of: how many were looked at.
    :param examples: some of the hits, the worst first where one can be worse than another.
    :param language: the language that was asked about, or "" for all.
    :param remark: what could not be looked at, in words, or "".
    """

    check: Check
    count: int
    affected: int
    of: int
    examples: tuple[Example, ...] = ()
    language: str = ""
    remark: str = ""

    @property
    def name(self) -> str:
        """The check's name, with the language if it was asked about one: ``no-summary/de``."""
        return f"{self.check.name}/{self.language}" if self.language else self.check.name

    @property
    def share(self) -> float:
        """The part of what was looked at that is concerned, 0 to 1."""
        return self.affected / self.of if self.of else 0.0

    @property
    def found(self) -> str:
        """The count in words: ``3 of 18,489 summaries``, ``15 pairs; 23 of 6,163 entities``."""
        check = self.check
        if check.unit == check.among:
            return f"{self.count:,} of {self.of:,} {check.unit}"
        return f"{self.count:,} {check.unit}; {self.affected:,} of {self.of:,} {check.among}"

    @property
    def bad(self) -> bool:
        """Whether it is a leak or an error."""
        return self.count > 0 and self.check.severity != NOTE

    def as_json(self) -> dict[str, Any]:
        """Return what ``mlmkg check --json`` prints of it."""
        check = self.check
        return {
            "check": self.name, "title": check.title, "severity": check.severity,
            "count": self.count, "unit": check.unit,
            "affected": self.affected, "of": self.of, "among": check.among,
            "share": round(self.share, 6), "metric": check.metric, "remark": self.remark,
            "examples": [{"entities": list(e.entities), "words": e.words} for e in self.examples],
        }  # fmt: skip
