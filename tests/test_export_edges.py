"""Exports at their edges: cells at the antimeridian and the poles, one form alone, no image files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import s2sphere
import shapely
import yaml

from mlmkg import outlines, s2
from mlmkg.catalog import read_catalog
from mlmkg.export.formats import Setting
from mlmkg.export.formats.geojson import GeoJson
from mlmkg.export.formats.parquet import with_geometry
from mlmkg.export.formats.webdataset import WebDataset
from mlmkg.export.tables import Reader, with_counts
from mlmkg.store import GraphStore
from tests.conftest import invoke

#: Latitude and longitude at the antimeridian, at the poles, and at both.
EDGES = [(0, 180), (0, -180), (45, 180), (35.26438, -180), (80, 179.9999), (89.9999, 10), (-90, 0)]


def cells_of_the_world() -> np.ndarray:
    """All cells of the levels 0 to 3, and deeper ones where the map has its edges."""
    found = {
        cell.parent(level).id() for face in range(6) for level in range(4)
        for cell in children(s2sphere.CellId.from_face_pos_level(face, 0, 0), 3)
    }  # fmt: skip
    for place in EDGES:
        leaf = s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(*place))
        found |= {leaf.parent(level).id() for level in (5, 7, 10, 14)}
    return np.array(sorted(found), np.uint64)


def children(cell: s2sphere.CellId, level: int) -> list[s2sphere.CellId]:
    return [cell] if cell.level() == level else [d for c in cell.children() for d in children(c, level)]


def area(shape: shapely.Geometry) -> float:
    """Steradians on the sphere of a shape whose edges are straight in degrees."""
    fine = shapely.segmentize(shape, 0.05)
    return float(shapely.transform(fine, lambda xy: np.radians(xy) * [1, 0] + [0, 1] * np.sin(
        np.radians(xy))).area)  # fmt: skip


def test_cells_at_the_antimeridian_and_the_poles_are_drawn_right(
    tmp_path: Path, store: GraphStore
) -> None:
    """RFC 7946, 3.1.6 and 3.1.9: outer rings against the clock, and cut at the antimeridian."""
    import geopandas

    ids = cells_of_the_world()
    tokens = s2.tokens(ids)
    cells = pa.table({"cell": tokens, "iri": tokens, "polygon": outlines.polygons(ids)})
    with GeoJson(Setting(tmp_path, tmp_path, {}, ("en",)), Reader(store, read_catalog())) as form:
        form.finish({"cells": cells})
    pq.write_table(with_geometry(cells), tmp_path / "cells.parquet")
    as_json = geopandas.read_file(tmp_path / "cells.geojson")
    columnar = geopandas.read_parquet(tmp_path / "cells.parquet")
    assert list(as_json["cell"]) == list(columnar["cell"]) == tokens
    assert as_json.geometry.geom_equals(
        columnar.geometry.set_crs(as_json.crs, allow_override=True)
    ).all()
    assert as_json.geometry.is_valid.all()
    assert as_json.total_bounds.tolist() == [-180, -90, 180, 90]
    whole = 0.0
    for token, shape in zip(tokens, as_json.geometry, strict=True):
        cell = s2sphere.Cell(s2sphere.CellId.from_token(token))
        # Within a hundredth of the cell's size, as the outlines promise.
        assert area(shape) == pytest.approx(cell.exact_area(), rel=0.01), token
        whole += area(shape) if cell.level() == 3 else 0
        for part in shapely.get_parts(shape):
            assert part.exterior.is_ccw
            longitudes, latitudes = part.exterior.xy
            leap = np.abs(np.diff(longitudes)) > 180
            at_pole = np.abs(latitudes) == 90
            assert not leap[~(at_pole[1:] & at_pole[:-1])].any(), token
    assert whole == pytest.approx(4 * np.pi, rel=1e-3)


def test_datasets_loads_shards_of_samples_that_have_different_files(
    built: Path, store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the card it refuses them: "don't share the same prefix or the same types"."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    words = ["--version", "mlm", "--format", "webdataset", "--no-report", "-o", tmp_path / "out"]
    assert invoke("-w", built, "export", *words).exit_code == 0
    # The same again, but the first ten entities have no image.
    for path in (tmp_path / "out" / "webdataset").iterdir():
        path.unlink()
    reader = Reader(store, read_catalog())
    entities = pa.array(sorted(e for (e,) in store.rows("SELECT ?e { ?e a mlm:Entity }")))
    setting = Setting(tmp_path / "out", built / "images", {}, ("en", "de", "fr"))
    with WebDataset(setting, reader) as form:
        for tables in reader.batches(entities):
            bare = pc.is_in(tables["images"]["entity"], entities.slice(0, 10))
            form.add(with_counts({**tables, "images": tables["images"].filter(pc.invert(bare))}))
        form.finish({})
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "val", "test"}
    samples = [sample for split in loaded.values() for sample in split]
    assert len(samples) == 300
    pictures = {s["json"]["entity"]: s["0.jpg"] for s in samples}
    assert [e for e, picture in pictures.items() if picture is None] == sorted(
        entities.slice(0, 10).to_pylist(), key=list(pictures).index
    )
    one = next(s for s in samples if s["0.jpg"] is not None)
    assert one["0.jpg"].size == (64, 64)
    assert one["de.txt"] in {s["text"] for s in one["json"]["summaries"]}
    assert one["json"]["mask"] == {"image": True, "class": True, "en": True, "de": True, "fr": True}


def head(folder: Path) -> dict[str, object]:
    """What a hub reads of a card."""
    found: dict[str, object] = yaml.safe_load(
        (folder / "README.md").read_text("utf-8").split("---\n")[1]
    )
    return found


def test_a_card_of_geojson_says_how_to_open_it_and_an_empty_folder_takes_it(
    built: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    words = ["--version", "mlm", "--format", "geojson", "--no-report", "-o", tmp_path / "out"]
    done = invoke("-w", built, "export", *words)
    assert done.exit_code == 0, done.output
    assert "configs" not in head(tmp_path / "out")
    assert "geopandas.read_file" in (tmp_path / "out" / "README.md").read_text("utf-8")
    again = invoke("-w", built, "export", *words)
    assert "exists already. Add --force" in str(again.exception)


@pytest.mark.parametrize(
    ("pictures", "form", "where", "said"),
    [
        ("none", "parquet", "none", "No image files are in this export"),
        ("bytes", "parquet", "bytes", "in the column `picture`"),
        ("files", "webdataset", "shards", "in the samples of the tar files"),
        ("files", "geojson", "none", "No image files are in this export"),
    ],
)
def test_credits_and_card_name_no_files_that_are_not_there(
    built: Path, tmp_path: Path, pictures: str, form: str, where: str, said: str
) -> None:
    words = ["--version", "mlm", "--images", pictures, "--format", form, "--no-report"]
    done = invoke("-w", built, "export", *words, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    manifest = yaml.safe_load((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["images"] == where
    assert said in (tmp_path / "out" / "README.md").read_text("utf-8")
    works = [
        line.partition("\t")[0]
        for line in (tmp_path / "out" / "ATTRIBUTION.tsv").read_text("utf-8").splitlines()[1:]
    ]
    assert len(works) == 1200 and all("://" in work or work.startswith("urn:") for work in works)
