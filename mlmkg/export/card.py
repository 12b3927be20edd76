"""The dataset card: what a version holds, in words and counts, as Markdown with a YAML head.

The head is what dataset hubs read (https://huggingface.co/docs/hub/datasets-cards); the rest is for
people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml


def card(version: str, title: str, manifest: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> str:
    """Return the card's text.

    :param version: the version's name.
    :param title: one line.
    :param manifest: as it stands in manifest.json.
    :param tables: its tables by name.
    """
    head = {
        "pretty_name": f"mlmkg {version}",
        "language": manifest["languages"],
        "task_categories": ["image-to-text", "image-classification", "text-classification"],
        "tags": ["geolocation", "knowledge-graph", "multimodal", "multilingual", "rdf"],
        "configs": [
            {"config_name": name.removesuffix(".parquet"), "data_files": name}
            for name in sorted(manifest["files"])
        ],
    }
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {title}\n",
        f"Version `{version}`, written by {manifest['created_by']}; "
        f"key `{manifest['key'][:16]}…`.\n",
        "## Tables\n",
        _table(["file", "rows", "columns"], [
            (name, f"{entry['rows']:,}", ", ".join(tables[name.removesuffix('.parquet')].column_names))
            for name, entry in sorted(manifest["files"].items())
        ]),
        "Image files lie under `images/`, named by their sha256; `images.parquet` has their paths.\n",
        "## Splits\n",
        _splits(manifest, tables),
        "## Licences\n",
        _licences(tables),
        "## What is known to be uneven\n",
        _balance(tables),
    ]  # fmt: skip
    return "\n".join(parts)


def _table(head: list[str], rows: list[tuple[Any, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _count(table: pa.Table, column: str) -> list[tuple[str, int]]:
    counts = table[column].value_counts().to_pylist()
    return sorted(
        ((str(row["values"]), int(row["counts"])) for row in counts), key=lambda row: (-row[1], row[0])
    )


def _splits(manifest: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> str:
    entities = tables["entities"]
    how = (
        "by a keyed hash of the IRI; entities that share an image file are in one split"
        if manifest["split"] == "hash"
        else "by region: whole S2 cells of level 4 are in one split, and so are shared images"
    )
    rows = [
        (name, f"{count:,}", f"{100 * count / entities.num_rows:.1f} %")
        for name, count in _count(entities, "split")
    ]
    cells = tables["cells"].to_pylist()
    bare = [row["cell"] for row in cells if not row["train"]]
    thin = sum(1 for row in cells if not row["test"])
    words = (
        f"Assigned {how}. Of {len(cells)} geo cells, {len(bare)} have no entity in train"
        f"{' (' + ', '.join(bare[:10]) + ')' if bare else ''} and {thin} have none in test; "
        "`cells.parquet` has the counts.\n"
    )
    return _table(["split", "entities", "share"], rows) + "\n" + words


def _licences(tables: Mapping[str, pa.Table]) -> str:
    rows = []
    for name in ("summaries", "images"):
        if name in tables and tables[name].num_rows:
            counts = tables[name].group_by(["licence", "attribution"]).aggregate([([], "count_all")])
            rows += [
                (name, f"<{row['licence']}>", row["attribution"], f"{row['count_all']:,}")
                for row in counts.sort_by("licence").to_pylist()
            ]
    return _table(["of", "licence", "attribution", "rows"], rows)


def _balance(tables: Mapping[str, pa.Table]) -> str:
    entities = tables["entities"]
    continents = [
        (name, f"{count:,}", f"{100 * count / entities.num_rows:.1f} %")
        for name, count in _count(entities, "continent")
    ]
    words = ""
    if "summaries" in tables and tables["summaries"].num_rows:
        summaries = tables["summaries"]
        made = sum(row["counts"] for row in summaries["generated"].value_counts().to_pylist()
                   if row["values"])  # fmt: skip
        words = (
            f"{made:,} of {summaries.num_rows:,} summaries are generated from facts: sentences of a "
            "program, not of an encyclopedia.\n"
        )
    return _table(["continent", "entities", "share"], continents) + "\n" + words
