"""Writes N-Triples lines in the canonical form that Oxigraph writes.

For the places where Python makes triples by the million (sources, cells, predictions): strings in,
``bytes`` lines out, no object per triple. Everything else goes through Oxigraph.
"""

from __future__ import annotations

import re
from typing import Final

from mlmkg.vocab import GEO, XSD

_SPECIAL: Final = re.compile(r'[\x00-\x1f"\\\x7f]')
_ESCAPES: Final = {
    "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\",
}  # fmt: skip
_NOT_IN_IRI: Final = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"


def iri(value: str) -> str:
    """Return an IRI as a term.

    :raises ValueError: for a character that no IRI may hold (RDF 1.1 Concepts, section 3.2).

    >>> iri("http://www.wikidata.org/entity/Q64")
    '<http://www.wikidata.org/entity/Q64>'
    """
    if _NOT_IN_IRI.search(value):
        raise ValueError(f"not an IRI: {value!r}")
    return f"<{value}>"


def text(value: str, language: str | None = None) -> str:
    r"""Return a plain or language-tagged string as a term.

    >>> text('the "Athens of the North"', "en")
    '"the \\"Athens of the North\\""@en'
    """
    if _SPECIAL.search(value):
        value = _SPECIAL.sub(_escape, value)
    return f'"{value}"' if language is None else f'"{value}"@{language.lower()}'


def typed(value: str, datatype: str) -> str:
    """Return a typed literal as a term; ``value`` is already in its canonical lexical form."""
    return f"{text(value)}^^<{datatype}>"


def integer(value: int) -> str:
    """Return an xsd:integer as a term.

    >>> integer(42)
    '"42"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    return f'"{int(value)}"^^<{XSD.integer}>'


def double(value: float) -> str:
    """Return an xsd:double as a term, shortest form that reads back as the same number."""
    mantissa = repr(float(value))
    return f'"{mantissa.upper()}"^^<{XSD.double}>'


def boolean(value: bool) -> str:
    """Return an xsd:boolean as a term."""
    return f'"{"true" if value else "false"}"^^<{XSD.boolean}>'


def point(latitude: float, longitude: float) -> str:
    """Return a coordinate as Wikibase writes it: a ``geo:wktLiteral``, longitude first.

    :param latitude: degrees, -90 to 90.
    :param longitude: degrees, -180 to 180.

    >>> point(52.52437, 13.41053)
    '"Point(13.41053 52.52437)"^^<http://www.opengis.net/ont/geosparql#wktLiteral>'
    """
    return f'"Point({longitude!r} {latitude!r})"^^<{GEO.wktLiteral}>'


def line(subject: str, predicate: str, obj: str) -> bytes:
    """Return a line of N-Triples from three terms.

    :param subject: a term, as :func:`iri` returns it.
    :param predicate: a term, as :func:`iri` returns it.
    :param obj: a term.

    >>> line("<urn:a>", "<urn:p>", '"x"')
    b'<urn:a> <urn:p> "x" .\\n'
    """
    return f"{subject} {predicate} {obj} .\n".encode()
