"""Jelly (https://w3id.org/jelly), a binary form of RDF, for Oxigraph's terms; by pyjelly.

Quads enter, frames leave, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any

import pyoxigraph as ox
from pyjelly import jelly
from pyjelly.options import LookupPreset
from pyjelly.parse.decode import Adapter, Decoder
from pyjelly.parse.ioutils import get_options_and_frames
from pyjelly.serialize.encode import TermEncoder
from pyjelly.serialize.ioutils import write_delimited
from pyjelly.serialize.streams import QuadStream, SerializerOptions

from mlmkg.vocab import XSD

_STRING = XSD.string


class _Encoder(TermEncoder):  # type: ignore[misc]  # pyjelly has no py.typed
    """Says which of pyjelly's terms a term of Oxigraph's is."""

    def encode_spo(self, term: object, slot: Any, statement: Any) -> Any:
        """Encode a subject, property or object."""
        if isinstance(term, ox.NamedNode):
            return self.encode_iri(term.value, self.get_iri_field(statement, slot))
        if isinstance(term, ox.Literal):
            datatype = None if term.language or term.datatype.value == _STRING else term.datatype.value
            literal = self.get_literal_field(statement, slot)
            return self.encode_literal(
                lex=term.value, language=term.language, datatype=datatype, literal=literal
            )
        if isinstance(term, ox.BlankNode):
            self.set_bnode_field(statement, slot, term.value)
            return ()
        return super().encode_spo(term, slot, statement)

    def encode_graph(self, term: object, statement: Any) -> Any:
        """Encode a graph's name."""
        if isinstance(term, ox.NamedNode):
            return self.encode_iri(term.value, statement.g_iri)
        if isinstance(term, ox.BlankNode):
            statement.g_bnode = term.value
            return ()
        return self.encode_default_graph(statement.g_default_graph)


class Writer:
    """Writes quads as a flat stream of them.

    :param file: where it goes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        options = SerializerOptions(
            logical_type=jelly.LOGICAL_STREAM_TYPE_FLAT_QUADS, lookup_preset=LookupPreset()
        )
        self._stream = QuadStream(encoder=_Encoder(options.lookup_preset), options=options)
        self._stream.enroll()

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Write quads.

        :raises NotImplementedError: for a triple term, which Jelly does not have yet.
        """
        for quad in quads:
            if (frame := self._stream.quad(quad)) is not None:
                write_delimited(frame, self._file)

    def finish(self) -> None:
        """Write what is left."""
        if (frame := self._stream.flow.to_stream_frame()) is not None:
            write_delimited(frame, self._file)


class _Adapter(Adapter):  # type: ignore[misc]
    """Makes Oxigraph's terms of what a frame says."""

    def iri(self, iri: str) -> ox.NamedNode:
        return ox.NamedNode(iri)

    def bnode(self, bnode: str) -> ox.BlankNode:
        return ox.BlankNode(bnode)

    def default_graph(self) -> ox.DefaultGraph:
        return ox.DefaultGraph()

    def literal(self, lex: str, language: str | None = None, datatype: str | None = None) -> ox.Literal:
        if language:
            return ox.Literal(lex, language=language)
        return ox.Literal(lex, datatype=ox.NamedNode(datatype) if datatype else None)

    def quad(self, terms: Iterable[Any]) -> ox.Quad:
        return ox.Quad(*terms)


def read(file: IO[bytes]) -> Iterator[ox.Quad]:
    """Yield the quads of a file that :class:`Writer` wrote."""
    options, frames = get_options_and_frames(file)
    decoder = Decoder(adapter=_Adapter(options=options))
    for frame in frames:
        yield from (quad for quad in decoder.iter_rows(frame) if isinstance(quad, ox.Quad))
