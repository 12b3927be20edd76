"""Asks every check of a version, one after the other."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from mlmkg.catalog import Catalog
from mlmkg.computed import coordinates
from mlmkg.errors import WorkspaceError
from mlmkg.progress import Progress, quiet
from mlmkg.quality.finding import SEVERITIES, Example, Finding
from mlmkg.quality.pictures import alike_images, read_album, same_image
from mlmkg.quality.places import near_places
from mlmkg.quality.queries import query_findings
from mlmkg.quality.tables import (
    BATCH,
    read_boilerplate,
    read_entities,
    read_names,
    read_texts,
    version_node,
)
from mlmkg.quality.texts import Texts
from mlmkg.recipe import Recipe
from mlmkg.store import GraphStore

EXAMPLES: Final = 3


def run_checks(
    store: GraphStore, catalog: Catalog, recipe: Recipe, version: str, *, examples: int = EXAMPLES,
    progress: Progress = quiet,
) -> list[Finding]:  # fmt: skip
    """Return a finding per check, leaks first, then errors, then notes; clean ones have the count 0.

    34,006 entities with 102,018 summaries take 25 seconds and 530 MB.

    :param catalog: its files of the kind ``quality`` are asked too.
    :param recipe: names the version and its languages.
    :param examples: how many hits of each check to keep in words.
    :raises RecipeError: if there is no such version.
    :raises WorkspaceError: if it has no entities.
    :raises QueryError: if a query file is no check.
    """
    found = read_entities(store, version)
    if not found.num_rows:
        recipe.version(version)
        raise WorkspaceError(
            f"the version {version!r} has no entities",
            action="`mlmkg sparql constraints` says what each constraint left; build more "
            "(without --limit, --country, --bbox, --offline)",
        )
    entities: list[str] = found["entity"].to_pylist()
    parts: list[str | None] = found["split"].to_pylist()
    latitudes, longitudes = coordinates(found["point"])
    splits = {entity: part for entity, part in zip(entities, parts, strict=True) if part}
    places = {
        entity: (latitude, longitude)
        for entity, latitude, longitude in zip(
            entities, latitudes.tolist(), longitudes.tolist(), strict=True
        )
        if math.isfinite(latitude)
    }
    pictures = read_album(store, version, splits)
    texts = Texts(splits, places, recipe.languages, examples, read_boilerplate(store))
    batches = -(-len(entities) // BATCH)
    for table in progress(read_texts(store, entities), "summaries", total=batches, unit="batch"):
        texts.look(table)
    findings = [
        same_image(pictures, examples),
        alike_images(pictures, examples),
        near_places(entities, parts, latitudes, longitudes, examples),
        *texts.findings(),
        *query_findings(store, catalog, recipe, version, _totals(store, version, entities), examples),
    ]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.check.severity))
    return _with_names(store, findings)


def _with_names(store: GraphStore, findings: list[Finding]) -> list[Finding]:
    """Put the names of what an example is about before its words."""
    about = {iri for f in findings for example in f.examples for iri in example.entities}
    names = read_names(store, about)

    def named(example: Example) -> Example:
        who = ", ".join(names[iri] for iri in example.entities)
        return replace(example, words=f"{who}: {example.words}" if example.words else who)

    return [replace(f, examples=tuple(map(named, f.examples))) for f in findings]


def _totals(store: GraphStore, version: str, entities: list[str]) -> dict[str, int]:
    ((cells,),) = store.rows(
        "SELECT (COUNT(DISTINCT ?cell) AS ?n) "
        f"WHERE {{ ?entity mlm:inVersion {version_node(version)} ; mlm:cell ?cell }}"
    )
    return {"entities": len(entities), "cells": int(cells)}
