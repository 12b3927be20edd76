"""How the graph was made, as a drawing: every named graph below what it was made from.

Steps enter, an SVG leaves. Layers by longest path (networkx), the order within a layer by the mean of
the neighbours' places; an edge that passes a layer has a place of its own there, so that no line
runs behind a box. Colours are the page's, so the drawing is dark where the page is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from markupsafe import Markup, escape

from mlmkg.metadata.landing_facts import Step

#: A box and what is between boxes, units of the drawing (pixels, where it has room).
WIDE, HIGH, ACROSS, DOWN, LANE = 128, 40, 14, 34, 12
#: How often the layers are put in order, down and up again.
SWEEPS: Final = 12
#: A node of the graph, or (from, to, layer) where an edge passes a layer.
Node = str | tuple[str, str, int]


@dataclass(frozen=True)
class Placed:
    """Where everything is.

    :param boxes: name -> the middle of its upper edge.
    :param edges: the points that an edge runs through, from its source to its graph.
    :param wide, high: of the whole.
    """

    boxes: Mapping[str, tuple[float, float]]
    edges: Sequence[Sequence[tuple[float, float]]]
    wide: float
    high: float


def pipeline(steps: Sequence[Step], origins: Sequence[str]) -> Markup:
    """Return the drawing, or nothing where no step is known."""
    if not steps:
        return Markup("")
    placed = place({step.name: step.used for step in steps}, origins)
    by_name = {step.name: step for step in steps}
    parts = [
        f'<svg viewBox="0 0 {placed.wide:.0f} {placed.high:.0f}" role="img" '
        f'width="{placed.wide:.0f}" height="{placed.high:.0f}" aria-label="{_told(steps)}">'
    ]
    for points in placed.edges:
        parts.append(f'<path class="edge" d="{_curve(points)}"/>')
    for name, (x, y) in placed.boxes.items():
        step = by_name.get(name)
        kind = (step.kind or "other") if step else "origin"
        title = f"{step.title} ({step.plan})" if step else name
        under = f"{step.triples:,}" if step else "source"
        parts.append(
            f'<g class="box {escape(kind)}" transform="translate({x - WIDE / 2:.1f} {y:.1f})">'
            f"<title>{escape(title)}</title>"
            f'<rect width="{WIDE}" height="{HIGH}" rx="6"/>'
            f'<text x="{WIDE / 2}" y="17">{escape(_short(name))}</text>'
            f'<text class="under" x="{WIDE / 2}" y="32">{escape(under)}</text></g>'
        )
    return Markup("".join([*parts, "</svg>"]))


def place(used: Mapping[str, Sequence[str]], origins: Sequence[str] = ()) -> Placed:
    """Return where graphs and edges go.

    :param used: graph -> what it was made from; together they have no cycle.
    :param origins: what stands in the first layer though nothing may have been made from it.
    """
    import networkx as nx

    graph: Any = nx.DiGraph()
    graph.add_nodes_from(sorted({*used, *origins}))
    graph.add_edges_from((source, name) for name in sorted(used) for source in sorted(used[name]))
    graph = nx.transitive_reduction(graph)
    depth = {
        name: layer for layer, names in enumerate(nx.topological_generations(graph)) for name in names
    }
    # What feeds one step only stands right above it.
    for name in reversed(list(nx.topological_sort(graph))):
        below = [depth[after] for after in graph.successors(name)]
        if below and not graph.in_degree(name):
            depth[name] = min(below) - 1
    layers: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in sorted(depth):
        layers[depth[name]].append(name)
    chains: list[list[Node]] = []
    for start, end in sorted(graph.edges):
        passed: list[Node] = [(start, end, layer) for layer in range(depth[start] + 1, depth[end])]
        for node, layer in zip(passed, range(depth[start] + 1, depth[end]), strict=True):
            layers[layer].append(node)
        chains.append([start, *passed, end])
    across = _arranged(layers, chains)
    boxes = {name: (across[name], depth[name] * (HIGH + DOWN) + 1.0) for name in sorted(depth)}
    edges = []
    for chain in chains:
        points = []
        for node in chain:
            y = (depth[node] if isinstance(node, str) else node[2]) * (HIGH + DOWN) + 1.0
            points.append((across[node], y))
        edges.append(points)
    wide = max(x for x, _ in boxes.values()) + WIDE / 2 + 1
    wide = max(wide, max((x for points in edges for x, _ in points), default=0) + 2)
    return Placed(boxes, edges, wide, len(layers) * (HIGH + DOWN) - DOWN + 2)


def _arranged(layers: list[list[Node]], chains: list[list[Node]]) -> dict[Node, float]:
    """Return where each node stands from the left; the layers are put in order."""
    around: dict[Node, list[Node]] = {node: [] for layer in layers for node in layer}
    for chain in chains:
        for above, below in pairwise(chain):
            around[above].append(below)
            around[below].append(above)
    across: dict[Node, float] = {}
    for layer in layers:
        across |= _packed(layer, {node: float(i) * WIDE for i, node in enumerate(layer)})
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wished = {
                node: sum(across[n] for n in around[node]) / len(around[node])
                if around[node] else across[node]
                for node in layer
            }  # fmt: skip
            layer.sort(key=lambda node: (wished[node], str(node)))
            across |= _packed(layer, wished)
    least = min(across[node] - _room(node) / 2 for node in across)
    return {node: x - least + 1 for node, x in across.items()}


def _room(node: Node) -> float:
    return float(WIDE if isinstance(node, str) else LANE)


def _packed(layer: Sequence[Node], wished: Mapping[Node, float]) -> dict[Node, float]:
    """Return places near the wished ones, in order, where nothing overlaps.

    Blocks of nodes that touch share their mean shift (isotonic regression by pooling).
    """
    offsets, at = [], 0.0
    for before, node in zip([None, *layer], layer, strict=False):
        if before is not None:
            at += (_room(before) + _room(node)) / 2 + ACROSS
        offsets.append(at)
    blocks: list[tuple[float, int]] = []  # mean shift, nodes
    for node, offset in zip(layer, offsets, strict=True):
        shift, size = wished[node] - offset, 1
        while blocks and blocks[-1][0] > shift:
            other, count = blocks.pop()
            shift = (shift * size + other * count) / (size + count)
            size += count
        blocks.append((shift, size))
    shifts = [shift for shift, size in blocks for _ in range(size)]
    return {n: o + s for n, o, s in zip(layer, offsets, shifts, strict=True)}


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Return an edge's path: from a lower edge, past the boxes of the layers, to an upper edge."""
    (x, y), *rest = points
    path, y = [f"M{x:.1f} {y + HIGH:.1f}"], y + HIGH
    for number, (to, below) in enumerate(rest, start=1):
        half = (y + below) / 2
        path.append(f"C{x:.1f} {half:.1f} {to:.1f} {half:.1f} {to:.1f} {below:.1f}")
        x, y = to, below
        if number < len(rest):
            path.append(f"V{below + HIGH:.1f}")
            y = below + HIGH
    return "".join(path)


def _short(name: str) -> str:
    name = name.replace("_", " ")
    return name if len(name) <= 17 else f"{name[:16]}…"


def _told(steps: Sequence[Step]) -> Markup:
    return escape(
        f"{len(steps)} named graphs, each below what it was made from; the table that follows says "
        "the same in words"
    )
