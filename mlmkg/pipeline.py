"""The steps as a graph: what is stale, what runs, what is resumed.

A catalogue, a recipe and a source enter; a finished store leaves. Every step writes one named graph
and reads others, so the steps form a networkx graph whose nodes are named graphs. A step's key is a
hash of its plan, its parameters and the keys of what it reads: the same key is the same graph, which
is not made again. Keys are known before anything runs, so ``plan`` can say what would run and why.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

import networkx as nx
import pyarrow as pa
from pyoxigraph import QuerySolutions, QueryTriples, RdfFormat

from mlmkg import graphfile, provenance
from mlmkg.errors import MlmkgError, PipelineError
from mlmkg.graphfile import GraphFile
from mlmkg.progress import Progress, quiet
from mlmkg.provenance import Made, Plan
from mlmkg.results import read_table
from mlmkg.sorting import SortingWriter
from mlmkg.sources import Origin
from mlmkg.store import (
    SOURCE,
    GraphStore,
    disk_full_said,
    graph_iri,
    open_read_only,
    renewed,
)
from mlmkg.workspace import Workspace, written_whole

#: Folders with this prefix in a workspace belong to a running build.
SCRATCH: Final = ".scratch-"
#: Why a step runs although its graph is there.
ASKED: Final = "asked for"
#: The graph of an import of the published MLM.
IMPORTED: Final = "imported"
#: Graphs, and families of them, that are added beside those of the pipeline.
ADDED: Final = ("runs/", "predictions/", "changes/", "quality/", IMPORTED)


@dataclass(frozen=True)
class Work:
    """What a running step is given.

    :param store: the store as far as it is built.
    :param graphs: the IRIs of the graphs the step declares; its queries see no other.
    :param files: graph name -> graph file of every step.
    :param workspace: where the dataset lives.
    :param writer: takes the step's triples.
    :param note: takes what a reader of the provenance should know.
    :param progress: told how far the step is.
    """

    store: GraphStore
    graphs: list[str]
    files: Mapping[str, GraphFile]
    workspace: Workspace
    writer: SortingWriter
    note: Callable[[str], None]
    progress: Progress

    def table(self, text: str) -> pa.Table:
        """Return the solutions of a SELECT over the declared graphs, every column as strings."""
        answer = self.store.query(text, graphs=self.graphs)
        if not isinstance(answer, QuerySolutions):
            raise TypeError("table() takes a SELECT query")
        strings = {variable.value: pa.string() for variable in answer.variables}
        return read_table(answer, strings)

    def construct(self, text: str) -> None:
        """Write the triples that a CONSTRUCT makes of the declared graphs."""
        answer = self.store.query(text, graphs=self.graphs)
        if not isinstance(answer, QueryTriples):
            raise TypeError("construct() takes a CONSTRUCT query")
        answer.serialize(self.writer.as_file(), RdfFormat.N_TRIPLES)


@dataclass(frozen=True)
class Step:
    """One step: one plan, one named graph.

    :param writes: the graph's name.
    :param reads: the names of the graphs it needs.
    :param plan: the file that says how.
    :param run: does it.
    :param parameters: the values bound in the plan; JSON values only.
    :param origins: where the source's facts come from, for steps that read the source.
    :param provisional: further parameters of a graph that cannot be complete now (offline); unless
        the complete one is there, it is made under another key, and made anew when it can be whole.
    """

    writes: str
    reads: tuple[str, ...]
    plan: Plan
    run: Callable[[Work], None]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    provisional: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Planned:
    """A step with its key, and why it runs.

    :param step: the step.
    :param file: the graph file it writes.
    :param why: the reason it runs, or "" if its graph is there.
    """

    step: Step
    file: GraphFile
    why: str


@dataclass(frozen=True)
class Pipeline:
    """Steps in an order in which they can run.

    :param query_set: the set's name, part of the graphs' IRIs.
    :param steps: each after those it reads.
    """

    query_set: str
    steps: tuple[Step, ...]

    def plan(
        self, workspace: Workspace, *, force: bool = False, again: Collection[str] = ()
    ) -> list[Planned]:
        """Return every step with its key and the reason why it runs, without running anything.

        :param force: run all of them.
        :param again: graphs that are made again even if they are there.
        """
        keys: dict[str, str] = {}
        planned: list[Planned] = []
        for whole in self.steps:
            step = whole
            file = GraphFile(workspace.graphs, step.writes, _key(step, keys))
            if step.provisional is not None and not file.written:
                step = replace(step, parameters={**step.parameters, **step.provisional})
                file = GraphFile(workspace.graphs, step.writes, _key(step, keys))
            keys[step.writes] = file.key
            stale = {item.step.writes for item in planned if item.why}
            asked = force or step.writes in again
            why = ASKED if asked else "" if file.written else _why(file, step, stale)
            planned.append(Planned(step, file, why))
        return [replace(item, why="") if _unread(item, planned) else item for item in planned]


def pipeline(query_set: str, steps: Iterable[Step]) -> Pipeline:
    """Put steps in order.

    :raises PipelineError: if two steps write one graph, one reads a graph that none writes, or they
        go round in a circle.
    """
    by_graph: dict[str, Step] = {}
    for step in steps:
        if (other := by_graph.get(step.writes)) is not None:
            raise PipelineError(
                f"{other.plan.path} and {step.plan.path} both write the graph {step.writes!r}",
                action="Let one of them write another graph",
            )
        by_graph[step.writes] = step
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(by_graph)
    for step in by_graph.values():
        for name in step.reads:
            if name not in by_graph:
                raise PipelineError(
                    f"{step.plan.path} reads the graph {name!r}, which no step writes",
                    action=f"The graphs are {', '.join(sorted(by_graph))}",
                )
            graph.add_edge(name, step.writes)
    try:
        order = list(nx.lexicographical_topological_sort(graph))
    except nx.NetworkXUnfeasible:
        circle = [edge[0] for edge in nx.find_cycle(graph)]
        names = " -> ".join([*circle, circle[0]])
        files = ", ".join(by_graph[name].plan.path for name in circle)
        raise PipelineError(
            f"the steps go round in a circle: {names} ({files})",
            action="Let one of them read something else",
        ) from None
    return Pipeline(query_set, tuple(by_graph[name] for name in order))


def _key(step: Step, keys: Mapping[str, str]) -> str:
    content = {
        # Two graphs of one plan, such as a source's, are two activities.
        "writes": step.writes,
        "plan": step.plan.sha256,
        "parameters": step.parameters,
        "reads": {name: keys[name] for name in step.reads},
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _unread(item: Planned, planned: Iterable[Planned]) -> bool:
    """Whether a graph is of no use: its file is gone, and all that was made of it is there.

    So it is with the source's statements in a workspace that was loaded from a dump. They are in no
    store; other graphs, which are, are made again.
    """
    name = item.step.writes
    return (
        name == SOURCE
        and item.why != ASKED
        and item.file.record.is_file()
        and not any(name in other.step.reads and other.why for other in planned)
    )


def _why(file: GraphFile, step: Step, stale: set[str]) -> str:
    """Say what is different from the newest graph of that name."""
    earlier = graphfile.written_graphs(file.folder, file.name) if file.folder.is_dir() else []
    if not earlier:
        return "not made yet"
    before = provenance.remembered(earlier[-1].record)
    if before.plan_sha256 != step.plan.sha256:
        return f"{step.plan.path} has changed"
    if before.parameters != (now := json.dumps(step.parameters, sort_keys=True)):
        old, new = json.loads(before.parameters), json.loads(now)
        names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        return f"other parameters: {', '.join(names)}"
    if changed := sorted(stale & set(step.reads)):
        return f"{', '.join(changed)} {'is' if len(changed) == 1 else 'are'} made again"
    return "what it reads has changed"


@dataclass(frozen=True)
class Outcome:
    """What a build did.

    :param ran: the steps that ran, with what they wrote.
    :param kept: the names of the graphs that were there.
    :param notes: graph name -> what its step noted.
    :param changed: whether the store was replaced.
    """

    ran: dict[str, graphfile.Written]
    kept: list[str]
    notes: dict[str, list[str]]
    changed: bool


def build(
    steps: Pipeline,
    workspace: Workspace,
    *,
    force: bool = False,
    again: Collection[str] = (),
    progress: Progress = quiet,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run what is stale and leave a store that indexes every graph; change nothing if all is there.

    :param force: run every step.
    :param again: graphs that are made again even if they are there.
    :param say: told of each step as it starts.
    :raises WorkspaceError: if the store is being written by another process, or the disk is full.
    """
    planned = steps.plan(workspace, force=force, again=again)
    added = added_graphs(workspace)
    keys = {file.name: file.key for file in [*(item.file for item in planned), *added]}
    present = _indexed(workspace)
    stale = {item.file.name for item in planned if item.why}
    if not stale and present == keys:
        return Outcome({}, list(keys), {}, changed=False)
    # A graph that is made again although the store has it brings a new record: begin without it.
    keep = not any(present.get(name) == keys[name] for name in stale)
    files = {item.file.name: item.file for item in planned}
    ran: dict[str, graphfile.Written] = {}
    notes: dict[str, list[str]] = {}
    with disk_full_said(workspace.root), renewed(workspace, keys, keep=keep) as store:
        _remove_leftovers(workspace)
        loaded = store.keys()
        for item in progress(planned, "building", unit="graph"):
            name = item.file.name
            if item.why:
                say(f"{name}: {item.step.plan.title} ({item.why})")
                ran[name], notes[name] = _run(steps, item, files, store, workspace, progress)
            if loaded.get(name) != item.file.key:
                store.load(item.file, steps.query_set)
        for file in added:
            if loaded.get(file.name) != file.key:
                store.load(file, steps.query_set)
    return Outcome(ran, [name for name in keys if name not in ran], notes, changed=True)


def added_graphs(workspace: Workspace) -> list[GraphFile]:
    """Return the newest file of every graph that was added, such as predictions or an import."""
    found = [f for family in ADDED for f in graphfile.written_graphs(workspace.graphs, family)]
    return list({file.name: file for file in found}.values())


def add(
    workspace: Workspace, query_set: str, made: Callable[[graphfile.Written], Made],
    name: str, key: str, lines: Iterable[bytes],
) -> graphfile.Written:  # fmt: skip
    """Write one more graph beside those of the pipeline and index it.

    :param made: returns the provenance of what was written.
    :param name: the graph's name, ``predictions/{run}``.
    :param key: 16 hexadecimal digits that stand for what it depends on.
    :param lines: its N-Triples lines.
    """
    file = GraphFile(workspace.graphs, name, key)
    keys = open_read_only(workspace).keys()
    again = name in keys
    keys[name] = key
    with disk_full_said(workspace.root):
        writer = SortingWriter(workspace.root)
        writer.add(lines)
        content = graphfile.write(file.path, writer)
        _write_record(file, made(content))
        with renewed(workspace, keys, keep=not again) as store:
            loaded = store.keys()
            for other in graphfile.written_graphs(workspace.graphs):
                if keys.get(other.name) == other.key != loaded.get(other.name):
                    store.load(other, query_set)
    return content


def _indexed(workspace: Workspace) -> dict[str, str]:
    try:
        return open_read_only(workspace).keys()
    except MlmkgError:
        return {}


def _run(
    steps: Pipeline, item: Planned, files: Mapping[str, GraphFile], store: GraphStore,
    workspace: Workspace, progress: Progress,
) -> tuple[graphfile.Written, list[str]]:  # fmt: skip
    """Run one step; its record is written last, so a killed one leaves nothing that counts."""
    step, notes = item.step, list[str]()
    started = provenance.now()
    workspace.graphs.mkdir(parents=True, exist_ok=True)
    writer = SortingWriter(workspace.graphs)
    graphs = [graph_iri(steps.query_set, name) for name in step.reads]
    step.run(Work(store, graphs, files, workspace, writer, notes.append, progress))
    content = graphfile.write(item.file.path, writer)
    made = Made(
        graph=graph_iri(steps.query_set, step.writes),
        key=item.file.key,
        content=content,
        plan=step.plan,
        parameters=step.parameters,
        used=tuple(graph_iri(steps.query_set, name) for name in step.reads),
        origins=step.origins,
        started=started,
        ended=provenance.now(),
        notes=tuple(notes),
    )
    _write_record(item.file, made)
    return content, notes


def _write_record(file: GraphFile, made: Made) -> None:
    with written_whole(file.record) as stream:
        stream.writelines(provenance.record(made))


def _remove_leftovers(workspace: Workspace) -> None:
    """Remove the temporary files of a killed build; the store's lock says that no other runs."""
    for folder in (workspace.graphs, workspace.images):
        for path in (*folder.glob(".*.tmp"), *folder.glob("*/*.tmp"), *folder.glob("*/.*.tmp")):
            path.unlink(missing_ok=True)
    for path in workspace.root.glob(f"{SCRATCH}*"):
        shutil.rmtree(path)
