"""The settlements of a made-up world: where they lie, what they are, what encoders would see of them.

:mod:`world` says what kind of world it is, and writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LANGUAGES = ("en", "de", "fr")
PATCHES = ("Borea", "Meridia", "Ostia", "Zephyria", "Notia", "Eoa")
#: How many of the settlements lie on each patch, and how often its settlements have a summary of each
#: language: the paper's theme is that some regions are told of less.
ON_PATCH = np.array([0.42, 0.24, 0.14, 0.10, 0.06, 0.04])
TOLD = np.array([[0.9, 0.8, 0.6], [0.9, 0.4, 0.4], [0.8, 0.3, 0.3],
                 [0.7, 0.3, 0.5], [0.8, 0.2, 0.1], [0.7, 0.1, 0.3]])  # fmt: skip
SCALES_KM = (3_000, 800, 250)
EARTH_KM = 6_371.0
FEATURES = 32  # hidden numbers per scale
OWN = 48  # hidden numbers of the settlement itself
OF_CLASS = 16  # and of its class
HIDDEN = 256
BLOCK = 500
#: What an image shows: its share, and how much it tells of place, settlement, class.
SHOWN = {
    "photograph": (0.6, 0.56, 0.6, 1.0), "map": (0.2, 0.96, 0.48, 0.3), "symbol": (0.2, 0, 0.72, 0.6)
}  # fmt: skip
#: The same of a summary.
SAID = (1.2, 0.6, 1.0)
#: Hidden numbers of what else there is to see or say, and how much: chosen so that neither
#: task is easy and neither hopeless.
NUISANCE = 64
IMAGE_NUISANCE = 2.0
TEXT_NUISANCE = 2.0
#: Of every number of a vector.
NOISE = 0.7


@dataclass(frozen=True)
class Settings:
    """What makes a world; the same settings give the same world.

    :param entities: how many settlements.
    :param seed: of everything.
    :param image_width, text_width: of the vectors; classes are as wide as texts.
    :param classes: how many there are.
    :param t_max, t_min: of the cells, see :func:`mlmkg.cells.cells`; None scales them with the number
        of settlements, so that there are some 138 cells.
    :param missing: share of the settlements without image, and of those without summary, 0 to 1; the
        paper's dataset has none.
    :param noise: how much harder than usual both tasks are.
    """

    entities: int = 5_000
    seed: int = 0
    image_width: int = 4_096
    text_width: int = 3_072
    classes: int = 60
    t_max: int | None = None
    t_min: int | None = None
    missing: float = 0.0
    noise: float = 1.0


class World:
    """Where the settlements are and what they are; their vectors on demand.

    :ivar places_E2: latitude and longitude, degrees.
    :ivar patch_E: number of the patch of land.
    :ivar class_E: number of the class.
    :ivar chain: class -> itself and what it is a subclass of, without the root.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = s = settings
        chance = np.random.default_rng([s.seed, 1])
        self.patch_E = chance.choice(len(PATCHES), s.entities, p=ON_PATCH)
        points_E3 = self._points(chance)
        self.places_E2 = np.stack([
            np.degrees(np.arcsin(np.clip(points_E3[:, 2], -1, 1))),
            np.degrees(np.arctan2(points_E3[:, 1], points_E3[:, 0])),
        ], axis=1)  # fmt: skip
        self._points_E3 = points_E3
        self._waves = [
            (
                chance.standard_normal((3, FEATURES)) * EARTH_KM / km,
                chance.uniform(0, 2 * np.pi, FEATURES),
            )
            for km in SCALES_KM
        ]
        self._skew = 2 * chance.standard_normal((FEATURES * len(SCALES_KM), s.classes))
        self._skew /= np.sqrt(len(self._skew)) / 2
        self.chain = _chains(s.classes, chance)
        odds = np.log(1 / (1 + np.arange(s.classes))) + self._place(points_E3) @ self._skew
        self.class_E = (odds + chance.gumbel(size=odds.shape)).argmax(axis=1)
        self._class_latent = chance.standard_normal((s.classes, OF_CLASS))
        hidden = FEATURES * len(SCALES_KM) + OWN + OF_CLASS
        self._image = _View(hidden, s.image_width, chance)
        self._text = _View(hidden, s.text_width, chance)
        self._language = chance.standard_normal((len(LANGUAGES), s.text_width)).astype("f4")
        self._accent = [_normal(chance, HIDDEN, s.text_width) for _ in LANGUAGES]
        own = _normal(chance, OF_CLASS, s.text_width)
        table = self._class_latent.astype("f4") @ own + 0.5 * _normal(chance, s.classes, s.text_width)
        self.class_table = (0.3 * table).astype("f2")

    def _points(self, chance: np.random.Generator) -> np.ndarray:
        """Return (E, 3) points of the unit sphere: clusters of different size and extent."""
        s = self.settings
        middle = _unit(chance.standard_normal((len(PATCHES), 3)) * (1, 1, 0.5))
        count = 60
        centre = _unit(middle[:, None] + 0.28 * chance.standard_normal((len(PATCHES), count, 3)))
        weight = chance.lognormal(0, 1.2, (len(PATCHES), count))
        extent = chance.lognormal(np.log(130), 0.7, (len(PATCHES), count)) / EARTH_KM
        points = np.empty((s.entities, 3))
        for patch in range(len(PATCHES)):
            here = np.flatnonzero(self.patch_E == patch)
            cluster = chance.choice(count, len(here), p=weight[patch] / weight[patch].sum())
            away = extent[patch, cluster, None] * chance.standard_normal((len(here), 3))
            points[here] = _unit(centre[patch, cluster] + away)
        return points

    def _place(self, points_N3: np.ndarray) -> np.ndarray:
        """Return (N, 96) smooth functions of the place."""
        return np.sqrt(2) * np.concatenate(
            [np.cos(points_N3 @ wave + phase) for wave, phase in self._waves], axis=1
        )

    def blocks(self) -> Iterator[tuple[int, list[np.ndarray], list[np.ndarray], list[list[int]]]]:
        """Yield by 500 entities: the number of the first, and per entity its (n, I) image vectors, its
        (k, T) summary vectors and their languages."""
        for first in range(0, self.settings.entities, BLOCK):
            yield first, *self._block(slice(first, min(first + BLOCK, self.settings.entities)))

    def _block(self, here: slice) -> tuple[list[np.ndarray], list[np.ndarray], list[list[int]]]:
        s = self.settings
        chance = np.random.default_rng([s.seed, 2, here.start])
        place = self._place(self._points_E3[here])
        n = len(place)
        own = chance.standard_normal((n, OWN))
        of_class = self._class_latent[self.class_E[here]]

        images = chance.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2])
        images[chance.random(n) < s.missing] = 0
        whose = np.repeat(np.arange(n), images)
        shares, *tells = zip(*SHOWN.values(), strict=True)
        kind = chance.choice(len(SHOWN), len(whose), p=shares)
        to_place, to_own, to_class = (np.array(t)[kind, None] for t in tells)
        seen = np.concatenate([
            to_place * place[whose], to_own * own[whose], to_class * of_class[whose]
        ], axis=1)  # fmt: skip
        x, _ = self._image(seen, s.noise * IMAGE_NUISANCE, NOISE, chance)
        image_vectors = 0.5 * np.maximum(x - 0.5, 0)

        told = chance.random((n, len(LANGUAGES))) < TOLD[self.patch_E[here]]
        told[~told.any(axis=1), 0] = True
        told[chance.random(n) < s.missing] = False
        teller, language = np.nonzero(told)
        said = np.concatenate(
            [tells * x for tells, x in zip(SAID, (place, own, of_class), strict=True)], axis=1
        )[teller]
        y, h = self._text(said, s.noise * TEXT_NUISANCE, NOISE, chance)
        for number in range(len(LANGUAGES)):
            mine = language == number
            y[mine] += 0.5 * h[mine] @ self._accent[number] + self._language[number]
        text_vectors = 0.3 * y
        return (
            np.split(image_vectors.astype("f2"), np.cumsum(images)[:-1]),
            np.split(text_vectors.astype("f2"), np.cumsum(told.sum(axis=1))[:-1]),
            [np.flatnonzero(row).tolist() for row in told],
        )


class _View:
    """A fixed random map from hidden vectors to what an encoder would make of them."""

    def __init__(self, hidden: int, width: int, chance: np.random.Generator) -> None:
        self._into = _normal(chance, hidden, HIDDEN)
        self._other = _normal(chance, NUISANCE, HIDDEN)
        self._out = _normal(chance, HIDDEN, width)
        self._spread = chance.lognormal(0, 0.3, width).astype("f4")

    def __call__(
        self, latent: np.ndarray, nuisance: float, noise: float, chance: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, width) vectors, and what they were before they were made that wide."""
        n, width = len(latent), len(self._spread)
        other = chance.standard_normal((n, NUISANCE), dtype="f4") * np.float32(nuisance)
        h = np.tanh(latent.astype("f4") @ self._into + other @ self._other)
        x = h @ self._out + noise * chance.standard_normal((n, width), dtype="f4")
        return x * self._spread, h


def _normal(chance: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return a random map that keeps the size of a vector's numbers."""
    return chance.standard_normal((rows, columns), dtype="f4") / np.float32(np.sqrt(rows))


def _unit(points: np.ndarray) -> np.ndarray:
    return points / np.linalg.norm(points, axis=-1, keepdims=True)


def _chains(classes: int, chance: np.random.Generator) -> list[list[int]]:
    """Return of each class itself and what is above it: 1 to 3 hops below a root that is not named."""
    chains: list[list[int]] = []
    for number in range(classes):
        above = [c for c in chains if len(c) < 3]
        under = above and chance.random() < 0.7
        chains.append([number, *(above[chance.integers(len(above))] if under else [])])
    return chains
