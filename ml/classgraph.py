"""Vectors of entities by the similarity of their classes in the hop graph: the baseline of embeddings.

Subclass links and the classes of entities enter, a vector per entity leaves: how alike, by Wu and
Palmer, its classes are to each class that occurs in training. Nothing is trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import networkx as nx
import numpy as np
import numpy.typing as npt

#: Columns at most; of more classes the most frequent.
WIDEST: Final = 512


def similarities(
    subclass: Iterable[tuple[str, str]], roots: Collection[str], ones: Sequence[str],
    others: Sequence[str],
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Return (n, m) how alike two classes are, from 0 to 1.

    Of the classes above both, the one that makes them most alike: 2 d / (a + b + 2 d), where d is its
    depth, 1 for a root, and a and b are the least numbers of steps up to it (Wu and Palmer, "Verbs
    semantics and lexical selection", ACL 1994, section 4). A class is 1 to itself, and 0 to those with
    which it shares nothing above. What is above a base class counts for nothing, so circles through it,
    which Wikidata has, do no harm.

    :param subclass: pairs of a class and one above it.
    :param roots: the base classes; those that are not in the graph are passed over.
    :param ones: (n,) classes.
    :param others: (m,) classes.

    >>> tree = [("city", "place"), ("village", "place"), ("big city", "city")]
    >>> similarities(tree, ["place"], ["big city"], ["big city", "city", "village", "ship"])
    array([[1. , 0.8, 0.4, 0. ]])
    """
    graph: nx.DiGraph[str] = nx.DiGraph(subclass)
    graph.add_nodes_from([*ones, *others])
    known = {root for root in roots if root in graph}
    graph.remove_edges_from(list(graph.out_edges(known)))
    below = graph.reverse(copy=False)
    steps = nx.multi_source_dijkstra_path_length(below, known) if known else {}
    depth = {node: 1 + count for node, count in steps.items()}
    up = {node: nx.single_source_shortest_path_length(graph, node) for node in {*ones, *others}}
    found = np.zeros((len(ones), len(others)))
    for i, one in enumerate(ones):
        for j, other in enumerate(others):
            shared = up[one].keys() & up[other].keys() & depth.keys()
            found[i, j] = max(
                (2 * depth[c] / (up[one][c] + up[other][c] + 2 * depth[c]) for c in shared),
                default=float(one == other),
            )
    return found


def class_vectors(
    classes: Mapping[str, Sequence[str]], train: Collection[str],
    subclass: Iterable[tuple[str, str]], roots: Collection[str], widest: int = WIDEST,
) -> tuple[npt.NDArray[np.float16], list[str]]:  # fmt: skip
    """Return (E, m) vectors, the mean over an entity's classes, and what their m columns are.

    :param classes: entity -> its classes, at least one; E of them.
    :param train: the entities whose classes become columns.
    :param subclass, roots: as in :func:`similarities`.
    :param widest: m at most: of more classes the most frequent in training.
    """
    counts = Counter(c for entity, theirs in classes.items() if entity in train for c in theirs)
    columns = sorted(sorted(counts, key=lambda c: (-counts[c], c))[:widest])
    every = sorted({c for theirs in classes.values() for c in theirs})
    row = {c: i for i, c in enumerate(every)}
    alike = similarities(subclass, roots, every, columns)
    vectors = np.array(
        [alike[[row[c] for c in theirs]].mean(axis=0) for theirs in classes.values()]
    ).reshape(len(classes), len(columns))  # fmt: skip
    return vectors.astype(np.float16), columns
