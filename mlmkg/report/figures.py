"""The figures of a version, counted from its tables batch by batch.

Batches of an export's tables enter, counts leave: the paper's Table 2 and Figure 2, and what else the
page shows. They come from tables and not from SPARQL, because a selection that is exported is not a
version of the store. Memory does not grow with the texts: an entity leaves its place (8 bytes), an
image its file's name (8 bytes), everything else is a count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import compress
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlmkg.licences import FAMILIES, family
from mlmkg.report.counting import groups, order, ranked, summed

SPLITS: Final = ("train", "val", "test")
IMAGE: Final = "image"
#: What stands where a table says nothing.
UNKNOWN: Final = "unknown"


@dataclass
class Language:
    """The summaries in one language.

    :param summaries: how many.
    :param generated: how many of them were made from facts, not written by people.
    :param characters: of all of them together.
    """

    summaries: int = 0
    generated: int = 0
    characters: int = 0


class Figures:
    """Counts of a version.

    >>> figures = Figures()
    >>> figures.add({"entities": pa.table({"entity": ["a", "b"], "continent": ["Asia", None]})})
    >>> figures.add({"entities": pa.table({"entity": ["c"], "continent": ["Asia"]})})
    >>> figures.entities, figures.continents
    (3, {'Asia': 2, 'unknown': 1})
    """

    def __init__(self) -> None:
        self.entities = 0
        self.images = 0
        self.image_properties: Counter[str] = Counter()
        self.media_types: Counter[str] = Counter()
        self.languages: dict[str, Language] = {}
        #: (table, licence's IRI) -> works under it.
        self.licences: Counter[tuple[str, str]] = Counter()
        #: (class, label, hops or None) -> entities.
        self.classes: Counter[tuple[str, str, int | None]] = Counter()
        #: (country, label, continent) -> entities.
        self.countries: Counter[tuple[str, str, str]] = Counter()
        #: (continent, split) and (cell, split) -> entities; cell is None for those without one.
        self.by_continent: Counter[tuple[str, str]] = Counter()
        self.by_cell: Counter[tuple[str | None, str]] = Counter()
        #: What an entity has, such as ("image", "en", "fr") -> entities.
        self.modalities: Counter[tuple[str, ...]] = Counter()
        #: token -> S2 level and outline in WKT.
        self.outlines: dict[str, tuple[int, str]] = {}
        self._places: list[np.ndarray] = []
        self._files: list[np.ndarray] = []

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Count a batch.

        :param tables: by name, as :func:`mlmkg.export.tables.read_tables` gives them. The rows of one
            entity are all in one batch; cells may come once, or again with every batch. A table
            or a column that is not there is not counted.
        """
        entities, images, summaries, classes, cells = (
            tables.get(name) for name in ("entities", "images", "summaries", "classes", "cells")
        )
        if cells is not None:
            self._add_cells(cells)
        if images is not None:
            self._add_images(images)
        if summaries is not None:
            self._add_summaries(summaries)
        if classes is not None:
            for (name, label, hops), count in groups(classes, "class", "label", "hops"):
                if name is not None:
                    self.classes[name, label or name, hops] += count
        if entities is not None:
            self._add_entities(entities)
            self._add_modalities(entities, images, summaries)

    def _add_cells(self, cells: pa.Table) -> None:
        if {"cell", "level", "polygon"} <= set(cells.column_names):
            rows = cells.select(["cell", "level", "polygon"]).to_pylist()
            self.outlines |= {row["cell"]: (row["level"], row["polygon"]) for row in rows}

    def _add_images(self, images: pa.Table) -> None:
        self.images += images.num_rows
        for (name,), count in groups(images, "property"):
            self.image_properties[name or UNKNOWN] += count
        for (name,), count in groups(images, "media_type"):
            self.media_types[name or UNKNOWN] += count
        for (name,), count in groups(images, "licence"):
            self.licences["images", name or UNKNOWN] += count
        if "sha256" in images.column_names:
            names = images["sha256"].unique().drop_null().to_pylist()
            short = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names)
            self._files.append(np.frombuffer(short, np.uint64))

    def _add_summaries(self, summaries: pa.Table) -> None:
        if "text" in summaries.column_names:
            lengths = pc.utf8_length(summaries["text"])
            summaries = summaries.append_column("characters", lengths.cast(pa.int64()))
        sums = [name for name in ("generated", "characters") if name in summaries.column_names]
        of_language = summaries.group_by("language").aggregate(
            [([], "count_all"), *((name, "sum") for name in sums)]
        )
        for row in of_language.to_pylist():
            language = self.languages.setdefault(row["language"] or UNKNOWN, Language())
            language.summaries += row["count_all"]
            for name in sums:
                setattr(language, name, getattr(language, name) + (row[f"{name}_sum"] or 0))
        for (name,), count in groups(summaries, "licence"):
            self.licences["summaries", name or UNKNOWN] += count

    def _add_entities(self, entities: pa.Table) -> None:
        self.entities += entities.num_rows
        for (name, label, where), count in groups(entities, "country", "country_label", "continent"):
            self.countries[name or "", label or name or UNKNOWN, where or UNKNOWN] += count
        for (where, split), count in groups(entities, "continent", "split"):
            self.by_continent[where or UNKNOWN, split or UNKNOWN] += count
        for (cell, split), count in groups(entities, "cell", "split"):
            self.by_cell[cell, split or UNKNOWN] += count
        if {"latitude", "longitude"} <= set(entities.column_names):
            places = np.column_stack(
                [entities[name].to_numpy().astype(np.float32) for name in ("latitude", "longitude")]
            )
            self._places.append(places[np.isfinite(places).all(axis=1)])

    def _add_modalities(
        self, entities: pa.Table, images: pa.Table | None, summaries: pa.Table | None
    ) -> None:
        names = entities["entity"].combine_chunks()
        has: dict[str, pa.Array] = {}

        def there(rows: pa.ChunkedArray) -> pa.Array:
            having = np.zeros(len(names), dtype=bool)
            having[rows.drop_null().to_numpy()] = True
            return pa.array(having)

        if images is not None:
            has[IMAGE] = there(pc.index_in(images["entity"], names))
        if summaries is not None:
            rows, languages = pc.index_in(summaries["entity"], names), summaries["language"]
            for name in sorted(filter(None, languages.unique().to_pylist())):
                has[name] = there(rows.filter(pc.equal(languages, name)))
        if not has:
            self.modalities[()] += len(names)
        for kind, count in groups(pa.table(has), *has):
            self.modalities[tuple(compress(has, kind))] += count

    @property
    def places(self) -> np.ndarray:
        """Latitude and longitude of the entities in degrees, float32, shape (n, 2)."""
        return np.concatenate([np.zeros((0, 2), np.float32), *self._places])

    @property
    def image_files(self) -> int:
        """How many different files the images are."""
        return len(np.unique(np.concatenate([np.zeros(0, np.uint64), *self._files])))

    @property
    def continents(self) -> dict[str, int]:
        """Entities of each continent, the most first (the paper's Figure 2)."""
        return summed(self.by_continent, 0)

    @property
    def splits(self) -> dict[str, int]:
        """Entities of each split: train, val, test, then what else there is."""
        found = summed(self.by_continent, 1)
        order = [name for name in SPLITS if name in found]
        return {name: found[name] for name in [*order, *(n for n in found if n not in order)]}

    @property
    def cells(self) -> dict[str, dict[str, int]]:
        """Cell -> split -> entities, of the cells that have entities, by token."""
        found: dict[str, dict[str, int]] = {}
        for (cell, split), count in self.by_cell.items():
            if cell is not None:
                found.setdefault(cell, {})[split] = count
        order_of = {name: place for place, name in enumerate(self.splits)}
        return {
            cell: dict(sorted(found[cell].items(), key=lambda item: order_of[item[0]]))
            for cell in sorted(found)
        }

    @property
    def without_cell(self) -> int:
        """How many entities lie in no cell."""
        return sum(count for (cell, _), count in self.by_cell.items() if cell is None)

    def families(self, table: str) -> dict[str, int]:
        """Return licence family -> works, in the order of :data:`mlmkg.licences.FAMILIES`.

        :param table: ``images`` or ``summaries``.
        """
        found: Counter[str] = Counter()
        for (name, licence), count in self.licences.items():
            if name == table:
                found[UNKNOWN if licence == UNKNOWN else family(licence)] += count
        return {name: found[name] for name in FAMILIES if found[name]}

    def hops(self) -> dict[str, dict[str, int]]:
        """Return hop -> how many classes it has and how many entities are theirs.

        An entity of two classes counts for both; a class whose hop is not known is ``unknown``.
        """
        found: dict[str, dict[str, int]] = {}
        for (_, _, hops), count in sorted(
            self.classes.items(), key=lambda item: (item[0][2] is None, item[0][2] or 0)
        ):
            at = found.setdefault(UNKNOWN if hops is None else str(hops), {"classes": 0, "entities": 0})
            at["classes"] += 1
            at["entities"] += count
        return found

    def as_json(self) -> dict[str, Any]:
        """Return everything that is counted, in an order that does not depend on the batches."""
        cells = self.cells
        return {
            "entities": self.entities,
            "images": {
                "statements": self.images,
                "files": self.image_files,
                "properties": ranked(self.image_properties),
                "media_types": ranked(self.media_types),
            },
            "summaries": {
                name: vars(language) for name, language in sorted(self.languages.items())
            },
            "classes": {
                "classes": len(self.classes),
                "statements": self.classes.total(),
                "hops": self.hops(),
                "entities": [
                    {"class": name, "label": label, "hops": hops, "entities": count}
                    for (name, label, hops), count in order(self.classes)
                ],
            },
            "cells": {
                "cells": len(cells),
                "levels": ranked(
                    Counter(str(self.outlines[cell][0]) for cell in cells if cell in self.outlines)
                ),
                "entities_without": self.without_cell,
                "without_train": [cell for cell, parts in cells.items() if not parts.get("train")],
                "entities": cells,
            },
            "continents": self.continents,
            "countries": [
                {"country": name, "label": label, "continent": continent, "entities": count}
                for (name, label, continent), count in order(self.countries)
            ],
            "splits": self.splits,
            "splits_by_continent": {
                name: {s: self.by_continent[name, s] for s in self.splits} for name in self.continents
            },
            "modalities": [
                {"has": list(names), "entities": count} for names, count in order(self.modalities)
            ],
            "licences": {
                table: {
                    "families": self.families(table),
                    "licences": ranked(
                        Counter({iri: n for (t, iri), n in self.licences.items() if t == table})
                    ),
                }
                for table in ("images", "summaries")
            },
        }  # fmt: skip
