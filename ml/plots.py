"""Pictures of a run: its curves, where its guesses lie, and which regions it confuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from mlmkg.ml.data import Dataset
from mlmkg.ml.evaluate import predict_cells
from mlmkg.ml.figures import RADII_KM
from mlmkg.ml.losses import great_circle
from mlmkg.ml.models import Model

from mlmkg.report.style import BLUE, GREEN, GREY, ORANGE, RED, STYLE, bounds, ground, height

COLOURS: Final = {"image": ORANGE, "text": BLUE, "fused": RED, "ir": GREEN, "loss": GREY}
NAMES: Final = {"image": "from the image", "text": "from the text", "fused": "from both"}
#: Lines from a true to a guessed place, at most: more make a map unreadable.
ARROWS: Final = 150


def draw(
    folder: Path, run: str, history: Sequence[Mapping[str, Any]], model: Model,
    dataset: Dataset, result: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write the pictures of a run into its folder."""
    with plt.rc_context(STYLE):
        curves(folder / "curves.png", run, history)
        if result["location"] is not None:
            world_map(folder / "map.png", run, model, dataset)
            confusion(folder / "confusion.png", run, model, dataset)
            distances(folder / "distances.png", run, model, dataset, result)


def curves(path: Path, run: str, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw losses and validation figures by epoch; the kept epoch is marked."""
    epochs = [entry["epoch"] for entry in history]
    kept = [entry["epoch"] for entry in history if entry.get("best")][-1:]
    names = {
        "ir": "retrieval",
        "image": "cell from image",
        "text": "cell from text",
        "fused": "cell from both",
    }
    shown = {
        "val_R@10": ("recall at 10, both ways", GREEN),
        "val_F1_image": ("F1 of the cell, image", ORANGE),
        "val_F1_text": ("F1 of the cell, text", BLUE),
    }
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    for key, label in names.items():
        if key in history[0]:
            left.plot(epochs, [entry[key] for entry in history], color=COLOURS[key], label=label)
    for key, (label, colour) in shown.items():
        if key in history[0]:
            right.plot(epochs, [entry[key] for entry in history], color=colour, label=label)
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.set_xlim(1, max(2, epochs[-1]))
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        for epoch in kept:
            axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle=":")
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    left.set_title("Training loss (cross-entropy)")
    left.set_ylim(bottom=0)
    right.set_title(f"Validation; dotted: the epoch kept ({', '.join(map(str, kept))})")
    right.set_ylim(0, 1)
    figure.suptitle(run, x=0.06, ha="left", fontweight="bold")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _guesses(
    model: Model, dataset: Dataset, modality: str
) -> tuple[np.ndarray, np.ndarray, torch.Tensor, torch.Tensor]:
    """Return true and guessed places (n, 2), and true and guessed cells (n,), of the test split."""
    found_E, probabilities = predict_cells(model, dataset, dataset.split["test"], modality)
    guess = probabilities.argmax(dim=1)
    placed = torch.isfinite(dataset.places[found_E]).all(dim=1)
    found_E, guess = found_E[placed], guess[placed]
    return (
        dataset.places[found_E].numpy(), dataset.centres[guess].numpy(), dataset.cell[found_E], guess,
    )  # fmt: skip


def world_map(path: Path, run: str, model: Model, dataset: Dataset) -> None:
    """Draw true places and lines to where the model puts them, per modality, with coastlines."""
    around = bounds(dataset.places.numpy())
    tall = height(around)
    wide = tall < 1 / 1.3
    rows, columns, width = (2, 1, 8.5) if wide else (1, 2, 5.2)
    figure, both = plt.subplots(
        rows, columns, figsize=(columns * width, rows * (width * tall + 0.4) + 0.5),
        layout="constrained",
    )  # fmt: skip
    for axes, modality in zip(np.ravel(both), ("image", "text"), strict=True):
        true, guess, _, _ = _guesses(model, dataset, modality)
        ground(axes, around)
        if not len(true):
            continue
        step = max(1, len(true) // ARROWS)
        for (lat, lon), (to_lat, to_lon) in zip(true[::step], guess[::step], strict=True):
            if abs(lon - to_lon) < 180:
                axes.plot([lon, to_lon], [lat, to_lat], color=GREY, linewidth=0.4, alpha=0.6, zorder=2)
        axes.scatter(
            true[:, 1], true[:, 0], s=5, color=BLUE, zorder=3, label="true place", linewidths=0
        )
        axes.scatter(
            guess[:, 1], guess[:, 0], s=16, marker="x", color=RED, linewidths=0.8, zorder=4,
            label="centre of the predicted cell",
        )  # fmt: skip
        kilometres = great_circle(torch.from_numpy(guess), torch.from_numpy(true)).numpy()
        axes.set_title(f"From the {modality}: median error {np.median(kilometres):,.0f} km")
    # Below the maps: a legend inside hides islands.
    handles, names = np.ravel(both)[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower left", ncols=2, fontsize=9)
    figure.suptitle(f"{run}: test entities, and where the model puts them", x=0.01, ha="left",
                    fontweight="bold")  # fmt: skip
    figure.savefig(path)
    plt.close(figure)


def confusion(path: Path, run: str, model: Model, dataset: Dataset, most: int = 20) -> None:
    """Draw, for the cells with most test entities, which cell the model says instead."""
    figure, both = plt.subplots(1, 2, figsize=(11, 5.6))
    for axes, modality in zip(both, ("image", "text"), strict=True):
        _, _, true, guess = _guesses(model, dataset, modality)
        counts = torch.bincount(true[true >= 0], minlength=len(dataset.cells))
        top = torch.argsort(counts, descending=True)[:most]
        top = top[counts[top] > 0]
        # From north-west to south-east, so that neighbours stand side by side.
        top = top[torch.argsort(dataset.centres[top][:, 1])]
        place = {int(cell): i for i, cell in enumerate(top)}
        table = np.zeros((len(top), len(top) + 1))
        for t, g in zip(true.tolist(), guess.tolist(), strict=True):
            if t in place:
                table[place[t], place.get(g, len(top))] += 1
        _heat(axes, table / np.maximum(table.sum(axis=1, keepdims=True), 1), top, dataset)
        axes.set_title(f"From the {modality}")
    figure.suptitle(f"{run}: true and predicted cells, from west to east",
                    x=0.02, ha="left", fontweight="bold")  # fmt: skip
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _heat(axes: Axes, table: np.ndarray, cells: torch.Tensor, dataset: Dataset) -> None:
    names = [f"{dataset.centres[c][0]:.0f}°, {dataset.centres[c][1]:.0f}°" for c in cells.tolist()]
    picture = axes.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xticks(range(len(names) + 1), [*names, "others"], fontsize=7, rotation=90)
    axes.set_ylabel("true cell: latitude, longitude of its centre", fontsize=8)
    axes.set_xlabel("predicted cell", fontsize=8)
    plt.colorbar(picture, ax=axes, fraction=0.04, pad=0.02, label="share of the row")


def distances(path: Path, run: str, model: Model, dataset: Dataset, result: Mapping[str, Any]) -> None:
    """Draw the share of test entities within a distance, and what chance reaches."""
    # A cell is too large to tell a street.
    radii = {name: radius for name, radius in RADII_KM.items() if radius > 1}
    figure, axes = plt.subplots(figsize=(6.4, 4))
    for modality in model.modalities:
        true, guess, _, _ = _guesses(model, dataset, modality)
        if len(true):
            km = np.sort(great_circle(torch.from_numpy(guess), torch.from_numpy(true)).numpy())
            share = np.arange(1, len(km) + 1) / len(km)
            axes.plot(
                np.maximum(km, 1), share, color=COLOURS[modality], label=NAMES[modality],
                linestyle=":" if modality == "fused" else "-",  # it often covers another
            )  # fmt: skip
    chance = result["chance"]["location"]
    if chance is not None:
        axes.plot(
            list(radii.values()), [chance[f"within_{r}km"] for r in radii.values()], "o--", color=GREY,
            markersize=4, label="always the largest cell",
        )  # fmt: skip
    for name, radius in radii.items():
        axes.axvline(radius, color="#dddddd", linewidth=0.8, zorder=0)
        axes.text(radius, 1.01, f"{name}\n{radius:,} km", ha="center", va="bottom", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(5, 20_000)
    axes.set_ylim(0, 1)
    axes.set_xlabel("distance from the true place to the predicted cell's centre, km")
    axes.set_ylabel("share of test entities")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.98))
    axes.set_title(run, pad=28, fontweight="bold")
    figure.savefig(path)
    plt.close(figure)
