"""What a licence is called, and to which family it belongs."""

from __future__ import annotations

import re
from typing import Final

from mlmkg.vocab import MLM

PUBLIC_DOMAIN: Final = "https://creativecommons.org/publicdomain/mark/1.0/"
CC0: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
GFDL: Final = "http://www.gnu.org/copyleft/fdl.html"
FREE_ART: Final = "https://artlibre.org/licence/lal/en/"
UNKNOWN: Final = MLM["unknownLicence"]
#: What ``mlmkg export --licences`` takes.
FAMILIES: Final = ("cc0", "pd", "cc-by", "cc-by-sa", "gfdl", "fal", "other", "unknown")
_CREATIVE: Final = re.compile(
    r"(?:https?:)?//(?:www\.)?creativecommons\.org/"
    r"(licenses|publicdomain)/([a-z0-9+-]+)(?:/(\d(?:\.\d)+))?(?:/([a-z]{2,3}|scotland)(?![a-z.]))?",
    re.IGNORECASE,
)  # fmt: skip
_SHORT: Final = re.compile(
    r"cc[ -](by(?:[ -](?:nc|nd|sa))*)[ -](\d(?:\.\d)+)(?:[ -](?!or\b|and\b)([a-z]{2,3}|scotland)\b)?",
    re.IGNORECASE,
)


def licence_iri(short_name: str = "", url: str = "", code: str = "") -> str:
    """Return the IRI of a licence from what Commons says of it.

    :param short_name: such as ``CC BY-SA 4.0`` or ``Public domain``.
    :param url: the licence's page, any spelling, or "".
    :param code: Commons' own short form, such as ``cc-by-sa-4.0`` or ``pd``.

    >>> licence_iri("CC BY-SA 4.0", "http://creativecommons.org/licenses/by-sa/4.0/deed.en")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    >>> licence_iri("CC BY 2.0 de")
    'https://creativecommons.org/licenses/by/2.0/de/'
    >>> licence_iri("Public domain", code="pd")
    'https://creativecommons.org/publicdomain/mark/1.0/'
    >>> licence_iri("CC BY-SA 3.0", code="cc-by-sa-3.0-migrated")
    'https://creativecommons.org/licenses/by-sa/3.0/'
    >>> licence_iri("Public domain", "http://www.usa.gov/copyright.shtml", "pd")
    'https://creativecommons.org/publicdomain/mark/1.0/'
    >>> licence_iri("OGL 3", "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/")
    'http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/'
    >>> licence_iri("GFDL 1.2+"), licence_iri("CC BY 2.5 or later")
    ('http://www.gnu.org/copyleft/fdl.html', 'https://creativecommons.org/licenses/by/2.5/')
    >>> licence_iri("Attribution")
    'https://w3id.org/mlmkg/ontology#unknownLicence'
    """
    named = _SHORT.search(short_name) or _SHORT.search(code)
    if match := _CREATIVE.match(url):
        kind, name, version, port = (part and part.lower() for part in match.groups())
        if "publicdomain" in {kind, name}:
            return CC0 if name == "zero" else PUBLIC_DOMAIN
        if version or not named:
            return _creative(name, version, port)
    said = f"{short_name}|{code}".lower()
    # Pages that say why something is in the public domain are many, and none is a licence.
    if short_name.strip().lower() == "public domain" or code.strip().lower() in {"pd", "pdm"}:
        return PUBLIC_DOMAIN
    address = url.startswith(("http://", "https://")) and not re.search(r'[\s<>"{}|\\^`]', url)
    if address and not _CREATIVE.match(url):
        return url
    if re.search(r"\bcc[ -]?(0|zero)\b", said):
        return CC0
    if named:
        name, version, port = (part and part.lower().replace(" ", "-") for part in named.groups())
        return _creative(name, version, port)
    if "public domain" in said or re.search(r"\bpd\b|no restrictions", said):
        return PUBLIC_DOMAIN
    if re.search(r"\bgfdl\b", said):
        return GFDL
    if re.search(r"\bfal\b|\bfree art\b", said):
        return FREE_ART
    return UNKNOWN


def _creative(name: str, version: str | None, port: str | None) -> str:
    """Return the IRI of a Creative Commons licence; a version that nobody said is not made up.

    >>> _creative("by-sa", "3.0", "de"), _creative("by", None, None)
    ('https://creativecommons.org/licenses/by-sa/3.0/de/', 'https://creativecommons.org/licenses/by/')
    """
    return "https://creativecommons.org/licenses/" + "".join(
        f"{p}/" for p in (name, version, port) if p
    )


def family(iri: str) -> str:
    """Return the family of a licence, one of :data:`FAMILIES`.

    >>> [family(i) for i in (CC0, PUBLIC_DOMAIN, UNKNOWN)]
    ['cc0', 'pd', 'unknown']
    >>> family("https://creativecommons.org/licenses/by-sa/2.0/de/")
    'cc-by-sa'
    >>> family("https://creativecommons.org/licenses/by-nc/4.0/")
    'other'
    >>> family("http://www.gnu.org/copyleft/fdl.html"), family("http://artlibre.org/licence/lal/en")
    ('gfdl', 'fal')
    """
    if iri == UNKNOWN:
        return "unknown"
    if match := _CREATIVE.match(iri):
        kind, name = match[1].lower(), match[2].lower()
        if "publicdomain" in {kind, name}:
            return "cc0" if name == "zero" else "pd"
        return {"by": "cc-by", "by-sa": "cc-by-sa"}.get(name, "other")
    if ("gnu.org" in iri and "fdl" in iri.lower()) or "GFDL" in iri:
        return "gfdl"
    if "artlibre.org" in iri or "free_art" in iri.lower():
        return "fal"
    return "other"
