"""The manifest of an export: its files, and what it was made from.

Nothing in it is a time or a place: the same store and options give the same manifest.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from mlmkg.export import licensing
from mlmkg.export.checksums import digest, files
from mlmkg.export.columns import About
from mlmkg.export.tables import Reader
from mlmkg.recipe import Recipe
from mlmkg.store import GraphStore
from mlmkg.vocab import MLM

MANIFEST: Final = "manifest.json"


def write_manifest(folder: Path, manifest: dict[str, Any], sums: dict[str, str]) -> None:
    """Write the manifest with all data files there are; the images are only in the checksums."""
    listed: dict[str, dict[str, Any]] = {}
    for name in files(folder):
        if name.startswith("images/") or name in {MANIFEST, licensing.ATTRIBUTION, "README.md"}:
            continue
        sums[name] = sums.get(name) or digest(folder / name)
        listed[name] = {"sha256": sums[name], "bytes": (folder / name).stat().st_size}
        if name.endswith(".parquet"):
            listed[name]["rows"] = pq.read_metadata(folder / name).num_rows
    tables = {name: entry["sha256"] for name, entry in listed.items() if name.endswith(".parquet")}
    content = tables or {name: entry["sha256"] for name, entry in listed.items()}
    manifest["files"] = listed
    manifest["key"] = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", "utf-8")


def table_columns(folder: Path) -> dict[str, list[str]]:
    """Return Parquet file -> its columns."""
    return {path.name: pq.read_schema(path).names for path in sorted(folder.glob("*.parquet"))}


def recipe_entry(recipe: Recipe) -> dict[str, Any]:
    """Return what the manifest keeps of a recipe."""
    return {
        "title": recipe.title,
        "languages": list(recipe.languages),
        "parameters": {
            name: [str(term) for term in terms] for name, terms in recipe.parameters.items()
        },
        "cells": asdict(recipe.cells),
        "splits": asdict(recipe.splits),
    }


def graph_checksums(store: GraphStore) -> dict[str, str]:
    """Return graph IRI -> sha256 of its triples, from the provenance graph."""
    rows = store.rows(f"SELECT ?graph ?sum WHERE {{ ?graph <{MLM.key}> ?key ; <{MLM.sha256}> ?sum }}")
    return dict(sorted((graph, checksum) for graph, checksum in rows))


def about_tables(reader: Reader, version: str) -> dict[str, About]:
    """Return table -> what it says of itself, its sources from the provenance graph."""
    rows = reader.store.rows(
        "SELECT DISTINCT ?graph ?title ?version ?licence ?credit WHERE { "
        "?graph prov:wasGeneratedBy/prov:used ?origin . ?origin dct:title ?title ; "
        "dct:license ?licence ; schema:version ?version ; mlm:attribution ?credit }"
    )
    of: dict[str, list[dict[str, str]]] = {}
    for graph, *said in sorted(rows):
        of.setdefault(graph.rpartition("/")[2], []).append(
            dict(zip(("title", "version", "licence", "attribution"), said, strict=True))
        )
    about = {}
    for query in reader.catalog.of_kind("export"):
        sources = [source for graph in query.reads for source in of.get(graph, [])]
        distinct = [source for i, source in enumerate(sources) if source not in sources[:i]]
        about[query.name] = About(query.title, query.description, version, tuple(distinct))
    return about
