"""Reads SPARQL text as tokens: its form, its parameters, its SERVICE clauses, its errors.

A parameter is a ``VALUES`` block of one variable. The file carries the default, so it runs unchanged
in any editor; mlmkg puts other terms between the braces, written by Oxigraph, never as text:

    VALUES ?base { wd:Q486972 }
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Store

from mlmkg.errors import QueryError
from mlmkg.vocab import PREFIXES, XSD

Term = NamedNode | Literal

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
    | (?P<string>'''(?:[^'\\]|\\.|'(?!''))*''' | \"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"
                | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*")
    | (?P<name>[\w\-.]*:[\w\-.:%\\]*)
    | (?P<variable>[?$]\w+)
    | (?P<word>@?[A-Za-z_][\w\-]*)
    | (?P<mark>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_FORMS: Final = {"SELECT", "CONSTRUCT", "ASK", "DESCRIBE"}
_UPDATES: Final = {
    "INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH",
}  # fmt: skip
_PLACE: Final = re.compile(r"error at (\d+):(\d+)")


@dataclass(frozen=True)
class Token:
    """A piece of a query: its kind (iri, string, name, variable, word, mark), text and place."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a query, without comments."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "comment":
            yield Token(str(match.lastgroup), match.group(), match.start(), match.end())


def form(text: str) -> str:
    """Return the query's form: SELECT, CONSTRUCT, ASK, DESCRIBE, UPDATE, or "" if it has none.

    >>> form("PREFIX ex: <http://e/> # select\\nASK { ?s ex:select 'SELECT' }")
    'ASK'
    """
    for token in tokens(text):
        word = token.text.upper()
        if token.kind == "word" and word in _FORMS:
            return word
        if token.kind == "word" and word in _UPDATES:
            return "UPDATE"
    return ""


def calls_service(text: str) -> bool:
    """Return whether the query sends part of itself to another endpoint."""
    return any(token.kind == "word" and token.text.upper() == "SERVICE" for token in tokens(text))


def variables(text: str) -> set[str]:
    """Return the names of all variables in a query.

    >>> sorted(variables("SELECT ?a WHERE { ?a ?p 1 }"))
    ['a', 'p']
    """
    return {token.text[1:] for token in tokens(text) if token.kind == "variable"}


def parameters(text: str) -> dict[str, list[tuple[int, int]]]:
    """Return variable -> places between the braces, of every ``VALUES ?variable { … }`` block."""
    found: dict[str, list[tuple[int, int]]] = {}
    stream = list(tokens(text))
    for first, second, third in zip(stream, stream[1:], stream[2:], strict=False):
        if (first.text.upper(), second.kind, third.text) == ("VALUES", "variable", "{"):
            closing = next((t for t in stream if t.start > third.start and t.text == "}"), None)
            if closing is not None:
                found.setdefault(second.text[1:], []).append((third.end, closing.start))
    return found


def bind(text: str, values: Mapping[str, Sequence[Term]], where: str | Path) -> str:
    """Return the query with other terms in its ``VALUES`` blocks; blocks of one name are filled alike.

    :param values: variable name -> the terms its blocks shall hold; none of them is no solution.
    :param where: the query's file, for the message.
    :raises QueryError: if the query has no such block.

    >>> bind("ASK { VALUES ?x { 1 } }", {"x": [Literal(2), Literal("a", language="en")]}, "q.rq")
    'ASK { VALUES ?x { "2"^^<http://www.w3.org/2001/XMLSchema#integer> "a"@en } }'
    """
    places = parameters(text)
    for name in values:
        if name not in places:
            known = ", ".join(sorted(places)) or "none"
            raise QueryError(
                f"there is no parameter {name!r}; the query has {known}", where=where,
                action="A parameter is a block such as VALUES ?country { wd:Q183 }",
            )  # fmt: skip
    blocks = sorted(((place, name) for name in values for place in places[name]), reverse=True)
    for (start, end), name in blocks:
        text = f"{text[:start]} {' '.join(map(str, values[name]))} {text[end:]}"
    return text


def with_prefixes(text: str) -> str:
    """Return a query that declares the project's prefixes it uses, for servers that do not know them.

    >>> with_prefixes("PREFIX wd: <http://e/> ASK { wd:Q1 rdfs:label 'a' }").splitlines()[0]
    'PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>'
    """
    stream = list(tokens(text))
    declared = {
        after.text for word, after in pairwise(stream)
        if word.text.upper() == "PREFIX"
    }  # fmt: skip
    used = {token.text.partition(":")[0] for token in stream if token.kind == "name"}
    missing = sorted(name for name in used & set(PREFIXES) if f"{name}:" not in declared)
    return "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in missing) + text


def term(written: str) -> Term:
    """Return the term that a person wrote on a command line or in a recipe.

    :param written: ``<iri>``, an IRI with a scheme, ``prefix:name`` with a prefix of the project, a
        number, ``"text"@en``, or anything else, which is a plain string.

    >>> term("wd:Q64")
    <NamedNode value=http://www.wikidata.org/entity/Q64>
    >>> term("5").datatype
    <NamedNode value=http://www.w3.org/2001/XMLSchema#integer>
    >>> term('Bern')
    <Literal value=Bern datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#string>>
    """
    if re.fullmatch(r"<[^\s<>]+>", written):
        return NamedNode(written[1:-1])
    if re.match(r"(https?://|urn:)", written):
        return NamedNode(written)
    prefix, colon, local = written.partition(":")
    if colon and prefix in PREFIXES and re.fullmatch(r"[\w\-.]+", local):
        return NamedNode(PREFIXES[prefix] + local)
    if re.fullmatch(r"[+-]?\d+", written):
        return Literal(written.lstrip("+"), datatype=NamedNode(XSD.integer))
    if re.fullmatch(r"[+-]?\d*\.\d+", written):
        return Literal(written, datatype=NamedNode(XSD.decimal))
    if tagged := re.fullmatch(r'"(.*)"(?:@([A-Za-z\-]+))?', written, re.DOTALL):
        return Literal(tagged[1], language=tagged[2]) if tagged[2] else Literal(tagged[1])
    return Literal(written)


def check(text: str, where: str | Path) -> None:
    """Raise a QueryError for text that is not a valid SPARQL query, without evaluating it.

    :param where: the query's file, for the message.
    """
    try:
        Store().query(text, prefixes=PREFIXES)
    except SyntaxError as error:
        raise syntax_error(text, where, error) from None
    except (RuntimeError, OSError):
        pass  # a custom function or a SERVICE: it parses, which is what was asked


def syntax_error(text: str, where: str | Path, error: SyntaxError) -> QueryError:
    """Return Oxigraph's syntax error with the file, the line, the column and the line itself.

    :param text: the query.
    :param where: the query's file, or ``<text>``.
    """
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        return QueryError(f"not valid SPARQL: {message}", where=where, action="Correct the query")
    row, column = int(place[1]), int(place[2])
    lines = text.splitlines() or [""]
    line = lines[min(row, len(lines)) - 1]
    if "Prefix not found" in message:
        reason = "a prefix that is neither declared nor one of the project's"
    else:
        found = line[column - 1 :].split()
        reason = f"unexpected {found[0]!r}" if found else "the line ends too early"
    return QueryError(
        f"syntax error, {reason}, in the line: {line.strip()}", where=f"{where}:{row}:{column}",
        action="Correct the query; `mlmkg queries check` reads all files of a set",
    )  # fmt: skip
