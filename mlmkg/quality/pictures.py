"""Pictures that are the same, or look alike, in two splits.

The image files of a version and their perceptual hashes enter. Files whose hashes differ in at most
:data:`NEAR_BITS` of 64 bits count as nearly the same. Measured on 29,098 satellite crops: all
15,365 such pairs show places within 47 km of each other, whose crops of 500 km overlap; with two bits
more the first pair from two ends of the world comes in. Saved again as JPEG of quality 50, or at a
third of its size, a photograph stays within 4 bits, and two photographs differ in 16 or more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Final

import numpy as np
import pyarrow as pa

from mlmkg.quality.finding import LEAK, NOTE, Check, Example, Finding
from mlmkg.quality.hamming import from_hex, near_pairs
from mlmkg.quality.tables import read_entities, read_pictures
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM

NEAR_BITS: Final = 4
#: A pHash has 32 ones, unless the picture is so plain that most of its cosines are nought: one colour
#: has at most 1, a flag of stripes 4 or 5. Such hashes say little (France and Ireland have the same).
FEWEST_ONES: Final = 16
SPLITS: Final = ("train", "val", "test")

SAME_IMAGE: Final = Check(
    "same-image", "same image file in two splits", LEAK, "files", "files", MLM.sameImageMetric
)
NEAR_IMAGES: Final = Check(
    "near-images", "nearly same image in two splits", NOTE, "pairs", "files",
    MLM.nearImagesMetric,
)  # fmt: skip


@dataclass(frozen=True)
class NearImages:
    """Two entities of different splits whose images look alike.

    :param entity, other: their IRIs.
    :param path, other_path: the image files, relative to the workspace's ``images`` folder.
    :param split, other_split: ``train``, ``val`` or ``test``.
    :param distance: how many of the 64 bits of their perceptual hashes differ.
    """

    entity: str
    path: str
    split: str
    other: str
    other_path: str
    other_split: str
    distance: int


@dataclass(frozen=True)
class Album:
    """The image files of a version, and who shows them in which split.

    :param shown: path -> split -> the entities there, sorted.
    :param looks: path -> perceptual hash, hexadecimal; without those too plain to compare.
    :param plain: how many files are too plain to compare.
    :param unseen: how many files have no perceptual hash.
    """

    shown: dict[str, dict[str, list[str]]]
    looks: dict[str, str]
    plain: int = 0
    unseen: int = 0


def arrange(pictures: pa.Table, splits: Mapping[str, str]) -> Album:
    """Arrange the rows of :func:`~mlmkg.quality.tables.read_pictures`.

    :param splits: entity -> split.
    """
    shown: dict[str, dict[str, list[str]]] = {}
    hashes: dict[str, str] = {}
    for row in pictures.to_pylist():
        if (split := splits.get(row["entity"])) is None:
            continue
        shown.setdefault(row["path"], {}).setdefault(split, []).append(row["entity"])
        hashes[row["path"]] = row["hash"] or ""
    seen = {path: digits for path, digits in hashes.items() if len(digits) == 16}
    ones = np.bitwise_count(from_hex(list(seen.values())))
    looks = {path: seen[path] for path, n in zip(seen, ones.tolist(), strict=True) if n >= FEWEST_ONES}
    return Album(shown, looks, len(seen) - len(looks), len(hashes) - len(seen))


def same_image(album: Album, examples: int) -> Finding:
    """Find image files that entities of different splits share."""
    hits = [path for path, shown in album.shown.items() if len(shown) > 1]
    found = tuple(
        Example(
            tuple(album.shown[path][split][0] for split in SPLITS if split in album.shown[path]),
            f"{' and '.join(s for s in SPLITS if s in album.shown[path])}: {path}",
        )
        for path in sorted(hits)[:examples]
    )
    return Finding(SAME_IMAGE, len(hits), len(hits), len(album.shown), found)


class Lookalikes:
    """The files of an album that look alike, by hash: files of one hash are compared once.

    A version of Wikidata may hold thousands of nearly equal locator maps: the pairs are counted by
    arithmetic and listed only as far as they are asked for.
    """

    def __init__(self, album: Album) -> None:
        self._album = album
        by_look: dict[str, list[str]] = defaultdict(list)
        for path, digits in sorted(album.looks.items()):
            by_look[digits].append(path)
        self._paths = list(by_look.values())
        looks = from_hex(list(by_look))
        #: (H, 3) files of each hash by split; a file that stands in two splits counts in both.
        self._count = np.array(
            [[sum(s in album.shown[p] for p in paths) for s in SPLITS] for paths in self._paths],
            dtype=np.int64,
        ).reshape(-1, len(SPLITS))
        pairs, bits = near_pairs(looks, NEAR_BITS)
        alone = np.arange(len(looks))
        # Files of one hash, too, are nearly the same: each hash is paired with itself first.
        self._pairs = np.concatenate([np.stack([alone, alone], axis=1), pairs])
        self._bits = np.concatenate([np.zeros(len(looks), np.uint8), bits])

    def number(self) -> int:
        """Return how many pairs of files, one split each, look alike across splits."""
        left, right = self._count[self._pairs[:, 0]], self._count[self._pairs[:, 1]]
        across = left.sum(1) * right.sum(1) - (left * right).sum(1)
        across[: len(self._paths)] //= 2  # a hash with itself counts each pair from both ends
        one_file = sum(
            len(list(combinations(self._album.shown[path], 2)))
            for paths in self._paths for path in paths
        )  # fmt: skip
        return int(across.sum()) - one_file

    def files(self) -> int:
        """Return how many files have such a pair."""
        there = self._count > 0
        hit = np.zeros_like(there)
        several = np.array([len(paths) > 1 for paths in self._paths], dtype=bool)
        pairs = self._pairs[(self._pairs[:, 0] != self._pairs[:, 1]) | several[self._pairs[:, 0]]]
        for a, b in ((0, 1), (1, 0)):
            left, right = pairs[:, a], pairs[:, b]
            for split in range(len(SPLITS)):
                others = np.delete(there[right], split, axis=1).any(axis=1)
                np.logical_or.at(hit[:, split], left, others & there[left, split])
        concerned = 0
        for number, paths in enumerate(self._paths):
            for path in paths:
                concerned += any(hit[number, SPLITS.index(s)] for s in self._album.shown[path])
        return concerned

    def __iter__(self) -> Iterator[NearImages]:
        """Yield the pairs, the nearest first, by path; a pair of files is shown by one entity each."""
        for (a, b), bits in zip(self._pairs.tolist(), self._bits.tolist(), strict=True):
            for one in self._paths[a]:
                for two in self._paths[b]:
                    if a != b or one < two:
                        yield from self._shown(one, two, bits)

    def _shown(self, one: str, two: str, bits: int) -> Iterator[NearImages]:
        for split, entities in self._album.shown[one].items():
            for other_split, others in self._album.shown[two].items():
                if split != other_split:
                    yield NearImages(entities[0], one, split, others[0], two, other_split, bits)


def alike_images(album: Album, examples: int) -> Finding:
    """Find image files that look like one of another split."""
    alike = Lookalikes(album)
    found = tuple(
        Example(
            (pair.entity, pair.other),
            f"{pair.split} and {pair.other_split}, {pair.distance} bits differ",
        )
        for pair in islice(alike, examples)
    )
    remarks = [
        f"{number:,} {what}"
        for number, what in (
            (album.plain, "files too plain to compare"),
            (album.unseen, "files without a perceptual hash: build again"),
        )
        if number
    ]
    return Finding(
        NEAR_IMAGES, alike.number(), alike.files(), len(album.looks), found, remark="; ".join(remarks)
    )


def read_album(store: GraphStore, version: str, splits: Mapping[str, str]) -> Album:
    """Read the image files of a version.

    :param splits: entity -> split.
    """
    return arrange(read_pictures(store, version), splits)


def near_images(store: GraphStore, version: str, limit: int | None = None) -> list[NearImages]:
    """Return the pairs of image files that look alike and stand in different splits.

    :param limit: at most so many, the nearest; a version may have millions.
    """
    entities = read_entities(store, version)
    parts = zip(entities["entity"].to_pylist(), entities["split"].to_pylist(), strict=True)
    splits = {entity: split for entity, split in parts if split}
    return list(islice(Lookalikes(read_album(store, version, splits)), limit))
