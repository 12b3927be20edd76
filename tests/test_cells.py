"""Geo cells: the same S2 ids, shapes and partition as s2sphere and plain Python would give."""

from __future__ import annotations

import doctest
import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import s2sphere
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlmkg import cells, outlines, s2
from mlmkg.errors import RecipeError

# --- places where S2 implementations go wrong ------------------------------------------------

CORNER = math.degrees(math.atan(math.sqrt(0.5)))  # the latitude of the cube's eight corners
SPECIAL_LATITUDES = [90.0, -90.0, 0.0, -0.0, 45.0, -45.0, CORNER, -CORNER, 5e-324, 1e-15, -1e-15]
SPECIAL_LONGITUDES = [
    180.0, -180.0, 0.0, -0.0, 45.0, -45.0, 135.0, -135.0, 90.0, -90.0, math.nextafter(180.0, 0.0),
    math.nextafter(45.0, 90.0), math.nextafter(135.0, 90.0), 1e-15,
]  # fmt: skip


@st.composite
def on_a_cube_edge(draw: st.DrawFn) -> tuple[float, float]:
    """A point where two coordinates of the sphere are of the same size, or within a few ulps."""
    longitude = draw(st.sampled_from(SPECIAL_LONGITUDES) | st.floats(-180.0, 180.0))
    larger = max(abs(math.cos(math.radians(longitude))), abs(math.sin(math.radians(longitude))))
    latitude = math.degrees(math.atan(larger)) * draw(st.sampled_from([1.0, -1.0]))
    for _ in range(draw(st.integers(0, 3))):
        latitude = math.nextafter(latitude, draw(st.sampled_from([-90.0, 90.0])))
    return latitude, longitude


@st.composite
def on_a_cell_corner(draw: st.DrawFn) -> tuple[float, float]:
    """The corner of a cell, where four cells meet."""
    level, face = draw(st.integers(0, 30)), draw(st.integers(0, 5))
    cell = s2sphere.Cell(
        s2sphere.CellId.from_face_pos_level(face, draw(st.integers(0, (1 << 61) - 1)), level)
    )
    corner = s2sphere.LatLng.from_point(cell.get_vertex(draw(st.integers(0, 3))))
    return corner.lat().degrees, corner.lng().degrees


POINTS = (
    st.tuples(
        st.sampled_from(SPECIAL_LATITUDES) | st.floats(-90.0, 90.0),
        st.sampled_from(SPECIAL_LONGITUDES) | st.floats(-180.0, 180.0),
    )
    | st.tuples(st.integers(-90, 90).map(float), st.integers(-180, 180).map(float))
    | on_a_cube_edge()
    | on_a_cell_corner()
)
LEVELS = st.integers(0, 30)


def reference_cell(latitude: float, longitude: float) -> s2sphere.CellId:
    return s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(latitude, longitude))


def on_the_sphere(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    latitudes = np.degrees(np.arcsin(random.uniform(-1.0, 1.0, count)))
    return latitudes, random.uniform(-180.0, 180.0, count)


# --- ids -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_million_points_over_the_sphere_have_the_ids_of_s2sphere() -> None:
    latitudes, longitudes = on_the_sphere(1_000_000, seed=2020)
    theirs = (
        reference_cell(*point).id()
        for point in zip(latitudes.tolist(), longitudes.tolist(), strict=True)
    )
    expected = np.fromiter(theirs, dtype=np.uint64, count=latitudes.size)
    assert np.array_equal(s2.cell_ids(latitudes, longitudes), expected)


@pytest.mark.parametrize("latitude", SPECIAL_LATITUDES)
def test_poles_equator_antimeridian_edges_and_corners_have_the_ids_of_s2sphere(
    latitude: float,
) -> None:
    ours = s2.cell_ids([latitude] * len(SPECIAL_LONGITUDES), SPECIAL_LONGITUDES)
    theirs = [reference_cell(latitude, longitude).id() for longitude in SPECIAL_LONGITUDES]
    assert ours.tolist() == theirs


@given(st.lists(POINTS, min_size=1, max_size=20), LEVELS)
@settings(max_examples=300, deadline=None)
def test_any_point_has_the_id_of_s2sphere_at_any_level(
    points: list[tuple[float, float]], level: int
) -> None:
    latitudes, longitudes = zip(*points, strict=True)
    theirs = [reference_cell(*point).parent(level) for point in points]
    assert s2.cell_ids(latitudes, longitudes, level).tolist() == [c.id() for c in theirs]
    assert [s2.s2cell(*point, level) for point in points] == [c.to_token() for c in theirs]


def test_sines_that_differ_in_the_last_places_move_no_point() -> None:
    """Vector sines of some numpy builds are up to four units in the last place off."""
    whole_degrees = np.arange(-90.0, 91.0), np.arange(-180.0, 181.0)
    grid = [axis.ravel() for axis in np.meshgrid(*whole_degrees)]
    random = on_the_sphere(200_000, seed=5)
    latitudes, longitudes = (np.concatenate(pair) for pair in zip(grid, random, strict=True))
    noise = np.random.default_rng(6)

    def off(function: np.ufunc) -> s2._Function:
        return lambda x: function(x) * (1.0 + noise.integers(-4, 5, x.size) * 2.0**-53)

    crude = s2._leaves(latitudes, longitudes, off(np.sin), off(np.cos))
    assert np.array_equal(crude, s2.cell_ids(latitudes, longitudes))


def test_more_points_than_a_block_come_back_in_their_order() -> None:
    latitudes, longitudes = on_the_sphere(2 * s2._BLOCK + 3, seed=7)
    latitudes[[5, s2._BLOCK, -1]] = np.nan
    ids = s2.cell_ids(latitudes, longitudes, 12)
    assert np.flatnonzero(ids == 0).tolist() == [5, s2._BLOCK, latitudes.size - 1]
    for place in (0, s2._BLOCK - 1, s2._BLOCK + 1, 2 * s2._BLOCK, -2):
        assert ids[place] == reference_cell(latitudes[place], longitudes[place]).parent(12).id()


def test_what_is_no_coordinate_is_told_apart_and_has_no_cell() -> None:
    latitudes = [90.0, -90.0, 90.000001, math.nan, math.inf, 0.0, 0.0, 0.0, -0.0]
    longitudes = [0.0, 180.0, 0.0, 0.0, 0.0, math.nan, -180.000001, -math.inf, -180.0]
    expected = [True, True, False, False, False, False, False, False, True]
    assert s2.valid(latitudes, longitudes).tolist() == expected
    assert (s2.cell_ids(latitudes, longitudes) != 0).tolist() == expected
    assert (s2.cell_ids(latitudes, longitudes, 3) != 0).tolist() == expected


def test_a_missing_coordinate_may_be_none() -> None:
    assert s2.valid([None, 1.0], [2.0, 2.0]).tolist() == [False, True]


def test_no_points_have_no_cells() -> None:
    assert s2.cell_ids([], []).size == 0
    assert s2.tokens([]) == []
    assert outlines.polygons([]) == []
    assert outlines.centroids([]).shape == (0, 2)
    nothing = cells.cells([], [])
    assert (nothing.ids.size, nothing.counts.size, nothing.assignment.size) == (0, 0, 0)


@pytest.mark.parametrize(
    ("latitude", "longitude", "level"),
    [
        (90.1, 0.0, 2), (0.0, 180.1, 2), (math.nan, 0.0, 2), (0.0, math.inf, 2),
        (0.0, 0.0, 31), (0.0, 0.0, -1), (0.0, 0.0, 1.5), ("north", 0.0, 2), (None, 0.0, 2),
        (0.0, 0.0, None), (0.0, 0.0, "2"),
    ],
)  # fmt: skip
def test_the_sparql_function_refuses_what_is_no_coordinate_or_level(
    latitude: object, longitude: object, level: object
) -> None:
    with pytest.raises(ValueError, match=r"not |could not convert"):
        s2.s2cell(latitude, longitude, level)  # type: ignore[arg-type]


# --- levels, parents, tokens -----------------------------------------------------------------


@given(POINTS, LEVELS, LEVELS)
@settings(max_examples=300, deadline=None)
def test_levels_parents_and_tokens_are_those_of_s2sphere(
    point: tuple[float, float], level: int, other: int
) -> None:
    cell = reference_cell(*point).parent(level)
    ids = np.array([cell.id()], dtype=np.uint64)
    assert s2.levels(ids).tolist() == [level]
    assert s2.tokens(ids) == [cell.to_token()]
    assert s2.from_tokens([cell.to_token()]).tolist() == [cell.id()]
    if other <= level:
        assert s2.parents(ids, other).tolist() == [cell.parent(other).id()]
    else:
        with pytest.raises(RecipeError, match="no parent of level"):
            s2.parents(ids, other)


@pytest.mark.parametrize("token", ["", "0", "x", "0x1", "1_0", "47a8", "d", "47a84f0000000000f"])
def test_a_string_that_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(RecipeError, match="is not an S2"):
        s2.from_tokens(["47a84f", token])


def test_the_number_that_is_no_cell_is_named_with_its_place() -> None:
    with pytest.raises(RecipeError, match="0x0000000000000000, number 1, is not an S2 cell id"):
        s2.levels([1, 0])


# --- shapes ----------------------------------------------------------------------------------

Ring = list[tuple[float, float]]


def rings(wkt: str) -> list[Ring]:
    """The outer rings of a POLYGON or MULTIPOLYGON; the pattern leaves nothing unread."""
    number = r"-?\d+(?:\.\d+)?"
    ring = rf"\({number} {number}(?:,{number} {number})+\)"
    assert re.fullmatch(rf"POLYGON\({ring}\)|MULTIPOLYGON\(\({ring}\)(?:,\({ring}\))+\)", wkt)
    return [
        [(float(lon), float(lat)) for lon, lat in re.findall(rf"({number}) ({number})", text)]
        for text in re.findall(ring, wkt)
    ]


def area(ring: Ring) -> float:
    """Square degrees on the map, positive when counter-clockwise."""
    lon, lat = np.array(ring).T
    lon, lat = lon - lon[0], lat - lat[0]  # keeps the area of a leaf cell above the rounding
    return float(lon[:-1] @ lat[1:] - lon[1:] @ lat[:-1]) / 2


def contains(wkt: str, latitude: float, longitude: float) -> bool:
    """Even-odd rule: how many edges lie to the east of the point, at its latitude."""
    inside = False
    for ring in rings(wkt):
        for (x0, y0), (x1, y1) in pairwise(ring):
            if (y0 > latitude) != (y1 > latitude):
                inside ^= longitude < x0 + (latitude - y0) / (y1 - y0) * (x1 - x0)
    return inside


def crosses_itself(ring: Ring) -> bool:
    def side(p: tuple[float, float], q: tuple[float, float], r: tuple[float, float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    edges = list(pairwise(ring))
    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for k, (a, b) in enumerate(edges)
        for c, d in edges[k + 2 :]
    )


def assert_well_formed(wkt: str) -> None:
    for ring in rings(wkt):
        longitudes, latitudes = zip(*ring, strict=True)
        assert ring[0] == ring[-1]
        assert len(set(ring)) == len(ring) - 1 >= 3
        assert area(ring) > 0
        assert min(longitudes) >= -180 and max(longitudes) <= 180
        assert min(latitudes) >= -90 and max(latitudes) <= 90
        assert not crosses_itself(ring)


@given(POINTS, LEVELS)
@settings(max_examples=300, deadline=None)
@example((90.0, 0.0), 30)
@example((-90.0, 0.0), 30)
@example((0.0, 180.0), 1)
def test_a_centroid_is_that_of_s2sphere_and_inside_the_polygon(
    point: tuple[float, float], level: int
) -> None:
    cell = reference_cell(*point).parent(level)
    [[latitude, longitude]] = outlines.centroids([cell.id()]).tolist()
    centre = cell.to_lat_lng()
    assert (latitude, longitude) == (centre.lat().degrees, centre.lng().degrees)
    [wkt] = outlines.polygons([cell.id()])
    assert_well_formed(wkt)
    if level > 0:  # the centre of three faces is a pole or lies on the antimeridian
        assert contains(wkt, latitude, longitude)


@given(POINTS, st.integers(1, 28))
@settings(max_examples=200, deadline=None)
def test_the_corners_of_a_polygon_are_those_of_s2sphere(point: tuple[float, float], level: int) -> None:
    cell = s2sphere.Cell(reference_cell(*point).parent(level))
    [ring] = rings(outlines.polygons([cell.id().id()], points_per_edge=1)[0])
    drawn = [s2sphere.LatLng.from_degrees(lat, lon).to_point() for lon, lat in ring]
    for k in range(4):
        corner = cell.get_vertex(k)
        assert min(corner.angle(other) for other in drawn) < math.radians(2e-9)


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4, 5, 8, 12])
def test_a_polygon_has_the_points_of_its_cell_inside_and_those_of_others_outside(
    level: int,
) -> None:
    """Within a kilometre and a hundredth of the cell's size of its edge, which is the promise."""
    points = on_the_sphere(60, seed=level)
    polar = np.array([89.9, 88.0, 80.0, -89.95, -85.0, -70.0]), np.linspace(-179.0, 179.0, 6)
    latitudes, longitudes = (np.concatenate(pair) for pair in zip(points, polar, strict=True))
    margin = math.radians(min(0.01, 0.9 / 2**level))
    ids = s2.cell_ids(latitudes, longitudes, level)
    drawn = dict(zip(ids.tolist(), outlines.polygons(ids), strict=True))
    random = np.random.default_rng(level)
    tried = {True: 0, False: 0}
    for number, wkt in drawn.items():
        cell = s2sphere.Cell(s2sphere.CellId(number))
        corners = [cell.get_vertex(k) for k in range(4)]
        for weights in random.uniform(-1.5, 2.5, (10, 4)):
            x, y, z = weights @ [[c[0], c[1], c[2]] for c in corners]
            point = s2sphere.Point(x, y, z).normalize()
            if min(abs(cell.get_edge(k).dot_prod(point)) for k in range(4)) < margin:
                continue
            at = s2sphere.LatLng.from_point(point)
            latitude, longitude = at.lat().degrees, at.lng().degrees
            inside = int(s2.cell_ids([latitude], [longitude], level)[0]) == number
            assert contains(wkt, latitude, longitude) == inside
            tried[inside] += 1
    assert min(tried.values()) > 5


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_all_cells_of_a_level_cover_the_map_exactly_once(level: int) -> None:
    first = s2sphere.CellId.begin(level).id()
    step = 2 << (2 * (30 - level))
    ids = [first + step * k for k in range(6 * 4**level)]
    drawn = outlines.polygons(ids, points_per_edge=16)
    for wkt in drawn:
        assert_well_formed(wkt)
    total = sum(area(ring) for wkt in drawn for ring in rings(wkt))
    # The halves of the split face have more points on an edge than the faces beside them.
    assert total == pytest.approx(360.0 * 180.0, abs=5.0 if level == 0 else 1e-3)


def test_the_face_on_the_antimeridian_is_two_polygons_split_at_180() -> None:
    [wkt] = outlines.polygons(s2.from_tokens(["7"]))
    east, west = rings(wkt)
    assert max(lon for lon, _ in east) == 180 and min(lon for lon, _ in east) == 135
    assert min(lon for lon, _ in west) == -180 and max(lon for lon, _ in west) == -135


@pytest.mark.parametrize(("token", "pole"), [("5", 90.0), ("b", -90.0)])
def test_the_face_round_a_pole_reaches_along_the_edge_of_the_map(token: str, pole: float) -> None:
    [wkt] = outlines.polygons(s2.from_tokens([token]))
    [ring] = rings(wkt)
    assert {(180.0, pole), (-180.0, pole)} <= set(ring)
    for longitude in (-179.9, -90.0, 0.1, 179.9):
        assert contains(wkt, math.copysign(89.9, pole), longitude)
        assert not contains(wkt, 0.0, longitude)


def test_a_cell_that_touches_the_antimeridian_stays_on_its_side() -> None:
    for longitude in (179.99, -179.99):
        for level in range(1, 12):
            [ring] = rings(outlines.polygons(s2.cell_ids([10.0], [longitude], level))[0])
            assert all(lon * longitude > 0 for lon, _ in ring)
            assert max(abs(lon) for lon, _ in ring) == 180


def test_fewer_than_one_point_per_edge_is_refused() -> None:
    with pytest.raises(RecipeError, match="points_per_edge"):
        outlines.polygons([1], points_per_edge=0)


# --- the partition ---------------------------------------------------------------------------


def plain_partition(
    points: list[tuple[float, float]],
    *,
    start: int,
    end: int,
    t_max: int,
    t_min: int,
    strategy: str,
) -> dict[int, list[int]]:
    """The partition as one would write it from the paper: a dict of s2sphere cells to places."""
    leaves = [reference_cell(*point) for point in points]
    held: dict[s2sphere.CellId, list[int]] = {}
    for place, leaf in enumerate(leaves):
        held.setdefault(leaf.parent(start), []).append(place)
    if strategy == "reference":
        held = {cell: places for cell, places in held.items() if len(places) > t_min}
    for level in range(start + 1, end + 1):
        for cell in [cell for cell, places in held.items() if len(places) > t_max]:
            for place in held.pop(cell):
                held.setdefault(leaves[place].parent(level), []).append(place)
    if strategy == "reference":
        held = {cell: places for cell, places in held.items() if len(places) > t_min}
    else:
        held = {cell: places for cell, places in held.items() if len(places) >= t_min}
    return {cell.id(): places for cell, places in sorted(held.items())}


def clustered(count: int, seed: int) -> list[tuple[float, float]]:
    """Points as settlements lie: towns of different size, and some alone."""
    random = np.random.default_rng(seed)
    towns = np.column_stack(on_the_sphere(12, seed))
    spread = random.choice([0.01, 0.5, 5.0], size=(count, 1))
    points = towns[random.integers(0, 12, count)] + random.normal(0, 1, (count, 2)) * spread
    alone = slice(None, None, count // 20 + 1)
    points[alone] = np.column_stack(on_the_sphere(len(points[alone]), seed + 1))
    points = np.column_stack((points[:, 0].clip(-90, 90), points[:, 1].clip(-180, 180)))
    return [(float(lat), float(lon)) for lat, lon in points]


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 400),
    start=st.integers(0, 6),
    deeper=st.integers(0, 8),
    t_max=st.integers(1, 40),
    t_min=st.integers(0, 50),
    strategy=st.sampled_from(["adaptive", "reference"]),
)
@settings(max_examples=80, deadline=None)
def test_the_partition_is_that_of_plain_python_with_s2sphere(
    *, seed: int, count: int, start: int, deeper: int, t_max: int, t_min: int, strategy: str
) -> None:
    points = clustered(count, seed)
    latitudes, longitudes = zip(*points, strict=True)
    ours = cells.cells(
        latitudes, longitudes,
        start_level=start, max_level=start + deeper, t_max=t_max, t_min=t_min, strategy=strategy,
    )  # fmt: skip
    expected = plain_partition(
        points, start=start, end=start + deeper, t_max=t_max, t_min=t_min, strategy=strategy
    )
    assert ours.ids.tolist() == list(expected)
    assert ours.counts.tolist() == [len(places) for places in expected.values()]
    assignment = [-1] * count
    for number, places in enumerate(expected.values()):
        for place in places:
            assignment[place] = number
    assert ours.assignment.tolist() == assignment


@pytest.mark.parametrize("strategy", ["adaptive", "reference"])
def test_the_papers_parameters_on_twenty_thousand_points(strategy: str) -> None:
    points = clustered(20_000, seed=3)
    latitudes, longitudes = zip(*points, strict=True)
    ours = cells.cells(latitudes, longitudes, strategy=strategy)
    expected = plain_partition(points, start=2, end=10, t_max=500, t_min=20, strategy=strategy)
    assert ours.ids.tolist() == list(expected)
    assert len({int(level) for level in s2.levels(ours.ids)}) > 3
    assert Counter(ours.assignment[ours.assignment >= 0].tolist()) == dict(enumerate(ours.counts))


def partition_of(count: int, strategy: str = "adaptive") -> cells.Partition:
    """So many settlements in one place."""
    return cells.cells([48.85] * count, [2.35] * count, max_level=3, strategy=strategy)


@pytest.mark.parametrize(("count", "level"), [(500, 2), (501, 3)])
def test_a_cell_of_500_is_whole_and_one_of_501_is_split(count: int, level: int) -> None:
    partition = partition_of(count)
    assert s2.levels(partition.ids).tolist() == [level]
    assert partition.counts.tolist() == [count]


@pytest.mark.parametrize(
    ("count", "strategy", "stays"),
    [
        (19, "adaptive", False),
        (20, "adaptive", True),
        (20, "reference", False),
        (21, "reference", True),
    ],
)
def test_a_cell_of_20_stays_where_fewer_are_dropped_and_goes_in_the_papers_script(
    count: int, strategy: str, stays: bool
) -> None:
    partition = partition_of(count, strategy)
    assert partition.counts.tolist() == ([count] if stays else [])
    assert set(partition.assignment.tolist()) == ({0} if stays else {-1})


def test_a_full_cell_of_the_last_level_keeps_what_it_holds() -> None:
    partition = cells.cells([48.85] * 5000, [2.35] * 5000)
    assert s2.levels(partition.ids).tolist() == [10]
    assert partition.counts.tolist() == [5000]


def test_points_that_are_no_coordinate_are_reported_and_left_out() -> None:
    latitudes = [52.5] * 25 + [math.nan, 91.0, 0.0, math.inf]
    longitudes = [13.4] * 25 + [0.0, 0.0, 200.0, 0.0]
    partition = cells.cells(latitudes, longitudes)
    assert partition.invalid.tolist() == [False] * 25 + [True] * 4
    assert partition.assignment.tolist() == [0] * 25 + [-1] * 4
    assert partition.counts.tolist() == [25]


def test_the_cells_of_a_partition_are_sorted_and_do_not_overlap() -> None:
    latitudes, longitudes = zip(*clustered(5000, seed=9), strict=True)
    ids = cells.cells(latitudes, longitudes, t_max=50, t_min=1).ids
    ranges = [(s2sphere.CellId(i).range_min(), s2sphere.CellId(i).range_max()) for i in ids.tolist()]
    assert all(high < low for (_, high), (low, _) in pairwise(ranges))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"start_level": -1}, "start_level is -1"),
        ({"max_level": 31}, "max_level is 31"),
        ({"start_level": 5, "max_level": 4}, "start_level 5"),
        ({"t_max": 0}, "t_max is 0"),
        ({"t_min": -1}, "t_min is -1"),
        ({"strategy": "quadtree"}, "no strategy 'quadtree'"),
    ],
)
def test_a_parameter_out_of_range_names_itself_and_what_to_choose(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        cells.cells([0.0], [0.0], **parameters)  # type: ignore[arg-type]
    assert "Choose" in str(caught.value)


@pytest.mark.parametrize(
    ("latitudes", "longitudes"),
    [([1.0, 2.0], [1.0]), ([[1.0]], [[1.0]]), (1.0, 1.0), (["north"], [1.0])],
)
def test_arrays_that_are_not_two_columns_of_numbers_are_refused(
    latitudes: object, longitudes: object
) -> None:
    with pytest.raises(RecipeError, match="Pass"):
        cells.cells(latitudes, longitudes)  # type: ignore[arg-type]


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(cells).failed == 0
