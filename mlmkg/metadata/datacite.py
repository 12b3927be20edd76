"""DataCite: what a DOI is registered with, as JSON (schema 4.5) and as XML (schema 4.7).

A dataset enters, a record leaves. The package ``datacite`` turns it into XML; what schema 4.6 and 4.7
added (https://datacite-metadata-schema.readthedocs.io/) nothing here has a use for.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mlmkg.metadata.dataset import Dataset
from mlmkg.metadata.description import ORCID, Agent, Grant
from mlmkg.metadata.parts import Box
from mlmkg.metadata.schemaorg import said
from mlmkg.metadata.terms import file_form

_KERNEL: Final = "http://datacite.org/schema/kernel-4"
_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def datacite_json(dataset: Dataset) -> bytes:
    """Return the record as JSON; the dataset has creators, a publisher and a year."""
    return (json.dumps(record(dataset), indent=2, ensure_ascii=False) + "\n").encode()


def datacite_xml(dataset: Dataset) -> bytes:
    """Return the record as XML; the dataset has a DOI, too."""
    from datacite import schema45
    from lxml import etree

    tree = schema45.dump_etree(record(dataset))
    tree.set(_LOCATION, f"{_KERNEL} https://schema.datacite.org/meta/kernel-4.7/metadata.xsd")
    written: bytes = etree.tostring(tree, pretty_print=True, xml_declaration=True, encoding="utf-8")
    return written


def record(dataset: Dataset) -> dict[str, Any]:
    """Return the record."""
    found, given = dataset.inventory, dataset.description
    files = [graph.file for graph in found.graphs if graph.file]
    files += [file for export in found.exports for file in export.files]
    forms = {form.media for file in files if (form := file_form(file.path))}
    dates = [
        given.issued and {"date": given.issued.isoformat(), "dateType": "Issued"},
        found.modified and {"date": found.modified, "dateType": "Updated"},
        given.temporal and {
            "date": "/".join(day.isoformat() for day in given.temporal), "dateType": "Other",
            "dateInformation": "the days that the facts are about",
        },
    ]  # fmt: skip
    related = [
        {"relatedIdentifier": origin.iri, "relatedIdentifierType": "URL",
         "relationType": "IsDerivedFrom", "resourceTypeGeneral": "Dataset"}
        for origin in found.origins
    ]  # fmt: skip
    if given.previous:
        related.append({
            "relatedIdentifier": given.previous.iri, "relatedIdentifierType": "URL",
            "relationType": "IsNewVersionOf", "resourceTypeGeneral": "Dataset",
        })  # fmt: skip
    return said({
        "schemaVersion": _KERNEL,
        "doi": given.doi,
        "url": given.landing_page or given.address,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Knowledge graph"},
        "creators": [_agent(creator) for creator in given.creators],
        "titles": [{"title": dataset.title, "lang": "en"}],
        "publisher": _publisher(given.publisher),
        "publicationYear": given.issued and str(given.issued.year),
        "subjects": [{"subject": word, "lang": "en"} for word in dataset.keywords],
        "contributors": [{**_agent(given.contact), "contributorType": "ContactPerson"}]
        if given.contact else [],
        "dates": [date for date in dates if date],
        "language": "en",
        "alternateIdentifiers": [
            {"alternateIdentifier": dataset.iri, "alternateIdentifierType": "IRI in its own metadata"}
        ],
        "relatedIdentifiers": related,
        "sizes": [
            f"{found.statistics.union.triples} triples", f"{found.entities} entities",
            f"{sum(file.bytes for file in files)} bytes",
        ],
        "formats": sorted(forms),
        "version": dataset.version,
        "rightsList": [{"rights": _rights(dataset, iri), "rightsUri": iri, "lang": "en"}
                       for iri in dataset.licences],
        "descriptions": [
            {"description": dataset.text, "descriptionType": "Abstract", "lang": "en"}
        ],
        "geoLocations": [{"geoLocationBox": _box(found.box)}] if found.box else [],
        "fundingReferences": [_grant(grant) for grant in given.funding],
    })  # fmt: skip


def _rights(dataset: Dataset, licence: str) -> str:
    credits = [o.attribution for o in dataset.inventory.origins if o.licence == licence]
    return "; ".join(dict.fromkeys(credits)) or dataset.credit or licence


def _agent(agent: Agent) -> dict[str, Any]:
    scheme = "ORCID" if agent.orcid else "ROR"
    iri = agent.orcid or agent.ror
    there = {True: "Personal", False: "Organizational", None: None}[agent.person]
    return said({
        "name": agent.name,
        "nameType": there,
        "nameIdentifiers": [{
            "nameIdentifier": iri, "nameIdentifierScheme": scheme,
            "schemeUri": ORCID if agent.orcid else "https://ror.org/",
        }] if iri else [],
        "affiliation": [said({
            "name": agent.affiliation.name, "affiliationIdentifier": agent.affiliation.ror,
            "affiliationIdentifierScheme": agent.affiliation.ror and "ROR",
            "schemeUri": agent.affiliation.ror and "https://ror.org/",
        })] if agent.affiliation else [],
    })  # fmt: skip


def _publisher(publisher: Agent | None) -> dict[str, Any] | None:
    return None if publisher is None else said({
        "name": publisher.name, "publisherIdentifier": publisher.ror,
        "publisherIdentifierScheme": publisher.ror and "ROR",
        "schemeUri": publisher.ror and "https://ror.org/",
    })  # fmt: skip


def _box(box: Box) -> dict[str, float]:
    return {
        "westBoundLongitude": box.west, "eastBoundLongitude": box.east,
        "southBoundLatitude": box.south, "northBoundLatitude": box.north,
    }  # fmt: skip


def _grant(grant: Grant) -> dict[str, Any]:
    return said({
        "funderName": grant.funder.name, "funderIdentifier": grant.funder.ror,
        "funderIdentifierType": grant.funder.ror and "ROR", "awardNumber": grant.award,
        "awardUri": grant.url, "awardTitle": grant.title,
    })  # fmt: skip
