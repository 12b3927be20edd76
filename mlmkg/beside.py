"""Work beside the thread that finds it: a call is handed over, the caller goes on, the order stays.

Pays where both let go of Python's lock: Oxigraph reads the store while the lines it read before are
counted by NumPy and packed by ISA-L.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

_Argument = TypeVar("_Argument")


class Beside:
    """Calls functions in a thread of its own, one after the other.

    What a call raises is raised again by a later call, or when the body ends.

    :param ahead: how many calls may wait; more, and the caller waits for the first of them.

    >>> taken = []
    >>> with Beside() as beside:
    ...     for number in range(9):
    ...         beside.call(taken.append, number)
    >>> taken
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    """

    def __init__(self, ahead: int = 4) -> None:
        self._ahead = ahead
        self._thread = ThreadPoolExecutor(1)
        self._calls: deque[Future[object]] = deque()

    def __enter__(self) -> Self:
        return self

    def call(self, function: Callable[[_Argument], object], argument: _Argument) -> None:
        """Call a function some time later, after all that it was asked for before."""
        while self._calls and (len(self._calls) >= self._ahead or self._calls[0].done()):
            self._calls.popleft().result()
        self._calls.append(self._thread.submit(function, argument))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for call in self._calls:
                call.result()
