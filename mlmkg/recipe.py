"""What to build: the recipe of a query set.

``recipe.toml`` enters, a checked :class:`Recipe` leaves. It holds the values that are put into the
queries' ``VALUES`` blocks, and the numbers of the steps that SPARQL cannot express.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlmkg.errors import RecipeError
from mlmkg.sparql import Term, term


@dataclass(frozen=True)
class CellSettings:
    """The geo cells (section 3.3.5 of the paper).

    :param start_level: the S2 level of the first partition, 0 to 30.
    :param max_level: the level at which a cell is no longer split.
    :param t_max: a cell with more entities is split.
    :param t_min: a cell with fewer entities is dropped.
    :param strategy: ``adaptive``, or ``reference`` for the order of the paper's own script.
    """

    start_level: int = 2
    max_level: int = 10
    t_max: int = 500
    t_min: int = 20
    strategy: str = "adaptive"


@dataclass(frozen=True)
class SplitSettings:
    """The splits.

    :param key: the hash's key; another key gives another split.
    :param train, val, test: parts of a hundred.
    """

    key: str = "mlmkg"
    train: int = 80
    val: int = 10
    test: int = 10


@dataclass(frozen=True)
class Recipe:
    """A checked recipe.

    :param title: what is built, one line.
    :param languages: of labels and summaries, in the order they are preferred.
    :param parameters: name -> the terms for a query's ``VALUES ?name`` block.
    :param versions: version name -> its title.
    """

    title: str
    languages: tuple[str, ...]
    parameters: Mapping[str, tuple[Term, ...]]
    cells: CellSettings
    splits: SplitSettings
    versions: Mapping[str, str]

    def version(self, name: str) -> str:
        """Return a version's title.

        :raises RecipeError: if the recipe has no such version.
        """
        if name not in self.versions:
            raise RecipeError(
                f"there is no version {name!r}",
                action=f"The versions are {', '.join(self.versions)}",
            )
        return self.versions[name]


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    :raises RecipeError: naming the table and key that is wrong.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError("there is no recipe", where=path, action="Copy the one of v1") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"not valid TOML: {error}", where=path, action="Correct it") from None
    known = {"title", "languages", "parameters", "cells", "splits", "versions"}
    if unknown := sorted(set(tables) - known):
        raise RecipeError(
            f"unknown entry {unknown[0]!r}", where=path,
            action=f"The entries are {', '.join(sorted(known))}",
        )  # fmt: skip
    try:
        recipe = Recipe(
            title=str(tables["title"]),
            languages=tuple(map(str, tables["languages"])),
            parameters={
                name: tuple(term(str(v)) for v in (value if isinstance(value, list) else [value]))
                for name, value in tables.get("parameters", {}).items()
            },
            cells=CellSettings(**tables.get("cells", {})),
            splits=SplitSettings(**tables.get("splits", {})),
            versions={name: str(v["title"]) for name, v in tables.get("versions", {}).items()},
        )
    except (KeyError, TypeError) as error:
        raise RecipeError(
            f"an entry is missing or unknown: {error}", where=path, action="Compare with v1's"
        ) from None
    _check_ranges(path, recipe, tables)
    return recipe


def _check_ranges(path: Path, recipe: Recipe, tables: dict[str, Any]) -> None:
    cells, splits = recipe.cells, recipe.splits
    wrong = {
        "languages is empty": not recipe.languages,
        "cells: not 0 <= start_level <= max_level <= 30": not (
            0 <= cells.start_level <= cells.max_level <= 30
        ),
        "cells: not 0 <= t_min <= t_max": not 0 <= cells.t_min <= cells.t_max,
        "cells: strategy is neither adaptive nor reference": cells.strategy
        not in {"adaptive", "reference"},
        "splits: train, val and test do not sum to 100": (
            min(splits.train, splits.val, splits.test) < 0
            or splits.train + splits.val + splits.test != 100
        ),
        "versions is empty": not tables.get("versions"),
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise RecipeError(what, where=path, action="Correct the recipe")
