"""What only the people behind a dataset can say of it.

:mod:`mlmkg.metadata.settings` reads it from the ``[dataset]`` table of ``mlmkg.toml``. Nothing is made
up for what is missing: no publisher, no licence, no address; :meth:`Description.hints` says what would
make the metadata better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_DOI: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
ORCID: Final = "https://orcid.org/"


@dataclass(frozen=True)
class Agent:
    """A person or an organisation.

    :param name: what people call it.
    :param url: its page.
    :param email: where it can be written to.
    :param orcid: a person's identifier, ``https://orcid.org/…``.
    :param ror: an organisation's identifier, ``https://ror.org/…``.
    :param affiliation: the organisation that a person belongs to.
    """

    name: str
    url: str | None = None
    email: str | None = None
    orcid: str | None = None
    ror: str | None = None
    affiliation: Agent | None = None

    @property
    def iri(self) -> str | None:
        """What names it everywhere: its ORCID, its ROR, else its page."""
        return self.orcid or self.ror or self.url

    @property
    def person(self) -> bool | None:
        """Whether it is a person, as far as its identifiers tell; None where they do not."""
        if self.orcid or self.affiliation:
            return True
        return False if self.ror else None


@dataclass(frozen=True)
class Grant:
    """Money that made the dataset possible.

    :param funder: who gave it.
    :param award: its number.
    :param title: its name.
    :param url: its page.
    """

    funder: Agent
    award: str | None = None
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Release:
    """An earlier release of the same dataset.

    :param iri: how its own metadata name it.
    :param version: its version.
    """

    iri: str
    version: str


@dataclass(frozen=True)
class Description:
    """The settings of a dataset's metadata, each of which may be left out.

    :param title: in English; the default names the sources.
    :param description: in English, 50 to 5,000 characters; the default counts what is in the store.
    :param keywords: in English.
    :param creators: who made the dataset.
    :param publisher: who makes it available.
    :param contact: whom to ask.
    :param funding: who paid for it.
    :param licence: the IRI of the licence of the whole.
    :param metadata_licence: the IRI of the licence of the metadata themselves.
    :param availability: how long the files will be there: ``stable``, ``available``, ``experimental``
        or ``temporary``.
    :param address: where the workspace's files are published, an address that ends in a slash:
        ``graphs/…`` and ``exports/…`` are found below it.
    :param landing_page: a page about the dataset.
    :param identifier: a DOI or another identifier that has been assigned, as an IRI.
    :param endpoint: the address of a SPARQL endpoint that answers from it.
    :param version: its version.
    :param issued: when it was first published.
    :param temporal: the first and the last day that the facts are about.
    :param free: whether it costs nothing to get it.
    :param series: the IRI of what all releases of the dataset are part of.
    :param previous: the release before this one.
    """

    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    creators: tuple[Agent, ...] = ()
    publisher: Agent | None = None
    contact: Agent | None = None
    funding: tuple[Grant, ...] = ()
    licence: str | None = None
    metadata_licence: str | None = None
    availability: str | None = None
    address: str | None = None
    landing_page: str | None = None
    identifier: str | None = None
    endpoint: str | None = None
    version: str | None = None
    issued: date | None = None
    temporal: tuple[date, date] | None = None
    free: bool | None = None
    series: str | None = None
    previous: Release | None = None

    @property
    def doi(self) -> str | None:
        """The identifier's DOI, if it is one.

        >>> Description(identifier="https://doi.org/10.5281/zenodo.1").doi
        '10.5281/zenodo.1'
        """
        match = _DOI.fullmatch(self.identifier or "")
        return match[1] if match else None

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
        hints = [
            f"[dataset] has no {name}: {effect}"
            for name, effect in missing.items()
            if not getattr(self, name)
        ]
        if self.previous and not self.series:
            hints.append("[dataset] has no series: DCAT says nothing of the previous release")
        return hints
