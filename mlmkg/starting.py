"""A dataset of one's own: copies the shipped query set, and writes a recipe and settings for it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlmkg.catalog import KINDS, shipped
from mlmkg.errors import RecipeError
from mlmkg.recipe import Recipe, read_recipe
from mlmkg.workspace import folder_written_whole

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*")
_RECIPE: Final = """\
# What this query set builds. What a value means stands in the queries that declare it.

title = {title}
languages = {languages}

# Put into the VALUES block of that name in every query that declares it.
[parameters]
base = "wd:{base}"
language = {languages}
site = {sites}
imageProperty = {images}

# The adaptive S2 partition: split a cell with more than t_max entities, drop one with fewer than t_min.
[cells]
start_level = {cells.start_level}
max_level = {cells.max_level}
t_max = {cells.t_max}
t_min = {cells.t_min}
strategy = "{cells.strategy}"

[splits]
key = "{splits.key}"
train = {splits.train}
val = {splits.val}
test = {splits.test}
{versions}"""
_SETTINGS: Final = """\
# Settings of mlmkg, read from the folder it is run in. Every option of every command can stand here.
workspace = "mlm"
queries = "queries/{name}"
# Your mail address or URL: the servers that are asked for data want to know whom to write to.
contact = {contact}

[build]
source = "endpoint"
"""


def start(
    folder: Path, base: str, languages: Sequence[str], title: str = "", *, contact: str = ""
) -> Path:
    """Write a folder with a query set, its recipe and settings; return the settings' path.

    :param folder: must not exist, or be empty; its name becomes the query set's.
    :param base: the QID of the class whose instances are wanted.
    :param languages: Wikipedia codes.
    :raises RecipeError: if the folder has content, or a value is not what it should be.
    """
    name = folder.resolve().name
    _check(folder, name, base, languages)
    title = title or f"Instances of {base}, with images and summaries in {', '.join(languages)}"
    with folder_written_whole(folder) as new:
        queries = new / "queries" / name
        for kind in KINDS:
            shutil.copytree(shipped() / kind, queries / kind)
        pattern = read_recipe(shipped() / "recipe.toml")
        (queries / "recipe.toml").write_text(_recipe(pattern, base, languages, title), "utf-8")
        read_recipe(queries / "recipe.toml")
        settings = _SETTINGS.format(name=name, contact=json.dumps(contact))
        (new / "mlmkg.toml").write_text(settings, "utf-8")
    return folder / "mlmkg.toml"


def _check(folder: Path, name: str, base: str, languages: Sequence[str]) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise RecipeError("is not empty", where=folder, action="Name a new folder")
    if not _NAME.fullmatch(name):
        raise RecipeError(
            f"{name!r} cannot be part of the graphs' IRIs", where=folder,
            action="Name the folder with letters, digits, dots and hyphens",
        )  # fmt: skip
    if not re.fullmatch(r"Q[1-9]\d*", base):
        raise RecipeError(
            f"{base!r} is no Wikidata item", where="--class", action="Name a class such as Q33506"
        )
    if not languages:
        raise RecipeError("no language", where="--languages", action="Name one such as en")
    for code in languages:
        if not re.fullmatch(r"[a-z]{2,}(-[a-z0-9]+)*", code):
            raise RecipeError(
                f"{code!r} is no code of a Wikipedia", where="--languages",
                action="Give codes as in en.wikipedia.org, comma-separated",
            )  # fmt: skip


def _recipe(pattern: Recipe, base: str, languages: Sequence[str], title: str) -> str:
    versions = "".join(
        f"\n[versions.{name}]\ntitle = {json.dumps(text, ensure_ascii=False)}\n"
        for name, text in pattern.versions.items()
    )
    return _RECIPE.format(
        title=json.dumps(title, ensure_ascii=False), base=base,
        languages=json.dumps(list(languages)),
        sites=json.dumps([f"<https://{code}.wikipedia.org/>" for code in languages]),
        images=json.dumps(
            [f"wdt:{term.value.rpartition('/')[2]}" for term in pattern.parameters["imageProperty"]]
        ),
        cells=pattern.cells, splits=pattern.splits, versions=versions,
    )  # fmt: skip
