"""What only the people behind a dataset can say of it: the ``[dataset]`` table of ``mlmkg.toml``.

A mapping enters, a checked :class:`Description` leaves. Nothing is made up for what is missing: no
publisher, no licence, no address; :meth:`Description.hints` says what would make the metadata better.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from mlmkg.errors import RecipeError

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_PERSON_KEYS: Final = {"name", "url", "email"}


@dataclass(frozen=True)
class Agent:
    """A person or an organisation.

    :param name: what people call it.
    :param url: its page, or an identifier such as an ORCID.
    :param email: where it can be written to.
    """

    name: str
    url: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Description:
    """The settings of a dataset's metadata, each of which may be left out.

    :param title: in English; the default names the sources.
    :param description: in English, 50 to 5,000 characters; the default counts what is in the store.
    :param keywords: in English.
    :param creators: who made the dataset.
    :param publisher: who makes it available.
    :param contact: whom to ask.
    :param licence: the IRI of the licence of the whole.
    :param address: where the workspace's files are published, an address that ends in a slash:
        ``graphs/…`` and ``exports/…`` are found below it.
    :param landing_page: a page about the dataset.
    :param identifier: a DOI or another identifier that has been assigned, as an IRI.
    :param endpoint: the address of a SPARQL endpoint that answers from it.
    :param version: its version.
    :param issued: when it was first published.
    :param temporal: the first and the last day that the facts are about.
    """

    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    creators: tuple[Agent, ...] = ()
    publisher: Agent | None = None
    contact: Agent | None = None
    licence: str | None = None
    address: str | None = None
    landing_page: str | None = None
    identifier: str | None = None
    endpoint: str | None = None
    version: str | None = None
    issued: date | None = None
    temporal: tuple[date, date] | None = None

    def hints(self) -> list[str]:
        """Return what is missing, and what its absence means for the metadata."""
        missing = {
            "publisher": "the catalogue names the software that wrote it instead",
            "creators": "nobody can be cited",
            "contact": "nobody can be asked",
            "licence": "only the licences of the origins are listed",
            "address": "files have the address they have on this machine",
            "landing_page": "there is no page about the dataset to go to",
        }
        return [
            f"[dataset] has no {name}: {effect}"
            for name, effect in missing.items()
            if not getattr(self, name)
        ]


def read_description(settings: Mapping[str, Any]) -> Description:
    """Return the description that a ``[dataset]`` table holds.

    :raises RecipeError: for an unknown key, or a value that is not what the key stands for.

    >>> read_description({"publisher": {"name": "City archive"}}).publisher
    Agent(name='City archive', url=None, email=None)
    """
    known = [field.name for field in fields(Description)]
    readers = {
        "keywords": _strings, "creators": _agents, "publisher": _agent, "contact": _agent,
        "licence": _iri, "address": _address, "landing_page": _iri, "identifier": _iri,
        "endpoint": _iri, "issued": _date, "temporal": _period,
    }  # fmt: skip
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            raise _wrong(key, "unknown key", f"The keys are {', '.join(known)}")
        values[key] = readers.get(key, _string)(key, value)
    return Description(**values)


def _wrong(key: str, what: str, action: str) -> RecipeError:
    return RecipeError(what, where=f"[dataset] {key}", action=action)


def _string(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, f"not a text: {value!r}", f'Write {key} = "…"')
    return value.strip()


def _strings(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(key, f"not a list: {value!r}", f'Write {key} = ["…", "…"]')
    return tuple(_string(key, item) for item in value)


def _iri(key: str, value: Any) -> str:
    text = _string(key, value)
    if not _IRI.fullmatch(text):
        raise _wrong(key, f"not an IRI: {text!r}", f'Write {key} = "https://…"')
    return text


def _address(key: str, value: Any) -> str:
    return _iri(key, value).rstrip("/") + "/"


def _agent(key: str, value: Any) -> Agent:
    example = f'Write {key} = {{name = "…", url = "https://…"}}'
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or not value.get("name") or set(value) - _PERSON_KEYS:
        raise _wrong(key, f"not a name, url and email: {value!r}", example)
    url, email = value.get("url"), value.get("email")
    return Agent(
        name=_string(key, value["name"]),
        url=None if url is None else _iri(key, url),
        email=None if email is None else _string(key, email),
    )


def _agents(key: str, value: Any) -> tuple[Agent, ...]:
    if not isinstance(value, list):
        raise _wrong(key, f"not a list: {value!r}", f'Write {key} = [{{name = "…"}}]')
    return tuple(_agent(key, item) for item in value)


def _date(key: str, value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(key, f"not a date: {value!r}", f"Write {key} = 2026-12-31") from None


def _period(key: str, value: Any) -> tuple[date, date]:
    if not isinstance(value, list) or len(value) != 2:
        example = f"Write {key} = [2019-01-01, 2019-12-31]"
        raise _wrong(key, f"not a first and a last day: {value!r}", example)
    first, last = _date(key, value[0]), _date(key, value[1])
    if first > last:
        raise _wrong(key, "the first day lies after the last", "Exchange them")
    return first, last
