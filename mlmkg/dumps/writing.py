"""Writes the whole graph into a folder: what another machine needs to have the same store.

A store enters; a folder leaves, whole or not at all, with the graph in one or more forms, ``void.ttl``,
``manifest.json`` and ``SHA256SUMS``. The store is read once, in the order of its index. Lines are in
the canonical form of RDF 1.2 N-Quads, which is the one that Oxigraph writes; sorted bytewise they do
not depend on anything but the triples: the same graph gives the same bytes anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyoxigraph as ox

from mlmkg import freshness
from mlmkg.beside import Beside
from mlmkg.dumps.blanks import apart, canonical
from mlmkg.dumps.forms import FORMS, WHOLE, Form, NQuads
from mlmkg.errors import ExportError, WorkspaceError
from mlmkg.export.checksums import digest, files, write_sums
from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.inventory import take
from mlmkg.metadata.settings import read_description
from mlmkg.metadata.statistics import Counting, StoreStatistics
from mlmkg.metadata.void import void
from mlmkg.progress import Progress, quiet
from mlmkg.sorting import LineBlocks, SortingWriter
from mlmkg.store import disk_full_said
from mlmkg.workspace import Workspace, folder_written_whole

MANIFEST: Final = "manifest.json"
VOID: Final = "void.ttl"
KIND: Final = "mlmkg dump"
#: Bytes that are handed over at a time: a tenth less work of counting than with half of it.
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Dumped:
    """What a dump holds.

    :param folder: where it is.
    :param quads: how many statements.
    :param graphs: graph IRI -> how many.
    :param files: path -> bytes, without the checksums.
    """

    folder: Path
    quads: int
    graphs: dict[str, int]
    files: dict[str, int]


def dump(
    store: ox.Store, workspace: Workspace, folder: Path, *, forms: Sequence[str] = ("nquads",),
    ordered: bool = True, images: bool = False, force: bool = False,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = quiet,
) -> Dumped:  # fmt: skip
    """Write a store's graphs into a folder.

    :param store: the workspace's store.
    :param forms: any of ``nquads``, ``trig``, ``jelly``.
    :param ordered: sort the lines; else they stand in the order of the store's index.
    :param images: bring the image files, too, as hard links where the disk allows.
    :param force: replace a dump that is there.
    :param settings: the ``[dataset]`` table of ``mlmkg.toml``, for ``void.ttl``.
    :raises ExportError: if the folder has content, or there is no such form.
    :raises WorkspaceError: if the store is empty, or the disk is full.
    """
    _check(folder, forms, force)
    description = read_description(settings or {})
    with disk_full_said(folder), folder_written_whole(folder, replace=folder.exists()) as new:
        spill = new.parent
        written: dict[str, Form] = {name: FORMS[name](new, spill) for name in dict.fromkeys(forms)}
        with Counting(spill) as counting:
            _pour(store, written.values(), counting, spill, ordered, progress)
            statistics = counting.result()
        for form in progress(written.values(), "completing", unit="form"):
            form.finish()
        found = Dataset(take(store, workspace, statistics=statistics, files=False), description)
        (new / VOID).write_bytes(void(found, dumps=_addresses(found, workspace, folder, forms)))
        sums: dict[str, str] = {}
        if images:
            from mlmkg.dumps.pictures import bring_images  # takes a second to import

            sums = bring_images(store, workspace.images, new / "images", progress)
        _write_manifest(new, written, statistics, ordered, workspace, sums)
        graphs = {iri: found.triples for iri, found in statistics.graphs.items()}
        sizes = {name: (new / name).stat().st_size for name in files(new)}
    return Dumped(folder, statistics.union.triples, graphs, sizes)


def _pour(
    store: ox.Store, forms: Iterable[Form], counting: Counting, spill: Path, ordered: bool,
    progress: Progress,
) -> None:  # fmt: skip
    """Read the store once: into the counts, and into the forms, sorted where that is asked for.

    What is read is counted, sorted and packed beside the reading, which takes the most time.
    """
    if next(iter(store.quads_for_pattern(None, None, None, ox.DefaultGraph())), None) is not None:
        raise WorkspaceError(
            "the store has triples outside of its named graphs", action="Put them into a named graph"
        )
    lines = SortingWriter(spill)
    blank: list[bytes] = []

    def give(block: bytes) -> None:
        for form in forms:
            form.add(block)

    take_lines: Callable[[bytes], object] = lines.write if ordered else give

    def pass_on(graph: ox.NamedNode | ox.BlankNode, block: bytes) -> None:
        counting.add(graph.value if isinstance(graph, ox.NamedNode) else str(graph), block)
        # " .\n" stands nowhere else, for line ends in texts are escaped. (`replace` takes 1.7 times
        # as long.)
        block = f" {graph} .\n".encode().join(block.split(b" .\n"))
        if ordered:
            block, named = apart(block)
            blank.extend(named)
        take_lines(block)

    graphs = sorted(store.named_graphs(), key=str)
    with Beside() as beside:
        for graph in progress(graphs, "reading the store", unit="graph"):
            with LineBlocks(partial(beside.call, partial(pass_on, graph)), _BLOCK) as blocks:
                store.dump(blocks.as_file(), ox.RdfFormat.N_TRIPLES, from_graph=graph)
    if ordered:
        if blank:
            lines.write(canonical(blank))
        for block in progress(lines.blocks(), "sorting", unit="block"):
            give(b"".join(block))


def _addresses(
    dataset: Dataset, workspace: Workspace, folder: Path, forms: Sequence[str]
) -> dict[str, str]:
    """Return where the files with all graphs are published -> what they are, if that is known.

    The address that people give is that of the workspace's files.
    """
    root, place = workspace.root.resolve(), folder.resolve()
    base = dataset.description.address
    if not base or not place.is_relative_to(root):
        return {}
    base += quote(f"{place.relative_to(root).as_posix()}/")
    return {f"{base}{name}": at_w3c for form, (name, at_w3c) in WHOLE.items() if form in forms}


def _write_manifest(
    folder: Path, forms: Mapping[str, Form], statistics: StoreStatistics, ordered: bool,
    workspace: Workspace, images: Mapping[str, str],
) -> None:  # fmt: skip
    """Write the manifest, in which nothing is a time or a place of the dump, and the checksums."""
    known = {f"images/{path}": checksum for path, checksum in images.items()}
    sums = {name: digest(folder / name) for name in files(folder) if name not in known}
    manifest: dict[str, Any] = {
        "kind": KIND,
        "quads": statistics.union.triples,
        "sorted": ordered,
        "forms": list(forms),
        "images": len(images),
        "graphs": {iri: found.triples for iri, found in statistics.graphs.items()},
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": value}
            for name, value in sums.items()
        },
    }
    if isinstance(form := forms.get("nquads"), NQuads):
        manifest["sha256_of_nquads"] = form.sha256
    if (workspace.root / freshness.FILE).is_file():
        # Of which moment the answers are: a build of a loaded workspace asks for no other.
        manifest["as_of"] = asdict(freshness.moment(workspace))
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, "utf-8")
    write_sums(folder, known | sums)


def _check(folder: Path, forms: Sequence[str], force: bool) -> None:
    """Refuse what would be lost, and what there is not."""
    if not forms:
        raise ExportError("no form is named", where="--format", action=f"There are {', '.join(FORMS)}")
    if unknown := sorted(set(forms) - set(FORMS)):
        raise ExportError(
            f"there is no {unknown[0]!r}", where="--format", action=f"There are {', '.join(FORMS)}"
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise ExportError(
            "exists already", where=folder, action="Add --force to replace it, or name another -o"
        )
    if not is_dump(folder):
        raise ExportError(
            f"is no dump: it has content but no {MANIFEST} of one, and would be lost", where=folder,
            action="Name another -o",
        )  # fmt: skip


def is_dump(folder: Path) -> bool:
    """Return whether a folder's manifest says that it is a dump."""
    try:
        found = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == KIND
