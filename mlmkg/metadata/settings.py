"""Reads the ``[dataset]`` table of ``mlmkg.toml``.

A mapping enters, a checked :class:`~mlmkg.metadata.description.Description` leaves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date
from typing import Any, Final

from mlmkg.errors import RecipeError
from mlmkg.metadata.description import ORCID, Agent, Description, Grant, Release
from mlmkg.metadata.terms import AVAILABILITY

_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_ORCID: Final = re.compile(r"(?:https?://orcid\.org/)?((?:\d{4}-){3}\d{3}[\dX])")
_ROR: Final = re.compile(r"(?:https://ror\.org/)?(0[a-hj-km-np-tv-z0-9]{6}\d{2})")
_AGENT: Final = '{name = "…", url = "https://…"}'


def read_description(settings: Mapping[str, Any]) -> Description:
    """Return the description that a ``[dataset]`` table holds.

    :raises RecipeError: for an unknown key, or a value that is not what the key stands for.

    >>> read_description({"publisher": {"name": "City archive"}}).publisher.name
    'City archive'
    """
    known = [field.name for field in fields(Description)]
    readers = {
        "keywords": _strings, "creators": _agents, "publisher": _agent, "contact": _agent,
        "funding": _grants, "licence": _iri, "metadata_licence": _iri,
        "availability": _availability, "address": _address, "landing_page": _iri,
        "identifier": _iri, "endpoint": _iri, "issued": _date, "temporal": _period, "free": _flag,
        "series": _iri, "previous": _release,
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


def _availability(key: str, value: Any) -> str:
    text = _string(key, value).lower()
    if text not in AVAILABILITY:
        raise _wrong(key, f"not one of them: {value!r}", f"They are {', '.join(AVAILABILITY)}")
    return text


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, f"not true or false: {value!r}", f"Write {key} = true")
    return value


def _iri(key: str, value: Any) -> str:
    text = _string(key, value)
    if not _IRI.fullmatch(text):
        raise _wrong(key, f"not an IRI: {text!r}", f'Write {key} = "https://…"')
    return text


def _address(key: str, value: Any) -> str:
    return _iri(key, value).rstrip("/") + "/"


def _table(key: str, value: Any, keys: Collection[str], what: str, example: str) -> dict[str, Any]:
    """Return a table with the first of the keys and no other than these."""
    if isinstance(value, str):
        value = {next(iter(keys)): value}
    first = next(iter(keys))
    if not isinstance(value, Mapping) or not value.get(first) or set(value) - set(keys):
        raise _wrong(key, f"not a {what}: {value!r}", f"Write {key} = {example}")
    return dict(value)


def _agent(key: str, value: Any) -> Agent:
    readers = {
        "name": _string, "url": _iri, "email": _string, "orcid": _orcid, "ror": _ror,
        "affiliation": _agent,
    }  # fmt: skip
    said = _table(key, value, readers, "name, url, email, orcid, ror and affiliation", _AGENT)
    values: dict[str, Any] = {n: readers[n](f"{key}.{n}", part) for n, part in said.items()}
    return Agent(**values)


def _agents(key: str, value: Any) -> tuple[Agent, ...]:
    if not isinstance(value, list):
        raise _wrong(key, f"not a list: {value!r}", f'Write {key} = [{{name = "…"}}]')
    return tuple(_agent(key, item) for item in value)


def _orcid(key: str, value: Any) -> str:
    match = _ORCID.fullmatch(_string(key, value))
    digits = match[1].replace("-", "") if match else ""
    total = 0
    for digit in digits[:-1]:  # ISO 7064, mod 11-2
        total = (total + int(digit)) * 2
    if not digits or "0123456789X"[(12 - total % 11) % 11] != digits[-1]:
        raise _wrong(key, f"not an ORCID: {value!r}", 'Write orcid = "0000-0002-1825-0097"')
    return f"{ORCID}{match[1]}"  # type: ignore[index]


def _ror(key: str, value: Any) -> str:
    match = _ROR.fullmatch(_string(key, value))
    if not match:
        raise _wrong(key, f"not a ROR: {value!r}", 'Write ror = "https://ror.org/…"')
    return f"https://ror.org/{match[1]}"


def _grants(key: str, value: Any) -> tuple[Grant, ...]:
    example = '[{funder = {name = "…"}, award = "…"}]'
    if not isinstance(value, list):
        raise _wrong(key, f"not a list: {value!r}", f"Write {key} = {example}")
    readers = {"funder": _agent, "award": _string, "title": _string, "url": _iri}
    grants = []
    for item in value:
        said = _table(key, item, readers, "funder, award, title and url", example)
        values: dict[str, Any] = {n: readers[n](f"{key}.{n}", part) for n, part in said.items()}
        grants.append(Grant(**values))
    return tuple(grants)


def _release(key: str, value: Any) -> Release:
    example = '{iri = "https://…/1.0/#dataset", version = "1.0"}'
    said = _table(key, value, ("iri", "version"), "iri and version", example)
    if "version" not in said:
        raise _wrong(key, f"has no version: {value!r}", f"Write {key} = {example}")
    return Release(_iri(f"{key}.iri", said["iri"]), _string(f"{key}.version", said["version"]))


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
