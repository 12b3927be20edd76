"""What the report's charts are made of: a canvas with a title, bars that say their numbers, shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mlmkg.report.style import GREY, INK

#: Rows of a bar chart; what is beyond them is one row.
ROWS: Final = 12
LETTERS: Final = 34
#: The widths of a picture that takes the page, or half of it, inches.
WHOLE, HALF = 10.0, 5.2


@dataclass(frozen=True)
class Drawing:
    """A picture that is not a file yet.

    :param figure: what is drawn.
    :param title: the finding, which also stands in the picture.
    :param alt: what a person who does not see it is told.
    """

    figure: Figure
    title: str
    alt: str


def short(text: str, letters: int = LETTERS) -> str:
    """Return a label on one line, cut where it is too long.

    >>> short("a\\nb"), short("commune of a very long name", 12)
    ('a b', 'commune of…')
    """
    text = " ".join(text.split())
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def percent(part: float, whole: float) -> str:
    """Return a share; what is there is never 0 %, what is missing never 100 %.

    >>> percent(1, 3), percent(1, 99999), percent(99998, 99999), percent(2, 2), percent(0, 0)
    ('33 %', '<0.1 %', '>99.9 %', '100 %', '0 %')
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.05:
        return "<0.1 %"
    if 99.95 <= share < 100:
        return ">99.9 %"
    return f"{share:.1f} %" if 0 < share < 10 or 99 < share < 100 else f"{share:.0f} %"


def share(part: float, whole: float, what: str) -> str:
    """Return the beginning of a sentence about some of many, with its verb in the plural to come.

    >>> share(2, 2, "images"), share(1, 2, "images")
    ('All images', '50 % of the images')
    """
    return f"All {what}" if part == whole else f"{percent(part, whole)} of the {what}"


def many(number: int, what: str, plural: str = "") -> str:
    """Return a number of things in words.

    >>> many(1, "cell"), many(1200, "cell"), many(2, "entity", "entities")
    ('1 cell', '1,200 cells', '2 entities')
    """
    return f"{number:,} {what if number == 1 else plural or f'{what}s'}"


def both(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    >>> both(["de", "en", "fr"]), both(["de"])
    ('de, en and fr', 'de')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def canvas(
    title: str, note: str = "", *, wide: float = HALF, high: float = 3.0, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure with its title and a note on units, and its axes from left to right."""
    room = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, hspace=0.04, wspace=0.04)
    figure = Figure(figsize=(wide, high), layout=room)
    heading = fill(title, int(wide * 10.2))
    figure.suptitle(heading, x=0.012, ha="left", fontweight="bold", fontsize=11, color=INK)
    axes = list(np.ravel(np.asarray(figure.subplots(1, columns))))
    if note:
        figure.supxlabel(fill(note, int(wide * 13)), x=0.012, ha="left", fontsize=8.5, color=GREY)
    return figure, axes


def bars(
    axes: Axes, rows: Sequence[tuple[str, Sequence[tuple[float, str]], str]], room: float = 0.42
) -> None:
    """Draw horizontal bars, each with its name before it and what it says behind it; no axis.

    :param rows: name, pieces (length, colour) from the left, words behind the bar.
    :param room: the part of the width that is left for the words.
    """
    longest = max((sum(n for n, _ in pieces) for _, pieces, _ in rows), default=1) or 1
    for place, (_, pieces, words) in enumerate(rows):
        start = 0.0
        for length, colour in pieces:
            axes.barh(place, length, left=start, height=0.72, color=colour, linewidth=0)
            start += length
        axes.text(start + 0.012 * longest, place, words, va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(rows)), [short(name) for name, _, _ in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, longest / (1 - room))
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("bottom", "left"):
        axes.spines[side].set_visible(False)


def first(counts: Sequence[tuple[str, int]], rows: int = ROWS) -> list[tuple[str, int]]:
    """Return the first counts, and all others as one row."""
    if len(counts) <= rows:
        return list(counts)
    rest = counts[rows - 1 :]
    return [*counts[: rows - 1], (f"{len(rest):,} others", sum(n for _, n in rest))]


def listed(what: str, counts: Sequence[tuple[str, int]], total: int) -> str:
    """Return counts in words, for those who do not see the bars."""
    told = ", ".join(f"{short(name)} {n:,}" for name, n in counts[:ROWS])
    more = f", and {len(counts) - ROWS:,} more" if len(counts) > ROWS else ""
    return f"{what}, of {total:,}: {told}{more}."
