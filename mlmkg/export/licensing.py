"""Licences of an export: which works are taken, and the credits they ask for.

Tables enter, tables of the works under the wanted licences leave; an entity whose last image or last
summary goes is left out with them. ``ATTRIBUTION.tsv`` names every work's author and licence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mlmkg.errors import ExportError
from mlmkg.licences import FAMILIES, family

ATTRIBUTION: Final = "ATTRIBUTION.tsv"
HEAD: Final = "work\tentity\tlicence\tattribution\n"
#: Tables of works that have a licence each.
_WORKS: Final = ("images", "summaries")


def check(families: Collection[str]) -> None:
    """Refuse names that are no families of licences.

    :raises ExportError: naming those there are.
    """
    if unknown := sorted(set(families) - set(FAMILIES)):
        raise ExportError(
            f"{unknown[0]!r} is no family of licences", where="--licences",
            action=f"They are {', '.join(FAMILIES)}",
        )  # fmt: skip


def only(tables: Mapping[str, pa.Table], families: Collection[str]) -> dict[str, pa.Table]:
    """Return the tables with the works under these licences, and the entities they leave.

    :param families: of :data:`mlmkg.licences.FAMILIES`.
    """
    check(families)
    kept = dict(tables)
    entities: pa.Array | None = None
    for name in _WORKS:
        if name not in kept:
            continue
        table = kept[name]
        allowed = [iri for iri in table["licence"].unique().to_pylist() if family(iri) in families]
        kept[name] = table.filter(pc.is_in(table["licence"], pa.array(allowed, pa.string())))
        had, have = table["entity"].unique(), kept[name]["entity"].unique()
        lost = had.filter(pc.invert(pc.is_in(had, have)))
        entities = lost if entities is None else pa.concat_arrays([entities, lost])
    if entities is None or not len(entities):
        return kept
    return {
        name: table.filter(pc.invert(pc.is_in(table["entity"], entities)))
        if "entity" in table.column_names else table
        for name, table in kept.items()
    }  # fmt: skip


def attribution(tables: Mapping[str, pa.Table]) -> str:
    """Return the credits of every work as tab-separated lines under :data:`HEAD`."""
    stream = io.StringIO(newline="")
    lines = csv.writer(stream, dialect="excel-tab", lineterminator="\n")
    for name in _WORKS:
        if name in tables:
            table = tables[name]
            works = table["path"] if name == "images" else table["summary"]
            for row in zip(
                works.to_pylist(), table["entity"].to_pylist(), table["licence"].to_pylist(),
                table["attribution"].to_pylist(), strict=True,
            ):  # fmt: skip
                lines.writerow([f"images/{row[0]}" if name == "images" else row[0], *row[1:]])
    return stream.getvalue()
