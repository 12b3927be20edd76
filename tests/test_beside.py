"""Work beside: in order, some calls behind, and nothing that went wrong is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pyoxigraph as ox
import pytest

from mlmkg.beside import Beside
from mlmkg.sorting import LineBlocks


def test_calls_run_in_another_thread_while_the_caller_goes_on():
    seen = threading.Event()
    threads = []
    with Beside() as beside:
        beside.call(seen.wait, 60)  # waits for the caller, which does not wait for it
        beside.call(lambda name: threads.append((name, threading.current_thread())), "second")
        seen.set()
    ((name, thread),) = threads
    assert name == "second" and thread is not threading.current_thread()


def test_the_caller_waits_when_too_much_lies_ahead():
    gate, taken = threading.Event(), []

    def take(number: int) -> None:
        gate.wait(60)
        taken.append(number)

    with Beside(ahead=2) as beside:
        beside.call(take, 0)
        beside.call(take, 1)
        threading.Timer(0.05, gate.set).start()
        beside.call(take, 2)
        assert taken[0] == 0  # it was let in when the first was done
    assert taken == [0, 1, 2]


def test_a_full_disk_found_beside_ends_the_reading_and_is_told():
    store = ox.Store()
    graph = ox.NamedNode("urn:g")
    words = b"".join(b'<urn:s> <urn:p> "%d" .\n' % n for n in range(20_000))
    store.load(words, ox.RdfFormat.N_TRIPLES, to_graph=graph)
    with (
        pytest.raises(OSError, match="No space left"),
        Path("/dev/full").open("wb", buffering=0) as full,
        Beside() as beside,
        LineBlocks(lambda block: beside.call(full.write, block), 4096) as lines,
    ):
        store.dump(lines.as_file(), ox.RdfFormat.N_TRIPLES, from_graph=graph)


def test_the_last_call_is_not_forgotten():
    with pytest.raises(ZeroDivisionError), Beside() as beside:
        beside.call(lambda number: 1 / number, 0)
