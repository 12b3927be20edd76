"""The Oxigraph store: named graphs, bulk load, read-only opening, and its swap for a newer one.

The store is an index of the graph files. It is never changed where it stands: a new one is made in
``store.new`` (from the files, or from hard links to the present one where graphs are only added) and
takes its place by a rename, so a reader never sees half of it. Which files it indexes stands in its
own provenance graph (``mlm:key``); there is no second list that could disagree.
"""

from __future__ import annotations

import errno
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
)

from mlmkg.errors import WorkspaceError
from mlmkg.graphfile import GraphFile, open_lines
from mlmkg.s2 import s2cell
from mlmkg.vocab import GRAPH, MLM, MLMF, PREFIXES
from mlmkg.workspace import Workspace

Answer = QuerySolutions | QueryTriples | QueryBoolean
Term = NamedNode | BlankNode | Literal | Triple
PROVENANCE: Final = "provenance"
#: The source's own statements stay a file: the store holds what the extract queries took from them.
SOURCE: Final = "source"


def graph_iri(query_set: str, name: str) -> str:
    """Return a graph's IRI.

    >>> graph_iri("v1", "hops")
    'https://w3id.org/mlmkg/graph/v1/hops'
    """
    return GRAPH[f"{query_set}/{name}"]


def graph_name(iri: str) -> str:
    """Return a graph's name without its set, or the IRI itself if it is not one of ours.

    >>> graph_name("https://w3id.org/mlmkg/graph/v1/predictions/demo")
    'predictions/demo'
    """
    return iri.removeprefix(str(GRAPH)).partition("/")[2] if iri in GRAPH else iri


def _s2cell(latitude: Term, longitude: Term, level: Term) -> Literal | None:
    """Return mlmf:s2cell(?lat, ?lon, ?level); unbound where an argument makes no sense."""
    try:
        numbers = [getattr(term, "value", "") for term in (latitude, longitude, level)]
        return Literal(s2cell(float(numbers[0]), float(numbers[1]), int(numbers[2])))
    except ValueError:
        return None


#: SPARQL functions that every query run through mlmkg may call.
FUNCTIONS: Final[dict[NamedNode, Callable[..., Term | None]]] = {
    NamedNode(MLMF.s2cell): _s2cell,
}


@dataclass(frozen=True)
class GraphStore:
    """An open Oxigraph store.

    :param raw: the pyoxigraph store, for whatever is not here.
    """

    raw: Store

    def query(self, text: str, *, graphs: list[str] | None = None) -> Answer:
        """Evaluate a query; the default graph is the union of all graphs.

        :param graphs: IRIs of graphs; the default graph is the union of these alone.
        :raises SyntaxError: if the query is not valid SPARQL.
        """
        return self.raw.query(
            text,
            prefixes=PREFIXES,
            use_default_graph_as_union=graphs is None,
            default_graph=None if graphs is None else [NamedNode(iri) for iri in graphs],
            custom_functions=FUNCTIONS,
        )

    def rows(self, text: str) -> Iterator[list[str]]:
        """Evaluate a SELECT and yield its rows as strings, unbound as ``""``; for small answers."""
        answer = self.query(text)
        if not isinstance(answer, QuerySolutions):
            raise TypeError("rows() takes a SELECT query")
        for solution in answer:
            yield ["" if term is None else str(getattr(term, "value", term)) for term in solution]

    def graphs(self) -> dict[str, str]:
        """Return name -> IRI of every named graph."""
        iris = [graph.value for graph in self.raw.named_graphs() if isinstance(graph, NamedNode)]
        return {graph_name(iri): iri for iri in sorted(iris)}

    def keys(self) -> dict[str, str]:
        """Return name -> key of the graph files that are indexed here."""
        return {
            graph_name(graph): key
            for graph, key in self.rows(f"SELECT ?graph ?key WHERE {{ ?graph <{MLM.key}> ?key }}")
        }

    def load(self, graph: GraphFile, query_set: str) -> None:
        """Index a graph file and then its provenance record.

        Loading it again changes nothing, so it does not matter where a killed load had got to.
        """
        if graph.name != SOURCE:
            into = NamedNode(graph_iri(query_set, graph.name))
            with open_lines(graph.path) as lines:
                self.raw.bulk_load(lines, RdfFormat.N_TRIPLES, to_graph=into)
        self.raw.load(
            path=graph.record,
            format=RdfFormat.N_TRIPLES,
            to_graph=NamedNode(graph_iri(query_set, PROVENANCE)),
        )


def open_read_only(workspace: Workspace) -> GraphStore:
    """Open the workspace's store as it is now, without a lock and without writing.

    :raises WorkspaceError: if there is no store, or it is damaged.
    """
    path = workspace.store
    if not (path / "CURRENT").is_file():
        what = "the store is empty" if path.is_dir() else "there is no store"
        raise WorkspaceError(what, where=path, action="Run `mlmkg build` to make one")
    try:
        return GraphStore(Store.read_only(str(path)))
    except OSError as error:
        raise WorkspaceError(
            f"the store cannot be read ({error})", where=path,
            action="Remove that folder and run `mlmkg build`: it is made again from the graph files",
        ) from None  # fmt: skip


def _open_for_writing(path: Path) -> Store:
    try:
        return Store(str(path))
    except OSError as error:
        if "lock" in str(error).lower():
            raise WorkspaceError(
                "another process has the store open for writing", where=path,
                action="Wait until it has finished, or end it",
            ) from None  # fmt: skip
        raise


@contextmanager
def held(workspace: Workspace) -> Iterator[None]:
    """Keep others from writing to the workspace's store, if there is one, until the body ends.

    :raises WorkspaceError: if another process is writing to it.
    """
    present = None
    try:
        present = _open_for_writing(workspace.store) if workspace.store.is_dir() else None
    except WorkspaceError:
        raise
    except OSError:
        pass  # damaged: nobody writes to it
    yield
    del present


def _keys(path: Path) -> dict[str, str] | None:
    """Return what a store indexes, or None if there is none that can be read."""
    try:
        return GraphStore(Store.read_only(str(path))).keys() if path.is_dir() else None
    except OSError:
        return None


@contextmanager
def renewed(
    workspace: Workspace, wanted: Mapping[str, str], *, keep: bool = True
) -> Iterator[GraphStore]:
    """Open a store to be completed that replaces the present one when the body ends without error.

    It starts from what it can keep: an unfinished ``store.new`` of a killed build, or hard links to
    the present store, if all that they index is still wanted; otherwise empty. (Clearing a graph of
    872,000 triples takes Oxigraph 47 CPU seconds, loading it 6: nothing is ever cleared.)

    :param wanted: graph name -> key of all that the store will index.
    :param keep: whether it may start from what the present store holds.
    :raises WorkspaceError: if another process is writing to the store, or the disk is full.
    """
    new, old = workspace.root / "store.new", workspace.root / "store.old"
    workspace.root.mkdir(parents=True, exist_ok=True)
    present = _open_for_writing(workspace.store) if workspace.store.is_dir() else None
    unfinished = _keys(new)
    if unfinished is None or not unfinished.items() <= wanted.items():
        _remove_unlocked(new)
        if keep and present is not None and GraphStore(present).keys().items() <= wanted.items():
            present.backup(str(new))
    fresh = not new.exists()
    store = _open_for_writing(new)
    lent = GraphStore(store)
    try:
        with disk_full_said(workspace.root):
            yield lent
            if fresh:
                # Once, here: scans become 2.2 and joins 2.8 times faster.
                store.optimize()
            store.flush()
    except BaseException as error:
        # Whoever keeps the error keeps its frames, and in them a store that is open on what is removed.
        traceback.clear_frames(error.__traceback__)
        object.__setattr__(lent, "raw", None)
        del store, present
        shutil.rmtree(new, ignore_errors=True)
        raise
    object.__setattr__(lent, "raw", None)
    del store, present
    shutil.rmtree(old, ignore_errors=True)
    if workspace.store.exists():
        workspace.store.rename(old)
    new.rename(workspace.store)
    shutil.rmtree(old, ignore_errors=True)


def _remove_unlocked(path: Path) -> None:
    """Remove a store unless another process is writing to it."""
    if not path.exists():
        return
    try:
        _open_for_writing(path)
    except WorkspaceError:
        raise
    except OSError:
        pass  # damaged by the kill that left it: it goes
    shutil.rmtree(path)


@contextmanager
def disk_full_said(where: Path) -> Iterator[None]:
    """Say "the disk is full" in one line, whoever noticed it: Python, zstd or RocksDB."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC and "no space left" not in str(error).lower():
            raise
        raise WorkspaceError(
            "the disk is full", where=where,
            action="Free some space and run the command again: it goes on where it stopped",
        ) from error  # fmt: skip
