"""The pictures of a version: each says one finding, and its title says which.

Figures enter, PNG files leave, the same bytes for the same figures. What there is nothing to draw of
has no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlmkg.report import contents, places
from mlmkg.report.charts import WHOLE, Drawing, bars, canvas, listed, percent
from mlmkg.report.figures import Figures
from mlmkg.report.origin import Step, removals
from mlmkg.report.style import BLUE, save, settings


@dataclass(frozen=True)
class Picture:
    """A picture that has been written.

    :param path: the file.
    :param title: the finding, which also stands in the picture.
    :param alt: what a person who does not see it is told.
    :param width, height: of the picture, pixels.
    """

    path: Path
    title: str
    alt: str
    width: int
    height: int


def draw(folder: Path, figures: Figures, steps: Sequence[Step] = ()) -> dict[str, Picture]:
    """Write the pictures of a version as ``NAME.png``; return them by name.

    :param folder: where they go; created.
    :param steps: what each constraint left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with settings():
        drawings = {
            "entities": places.entities_map(figures),
            "continents": places.continents(figures),
            "cells": places.cells_map(figures),
            "coverage": contents.coverage(figures),
            "languages": contents.languages(figures),
            "classes": contents.classes(figures),
            "licences": contents.licences(figures),
            "splits": places.splits(figures),
            "constraints": funnel(steps),
        }
        found = {}
        for name, drawing in drawings.items():
            if drawing is not None:
                path = folder / f"{name}.png"
                found[name] = Picture(path, drawing.title, drawing.alt, *save(drawing.figure, path))
        return found


def funnel(steps: Sequence[Step]) -> Drawing | None:
    """Draw what each constraint left, coloured by the hop of the nearest class."""
    if not steps:
        return None
    start, end = steps[0].entities, steps[-1].entities
    title = f"Of {start:,} instances with coordinates, {end:,} are left: {percent(end, start)}"
    hops = sorted({hop for step in steps for hop in step.hops})
    note = "Entities that each constraint left and took away"
    if len(hops) > 1:
        note += (
            f"; the darker, the nearer their class is to the base class (hop {hops[0]} to {hops[-1]})"
        )
    figure, (axes,) = canvas(title, note, wide=WHOLE, high=1.0 + 0.32 * len(steps))
    rows = []
    for step, removed in zip(steps, removals(steps), strict=True):
        pieces = [
            (float(count), contents.HOPS.get(hop, BLUE)) for hop, count in sorted(step.hops.items())
        ] or [(float(step.entities), BLUE)]
        words = f"{step.entities:,}" + (f"  (−{removed:,})" if removed else "")
        words += f"  = {step.version}" if step.version else ""
        rows.append((step.constraint, pieces, words))
    bars(axes, rows, room=0.24)
    counts = [(step.constraint, step.entities) for step in steps]
    return Drawing(figure, title, listed("Entities left by each constraint", counts, start))
