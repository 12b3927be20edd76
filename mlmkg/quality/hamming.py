"""Finds 64-bit hashes that differ in few bits, without comparing all with all.

Cut into ``distance + 1`` blocks, two hashes that differ in at most ``distance`` bits agree in at least
one block (the pigeonhole principle): only hashes that share a block are compared. Exact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
_BITS = 64


def near_pairs(hashes: Hashes, distance: int) -> tuple[Indices, npt.NDArray[np.uint8]]:
    """Return all pairs of hashes that differ in at most so many bits.

    300,000 hashes of real pictures take a second; memory grows with the pairs that are found.

    :param hashes: (N,) uint64; equal ones make pairs too.
    :param distance: 0 to 63.
    :returns: (M, 2) int64 indices, the smaller first, and (M,) how many bits differ; sorted by these
        and the indices.

    >>> near_pairs(np.array([0b0000, 0b0111, 0b1111], dtype=np.uint64), 1)
    (array([[1, 2]]), array([1], dtype=uint8))
    """
    edges = np.linspace(0, _BITS, distance + 2).astype(np.int64)
    masks = [
        np.uint64(((1 << (high - low)) - 1) << low)
        for low, high in zip(edges.tolist(), edges.tolist()[1:], strict=False)
    ]
    found: list[Indices] = []
    differing: list[npt.NDArray[np.uint8]] = []
    for number, mask in enumerate(masks):
        blocks = hashes & mask
        order = np.argsort(blocks, kind="stable")
        blocks, sorted_hashes = blocks[order], hashes[order]
        # In the order of the block, equal blocks stand together: compare each with the one k further.
        left = np.arange(len(hashes))
        step = 0
        while left.size:
            step += 1
            left = left[left + step < len(hashes)]
            left = left[blocks[left] == blocks[left + step]]
            bits = sorted_hashes[left] ^ sorted_hashes[left + step]
            count = np.bitwise_count(bits)
            near = count <= distance
            for earlier in masks[:number]:  # a pair counts in the first block that it shares
                near &= (bits & earlier) != 0
            at = left[near]
            found.append(np.sort(np.stack([order[at], order[at + step]], axis=1), axis=1))
            differing.append(count[near])
    if not found:
        return np.empty((0, 2), np.int64), np.empty(0, np.uint8)
    pairs, counts = np.concatenate(found), np.concatenate(differing)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], counts))
    return pairs[order], counts[order]


def from_hex(digits: list[str]) -> Hashes:
    """Return hashes of 16 hexadecimal digits as numbers.

    >>> from_hex(["00000000000000ff", "8000000000000000"])
    array([                255, 9223372036854775808], dtype=uint64)
    """
    return np.frombuffer(bytes.fromhex("".join(digits)), dtype=">u8").astype(np.uint64)
