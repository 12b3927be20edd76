"""The graphs that SPARQL cannot express: geo cells, the draw, the splits.

Each function is a step's work: it reads the store by SPARQL, computes with numpy, and writes
triples.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import QuerySolutions

from mlmkg import outlines, s2, texts
from mlmkg.cells import cells as partitioned
from mlmkg.ntriples import integer, iri, line, point, text, typed
from mlmkg.pipeline import Work
from mlmkg.recipe import CellSettings, SplitSettings
from mlmkg.results import pour
from mlmkg.splits import assign_groups, groups, ranks
from mlmkg.vocab import CELL, GEO, MLM, RDF, XSD

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
            return np.asarray(strings.cast(pa.float64()), dtype=np.float64)
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
    """Write each entity's split; entities that share an image or a text are in one.

    A text that more than :data:`mlmkg.texts.COMMON` entities have joins none of them: its summaries are
    marked as ``mlm:boilerplate``, and the provenance says how many there are.
    """
    entities = work.table("SELECT ?entity WHERE { ?entity a mlm:Entity }")["entity"].to_pylist()
    found = work.table(
        "SELECT ?entity ?image ?file WHERE { ?entity a mlm:Entity ; ?property ?image . "
        "FILTER(?property != rdf:type) OPTIONAL { ?image mlm:file ?file } }"
    ).to_pylist()
    shared = [(row["entity"], row["file"] or row["image"]) for row in found]
    same = _same_texts(work)
    common = pc.greater(same["entities"], texts.COMMON)
    few = same.filter(pc.invert(common))
    names = (key.hex() for key in few["digest"].to_pylist())
    shared += zip(few["entity"].to_pylist(), names, strict=True)
    predicate = iri(MLM.split)
    parts = groups(sorted(entities), shared)
    work.writer.add(
        line(iri(entity), predicate, iri(MLM[name]))
        for entity, name in assign_groups(parts, settings).items()
    )
    boilerplate = same.filter(common)
    work.writer.add(
        line(iri(summary), iri(MLM.boilerplate), typed("true", XSD.boolean))
        for summary in boilerplate["summary"].to_pylist()
    )
    if boilerplate.num_rows:
        work.note(
            f"{len(boilerplate['digest'].unique())} texts are of more than {texts.COMMON} entities "
            f"each ({boilerplate.num_rows} summaries), and join none of them"
        )
    largest = max(parts, key=len, default=[])
    if len(largest) > max(texts.COMMON, len(entities) // 100):
        work.note(
            f"{len(largest)} entities are linked by images and texts that they share, and are in one "
            f"split; one of them is {min(largest)}"
        )


def _same_texts(work: Work) -> pa.Table:
    """Return ``entity``, ``summary``, ``digest`` of each summary whose text another entity has too.

    And how many ``entities`` have it. The texts pass by alone, and whose they are is asked only if some
    come twice: both in one query took three times as long.
    """
    found: list[pa.Table] = []

    def take(batch: pa.RecordBatch) -> None:
        keys = [texts.digest(text or "") for text in batch["text"].to_pylist()]
        found.append(pa.table({"summary": batch["summary"], "digest": pa.array(keys, pa.binary())}))

    all_texts = "SELECT ?summary ?text { ?summary schema:text ?text }"
    answer = work.store.query(all_texts, graphs=work.graphs)
    if not isinstance(answer, QuerySolutions):
        raise TypeError("a SELECT")
    pour(answer, take, dict.fromkeys(("summary", "text"), pa.string()))
    table = pa.concat_tables(found)
    counts = table["digest"].value_counts()
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).drop_null()
    table = table.filter(pc.is_in(table["digest"], twice))
    if not table.num_rows:
        return texts.shared(table.append_column("entity", pa.nulls(0, pa.string())))
    about = "SELECT ?summary ?entity { ?entity a mlm:Entity . ?summary schema:about ?entity }"
    return texts.shared(table.join(work.table(about), "summary", join_type="inner"))
