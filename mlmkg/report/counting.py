"""Counts of a table's values, in an order that does not depend on the table's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa


def groups(table: pa.Table, *columns: str) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield the values of some columns and how many rows have them; a column may be missing."""
    there = [name for name in columns if name in table.column_names]
    if not there:
        if table.num_rows:
            yield (None,) * len(columns), table.num_rows
        return
    for row in table.group_by(there).aggregate([([], "count_all")]).to_pylist():
        yield tuple(row.get(name) for name in columns), row["count_all"]


def order(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Return the counts, the largest first; equal ones by their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def ranked(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts as a mapping, the largest first."""
    return dict(order(counts))


def summed(counts: Mapping[tuple[str, str], int], place: int) -> dict[str, int]:
    """Return the sums over all but one place of the keys, the largest first."""
    found: Counter[str] = Counter()
    for key, count in counts.items():
        found[key[place]] += count
    return ranked(found)
