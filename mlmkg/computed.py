"""The graphs that SPARQL cannot express: geo cells, the draw, the splits.

Each function is a step's work: it reads the store by SPARQL, computes with numpy, and writes
triples.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlmkg import outlines, s2
from mlmkg.cells import cells as partitioned
from mlmkg.ntriples import integer, iri, line, point, text, typed
from mlmkg.pipeline import Work
from mlmkg.recipe import CellSettings, SplitSettings
from mlmkg.splits import assign, ranks
from mlmkg.vocab import CELL, GEO, MLM, RDF

_POINT = r"^(?i:point)\s*\(\s*(?P<longitude>[-+.\dEe]+)\s+(?P<latitude>[-+.\dEe]+)\s*\)$"


def coordinates(points: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return latitudes and longitudes of WKT points as Wikibase writes them.

    :param points: (N,) strings, ``Point(13.4 52.5)``; one on another globe begins with its IRI.
    :returns: two (N,) float64 arrays in degrees; NaN where a string is no point on Earth.
    """
    parts = pc.extract_regex(points, _POINT)

    def numbers(name: str) -> np.ndarray:
        strings = pc.struct_field(parts, name)
        try:
            return pc.cast(strings, pa.float64()).to_numpy()
        except pa.ArrowInvalid:  # "+1.5", which Python reads and Arrow does not, or "1.2.3"
            return np.array([_number(s) for s in strings.to_pylist()], dtype=np.float64)

    return numbers("latitude"), numbers("longitude")


def _number(string: str | None) -> float:
    try:
        return float(string) if string else np.nan
    except ValueError:
        return np.nan


def cells(work: Work, settings: CellSettings) -> None:
    """Write the adaptive partition and each entity's cell (section 3.3.5 of the paper)."""
    found = work.table(
        "SELECT ?entity (MIN(STR(?wkt)) AS ?point) "
        "WHERE { ?entity a mlm:Entity ; wdt:P625 ?wkt } GROUP BY ?entity"
    ).sort_by("entity")
    latitudes, longitudes = coordinates(found["point"])
    partition = partitioned(
        latitudes, longitudes,
        start_level=settings.start_level, max_level=settings.max_level,
        t_max=settings.t_max, t_min=settings.t_min, strategy=settings.strategy,
    )  # fmt: skip
    outside = int(np.count_nonzero(partition.assignment < 0) - np.count_nonzero(partition.invalid))
    if invalid := found["entity"].filter(pa.array(partition.invalid)).to_pylist():
        work.note(
            f"{len(invalid)} entities have no coordinates on Earth and are in no cell, "
            f"for instance {', '.join(invalid[:3])}"
        )
    if outside:
        work.note(f"{outside} entities lie where fewer than {settings.t_min} share a cell")
    tokens = s2.tokens(partition.ids)
    a, cell_class = iri(RDF.type), iri(MLM.GeoCell)
    lines = []
    for token, level, polygon, centre, count in zip(
        tokens, s2.levels(partition.ids), outlines.polygons(partition.ids),
        outlines.centroids(partition.ids), partition.counts, strict=True,
    ):  # fmt: skip
        cell = iri(CELL[token])
        lines += [
            line(cell, a, cell_class),
            line(cell, iri(MLM.s2Token), text(token)),
            line(cell, iri(MLM.s2Level), integer(level)),
            line(cell, iri(MLM.polygon), typed(polygon, GEO.wktLiteral)),
            line(cell, iri(MLM.centroid), point(*(round(float(x), 7) for x in centre))),
            line(cell, iri(MLM.entityCount), integer(count)),
        ]
    work.writer.add(lines)
    belongs = iri(MLM.cell)
    work.writer.add(
        line(iri(entity), belongs, iri(CELL[tokens[index]]))
        for entity, index in zip(found["entity"].to_pylist(), partition.assignment, strict=True)
        if index >= 0
    )


def draw(work: Work, settings: SplitSettings) -> None:
    """Write each entity's rank within its country: a draw of n is the first n of a country."""
    found = work.table(
        "SELECT ?entity (MIN(STR(?country)) AS ?place) "
        "WHERE { ?entity mlm:inVersion version:irle ; wdt:P17 ?country } GROUP BY ?entity"
    ).sort_by("entity")
    entities = found["entity"].to_pylist()
    rank = iri(MLM.drawRank)
    work.writer.add(
        line(iri(entity), rank, integer(number))
        for entity, number in zip(
            entities, ranks(entities, found["place"].to_pylist(), settings.key), strict=True
        )
    )


def splits(work: Work, settings: SplitSettings) -> None:
    """Write each entity's split; entities that share an image are in one."""
    entities = work.table("SELECT ?entity WHERE { ?entity a mlm:Entity }")["entity"].to_pylist()
    found = work.table(
        "SELECT ?entity ?image ?file WHERE { ?entity a mlm:Entity ; ?property ?image . "
        "FILTER(?property != rdf:type) OPTIONAL { ?image mlm:file ?file } }"
    ).to_pylist()
    shared = [(row["entity"], row["file"] or row["image"]) for row in found]
    predicate = iri(MLM.split)
    work.writer.add(
        line(iri(entity), predicate, iri(MLM[name]))
        for entity, name in assign(sorted(entities), shared, settings).items()
    )
