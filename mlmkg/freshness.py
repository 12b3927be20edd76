"""Of which moment the answers of distant servers are, and whether they are being renewed.

A build asks for what it lacks; what it has it keeps, for its answers are of the moment that stands in
``as-of.json``. ``mlmkg update`` begins a new moment, under which everything is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from mlmkg.errors import WorkspaceError
from mlmkg.provenance import now
from mlmkg.workspace import Workspace, written_whole

FILE: Final = "as-of.json"


@dataclass(frozen=True)
class Moment:
    """What the answers are of.

    :param as_of: UTC, ``2026-11-24T12:00:00Z``.
    :param before: graph name -> key of what an update began from; empty when none is under way.
    :param source: the source that was built from last, or "".
    """

    as_of: str
    before: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


def _stamp() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(workspace: Workspace) -> Moment:
    """Return the workspace's moment; its first is now.

    :raises WorkspaceError: if the file cannot be read.
    """
    path = workspace.root / FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Moment(
            str(content["as_of"]), dict(content.get("before", {})), str(content.get("source", ""))
        )
    except FileNotFoundError:
        return Moment(_stamp())
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(
            f"not what mlmkg wrote ({error})", where=path,
            action="Remove it: the next build asks the servers anew",
        ) from None  # fmt: skip


def remember(workspace: Workspace, of: Moment) -> None:
    """Write the workspace's moment."""
    with written_whole(workspace.root / FILE, "w") as stream:
        json.dump(asdict(of), stream, indent=2, sort_keys=True)


def begin(workspace: Workspace, before: Mapping[str, str]) -> Moment:
    """Begin an update, or go on with one that was killed.

    :param before: graph name -> key of what the store holds.
    """
    present = moment(workspace)
    if present.before:
        return present
    new = Moment(_stamp(), dict(before), present.source)
    if new.as_of == present.as_of:
        new = replace(new, as_of=present.as_of + "+")  # within one second
    remember(workspace, new)
    return new


def finish(workspace: Workspace) -> None:
    """Note that an update is done."""
    remember(workspace, replace(moment(workspace), before={}))
