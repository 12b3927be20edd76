"""Links: which other datasets the graph's objects belong to.

One table says by which IRIs a dataset is known; :class:`~mlmkg.metadata.statistics.Counting` counts the
triples whose object is one of them, and VoID tells them as link sets
(https://www.w3.org/TR/void/#linkset). The subjects are always the graph's own: it describes them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Target:
    """A dataset that the graph links to.

    :param iri: its name; provenance names it so, too, where it is an origin.
    :param title: what people call it.
    :param pattern: what its IRIs begin with, a regular expression as ``void:uriRegexPattern`` takes it.
    """

    iri: str
    title: str
    pattern: str


#: Vocabularies are none of them: ``void:vocabulary`` names those.
TARGETS: Final = (
    Target("https://www.wikidata.org/", "Wikidata", r"^http://www\.wikidata\.org/entity/"),
    Target("https://www.wikipedia.org/", "Wikipedia", r"^https://[a-z0-9-]+\.wikipedia\.org/"),
    Target("https://commons.wikimedia.org/", "Wikimedia Commons",
           r"^https?://commons\.wikimedia\.org/wiki/"),
    Target("https://www.geonames.org/", "GeoNames", r"^https?://sws\.geonames\.org/"),
)  # fmt: skip

_MATCH: Final = re.compile(f"<(?:{'|'.join(f'({t.pattern[1:]})' for t in TARGETS)})".encode()).match


def links(triples: Iterable[tuple[bytes, bytes, int]]) -> Counter[tuple[bytes, int]]:
    """Count the links among triples.

    :param triples: property and object, as in N-Triples, and how many triples have both; what follows
        the object does not matter.
    :returns: property and place in :data:`TARGETS` -> triples.

    >>> links([(b"<p>", b'"x" .', 1), (b"<p>", b"<http://www.wikidata.org/entity/Q64> .", 2)])
    Counter({(b'<p>', 0): 2})
    """
    found = Counter[tuple[bytes, int]]()
    for name, term, number in triples:
        if (match := _MATCH(term)) and match.lastindex:
            found[name, match.lastindex - 1] += number
    return found
