"""Responsible-AI statements of an export: where it is from, what it lacks, what it is biased to.

A dataset and an export enter, the ``rai:`` fields of Croissant leave
(https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html). Every number is counted in the
export's tables; nothing is said that is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mlmkg.metadata.dataset import Dataset, in_words
from mlmkg.metadata.exports import Export


def responsible(dataset: Dataset, export: Export) -> dict[str, Any]:
    """Return ``rai:`` field -> text or texts; those that nothing is known of are empty."""
    found = dataset.inventory
    times = sorted(graph.written for graph in found.graphs if graph.written)
    return {
        "rai:dataCollection": (
            f"Statements about instances of {found.kind}, taken from {dataset.origins} by query "
            f"files, one named graph each, whose provenance names the file, its checksum and when it "
            f"ran. {dataset.rights}"
        ) if dataset.origins else "",
        "rai:dataCollectionType": ["Secondary Data Analysis", "Software Collection"],
        "rai:dataCollectionTimeframe": [times[0], times[-1]] if times else [],
        "rai:dataCollectionRawData": dataset.credit,
        "rai:dataCollectionMissingData": _missing(export),
        "rai:dataPreprocessingProtocol": [graph.title for graph in found.graphs if graph.written],
        "rai:dataAnnotationProtocol": list(_annotations(export)),
        "rai:machineAnnotationTools": [found.software[1]],
        "rai:dataBiases": list(biases(export)),
        "rai:dataLimitations": list(_limits(export)),
        "rai:dataUseCases": [
            "Training and evaluation of cross-modal retrieval between images and summaries, and of "
            "the location of images and texts on the globe (geo cells).",
        ],
    }  # fmt: skip


def biases(export: Export) -> Iterator[str]:
    """Yield sentences about what an export has more of, with the shares counted in its tables."""
    counts = export.counts
    if counts.continents:
        yield (
            f"Place: {_shares(counts.continents, 'of no known continent')} of "
            f"{counts.continents.total():,} entities."
        )
    if counts.countries:
        (name, number), *_ = counts.countries.most_common(1)
        share = 100 * number / counts.countries.total()
        yield (
            f"Country: the largest of {len(counts.countries):,} countries, {name or 'none known'}, "
            f"has {share:.1f} % of the entities."
        )
    if total := counts.languages.total():
        yield f"Language: {_shares(counts.languages, 'of no language')} of {total:,} summaries."
        yield (
            f"Origin of texts: {100 * counts.generated / total:.1f} % of {total:,} summaries are "
            "sentences that a program made from facts, not texts that people wrote."
        )


def _shares(counts: Counter[str], unknown: str) -> str:
    total = counts.total()
    shares = [
        f"{name or unknown} {100 * number / total:.1f} %" for name, number in counts.most_common()
    ]
    return ", ".join(shares)


def _missing(export: Export) -> str:
    parts = [
        f"{number:,} of {export.entities:,} entities have no {what}"
        for what, number in export.counts.without.items()
    ]
    return f"{in_words(parts)}." if parts else ""


def _annotations(export: Export) -> Iterator[str]:
    if export.counts.splits:
        how = {
            "hash": "a keyed hash of the entity; entities that share an image file are in one split",
            "spatial": "region: whole S2 cells of level 4 are in one split, as are shared images",
        }
        sizes = ", ".join(f"{name} {n:,}" for name, n in sorted(export.counts.splits.items()))
        yield f"Splits by {how.get(export.split, export.split)} ({sizes} entities)."
    if export.table("cells"):
        yield "The label of a place, its geo cell, is computed from the coordinates (S2)."


def _limits(export: Export) -> Iterator[str]:
    yield (
        "Coordinates, classes and texts are as the origins state them; nobody has checked them one "
        "by one."
    )
    if export.box:
        box = export.box
        yield (
            f"All places lie between {box.south:.2f} and {box.north:.2f} degrees north, {box.west:.2f} "
            f"and {box.east:.2f} degrees east."
        )
