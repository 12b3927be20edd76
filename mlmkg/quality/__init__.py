"""The quality of a version: what leaks between the splits, what is broken, what is missing.

A store and a version enter; one :class:`Finding` per check leaves, of the clean ones too (count 0),
always in the same order::

    from mlmkg.quality import run_checks
    for finding in run_checks(store, catalog, recipe, "irle-gr", examples=10, progress=bar):
        finding.check.name, finding.check.severity, finding.count, finding.of, finding.share
        for example in finding.examples:
            example.entities, example.words   # IRIs, and what is wrong in a few words

The pictures that look alike are there as pairs too, for a page that shows them side by side::

    from mlmkg.quality import near_images
    for pair in near_images(store, "irle-gr"):      # the nearest first
        pair.entity, pair.path, pair.split          # path: relative to workspace.images
        pair.other, pair.other_path, pair.other_split, pair.distance

What a check means, and why its threshold is what it is, stands in ``docs/quality.md``.
"""

from __future__ import annotations

from mlmkg.quality.checks import run_checks
from mlmkg.quality.finding import Check, Example, Finding
from mlmkg.quality.pictures import NearImages, near_images

__all__ = ["Check", "Example", "Finding", "NearImages", "near_images", "run_checks"]
