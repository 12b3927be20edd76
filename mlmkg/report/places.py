"""Pictures of where a version lies: maps of entities and cells, continents, and the splits there."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from mlmkg.report.charts import (
    ROWS,
    WHOLE,
    Drawing,
    bars,
    canvas,
    first,
    listed,
    many,
    percent,
    share,
    short,
)
from mlmkg.report.figures import SPLITS, UNKNOWN, Figures
from mlmkg.report.style import (
    BLUE,
    DENSITY,
    FILL,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    RED,
    Bounds,
    bounds,
    ground,
    height,
)  # fmt: skip

#: Up to so many entities are points on the map; more are counted in hexagons.
POINTS: Final = 2_000
SPLIT_COLOURS: Final = dict(zip(SPLITS, (BLUE, GREEN, ORANGE), strict=True))
#: The height of a map at most, and what is under it, inches.
HIGHEST, BELOW = 5.6, 0.5


def _sheet(title: str, around: Bounds) -> tuple[Figure, Axes]:
    """Return a map without anything on it: as wide as the page or, if it is tall, less."""
    wide = min(WHOLE, HIGHEST / height(around))
    high = wide * height(around)
    heading = fill(title, int(wide * 10.2))
    above = 0.22 + 0.19 * len(heading.splitlines())
    figure = Figure(figsize=(wide, above + high + BELOW))
    figure.text(0.012, 1 - 0.1 / (above + high), heading, va="top", fontweight="bold", fontsize=11)
    axes = figure.add_axes((0, BELOW / (above + high + BELOW), 1, high / (above + high + BELOW)))
    ground(axes, around)
    axes.set_axis_off()
    return figure, axes


def _foot(figure: Figure, note: str, drawn: ScalarMappable | None = None, what: str = "") -> None:
    """Put the scale of colours and a note under a map."""
    wide, high = figure.get_size_inches()
    left = 0.012
    if drawn is not None:
        long = min(2.0, 0.35 * wide)
        scale = figure.add_axes((left + 0.004, 0.30 / high, long / wide, 0.09 / high))
        bar = figure.colorbar(drawn, cax=scale, orientation="horizontal")
        bar.outline.set_visible(False)  # type: ignore[operator]
        scale.tick_params(length=2, labelsize=8, colors=INK)
        scale.xaxis.set_minor_locator(NullLocator())
        scale.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        left += (long + 0.25) / wide
    words = "; ".join(filter(None, [what, note]))
    letters = int(13.5 * wide * (0.98 - left))
    figure.text(left, 0.40 / high, fill(words, letters), va="top", fontsize=8.5, color=GREY)


def entities_map(figures: Figures) -> Drawing | None:
    """Draw where the entities are: points where they are few, else how many are in a hexagon."""
    places = figures.places
    if not len(places):
        return None
    around = bounds(places)
    states = sorted((-n, label) for (name, label, _), n in figures.countries.items() if name)
    title = many(figures.entities, "entity", "entities")
    if len(states) > 1:
        title += f" in {len(states):,} countries; {short(states[0][1])} has most, {-states[0][0]:,}"
    elif states and -states[0][0] == figures.entities:  # nobody is nowhere
        title += f" in {short(states[0][1])}"
    note = "" if len(places) == figures.entities else (
        f"not on the map, for want of coordinates: {figures.entities - len(places):,}"
    )  # fmt: skip
    figure, axes = _sheet(title, around)
    if len(places) <= POINTS:
        size = max(4.0, 26 - 3 * np.log(len(places)))
        axes.scatter(places[:, 1], places[:, 0], s=size, color=RED, linewidths=0, alpha=0.75, zorder=3)
        _foot(figure, note or "each dot is an entity")
    else:
        south, north, west, east = around
        columns = 150
        rows = max(4, round(columns * height(around) / np.sqrt(3)))
        drawn = axes.hexbin(
            places[:, 1], places[:, 0], gridsize=(columns, rows), mincnt=1, cmap=DENSITY,
            norm=LogNorm(), linewidths=0.1, extent=(west, east, south, north), zorder=3,
        )  # fmt: skip
        _foot(figure, note, drawn, "entities per hexagon")
    axes.set_xlim(around[2], around[3])
    axes.set_ylim(around[0], around[1])
    by = list(figures.continents.items())
    return Drawing(figure, title,
                   "Map of the entities. " + listed("By continent", by, figures.entities))  # fmt: skip


def cells_map(figures: Figures) -> Drawing | None:
    """Draw the geo cells, coloured by their entities."""
    cells = {cell: sum(parts.values()) for cell, parts in figures.cells.items()
             if cell in figures.outlines}  # fmt: skip
    if not cells or not len(figures.places):
        return None
    counts = np.array(list(cells.values()))
    levels = sorted({figures.outlines[cell][0] for cell in cells})
    title = f"{many(len(cells), 'geo cell')} of {counts.min():,} to {counts.max():,} entities"
    if len(cells) > 2:
        title += f", half of them with at most {int(np.median(counts)):,}"
    if counts.min() == counts.max():
        title = f"{many(len(cells), 'geo cell')} of {many(int(counts.max()), 'entity', 'entities')}"
    note = f"S2 cells of {'level' if len(levels) == 1 else 'levels'} "
    note += " to ".join(str(n) for n in dict.fromkeys((levels[0], levels[-1])))
    if figures.without_cell:
        note += f"; in no cell: {many(figures.without_cell, 'entity', 'entities')}"
    shapes, owners = shapely.get_parts(
        shapely.from_wkt([figures.outlines[cell][1] for cell in cells]), return_index=True
    )
    # One or two cells may be larger than the map of their entities.
    corners = shapely.get_coordinates(shapes)[:, ::-1]
    figure, axes = _sheet(title, bounds(figures.places if len(cells) > 2 else corners))
    drawn = PolyCollection(
        [shapely.get_coordinates(shape.exterior) for shape in shapes], cmap=FILL, alpha=0.82,
        edgecolors="white", linewidths=0.7, zorder=1.5,
    )  # fmt: skip
    drawn.set_array(counts[owners])
    axes.add_collection(drawn)
    if counts.min() == counts.max():
        _foot(figure, note)
    else:
        _foot(figure, note, drawn, "entities per cell")
    return Drawing(figure, title, f"Map of the geo cells. {title}. {note}.")


def continents(figures: Figures) -> Drawing | None:
    """Draw entities by continent (the paper's Figure 2) and by country."""
    by = list(figures.continents.items())
    known = [(name, count) for name, count in by if name != UNKNOWN]
    if not known:
        return None
    total = figures.entities
    largest, smallest = known[0], known[-1]
    title = f"{share(largest[1], total, 'entities')} are in {short(largest[0])}"
    if len(known) > 1:
        title += f", {percent(smallest[1], total)} in {short(smallest[0])}"
    states = sorted(((-n, label) for (_, label, _), n in figures.countries.items()))
    countries = first([(label, -n) for n, label in states])
    high = 0.9 + 0.26 * max(len(countries), len(by[:ROWS]))
    figure, axes = canvas(
        title, "Entities by continent, and by country", wide=WHOLE, high=high, columns=2
    )
    for panel, counts, colour in zip(axes, (first(by), countries), (BLUE, GREEN), strict=True):
        bars(panel, [
            (name, [] if name.endswith(" others") else [(n, colour)], f"{n:,} · {percent(n, total)}")
            for name, n in counts
        ])  # fmt: skip
    rows = max(len(countries), len(by))
    axes[0].set_ylim(rows - 0.4, -0.6)
    axes[1].set_ylim(rows - 0.4, -0.6)
    return Drawing(figure, title, listed("Entities by continent", by, total))


def splits(figures: Figures) -> Drawing | None:
    """Draw the shares of the splits on each continent, and of train in each cell."""
    whole = figures.splits
    named = [name for name in SPLITS if name in whole]
    if not named:
        return None
    total = sum(whole.values())
    cells = [(sum(parts.values()), parts.get("train", 0)) for parts in figures.cells.values()]
    told = [f"{percent(whole[name], total)} in {name}" for name in named[1:]]
    title = ", ".join([f"{share(whole[named[0]], total, 'entities')} are in {named[0]}", *told])
    bare = sum(not train for _, train in cells)
    if bare:
        title += f"; {many(bare, 'cell')} without train"
    elif cells:
        title += "; every cell has some in train"
    note = "Splits by continent, percent" + ("; each dot is a geo cell" if cells else "")
    by = list(figures.continents.items())[:ROWS]
    figure, axes = canvas(title, note, wide=WHOLE, high=max(3.4, 1.2 + 0.34 * len(by)),
                          columns=2 if cells else 1)  # fmt: skip
    _shares(axes[0], figures, [name for name, _ in by], named)
    if cells:
        _train_by_cell(axes[1], cells, whole.get("train", 0) / total)
    return Drawing(figure, title, listed("Entities by split", list(whole.items()), total))


def _shares(axes: Axes, figures: Figures, names: Sequence[str], splits: Sequence[str]) -> None:
    for place, continent in enumerate(names):
        mine = [figures.by_continent[continent, split] for split in splits]
        start = 0.0
        for split, count in zip(splits, mine, strict=True):
            part = count / max(1, sum(mine))
            axes.barh(place, part, left=start, height=0.72, color=SPLIT_COLOURS[split], linewidth=0)
            if part > 0.055:
                axes.text(start + part / 2, place, f"{100 * part:.0f}", ha="center", va="center",
                          fontsize=8.5, color="white")  # fmt: skip
            if not place and count:
                axes.text(start + part / 2, -0.52, split, ha="center", va="bottom",
                          fontsize=8.5, color=SPLIT_COLOURS[split])  # fmt: skip
            start += part
    axes.set_yticks(range(len(names)), [short(name) for name in names], fontsize=9)
    axes.set_ylim(max(len(names), 4) - 0.4, -0.95)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("bottom", "left"):
        axes.spines[side].set_visible(False)


def _train_by_cell(axes: Axes, cells: list[tuple[int, int]], overall: float) -> None:
    sizes, train = np.array(cells).T
    colours = [BLUE if count else RED for count in train]
    axes.scatter(sizes, train / sizes, s=16, c=colours, alpha=0.55, linewidths=0, zorder=3)
    axes.axhline(overall, color=GREY, linewidth=0.8, linestyle=":", zorder=2)
    axes.text(1.0, overall, f" {100 * overall:.0f} %", transform=axes.get_yaxis_transform(),
              va="center", fontsize=8.5, color=GREY)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.grid(axis="y", color=PALE, linewidth=0.6)
    axes.set_xlabel("entities of the cell", fontsize=8.5)
    axes.set_title("in train, by cell", fontsize=9.5, color=INK)
    axes.tick_params(labelsize=8.5)
