"""The dataset card: what a version holds, in words and counts, as Markdown with a YAML head.

The head is what dataset hubs read (https://huggingface.co/docs/hub/datasets-cards); the rest is for
people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from mlmkg.report.figures import SPLITS, Figures

#: Where the image files are -> what a card says of it.
_PICTURES: Final = {
    "files": "Image files lie under `images/`, named by their sha256; their table has the paths.",
    "bytes": "Image files are in the column `picture` of `images.parquet`.",
    "shards": "Image files are in the samples of the tar files.",
    "none": "No image files are in this export; a `path` names a file of the workspace it was made in.",
}


def card(
    manifest: Mapping[str, Any], figures: Figures, columns: Mapping[str, Sequence[str]],
    features: Sequence[Mapping[str, Any]] = (),
) -> str:  # fmt: skip
    """Return the card's text.

    :param manifest: as it stands in manifest.json.
    :param figures: what was counted.
    :param columns: Parquet file -> its columns.
    :param features: the fields of WebDataset's samples.
    """
    tables = sorted(columns)
    head: dict[str, Any] = {
        "pretty_name": f"mlmkg {manifest['version']}",
        "language": manifest["languages"],
        "task_categories": ["image-to-text", "image-classification", "text-classification"],
        "tags": ["geolocation", "knowledge-graph", "multimodal", "multilingual", "rdf"],
    }
    # All splits together: the column `split` says which; hubs would call the file "train".
    configs = [
        {
            "config_name": name.removesuffix(".parquet"),
            "data_files": [{"split": "whole", "path": name}],
        }
        for name in tables
    ] or _plain_configs(manifest["files"])
    if shards := _shards(manifest["files"]):
        configs.append({"config_name": "webdataset", "data_files": shards})
        head["dataset_info"] = [{"config_name": "webdataset", "features": list(features)}]
    if configs:
        head["configs"] = configs
    files = manifest["files"]
    packed = sorted(name for name in files if name.startswith("webdataset/"))
    rows = [
        (name, f"{files[name]['rows']:,}" if "rows" in files[name] else "", f"{files[name]['bytes']:,}",
         ", ".join(columns.get(name, ())))
        for name in sorted(files) if name not in packed and not name.startswith("report")
    ]  # fmt: skip
    if packed:
        size = sum(files[name]["bytes"] for name in packed)
        rows.append(("webdataset/*.tar", f"{len(packed)} shards", f"{size:,}", ""))
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n",
        f"# {manifest['title']}\n",
        f"Version `{manifest['version']}`, written by {manifest['created_by']}; "
        f"key `{manifest['key'][:16]}…`. `sha256sum --check SHA256SUMS` or `mlmkg verify` proves it.\n",
        _selected(manifest),
        "## Files\n",
        table(["file", "rows", "bytes", "columns"], rows),
        f"{_PICTURES[manifest['images']]} "
        "The credits that licences ask for are in `ATTRIBUTION.tsv`.\n",
        "Dataset hubs do not read GeoJSON: open it with `geopandas.read_file`, or on any map.\n"
        if "entities.geojson" in files
        else "",
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


def _shards(files: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the WebDataset shards of each split that has some."""
    there = {name.removeprefix("webdataset/").rpartition("-")[0] for name in files
             if name.startswith("webdataset/")}  # fmt: skip
    return [{"split": split, "path": f"webdataset/{split}-*.tar"} for split in SPLITS if split in there]


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
