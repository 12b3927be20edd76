"""Croissant 1.1: an export as records that ML tools load without code of their own.

A dataset and one of its exports enter, JSON-LD leaves (https://docs.mlcommons.org/croissant/). It
stands in the export's folder, so its paths are relative to it and hold wherever the folder goes. Each
Parquet table is a record set, and so are the image files, the splits and the languages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.exports import Export, Field, Table
from mlmkg.metadata.responsible import responsible
from mlmkg.metadata.schemaorg import agent, grants, said
from mlmkg.metadata.terms import file_form

NAME: Final = "croissant.json"
_CONFORMS: Final = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]

#: The context that the specification prescribes, as ``mlcroissant`` writes it.
CONTEXT: Final = {
    "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"}, "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes",
    "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "name": {"@container": "@language"},
    "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip

#: Arrow type -> data type.
_TYPES: Final = {
    "string": "sc:Text", "large_string": "sc:Text", "double": "cr:Float64", "float": "cr:Float32",
    "int64": "cr:Int64", "int32": "cr:Int32", "bool": "sc:Boolean",
}  # fmt: skip
#: Table -> the columns that name a row.
_KEYS: Final = {
    "entities": ("entity",), "cells": ("cell",), "images": ("entity", "image", "property"),
    "summaries": ("entity", "language"), "classes": ("entity", "class"),
}  # fmt: skip
_SPLITS: Final = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
#: Column -> what a model may learn to say.
_LABELS: Final = {("entities", "cell"): ["sc:Text", "cr:Label"]}
_IMAGE_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png"}


def croissant(dataset: Dataset, export: Export) -> bytes:
    """Return the description of an export.

    :param export: one with Parquet tables; files in other forms are listed, not described.
    """
    given, found = dataset.description, dataset.inventory
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": dataset.export(export),
        "conformsTo": _CONFORMS,
        "name": f"{dataset.name}-{export.name}",
        "alternateName": export.title,
        "description": dataset.export_text(export),
        "url": dataset.page,
        "version": dataset.semantic_version,
        "license": list(dataset.licences),
        "usageInfo": dataset.rights,
        "creator": [agent(creator) for creator in given.creators],
        "publisher": [agent(given.publisher, "Organization")] if given.publisher else [],
        "funding": grants(given.funding),
        "datePublished": given.issued and given.issued.isoformat(),
        "dateModified": found.modified,
        "identifier": given.identifier,
        "sameAs": [given.identifier] if given.identifier else [],
        "citeAs": dataset.bibtex,
        "keywords": list(dataset.keywords),
        "inLanguage": list(export.languages),
        "isBasedOn": [origin.iri for origin in found.origins],
        **responsible(dataset, export),
        "distribution": list(_distribution(export)),
        "recordSet": list(_record_sets(export)),
    }
    return (json.dumps(said(document), indent=2, ensure_ascii=False) + "\n").encode()


def _distribution(export: Export) -> Iterator[dict[str, Any]]:
    for file in export.files:
        form = file_form(file.path)
        name = file.path.removeprefix(f"{export.path}/")
        media = form.media if form else "application/octet-stream"
        yield {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "contentSize": f"{file.bytes} B",
            # What Parquet was called before it had a registered name, the one that readers know.
            "encodingFormat": "application/x-parquet" if name.endswith(".parquet") else media,
            "sha256": file.sha256,
        }
    if export.images == "files":
        yield {
            "@type": "cr:FileSet",
            "@id": "image-files",
            "name": "image-files",
            "description": f"{export.counts.image_files:,} image files, each named by its sha256.",
            "encodingFormat": sorted(_IMAGE_TYPES.values()),
            "includes": [f"images/*{end}" for end in _IMAGE_TYPES],
        }


def _record_sets(export: Export) -> Iterator[dict[str, Any]]:
    for table in export.tables:
        yield _table(export, table)
    if export.images == "files":
        yield _images()
    if export.counts.splits:
        rows = [{"splits/name": n, "splits/url": _SPLITS[n]} for n in _SPLITS]
        yield _enumeration("splits", "The parts that a model learns from and is measured on.", rows,
                           {"name": "sc:Text", "url": "sc:URL"}, "cr:Split")  # fmt: skip
    if export.counts.languages:
        rows = [{"languages/code": code} for code in sorted(export.counts.languages)]
        yield _enumeration("languages", "The languages of the summaries (BCP 47).", rows,
                           {"code": "sc:Text"}, "sc:Enumeration")  # fmt: skip


def _table(export: Export, table: Table) -> dict[str, Any]:
    key = _KEYS.get(table.name, ())
    return said({
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": f"{table.title or table.name} ({table.rows:,} rows)",
        "key": [{"@id": f"{table.name}/{one}"} for one in key] if table.has(*key) else None,
        "field": [_column(export, table, one) for one in table.fields],
    })  # fmt: skip


def _column(export: Export, table: Table, one: Field) -> dict[str, Any]:
    unit = f", in {one.unit}" if one.unit else ""
    source: dict[str, Any] = {
        "fileObject": {"@id": table.file.path.removeprefix(f"{export.path}/")},
        "extract": {"column": one.name},
    }
    kind: str | list[str] = _TYPES.get(one.type, "sc:Text")
    if one.name == "picture":
        source["transform"] = {"jsonPath": "bytes"}
        kind = "sc:ImageObject"
    return said({
        "@type": "cr:Field",
        "@id": f"{table.name}/{one.name}",
        "name": one.name,
        "description": f"{one.meaning}{unit}",
        "dataType": _LABELS.get((table.name, one.name), kind),
        "source": source,
        "references": _reference(export, table, one.name),
    })  # fmt: skip


def _reference(export: Export, table: Table, column: str) -> dict[str, Any] | None:
    """Return the field of another record set, or the column of its file, that values are from.

    Not the field where that record set refers to others in turn: mlcroissant 1.1 then yields the names
    of its columns once another record set has been read before it from the same ``Dataset``.
    """
    if column == "entity" and table.name != "entities" and (entities := export.table("entities")):
        return {"fileObject": {"@id": entities.file.name}, "extract": {"column": "entity"}}
    targets = {"cell": "cells", "split": "splits", "language": "languages"}
    where = targets.get(column)
    if where is None or where == table.name:
        return None
    there = export.table(where) or where in {"splits", "languages"}
    name = {"cells": "cell", "splits": "name", "languages": "code"}[where]
    return {"field": {"@id": f"{where}/{name}"}} if there else None


def _images() -> dict[str, Any]:
    """Return the record set of the image files; ``images/path`` and ``images/sha256`` name them."""

    def field(name: str, text: str, kind: str, what: str, pattern: str = "") -> dict[str, Any]:
        source: dict[str, Any] = {
            "fileSet": {"@id": "image-files"}, "extract": {"fileProperty": what},
        }  # fmt: skip
        if pattern:
            source["transform"] = {"regex": pattern}
        return {
            "@type": "cr:Field", "@id": f"image-files-content/{name}", "name": name,
            "description": text, "dataType": kind, "source": source,
        }  # fmt: skip

    return {
        "@type": "cr:RecordSet",
        "@id": "image-files-content",
        "name": "image-files-content",
        "description": "The image files: what the rows of the table of images show.",
        "key": {"@id": "image-files-content/path"},
        "field": [
            field("path", "as in the column path of the images", "sc:Text", "fullpath", "images/(.*)"),
            field("sha256", "checksum of the file", "sc:Text", "filename", r"(\w+)\."),
            field("content", "the picture", "sc:ImageObject", "content"),
        ],
    }


def _enumeration(
    name: str, text: str, rows: list[dict[str, str]], fields: dict[str, str], kind: str
) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": text,
        "dataType": kind,
        "key": {"@id": f"{name}/{next(iter(fields))}"},
        "field": [
            {"@type": "cr:Field", "@id": f"{name}/{one}", "name": one, "dataType": data_type}
            for one, data_type in fields.items()
        ],
        "data": rows,
    }
