"""A model of the Hugging Face hub, or the same in a folder: where its files are and what they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

from mlmkg.errors import ModelError

#: Seconds until a hub that does not answer counts as not there.
PATIENCE: Final = 5
#: What is fetched and read; the weights in one form only.
_ABOUT: Final = ("*.json", "*.txt", "*.model", "*.jinja", "README.md")
_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")
#: The licences that cards name in short.
_LICENCES: Final = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "mit": "https://opensource.org/license/mit",
    "bsd-3-clause": "https://opensource.org/license/bsd-3-clause",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-sa-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "cc-by-nc-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
}


@dataclass(frozen=True)
class Model:
    """Files of a model.

    :param name: ``hf:ID``, or ``hf:`` and the last part of the folder.
    :param folder: where they are on this machine.
    :param revision: the commit on the hub, or a sha256 over the files.
    :param licence: what the card says, "" if nothing.
    :param card: the text of the README.
    """

    name: str
    folder: Path
    revision: str
    licence: str
    card: str


def find(which: str) -> Model:
    """Return a model's files, fetched where they are neither in a folder nor in the hub's cache.

    :param which: the id on the hub, also ``ID@REVISION``; or a folder.
    :raises ModelError: if there is no such folder, or the hub does not know it or does not answer.
    """
    folder = Path(which).expanduser()
    if folder.is_dir():
        name = folder.resolve().name
        revision = _digest(folder)
    elif re.fullmatch(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?", which) and which[0] not in "./~":
        name, _, wanted = which.partition("@")
        folder = _fetched(name, wanted or None)
        revision = folder.name[:12]
    else:
        raise ModelError(
            "no folder with a model", where=which,
            action="Give a folder that holds config.json and weights, or an id: hf:OWNER/MODEL",
        )  # fmt: skip
    card = _text(folder / "README.md")
    name = re.sub(r"\s+", "-", name)
    return Model(f"hf:{name}", folder, revision, _licence(card), card)


def _fetched(name: str, revision: str | None) -> Path:
    """Return the folder of a snapshot: its name is the commit."""
    import huggingface_hub as hub

    def fetch(patterns: tuple[str, ...]) -> Path:
        return Path(
            hub.snapshot_download(
                name, revision=state, allow_patterns=list(patterns), etag_timeout=PATIENCE,
                local_files_only=unreachable is not None,
            )
        )  # fmt: skip

    state, unreachable = revision, None
    try:
        # Asked for by itself, for only this request knows a time limit.
        state = hub.HfApi().model_info(name, revision=revision, timeout=PATIENCE).sha
    except Exception as error:  # the hub's, httpx's and the system's have no common class
        unreachable = error
    try:
        folder = fetch((*_ABOUT, _WEIGHTS[0]))
        if not any(folder.rglob(_WEIGHTS[0])):
            folder = fetch((*_ABOUT, _WEIGHTS[1]))
    except Exception as error:
        why = unreachable or error
        raise ModelError(
            f"the model {name!r} is not on this machine, and the hub does not know it or cannot be "
            f"reached ({type(why).__name__})", where="--encoders",
            action="Check the id; or fetch it elsewhere with `hf download "
            f"{name} --local-dir FOLDER` and give that folder: hf:FOLDER",
        ) from why  # fmt: skip
    return folder


def _digest(folder: Path) -> str:
    """Return ``sha256-`` and the first digits of a sha256 over the files that a model is made of."""
    weights = next((found for p in _WEIGHTS if (found := sorted(folder.rglob(p)))), [])
    if not weights:
        raise ModelError(
            "no weights: neither *.safetensors nor pytorch_model.bin", where=folder,
            action="Give the folder of a model as the hub has it: hf:FOLDER",
        )  # fmt: skip
    about = {path for pattern in _ABOUT[:-1] for path in folder.rglob(pattern)}
    whole = sha256()
    for path in (*weights, *sorted(about)):
        with path.open("rb") as stream:
            whole.update(path.relative_to(folder).as_posix().encode())
            whole.update(file_digest(stream, "sha256").digest())
    return f"sha256-{whole.hexdigest()[:16]}"


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _licence(card: str) -> str:
    """Return the licence in a card's header as an IRI, or as the card calls it."""
    import yaml

    parts = card.split("---\n", 2)
    try:
        head: Any = yaml.safe_load(parts[1]) if card.startswith("---\n") and len(parts) == 3 else {}
    except yaml.YAMLError:
        head = {}
    said = head.get("license_link") or head.get("license") if isinstance(head, dict) else None
    if isinstance(said, list):
        said = " and ".join(map(str, said))
    return _LICENCES.get(str(said), str(said)) if said else "none stated in the card"
