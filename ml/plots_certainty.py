"""A picture of how far a model's certainty can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter
from mlmkg.ml.certainty import Certainty, Measured
from mlmkg.ml.plots import COLOURS

from mlmkg.report.style import GREY, INK, PALE, settings

#: A bin of fewer entities is drawn hollow: its share of right answers says little.
FEW: Final = 10


def draw_reliability(
    path: Path, run: str, certainty: Certainty, measured: Mapping[str, Measured]
) -> None:
    """Draw, per modality, how often a model is right by how sure it is, and how sure it is how often.

    The error named in the legend is the expected calibration error, before the temperature and after.

    :param certainty: what was fitted on validation.
    :param measured: modality -> the numbers of the test split; those without any are left out, and
        where there are none no file is written.
    """
    shown = {name: found for name, found in measured.items() if found.after.error is not None}
    if not shown:
        return
    with settings():
        figure, axes = plt.subplots(
            2, len(shown), figsize=(3.6 * len(shown) + 0.6, 5.7), squeeze=False,
            sharex=True, sharey="row", height_ratios=(3, 1),
            layout=ConstrainedLayoutEngine(wspace=0.05),  # else 100% of one touches 0% of the next
        )  # fmt: skip
        for column, (name, found) in enumerate(shown.items()):
            above, below = axes[0, column], axes[1, column]
            _shares(above, found, COLOURS.get(name, INK))
            _counts(below, found, COLOURS.get(name, INK))
            above.legend(
                # Above the plot: points lie in every corner of it.
                loc="lower left", bbox_to_anchor=(-0.03, 1), borderaxespad=0.2, fontsize=8,
                title=f"{name.capitalize()}, temperature {certainty.fitted[name].temperature:.2f}",
                title_fontsize=11, alignment="left",
            )  # fmt: skip
        axes[1, 0].set_ylim(bottom=0)  # the last, as the panels share it
        axes[0, 0].set_ylabel("share that is right")
        axes[1, 0].set_ylabel("entities")
        figure.supxlabel(
            f"probability of the likeliest cell (hollow: fewer than {FEW} entities)", fontsize=10
        )
        figure.suptitle(
            f"{run}: how often it is right, by how sure it is", x=0.02, ha="left", fontweight="bold"
        )
        figure.savefig(path)
        plt.close(figure)


def _shares(axes: Axes, found: Measured, colour: str) -> None:
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=3, zorder=0, label="as sure as it is right")
    for plot, name, shade, line in (
        (found.before, "before", GREY, "--"), (found.after, "after", colour, "-"),
    ):  # fmt: skip
        many, few = plot.count_B >= FEW, (plot.count_B > 0) & (plot.count_B < FEW)
        axes.plot(
            plot.confidence_B[many], plot.accuracy_B[many], color=shade, linewidth=1.2, linestyle=line,
            marker="o", markersize=5, label=f"{name}: error {plot.error:.3f}",
        )  # fmt: skip
        axes.scatter(
            plot.confidence_B[few], plot.accuracy_B[few], s=18, facecolor="white", edgecolor=shade,
            linewidths=1.0, zorder=3,
        )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))


def _counts(axes: Axes, found: Measured, colour: str) -> None:
    edges = np.linspace(0, 1, len(found.after.count_B) + 1)
    axes.stairs(found.after.count_B, edges, fill=True, color=colour, alpha=0.35)
    axes.stairs(found.after.count_B, edges, color=colour, linewidth=1.2)
    axes.stairs(found.before.count_B, edges, color=GREY, linewidth=1.2, linestyle="--")
