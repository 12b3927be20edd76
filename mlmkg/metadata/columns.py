"""Triples as columns: the distinct terms of a block of N-Triples, and where each of them stands.

What is done per term in Python is then done once per distinct term of a block, which a third of them
are; the rest is Arrow's and NumPy's, which let other threads run meanwhile. (Splitting 1.5 million
lines of 150 bytes, and a hash for each term: 0.5 CPU seconds; line by line it took 1.4.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Columns:
    r"""A block of triples.

    :param terms: the distinct terms; an object has the end of its line, ``" .\n"``, with it.
    :param first: their first bytes: ``<`` of an IRI, ``"`` of a literal, ``_`` of a blank node.
    :param subjects: places in ``terms``, one per line.
    :param properties: likewise.
    :param objects: likewise.
    """

    terms: list[bytes]
    first: NDArray[np.uint8]
    subjects: NDArray[np.int64]
    properties: NDArray[np.int64]
    objects: NDArray[np.int64]

    def counted(
        self, terms: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the distinct pairs of a term and its property, and how many triples have each.

        :param terms: the subjects or the objects.
        """
        pairs, times = np.unique(terms * len(self.terms) + self.properties, return_counts=True)
        return *np.divmod(pairs, len(self.terms)), times


def columns(block: bytes) -> Columns:
    r"""Take lines of N-Triples apart.

    :param block: whole lines as Oxigraph writes them, at least one.
    :raises ValueError: if a line has less than three terms.

    >>> found = columns(b'<a> <p> "b c" .\n<a> <q> <a> .\n')
    >>> found.terms
    [b'<a>', b'<p>', b'"b c" .\n', b'<q>', b'<a> .\n']
    >>> found.objects, bytes(found.first)
    (array([2, 4]), b'<<"<<')
    """
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    lines = pa.Array.from_buffers(pa.binary(), len(ends), buffers)
    terms = pc.split_pattern(lines, b" ", max_splits=2).values.dictionary_encode()
    # By DLPack and buffers, for Arrow's own way imports pandas wherever it is: 0.2 s, 40 MB.
    places = np.from_dlpack(terms.indices).reshape(-1, 3).astype(np.int64)
    _, starts, content = terms.dictionary.buffers()
    first = np.frombuffer(content, np.uint8)[np.frombuffer(starts, np.int32)[: len(terms.dictionary)]]
    return Columns(terms.dictionary.to_pylist(), first, *np.ascontiguousarray(places.T))
