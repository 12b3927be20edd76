"""The source ``endpoint``: the extract queries, sent in batches to a SPARQL 1.1 endpoint.

Query texts and the values of a batch enter, N-Triples leave. A batch that takes the server too long
is halved and asked again, and batches grow back. An answer counts when it is whole and can be read;
then it is journaled, so that a killed build asks for nothing twice.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from types import ModuleType
from typing import Any, Final

import pyoxigraph as ox

from mlmkg.catalog import QueryFile
from mlmkg.errors import SourceError
from mlmkg.harvest import client as polite
from mlmkg.harvest.client import Answer, Budget, Client, Failed
from mlmkg.harvest.journal import Journal
from mlmkg.licences import CC0
from mlmkg.sources import Inputs, Origin
from mlmkg.sparql import bind, with_prefixes

logger = logging.getLogger(__name__)

#: Seconds of silence after which a query counts as timed out: the query service stops at 60.
TIMEOUT: Final = 75.0
_FORMATS: Final = {
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/x-turtle": ox.RdfFormat.TURTLE,
}
_ACCEPT: Final = "application/n-triples, text/turtle;q=0.8"


@dataclass(frozen=True)
class Preset:
    """A public endpoint by name.

    :param url: its address.
    :param budget: whether it grants 60 seconds of its time per minute.
    """

    url: str
    budget: bool


#: Wikidata's query service holds the main graph; scholarly items have another one since May 2025.
PRESETS: Final = {
    "wikidata": Preset("https://query.wikidata.org/sparql", budget=True),
    "qlever": Preset("https://qlever.dev/api/wikidata", budget=False),
}


@dataclass(frozen=True)
class Endpoint:
    """The source ``endpoint``.

    :param url: an address, or a name of :data:`PRESETS`.
    :param client: sends the requests; None if nothing may be sent.
    :param as_of: what the answers were asked for: another value asks again.
    :param at_once: queries in the air.
    """

    url: str
    client: Client | None
    as_of: str
    at_once: int = 1
    _budget: Budget | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.address in {p.url for p in PRESETS.values() if p.budget}:
            object.__setattr__(self, "_budget", Budget())

    @property
    def name(self) -> str:
        """The name it has on the command line."""
        return "endpoint"

    @property
    def address(self) -> str:
        """The endpoint's address."""
        return PRESETS[self.url].url if self.url in PRESETS else self.url

    def identity(self) -> Mapping[str, Any]:
        """Return the endpoint and the time its answers are of."""
        return {"source": self.name, "endpoint": self.address, "as_of": self.as_of}

    def modules(self) -> tuple[ModuleType, ...]:
        """Return the modules that its output is computed by."""
        return sys.modules[__name__], polite

    def origins(self, graph: str) -> list[Origin]:
        """Return the endpoint as the origin."""
        title = "Wikidata" if "wikidata" in self.address else "SPARQL endpoint"
        return [Origin(self.address, title, self.as_of, CC0, f"{title}, {self.address} (CC0)")]

    def construct(
        self, query: QueryFile, text: str, values: Sequence[ox.NamedNode] | None, limit: int | None,
        inputs: Inputs,
    ) -> Iterator[bytes]:  # fmt: skip
        """Yield the lines of a CONSTRUCT; see :class:`mlmkg.sources.RemoteSource`.

        :raises SourceError: if the endpoint refuses, stays down, or answers something else.
        """
        prefix = sha256(f"{self.address}\n{self.as_of}\n{text}".encode()).hexdigest()[:32] + "/"
        if values is None:
            asked = _Asked(query, with_prefixes(text), ["-"])
        else:
            asked = _Asked(query, with_prefixes(text), [value.value for value in values])
        with Journal(inputs.workspace.journal / "endpoint.sqlite") as journal:
            done: set[str] = set()
            for key in journal.keys(prefix):
                done |= _unpacked(journal.get(key))[0]
            ticks = self._fetch(asked, done, limit, journal, prefix)
            for _ in inputs.progress(
                ticks, query.title, total=len(asked.values) - len(done), unit=asked.unit
            ):
                pass
            for key in list(journal.keys(prefix)):
                yield from _unpacked(journal.get(key))[1].splitlines(keepends=True)

    def _fetch(
        self, asked: _Asked, done: set[str], limit: int | None, journal: Journal, prefix: str
    ) -> Iterator[None]:
        """Ask for what is not journaled yet, batch by batch; yield once per value."""
        subjects: set[bytes] = set()
        for key in journal.keys(prefix) if limit else ():
            subjects |= _subjects(_unpacked(journal.get(key))[1])
        left = [value for value in asked.values if value not in done]
        size = asked.size
        late: list[str] = []
        with ThreadPoolExecutor(self.at_once) as pool:
            # What was late comes before what was not: enough is enough only when nothing is missing.
            while left and not (limit and not late and len(subjects) >= limit):
                batches = [left[at * size : (at + 1) * size] for at in range(self.at_once)]
                batches = [batch for batch in batches if batch]
                left = left[sum(map(len, batches)) :]
                answers = list(pool.map(partial(self._ask, asked), batches))
                late = []
                for batch, lines in zip(batches, answers, strict=True):
                    if lines is None:
                        late += batch
                        continue
                    digest = sha256("\n".join(batch).encode()).hexdigest()[:32]
                    journal.add({prefix + digest: "\n".join(batch).encode() + b"\0" + lines})
                    subjects |= _subjects(lines) if limit else set()
                    yield from (None for _ in batch)
                left = late + left
                size = max(1, size // 2) if late else min(asked.size, size + max(1, size // 2))

    def _ask(self, asked: _Asked, batch: Sequence[str]) -> bytes | None:
        """Return the sorted lines of one batch, or None if it takes the server too long."""
        if self.client is None:
            raise SourceError(
                f"{asked.query.short_path} has not been answered yet",
                where=self.address,
                action="Build once without --offline",
            )
        if self._budget is not None:
            self._budget.wait()
        started = time.monotonic()
        try:
            return self.client.ask(
                self.address, self._read, parameters={"query": asked.bound(batch)}, post=True,
                headers={"Accept": _ACCEPT}, timeout=TIMEOUT,
                hopeless=lambda failure: timed_out(failure) and len(batch) > 1,
            )  # fmt: skip
        except Failed as failure:
            if timed_out(failure) and len(batch) > 1:
                if self._budget is not None:  # the server has worked for nothing, but it has worked
                    self._budget.spend(time.monotonic() - started)
                logger.info("%s: %d values: %s", asked.query.short_path, len(batch), failure.why)
                return None
            if timed_out(failure):
                raise SourceError(
                    f"{asked.query.short_path} takes the server too long{_even_for(asked, batch)}"
                    f" ({failure.why})", where=self.address,
                    action="Take a slice (--country, --bbox), another endpoint, or the dump",
                ) from None  # fmt: skip
            raise SourceError(
                f"{asked.query.short_path} is not answered: {failure.why}", where=self.address,
                action="Build again when the endpoint is well: what was answered is kept"
                if failure.again else "Correct the address of the endpoint",
            ) from None  # fmt: skip

    def _read(self, answer: Answer) -> bytes:
        if self._budget is not None:
            self._budget.spend(answer.seconds)
        return read_triples(answer)


@dataclass(frozen=True)
class _Asked:
    """A query, and the values it is asked for."""

    query: QueryFile
    text: str
    values: list[str]

    @property
    def unit(self) -> str:
        return self.query.batch.variable if self.query.batch else "query"

    @property
    def size(self) -> int:
        return self.query.batch.size if self.query.batch else 1

    def bound(self, batch: Sequence[str]) -> str:
        if self.query.batch is None:
            return self.text
        terms = [ox.NamedNode(value) for value in batch]
        return bind(self.text, {self.query.batch.variable: terms}, self.query.path)


def read_triples(answer: Answer) -> bytes:
    """Return the triples of an answer as sorted N-Triples lines, each once.

    Triples with a blank node are left out: Wikibase writes one for a value that nobody knows.

    :raises Failed: if the body is no whole RDF, such as an error text or a page of HTML.
    """
    form = _FORMATS.get(answer.media_type)
    start = answer.body[:200].decode("utf-8", "replace").lstrip()
    if form is None or start.startswith("<!") or start[:6].lower() == "<html>":
        raise Failed(f"{answer.media_type or 'no media type'} instead of triples", body=start)
    if answer.body and not answer.body.endswith(b"\n") and form == ox.RdfFormat.N_TRIPLES:
        raise Failed("the answer ends within a line", body=_end(answer.body))
    try:
        triples = {
            quad.triple for quad in ox.parse(answer.body, form, lenient=True)
            if not isinstance(quad.subject, ox.BlankNode) and not isinstance(quad.object, ox.BlankNode)
        }  # fmt: skip
    except SyntaxError as error:
        raise Failed(f"the answer breaks off: {error}", body=_end(answer.body)) from None
    written = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    return b"".join(sorted(written.splitlines(keepends=True)))


def _end(body: bytes) -> str:
    return body[-4000:].decode("utf-8", "replace")


def timed_out(failure: Failed) -> bool:
    """Return whether a query took the server too long: its status, its words, or our patience."""
    said = f"{failure.why} {failure.body}".lower()
    words = ("timeoutexception", "timed out", "timeout", "no end of the answer", "more than")
    return failure.status == 504 or (
        failure.status not in {403, 429} and any(word in said for word in words)
    )


def _unpacked(content: bytes | None) -> tuple[set[str], bytes]:
    """Return what a journal entry answers, and its lines."""
    values, _, lines = (content or b"").partition(b"\0")
    return set(values.decode().split("\n")), lines


def _even_for(asked: _Asked, batch: Sequence[str]) -> str:
    return f" even for {batch[0]}" if asked.query.batch else ""


def _subjects(lines: bytes) -> set[bytes]:
    return {line.partition(b" ")[0] for line in lines.splitlines()}
