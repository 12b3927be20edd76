"""What an update changed: entities added, removed, moved; summaries and images changed.

Graph files before and after enter; they are sorted, so the difference is one pass over both. A list of
changes leaves, as rows and as triples in a graph ``changes/{moment}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from mlmkg import graphfile, provenance
from mlmkg.graphfile import GraphFile
from mlmkg.ntriples import iri, line, text
from mlmkg.pipeline import add
from mlmkg.provenance import Made, Plan
from mlmkg.store import graph_iri
from mlmkg.vocab import BASE, MLM, RDF, SCHEMA, WDT
from mlmkg.workspace import Workspace

#: Graph -> predicate -> what a difference in it is called.
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "eligible": {RDF.type: "entity"},
    "instances": {WDT.P625: "place"},
    "summaries": {SCHEMA.text: "summary"},
    "image_files": {MLM.file: "image"},
}
_TRIPLE: Final = re.compile(rb"<([^>]*)> <([^>]*)> (.*) \.$")


@dataclass(frozen=True, order=True)
class Change:
    """One change.

    :param what: ``entity``, ``place``, ``summary`` or ``image``.
    :param how: ``added``, ``removed`` or ``changed``.
    :param subject: the IRI it happened to.
    :param before, after: the values as N-Triples terms, or "".
    """

    what: str
    how: str
    subject: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Changes:
    """All changes between two states.

    :param rows: sorted.
    """

    rows: tuple[Change, ...]

    def counts(self) -> list[dict[str, object]]:
        """Return a row per kind of change, with its number."""
        whats = [name for kinds in KINDS.values() for name in kinds.values()]
        return [
            {"what": what, **{
                how: sum(1 for row in self.rows if (row.what, row.how) == (what, how))
                for how in ("added", "removed", "changed")
            }}
            for what in whats
        ]  # fmt: skip

    def listed(self) -> list[dict[str, object]]:
        """Return a row per change, values cut to what fits a table."""
        return [
            {"what": c.what, "how": c.how, "subject": c.subject, "before": c.before[:60],
             "after": c.after[:60]}
            for c in self.rows
        ]  # fmt: skip


def compare(workspace: Workspace, before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    """Return what changed between two states of a workspace.

    :param before, after: graph name -> key of its file.
    """
    found: list[Change] = []
    for graph, kinds in KINDS.items():
        old = _file(workspace, graph, before)
        new = _file(workspace, graph, after)
        if old != new:
            found += _differences(kinds, old, new)
    return Changes(tuple(sorted(found)))


def _file(workspace: Workspace, graph: str, keys: Mapping[str, str]) -> Path | None:
    if graph not in keys:
        return None
    path = GraphFile(workspace.graphs, graph, keys[graph]).path
    return path if path.is_file() else None


def _differences(kinds: Mapping[str, str], old: Path | None, new: Path | None) -> Iterator[Change]:
    """Yield the changes of one graph, subject by subject."""
    gone: dict[tuple[str, str], list[str]] = {}
    come: dict[tuple[str, str], list[str]] = {}
    for side, triple in difference(_lines(old), _lines(new)):
        match = _TRIPLE.fullmatch(triple)
        if match is None or (what := kinds.get(match[2].decode())) is None:
            continue
        (gone if side < 0 else come).setdefault((what, match[1].decode()), []).append(match[3].decode())
    for what, subject in sorted({*gone, *come}):
        was, is_now = gone.get((what, subject), []), come.get((what, subject), [])
        how = "changed" if was and is_now else "removed" if was else "added"
        yield Change(what, how, subject, " ".join(was), " ".join(is_now))


def _lines(path: Path | None) -> Iterator[bytes]:
    if path is None:
        return
    with graphfile.open_lines(path) as stream:
        rest = b""
        while block := stream.read(1 << 20):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines


def difference(old: Iterator[bytes], new: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (-1, line) for lines only in the old, (1, line) for lines only in the new; both sorted.

    >>> list(difference(iter([b"a", b"b"]), iter([b"b", b"c"])))
    [(-1, b'a'), (1, b'c')]
    """
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left < right):
            yield -1, left or b""
            left = next(old, None)
        elif left is None or right < left:
            yield 1, right
            right = next(new, None)
        else:
            left, right = next(old, None), next(new, None)


def triples(changes: Changes) -> Iterator[bytes]:
    """Yield the N-Triples lines that describe the changes."""
    for change in changes.rows:
        digest = sha256(repr(change).encode()).hexdigest()[:24]
        node = iri(f"{BASE}change/{digest}")
        yield line(node, iri(RDF.type), iri(MLM.Change))
        yield line(node, iri(MLM.changed), iri(change.subject))
        yield line(node, iri(MLM.changeOf), text(change.what))
        yield line(node, iri(MLM.changeKind), text(change.how))
        if change.before:
            yield line(node, iri(MLM.before), text(_value(change.before)))
        if change.after:
            yield line(node, iri(MLM.after), text(_value(change.after)))


def _value(terms: str) -> str:
    """Return what N-Triples terms say, without their quotes."""
    try:
        quads = ox.parse(f"<urn:s> <urn:p> {terms} .\n".encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
        (quad,) = quads
        return str(getattr(quad.object, "value", terms))
    except (SyntaxError, ValueError):
        return terms


def record(
    workspace: Workspace, query_set: str, as_of: str, changes: Changes, before: Mapping[str, str],
    after: Mapping[str, str],
) -> None:  # fmt: skip
    """Write the changes as a graph with provenance: made from the graphs after, of an update."""
    name = f"changes/{re.sub(r'[^0-9TZ]', '', as_of)}"
    key = sha256(repr((as_of, sorted(before.items()), sorted(after.items()))).encode()).hexdigest()[:16]
    digest = sha256(Path(str(import_module(__name__).__file__)).read_bytes()).hexdigest()
    plan = Plan("What an update changed", "mlmkg/changes.py", "python", digest)
    started = provenance.now()

    def made(content: graphfile.Written) -> Made:
        return Made(
            graph=graph_iri(query_set, name), key=key, content=content, plan=plan,
            parameters={"before": dict(before)},
            used=tuple(graph_iri(query_set, graph) for graph in KINDS if graph in after),
            origins=(), started=started, ended=provenance.now(),
        )  # fmt: skip

    add(workspace, query_set, made, name, key, triples(changes))
