"""Counts what is left out of a dump: entities with a class and a place, but no image or no article.

They are most of what has a place, so nothing is kept of them but how many have the same classes and
lack the same things. What is left out of a dump enters, one entity after the other; one group of
triples for each kind leaves, for the report of what each constraint removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

import orjson

from mlmkg.ntriples import boolean, integer, iri, line
from mlmkg.vocab import LEFT_OUT, MLM, RDF

_TYPE: Final = iri(RDF.type)


class LeftOut(NamedTuple):
    """What entities that are left out have in common.

    :param classes: the terms of their classes, sorted.
    :param on_earth: whether one of their places is on Earth.
    :param image: whether they have an image.
    :param article: whether they have an article in one of the sites.
    """

    classes: tuple[str, ...]
    on_earth: bool
    image: bool
    article: bool


def left_out(classes: Iterable[str], places: Iterable[str], *, image: bool, article: bool) -> LeftOut:
    """Return what is counted of an entity.

    :param classes: terms.
    :param places: terms; Wikibase begins a point on another globe with its IRI.
    """
    on_earth = any(place.startswith('"P') for place in places)
    return LeftOut(tuple(sorted(set(classes))), on_earth, image, article)


def packed(counts: Mapping[LeftOut, int]) -> bytes:
    """Return counts as bytes without a line's end, for a journal or another machine."""
    return orjson.dumps([(*kind, number) for kind, number in counts.items()])


def unpacked(data: bytes) -> Counter[LeftOut]:
    """Return the counts that were packed.

    >>> counts = Counter({LeftOut(("<urn:city>",), True, False, True): 3})
    >>> unpacked(packed(counts)) == counts
    True
    """
    return Counter({
        LeftOut(tuple(classes), on_earth, image, article): number
        for classes, on_earth, image, article, number in orjson.loads(data)
    })  # fmt: skip


def lines(counts: Mapping[LeftOut, int]) -> Iterator[bytes]:
    """Yield the N-Triples lines of counts: an ``mlm:LeftOut`` for each kind, the same names always."""
    for kind, number in sorted(counts.items()):
        name = sha256(orjson.dumps(tuple(kind))).hexdigest()[:20]
        group = iri(LEFT_OUT[name])
        yield line(group, _TYPE, iri(MLM.LeftOut))
        for of in kind.classes:
            yield line(group, iri(MLM.ofClass), of)
        yield line(group, iri(MLM.leftOutCount), integer(number))
        yield line(group, iri(MLM.onEarth), boolean(kind.on_earth))
        yield line(group, iri(MLM.withImage), boolean(kind.image))
        yield line(group, iri(MLM.withArticle), boolean(kind.article))
