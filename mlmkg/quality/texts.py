"""Summaries that leak or are broken: the same text twice, mojibake, a wrong language, coordinates.

The summaries pass by once, some thousand entities at a time, and of each only what is wrong is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import pyarrow as pa

from mlmkg.quality.finding import ERROR, LEAK, Check, Example, Finding
from mlmkg.quality.language import Languages
from mlmkg.quality.naming import named
from mlmkg.texts import COMMON, digest
from mlmkg.vocab import MLM

SAME_TEXT: Final = Check(
    "same-text", "same summary text in two splits", LEAK, "texts", "summaries", MLM.sameTextMetric
)
COORDINATES: Final = Check(
    "coordinates-named", "the text names the coordinates", LEAK, "summaries", "summaries",
    MLM.coordinatesNamedMetric,
)  # fmt: skip
MOJIBAKE: Final = Check(
    "mojibake", "letters decoded wrongly", ERROR, "summaries", "summaries",
    MLM.mojibakeMetric,
)  # fmt: skip
WRONG_LANGUAGE: Final = Check(
    "wrong-language", "another language than it says", ERROR, "summaries",
    "summaries", MLM.wrongLanguageMetric,
)  # fmt: skip
#: Characters of a text that are shown.
_SHOWN: Final = 50


class Texts:
    """Takes summaries and remembers what is wrong with them."""

    def __init__(
        self, splits: Mapping[str, str], places: Mapping[str, tuple[float, float]],
        languages: Iterable[str], examples: int, boilerplate: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Begin.

        :param splits: entity -> split.
        :param places: entity -> latitude and longitude, of those that have some.
        :param languages: what the summaries say they are in.
        :param examples: how many hits of a check are kept in words.
        :param boilerplate: texts that the build found too common to keep together.
        """
        self._splits = splits
        self._boilerplate = frozenset(map(digest, boilerplate))
        self._places = places
        self._languages = Languages(languages)
        self._examples = examples
        self._seen = 0
        self._placed = 0
        self._judged = 0
        self._unjudged: Counter[str] = Counter()
        #: Digest of a normalised text -> the first entity that has it; and, of those that come again,
        #: the entities and a piece of the text.
        self._first: dict[bytes, str] = {}
        self._again: dict[bytes, tuple[list[str], str]] = {}
        self._hits: Counter[str] = Counter()
        self._kept: dict[str, list[Example]] = {}

    def look(self, table: pa.Table) -> None:
        """Look at summaries.

        :param table: columns ``entity``, ``language``, ``text``.
        """
        for row in table.to_pylist():
            entity, language, text = row["entity"], row["language"] or "", row["text"] or ""
            self._seen += 1
            self._remember(entity, text)
            if place := self._places.get(entity):
                self._placed += 1
                if where := named(text, *place):
                    self._hit(COORDINATES, entity, f"{language}: {where}")
            if better := unscrambled(text):
                self._hit(MOJIBAKE, entity, f"{language}: {difference(text, better)}")
            if not self._languages.knows(language):
                self._unjudged[language] += 1
                continue
            self._judged += 1
            if other := self._languages.other(text, language):
                words = f"says {language}, is {other[0]} ({other[1]:.2f}): {shortened(text)}"
                self._hit(WRONG_LANGUAGE, entity, words)

    def _hit(self, check: Check, entity: str, words: str) -> None:
        self._hits[check.name] += 1
        kept = self._kept.setdefault(check.name, [])
        if len(kept) < self._examples:
            kept.append(Example((entity,), words))

    def _remember(self, entity: str, text: str) -> None:
        key = digest(text)
        if key is None or entity not in self._splits:
            return
        first = self._first.setdefault(key, entity)
        if first != entity:
            self._again.setdefault(key, ([first], shortened(text)))[0].append(entity)

    def findings(self) -> list[Finding]:
        """Return what was found."""
        unjudged = ", ".join(f"{n:,} in {code or '?'}" for code, n in sorted(self._unjudged.items()))
        return [
            self._same(),
            self._finding(COORDINATES, self._placed),
            self._finding(MOJIBAKE, self._seen),
            self._finding(WRONG_LANGUAGE, self._judged, unjudged and f"not judged: {unjudged}"),
        ]

    def _finding(self, check: Check, of: int, remark: str = "") -> Finding:
        hits = self._hits[check.name]
        kept = tuple(self._kept.get(check.name, ()))
        return Finding(check, hits, hits, of, kept, remark=remark)

    def _same(self) -> Finding:
        across = [
            (entities, piece) for key, (entities, piece) in self._again.items()
            if key not in self._boilerplate
            and len({self._splits[entity] for entity in entities}) > 1
        ]  # fmt: skip
        across.sort(key=lambda hit: (-len(hit[0]), hit))
        shown = tuple(
            Example(tuple(dict.fromkeys(entities)), f"{self._parts(entities)}: {piece}")
            for entities, piece in across[: self._examples]
        )
        concerned = sum(len(entities) for entities, _ in across)
        common = len(self._boilerplate.intersection(self._again))
        remark = f"not judged: {common:,} texts of more than {COMMON} entities each" if common else ""
        return Finding(SAME_TEXT, len(across), concerned, self._seen, shown, remark=remark)

    def _parts(self, entities: Iterable[str]) -> str:
        found = Counter(self._splits[entity] for entity in entities)
        return " and ".join(f"{found[s]} in {s}" for s in ("train", "val", "test") if found[s])


def unscrambled(text: str) -> str | None:
    """Return what a text was before it was decoded wrongly, or None if it was not.

    ftfy changes none of the gazetteer's 102,018 summaries, and one right name of the 552,253 alternate
    ones of GeoNames (``AS-SIBĀ‘IYYAH``); ``ftfy.badness`` alone accuses 14 and 33 that are right.
    """
    import ftfy

    if text.isascii():
        return None
    better = str(ftfy.fix_encoding(text))
    if better != text:
        return better
    return text.replace("\ufffd", "?") if "\ufffd" in text else None


def difference(text: str, better: str) -> str:
    """Return the place where two texts begin to differ, in both.

    >>> difference("die Stadt MÃ¼nchen in Bayern", "die Stadt München in Bayern")
    '…tadt MÃ¼nchen in B… should be …tadt München in Ba…'
    """
    at = next((i for i, (a, b) in enumerate(zip(text, better, strict=False)) if a != b), 0)
    start = max(at - 6, 0)
    pieces = (
        f"{'…' if start else ''}{side[start : at + 12]}{'…' if len(side) > at + 12 else ''}"
        for side in (text, better)
    )
    return " should be ".join(pieces)


def shortened(text: str) -> str:
    """Return the beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
