"""Parts of the landing page: the drawing of the pipeline, and a page where there is little to say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st

from mlmkg.metadata import write_metadata
from mlmkg.metadata.landing_pipeline import HIGH, WIDE, place
from mlmkg.workspace import Workspace

from .test_report import Page


def drawn(used: Mapping[str, list[str]]) -> None:
    """Assert that a drawing can be read."""
    placed = place(used)
    names = {*used, *(source for sources in used.values() for source in sources)}
    assert set(placed.boxes) == names
    boxes = sorted(placed.boxes.items(), key=lambda item: (item[1][1], item[1][0]))
    for (_, (x, y)), (_, (other, below)) in pairwise(boxes):
        assert y != below or other - x > WIDE, "boxes do not touch"
    for points in placed.edges:
        levels = [y for _, y in points]
        assert levels == sorted(set(levels)), "edges go down"
        for x, y in points[1:-1]:
            for name, (middle, top) in placed.boxes.items():
                assert top != y or abs(x - middle) > WIDE / 2, f"an edge runs through {name}"
    assert all(WIDE / 2 < x < placed.wide - WIDE / 2 for x, _ in placed.boxes.values())
    assert all(y > 0 and y + HIGH < placed.high for _, y in placed.boxes.values())


@given(st.lists(st.lists(st.integers(0, 40), max_size=4), min_size=1, max_size=16))
def test_no_two_boxes_touch_and_no_line_runs_through_one(sources: list[list[int]]):
    drawn({f"g{n}": [f"g{s}" for s in set(of) if s < n] for n, of in enumerate(sources)})


def test_a_graph_stands_below_what_it_was_made_from():
    placed = place({"a": ["o"], "b": ["a"], "c": ["a", "b"]}, ["o", "p"])
    y = {name: at for name, (_, at) in placed.boxes.items()}
    assert y["o"] < y["a"] < y["b"] < y["c"]
    assert len(placed.edges) == 3  # from a to c one goes through b


def test_a_store_with_next_to_nothing_has_a_page_too(tmp_path: Path):
    """No place, no picture, no text, no provenance: what there is nothing to say of is not there."""
    store = ox.Store()
    graph = ox.NamedNode("https://w3id.org/mlmkg/graph/v1/g")
    entity = b"<http://e/1> a <https://w3id.org/mlmkg/ontology#Entity> ."
    store.load(entity, ox.RdfFormat.TURTLE, to_graph=graph)
    written = write_metadata(store, Workspace(tmp_path / "mlm"), tmp_path, html=True)
    assert tmp_path / "map.png" not in written.files
    page = Page((tmp_path / "index.html").read_text("utf-8"))
    assert not list(page.all("img"))
    assert "There is nothing to download yet" in page.text
    anchors = {a["id"] for _, a in page.tags if "id" in a}
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= anchors
    assert not anchors & {"where", "made"}
