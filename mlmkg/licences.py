"""What a licence is called, and to which family it belongs."""

from __future__ import annotations

import re
from typing import Final

from mlmkg.vocab import MLM

PUBLIC_DOMAIN: Final = "https://creativecommons.org/publicdomain/mark/1.0/"
CC0: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
UNKNOWN: Final = MLM["unknownLicence"]
#: What ``mlmkg export --licences`` takes.
FAMILIES: Final = ("cc0", "pd", "cc-by", "cc-by-sa", "gfdl", "fal", "other", "unknown")
_CREATIVE: Final = re.compile(
    r"(?:https?:)?//(?:www\.)?creativecommons\.org/"
    r"(licenses|publicdomain)/([a-z0-9+-]+)(?:/(\d(?:\.\d)+))?(?:/([a-z]{2,3})(?![a-z.]))?",
    re.IGNORECASE,
)  # fmt: skip
_SHORT: Final = re.compile(
    r"cc[ -](by(?:[ -](?:nc|nd|sa))*)[ -](\d(?:\.\d)+)(?:[ -]([a-z]{2,3}))?", re.IGNORECASE
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
    >>> licence_iri("GFDL", "http://www.gnu.org/copyleft/fdl.html")
    'http://www.gnu.org/copyleft/fdl.html'
    >>> licence_iri("Attribution")
    'https://w3id.org/mlmkg/ontology#unknownLicence'
    """
    if match := _CREATIVE.match(url):
        kind, name, version, port = (part and part.lower() for part in match.groups())
        version = version or ("1.0" if kind == "publicdomain" else "4.0")
        port = None if port in {"deed", None} else port
        return f"https://creativecommons.org/{kind}/{name}/{version}/" + (f"{port}/" if port else "")
    said = f"{short_name}|{code}".lower()
    if url.startswith(("http://", "https://")) and not re.search(r'[\s<>"{}|\\^`]', url):
        return url
    if re.search(r"\bcc[ -]?(0|zero)\b", said):
        return CC0
    if match := _SHORT.search(short_name) or _SHORT.search(code):
        name, version, port = (part and part.lower().replace(" ", "-") for part in match.groups())
        return f"https://creativecommons.org/licenses/{name}/{version}/" + (f"{port}/" if port else "")
    if "public domain" in said or re.search(r"\bpd\b|no restrictions", said):
        return PUBLIC_DOMAIN
    return UNKNOWN


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
        if kind == "publicdomain":
            return "cc0" if name == "zero" else "pd"
        return {"by": "cc-by", "by-sa": "cc-by-sa"}.get(name, "other")
    if ("gnu.org" in iri and "fdl" in iri.lower()) or "GFDL" in iri:
        return "gfdl"
    if "artlibre.org" in iri or "free_art" in iri.lower():
        return "fal"
    return "other"
