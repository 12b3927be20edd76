"""How long work tells how far it is, without knowing who listens.

A function that works for more than two seconds takes ``progress`` and wraps what it iterates over
in it. The default says nothing; the command line passes :func:`bar`, which draws on a terminal and
is silent when stderr is not one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps an iterable and passes its items on unchanged."""

    def __call__(
        self, items: Iterable[T], what: str, *, total: int | None = None, unit: str = "it"
    ) -> Iterable[T]:
        """Pass ``items`` on.

        :param what: what is being done, a few words: "cutting crops".
        :param total: how many items there are, where ``len(items)`` does not say it.
        :param unit: what one item is, in the singular: "city".
        """
        ...


def quiet(items: Iterable[T], what: str, *, total: int | None = None, unit: str = "it") -> Iterable[T]:
    """Say nothing.

    >>> list(quiet([1, 2], "counting"))
    [1, 2]
    """
    return items


def bar(items: Iterable[T], what: str, *, total: int | None = None, unit: str = "it") -> Iterable[T]:
    """Draw a bar with counts and time left on stderr once the work has taken two seconds."""
    from tqdm import tqdm

    return tqdm(
        items, desc=what, total=total, unit=f" {unit}", delay=2, leave=False,
        disable=not sys.stderr.isatty(), dynamic_ncols=True,
    )  # fmt: skip
