"""The dataset card: what a version holds, in words and counts, as Markdown with a YAML head.

The head is what dataset hubs read (https://huggingface.co/docs/hub/datasets-cards); the rest is for
people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mlmkg.report.figures import Figures


def card(manifest: Mapping[str, Any], figures: Figures, columns: Mapping[str, Sequence[str]]) -> str:
    """Return the card's text.

    :param manifest: as it stands in manifest.json.
    :param figures: what was counted.
    :param columns: Parquet file -> its columns.
    """
    tables = sorted(columns)
    head = {
        "pretty_name": f"mlmkg {manifest['version']}",
        "language": manifest["languages"],
        "task_categories": ["image-to-text", "image-classification", "text-classification"],
        "tags": ["geolocation", "knowledge-graph", "multimodal", "multilingual", "rdf"],
        "configs": [
            # All splits together: the column `split` says which; hubs would call the file "train".
            {
                "config_name": name.removesuffix(".parquet"),
                "data_files": [{"split": "whole", "path": name}],
            }
            for name in tables
        ]
        or _plain_configs(manifest["files"]),
    }
    files = manifest["files"]
    shards = sorted(name for name in files if name.startswith("webdataset/"))
    rows = [
        (name, f"{files[name]['rows']:,}" if "rows" in files[name] else "", f"{files[name]['bytes']:,}",
         ", ".join(columns.get(name, ())))
        for name in sorted(files) if name not in shards and not name.startswith("report")
    ]  # fmt: skip
    if shards:
        size = sum(files[name]["bytes"] for name in shards)
        rows.append(("webdataset/*.tar", f"{len(shards)} shards", f"{size:,}", ""))
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {manifest['title']}\n",
        f"Version `{manifest['version']}`, written by {manifest['created_by']}; "
        f"key `{manifest['key'][:16]}…`. `sha256sum --check SHA256SUMS` or `mlmkg verify` proves it.\n",
        _selected(manifest),
        "## Files\n",
        table(["file", "rows", "bytes", "columns"], rows),
        (
            "Image files lie under `images/`, named by their sha256; their table has the paths. "
            if manifest["images"] == "files"
            else "No image files lie beside them. "
        )
        + "The credits that licences ask for are in `ATTRIBUTION.tsv`.\n",
        "## What it holds (the paper's Table 2)\n",
        _contents(figures),
        "## Splits\n",
        _splits(manifest, figures),
        "## Licences\n",
        _licences(figures),
        "## What is known to be uneven (the paper's Figure 2)\n",
        _balance(figures),
    ]
    return "\n".join(part for part in parts if part)


def _plain_configs(files: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a hub reads of an export without Parquet: one kind of file a card."""
    if "train.jsonl" in files:
        parts = [{"split": name, "path": f"{name}.jsonl"} for name in ("train", "val", "test")
                 if files[f"{name}.jsonl"]["bytes"]]  # fmt: skip
        return [{"config_name": "records", "data_files": parts}]
    if "triples.tsv" in files:
        names = ["head", "relation", "tail"]
        return [{"config_name": "triples", "data_files": [{"split": "whole", "path": "triples.tsv"}],
                 "sep": "\t", "column_names": names}]  # fmt: skip
    return []


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(v).replace("|", "\\|") for v in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _selected(manifest: Mapping[str, Any]) -> str:
    where = manifest.get("where")
    if where is None:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`{2,}", where["text"])), default=2))
    text = where["text"].rstrip()
    return f"Its entities are those that `{where['name']}` selects:\n\n{fence}sparql\n{text}\n{fence}\n"


def _share(count: int, whole: int) -> tuple[str, str]:
    return f"{count:,}", f"{100 * count / whole:.1f} %"


def _contents(figures: Figures) -> str:
    rows = [
        ("entities", f"{figures.entities:,}"),
        ("images", f"{figures.images:,}"),
        ("image files", f"{figures.image_files:,}"),
        *((f"summaries, {name}", f"{language.summaries:,}")
          for name, language in sorted(figures.languages.items())),
        ("triple classes", f"{len(figures.classes):,}"),
        ("countries", f"{len(figures.countries):,}"),
        ("geo cells", f"{len(figures.cells):,}"),
    ]  # fmt: skip
    return table(["what", "count"], rows)


def _splits(manifest: Mapping[str, Any], figures: Figures) -> str:
    how = (
        "by a keyed hash of the IRI; entities that share an image file or a text are in one split"
        if manifest["split"] == "hash"
        else "by region: whole S2 cells of level 4 are in one split, and so are shared images"
    )
    rows = [(name, *_share(count, figures.entities)) for name, count in figures.splits.items()]
    bare = without_train(figures)
    thin = sum(1 for counts in figures.cells.values() if not counts.get("test"))
    words = (
        f"Assigned {how}. Of {len(figures.cells)} geo cells, {len(bare)} have no entity in train"
        f"{' (' + ', '.join(bare[:10]) + ')' if bare else ''} and {thin} have none in test; "
        "the cells' table has the counts.\n"
    )
    return table(["split", "entities", "share"], rows) + "\n" + words


def without_train(figures: Figures) -> list[str]:
    """Return the tokens of the cells that have no training entity."""
    return [token for token, counts in figures.cells.items() if not counts.get("train")]


def _licences(figures: Figures) -> str:
    rows = [
        (name, f"<{licence}>", f"{count:,}")
        for (name, licence), count in sorted(figures.licences.items(), key=lambda i: (i[0][0], -i[1]))
    ]
    return table(["of", "licence", "works"], rows)


def _balance(figures: Figures) -> str:
    rows = [(name, *_share(count, figures.entities)) for name, count in figures.continents.items()]
    summaries = sum(language.summaries for language in figures.languages.values())
    made = sum(language.generated for language in figures.languages.values())
    words = (
        f"\n{made:,} of {summaries:,} summaries are generated from facts: sentences of a program, not "
        "of an encyclopedia.\n"
        if summaries
        else ""
    )
    return table(["continent", "entities", "share"], rows) + words
