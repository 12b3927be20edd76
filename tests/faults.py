"""Changes to a published file: each enters what is right and leaves what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import rdflib
from rdflib import VOID, XSD, Literal, URIRef

Change = Callable[[bytes], bytes]


def without(pattern: str) -> Change:
    """Return what takes text out."""
    return instead(pattern, "")


def instead(pattern: str, text: str) -> Change:
    """Return what puts a text in the place of the first that fits."""

    def change(content: bytes) -> bytes:
        changed, number = re.subn(pattern, text, content.decode(), count=1, flags=re.DOTALL)
        assert number == 1, f"nothing fits {pattern}"
        return changed.encode()

    return change


def member(*path: str | int, value: object = None) -> Change:
    """Return what changes, or without a value takes out, a member of a JSON document."""

    def change(content: bytes) -> bytes:
        document = json.loads(content)
        node = document
        for key in path[:-1]:
            node = node[key]
        if value is None:
            del node[path[-1]]
        else:
            node[path[-1]] = value
        return json.dumps(document).encode()

    return change


def fact(predicate: URIRef, new: Literal | URIRef | int | None, **of: URIRef | None) -> Change:
    """Return what changes Turtle: what a predicate says, of all subjects or of those with a fact.

    :param new: what it says instead; a number: that many more; None: nothing.
    :param of: a predicate of VoID and its object, or None for any.
    """

    def change(content: bytes) -> bytes:
        graph = rdflib.Graph().parse(data=content, format="turtle")
        subjects = set(graph.subjects(predicate))
        for name, value in of.items():
            subjects &= set(graph.subjects(VOID[name], value))
        assert subjects
        for subject in subjects:
            (old, *_) = graph.objects(subject, predicate)
            graph.remove((subject, predicate, None))
            if isinstance(new, int):
                graph.add((subject, predicate, Literal(int(old) + new)))
            elif new is not None:
                graph.add((subject, predicate, new))
        return graph.serialize(format="turtle", encoding="utf-8")

    return change


def both(first: Change, second: Change) -> Change:
    """Return what changes two things."""
    return lambda content: second(first(content))


def typed(text: str, datatype: str) -> Literal:
    """Return a literal of XML Schema."""
    return Literal(text, datatype=XSD[datatype])


@contextmanager
def broken(path: Path, change: Change) -> Iterator[None]:
    """Change a file, and put it back."""
    content = path.read_bytes()
    try:
        path.write_bytes(change(content))
        yield
    finally:
        path.write_bytes(content)
