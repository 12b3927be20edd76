"""Blank nodes in a dump: names that do not depend on who wrote it (W3C RDFC-1.0).

The graphs of a build have none; those that people add may. Lines of N-Quads that mention blank nodes
enter, the same lines with canonical names leave. The algorithm looks at no other lines
(https://www.w3.org/TR/rdf-canon/, section 4.4.3), so the rest of the dump need not be in memory.
"""

from __future__ import annotations

import pyoxigraph as ox


def apart(block: bytes) -> tuple[bytes, list[bytes]]:
    r"""Return the lines that cannot mention a blank node, and those that may.

    >>> apart(b'_:b <p> "c" <g> .\n<a> <p> "c" <g> .\n')
    (b'<a> <p> "c" <g> .\n', [b'_:b <p> "c" <g> .\n'])
    """
    if b"_:" not in block:
        return block, []
    clear, named = list[bytes](), list[bytes]()
    for line in block.splitlines(keepends=True):
        (named if line.startswith(b"_:") or b" _:" in line else clear).append(line)
    return b"".join(clear), named


def canonical(lines: list[bytes]) -> bytes:
    r"""Return lines of N-Quads with canonical names of blank nodes, in any order.

    >>> canonical([b'_:b <urn:p> "c" <urn:g> .\n'])
    b'_:c14n0 <urn:p> "c" <urn:g> .\n'
    """
    dataset = ox.Dataset(ox.parse(b"".join(lines), ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return ox.serialize(dataset, format=ox.RdfFormat.N_QUADS) or b""
