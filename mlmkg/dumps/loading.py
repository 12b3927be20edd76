"""Makes a workspace of a dump: the store, and the graph files that it is an index of.

A folder that :func:`mlmkg.dumps.writing.dump` wrote enters; a store with the same quads leaves, and the
graph files and provenance records with the same bytes as those that the dump's store was made from.
All of it grows in a hidden folder of the workspace and is moved into its place at the end.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from isal import igzip, isal_zlib

from mlmkg import freshness, graphfile
from mlmkg.dumps.forms import JELLY_FILE, N_QUADS_FILE
from mlmkg.dumps.pictures import bring_images, paths
from mlmkg.dumps.records import lines, records
from mlmkg.dumps.writing import KIND, MANIFEST
from mlmkg.errors import MlmkgError, SourceError, WorkspaceError
from mlmkg.export.checksums import verify
from mlmkg.graphfile import GraphFile
from mlmkg.pipeline import SCRATCH
from mlmkg.progress import Progress, quiet
from mlmkg.sorting import SortingWriter
from mlmkg.store import PROVENANCE, SOURCE, GraphStore, disk_full_said, graph_name, held
from mlmkg.vocab import GRAPH, MLM
from mlmkg.workspace import Workspace, written_whole

_NAME: Final = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_AGAIN: Final = "Get the dump again, or make it anew"


@dataclass(frozen=True)
class Loaded:
    """What was loaded.

    :param quads: how many statements.
    :param graphs: how many graphs.
    :param files: how many graph files were written.
    :param images: how many image files came with it.
    :param without: how many image files the graph speaks of that did not.
    :param bare: graphs without a provenance record, which have no graph file: a build drops them.
    """

    quads: int
    graphs: int
    files: int
    images: int
    without: int
    bare: tuple[str, ...]


def load(
    folder: Path, workspace: Workspace, *, force: bool = False, progress: Progress = quiet
) -> Loaded:
    """Make a workspace's store and graph files from a dump.

    :param force: replace those that are there; image files, exports and runs stay.
    :raises SourceError: if the folder is no dump, or not as it was written.
    :raises WorkspaceError: if the workspace has a store or graph files already, another process is
        writing to it, or the disk is full.
    """
    manifest = _read_manifest(folder)
    _check(folder, progress)
    there = [p for p in (workspace.store, workspace.graphs) if p.is_dir() and any(p.iterdir())]
    if there and not force:
        raise WorkspaceError(
            "is there already", where=there[0],
            action="Name another --workspace, or add --force to replace its store and graph files",
        )  # fmt: skip
    fresh = not workspace.root.exists()
    workspace.root.mkdir(parents=True, exist_ok=True)
    try:
        with disk_full_said(workspace.root), held(workspace):
            _remove_abandoned(workspace)
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=workspace.root) as name:
                loaded = _grow(folder, manifest, Workspace(Path(name)), progress)
                _swap(Workspace(Path(name)), workspace)
                if "as_of" in manifest:
                    freshness.remember(workspace, freshness.Moment(**manifest["as_of"]))
    except BaseException:
        if fresh and not any(workspace.root.iterdir()):
            workspace.root.rmdir()
        raise
    return loaded


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        raise SourceError(
            "there is no manifest", where=path, action="Name a folder that `mlmkg dump` wrote"
        ) from None
    except ValueError as error:
        raise SourceError(f"not JSON: {error}", where=path, action=_AGAIN) from None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise SourceError("is of no dump", where=path, action="Name a folder that `mlmkg dump` wrote")
    if not isinstance(found.get("graphs"), dict) or not isinstance(found.get("as_of", {}), dict):
        raise SourceError("is not what `mlmkg dump` writes", where=path, action=_AGAIN)
    return found


def _check(folder: Path, progress: Progress) -> None:
    """Refuse a dump that is not what was written."""
    try:
        found = verify(folder, progress)
    except MlmkgError as error:
        raise SourceError(error.what, where=error.where, action=_AGAIN) from None
    for what, names in (("changed", found.changed), ("missing", found.missing)):
        if names:
            raise SourceError(
                f"{what} since the dump was written", where=folder / names[0], action=_AGAIN
            )


def _remove_abandoned(workspace: Workspace) -> None:
    """Remove what a killed process has left; who holds the store is alone."""
    if workspace.store.is_dir():
        for path in workspace.root.glob(f"{SCRATCH}*"):
            shutil.rmtree(path, ignore_errors=True)


def _grow(folder: Path, manifest: Mapping[str, Any], new: Workspace, progress: Progress) -> Loaded:
    """Make the store and the graph files in a workspace of their own."""
    store = ox.Store(str(new.store))
    _fill(store, folder, progress)
    graphs = _count(store)
    if graphs != manifest["graphs"]:
        names = sorted(name for name, _ in graphs.items() ^ manifest["graphs"].items())
        raise SourceError(
            f"the graph {names[0]} has {graphs.get(names[0], 0)} triples, and not the"
            f" {manifest['graphs'].get(names[0], 0)} that the manifest says",
            where=folder, action=_AGAIN,
        )  # fmt: skip
    store.optimize()
    filed = _write_graph_files(store, graphs, new, folder, progress)
    store.flush()
    brought = {}
    if (folder / "images").is_dir():
        brought = bring_images(store, folder / "images", new.images, progress)
    return Loaded(
        sum(graphs.values()), len(graphs), len(filed), len(brought),
        0 if brought else len(paths(store)),
        tuple(sorted(iri for iri in graphs if iri not in filed and graph_name(iri) != PROVENANCE)),
    )  # fmt: skip


def _fill(store: ox.Store, folder: Path, progress: Progress) -> None:
    """Load the first of the forms that is there."""
    if (folder / N_QUADS_FILE).is_file():
        paths, form = [folder / N_QUADS_FILE], ox.RdfFormat.N_QUADS
    elif (folder / JELLY_FILE).is_file():
        _fill_from_jelly(store, folder / JELLY_FILE)
        return
    else:
        paths, form = sorted(folder.glob("graphs/**/*.trig.gz")), ox.RdfFormat.TRIG
    if not paths:
        raise SourceError("there is no graph in it", where=folder, action=_AGAIN)
    for path in progress(paths, "loading", unit="file"):
        try:
            with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]
                store.bulk_load(stream, form)
        except SyntaxError as error:
            place = f"{path}:{error.lineno}" if error.lineno else path
            raise SourceError(str(error.msg), where=place, action=_AGAIN) from None
        except (EOFError, OSError, isal_zlib.IsalError) as error:  # type: ignore[misc]
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise SourceError(f"cannot be unpacked ({error})", where=path, action=_AGAIN) from None


def _fill_from_jelly(store: ox.Store, path: Path) -> None:
    try:
        from mlmkg.dumps.jelly import read
    except ModuleNotFoundError:
        raise SourceError(
            "Jelly needs pyjelly", where=path, action="Install it with `pip install 'mlmkg[jelly]'`"
        ) from None
    try:
        with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]
            store.bulk_extend(read(stream))
    except Exception as error:
        raise SourceError(f"cannot be read ({error})", where=path, action=_AGAIN) from error


def _count(store: ox.Store) -> dict[str, int]:
    rows = GraphStore(store).rows(
        "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    )
    return {graph: int(number) for graph, number in rows}


def _write_graph_files(
    store: ox.Store, graphs: Mapping[str, int], new: Workspace, folder: Path, progress: Progress
) -> set[str]:
    """Write the file and the record of every graph that has one; return their IRIs.

    The source's own statements were a file alone, and are not in the dump: only their record is.
    """
    new.graphs.mkdir(parents=True)
    rows = GraphStore(store).rows(
        f"SELECT ?g ?key ?sum WHERE {{ ?g <{MLM.key}> ?key ; <{MLM.sha256}> ?sum }}"
    )
    about = records(lines(store, [iri for iri in graphs if graph_name(iri) == PROVENANCE]))
    filed = set()
    for iri, key, checksum in progress(sorted(rows), "writing graph files", unit="graph"):
        name = graph_name(iri)
        if iri not in GRAPH or not _NAME.fullmatch(name) or not _KEY.fullmatch(key):
            raise SourceError(
                f"the graph {iri} of the key {key!r} cannot be a file", where=folder, action=_AGAIN
            )
        file = GraphFile(new.graphs, name, key)
        if name != SOURCE:
            writer = SortingWriter(new.graphs)
            store.dump(writer.as_file(), ox.RdfFormat.N_TRIPLES, from_graph=ox.NamedNode(iri))
            content = graphfile.write(file.path, writer)
            if content.sha256 != checksum:
                raise SourceError(
                    f"the graph {iri} is not the one that its provenance speaks of",
                    where=folder, action=_AGAIN,
                )  # fmt: skip
        with written_whole(file.record) as stream:
            stream.writelines(about[iri])
        if name != SOURCE:
            filed.add(iri)
    return filed


def _swap(new: Workspace, workspace: Workspace) -> None:
    """Move all to its place, what stood there into the folder that goes; images only come."""
    for path in [p for p in new.images.rglob("*") if p.is_file()]:
        target = workspace.images / path.relative_to(new.images)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    for what in ("graphs", "store"):
        old = workspace.root / what
        if old.exists():
            old.rename(new.root / f"old-{what}")
        (new.root / what).rename(old)
