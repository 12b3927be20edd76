"""What the columns of an export mean: their types, units and words, as Arrow schemas carry them.

A table's name, its query and what its facts come from enter; the metadata leave that readers such as
pandas, polars and DuckDB show, and that dataset hubs read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """What is known of a column by its name.

    :param type: what it holds, whatever the first rows are.
    :param meaning: one clause.
    :param unit: of its numbers, or "".
    """

    type: pa.DataType
    meaning: str
    unit: str = ""


_TEXT, _COUNT, _DEGREES = pa.string(), pa.int64(), "degree (WGS 84)"
#: Columns of the shipped queries. One that is not here has the type of its first rows.
COLUMNS: Final[Mapping[str, Column]] = {
    "entity": Column(_TEXT, "IRI of the entity"),
    "label": Column(_TEXT, "name in English, or in another language if it has none"),
    "country": Column(_TEXT, "IRI of the country today"),
    "country_label": Column(_TEXT, "name of the country in English"),
    "continent": Column(_TEXT, "name of the continent in English"),
    "latitude": Column(pa.float64(), "latitude, north positive", _DEGREES),
    "longitude": Column(pa.float64(), "longitude, east positive", _DEGREES),
    "population": Column(_COUNT, "inhabitants", "person"),
    "cell": Column(_TEXT, "S2 token of the geo cell; null outside all cells"),
    "split": Column(_TEXT, "train, val or test"),
    "image_count": Column(_COUNT, "images of the entity; 0 where the modality is missing", "image"),
    "summary_count": Column(_COUNT, "summaries of the entity in all languages", "summary"),
    "class_count": Column(_COUNT, "triple classes of the entity", "class"),
    "image": Column(_TEXT, "IRI of the image"),
    "property": Column(_TEXT, "Wikidata property that links the image"),
    "sha256": Column(_TEXT, "checksum of the image file, hexadecimal"),
    "path": Column(_TEXT, "path of the image file under images/"),
    "media_type": Column(_TEXT, "of the file the image is stored in"),
    "width": Column(_COUNT, "width of the image", "pixel"),
    "height": Column(_COUNT, "height of the image", "pixel"),
    "byte_size": Column(_COUNT, "size of the image file", "byte"),
    "perceptual_hash": Column(_TEXT, "64-bit pHash of the image, hexadecimal"),
    "licence": Column(_TEXT, "IRI of the licence of this work"),
    "attribution": Column(_TEXT, "credit that the licence asks for"),
    "picture": Column(
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]), "the image file itself"
    ),
    "language": Column(_TEXT, "language tag (BCP 47)"),
    "text": Column(_TEXT, "the summary"),
    "summary": Column(_TEXT, "IRI of the summary or of its article"),
    "generated": Column(pa.bool_(), "made from facts by a program, not written by people"),
    "class": Column(_TEXT, "IRI of the class"),
    "hops": Column(_COUNT, "subclass steps from the class up to the base class", "step"),
    "iri": Column(_TEXT, "IRI of the geo cell"),
    "level": Column(_COUNT, "S2 level of the cell, 0 (largest) to 30"),
    "polygon": Column(_TEXT, "outline as WKT, longitude first", _DEGREES),
    "geometry": Column(pa.binary(), "the same place as WKB (GeoParquet)", _DEGREES),
    "entities": Column(_COUNT, "entities of this version in the cell", "entity"),
    "train": Column(_COUNT, "of these in the training split", "entity"),
    "val": Column(_COUNT, "of these in the validation split", "entity"),
    "test": Column(_COUNT, "of these in the test split", "entity"),
    "point": Column(_TEXT, "a point as WKT"),
}  # fmt: skip


@dataclass(frozen=True)
class About:
    """What a table says of itself.

    :param title: one line.
    :param description: what its rows are.
    :param version: the version's name.
    :param sources: what its facts come from: title, version, licence's IRI and credit of each.
    """

    title: str
    description: str
    version: str
    sources: tuple[Mapping[str, str], ...] = field(default=())


def types(names: list[str]) -> dict[str, pa.DataType]:
    """Return the types of those columns that are known."""
    return {name: COLUMNS[name].type for name in names if name in COLUMNS}


def described(schema: pa.Schema, about: About) -> pa.Schema:
    """Return a schema with the meaning and unit of each column, and what the table is.

    >>> schema = described(pa.schema([("hops", pa.int64())]), About("Table classes", "", "mlm"))
    >>> schema.field("hops").metadata[b"unit"], schema.metadata[b"version"]
    (b'step', b'mlm')
    """
    fields = []
    for one in schema:
        known = COLUMNS.get(one.name)
        said = {"description": known.meaning, "unit": known.unit} if known else {}
        fields.append(one.with_metadata({key: value for key, value in said.items() if value}))
    return pa.schema(fields, {
        **(schema.metadata or {}),
        b"title": about.title.encode(),
        b"description": about.description.strip().encode(),
        b"version": about.version.encode(),
        b"source": json.dumps([dict(s) for s in about.sources], sort_keys=True).encode(),
        b"licence": " ".join(sorted({s["licence"] for s in about.sources})).encode(),
    })  # fmt: skip


def hub_features(schema: pa.Schema) -> dict[bytes, bytes]:
    """Return the metadata by which ``datasets`` takes a column ``picture`` for images."""
    features: dict[str, Any] = {
        one.name: {"_type": "Image"} if one.name == "picture"
        else {"dtype": hub_type(one.type), "_type": "Value"}
        for one in schema
    }  # fmt: skip
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def hub_type(kind: pa.DataType) -> str:
    """Return what ``datasets`` calls a type.

    >>> hub_type(pa.float64()), hub_type(pa.bool_())
    ('float64', 'bool')
    """
    return {"double": "float64"}.get(str(kind), str(kind))
