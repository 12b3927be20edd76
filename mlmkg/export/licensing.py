"""Licences of an export: which works are taken, and the credits they ask for.

Tables enter, tables of the works under the wanted licences leave; an entity whose last image or last
summary goes is left out with them. ``ATTRIBUTION.tsv`` names every work's author and licence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlmkg.errors import ExportError
from mlmkg.licences import FAMILIES, family

ATTRIBUTION: Final = "ATTRIBUTION.tsv"
HEAD: Final = b"work\tentity\tlicence\tattribution\n"
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


def attribution(tables: Mapping[str, pa.Table], *, files: bool) -> Iterator[pa.Buffer]:
    """Yield the credits of every work as tab-separated lines (UTF-8) under :data:`HEAD`.

    :param files: whether the image files lie beside them: then an image is named by its file, else by
        its IRI.

    Nothing is quoted: line ends and tabs within a credit become spaces.
    """
    for name in _WORKS:
        if name in tables:
            table = tables[name]
            work = table["summary" if name == "summaries" else "image"]
            if name == "images" and files:
                work = pc.binary_join_element_wise("images/", table["path"], "")
            credit = pc.fill_null(table["attribution"], "")
            if pc.any(pc.match_substring_regex(credit, r"[\t\r\n]")).as_py():
                credit = pc.replace_substring_regex(credit, r"\s+", " ")
            credit = pc.binary_join_element_wise(credit, "", "\n")
            joined = pc.binary_join_element_wise(work, table["entity"], table["licence"], credit, "\t")
            for part in joined.chunks:
                # Arrow has the lines one after the other already.
                _, offsets, lines = part.buffers()
                first, last = np.frombuffer(offsets, np.int32)[[part.offset, part.offset + len(part)]]
                if lines is not None:
                    yield lines.slice(first, last - first)
