"""The source `dump`: every layout, packing and trap, from real files on disk."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import zstandard

from mlmkg.catalog import read_catalog
from mlmkg.errors import SourceError
from mlmkg.progress import quiet
from mlmkg.recipe import read_recipe
from mlmkg.sources.dump import Dump
from mlmkg.sources.wikibase import Report, Wanted, entity_lines, wanted
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.wikidata import at, below, city_class, country, entity, is_a, people, shows, statement, town

CATALOG = read_catalog()
WANTED = wanted(CATALOG, read_recipe(CATALOG.folder / "recipe.toml"))
WDT = "http://www.wikidata.org/prop/direct/"


def noise(number: int) -> dict[str, Any]:
    """An entity that is not wanted, with words in it that look as if it were."""
    claims = {"P31": is_a("Q5"), "P569": [{"mainsnak": {"snaktype": "novalue", "property": "P569"}}]}
    return entity(f"Q{10_000 + number}", claims, {}, {
        "en": {"language": "en", "value": '"P625" and "P279" in a label'}
    })  # fmt: skip


PLACES = [town(f"Q{n}") for n in (7, 8, 64)]
EVERYTHING = [noise(1), PLACES[0], city_class(), noise(2), *PLACES[1:], noise(3)]


def lines(*paths: Path | str, folder: Path, engine: str = "local", **more: Any) -> list[bytes]:
    source = Dump(tuple(map(str, paths)), WANTED, folder / "journal", engine=engine, **more)
    return list(source.statements(quiet))


def compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def array(entities: list[Any]) -> bytes:
    return ("[\n" + ",\n".join(map(compact, entities)) + "\n]\n").encode()


EXPECTED = sorted(
    line for e in EVERYTHING for line in entity_lines(json.loads(json.dumps(e)), WANTED, Report())
)

LAYOUTS: dict[str, bytes] = {
    "array": array(EVERYTHING),
    "array on windows": array(EVERYTHING).replace(b"\n", b"\r\n"),
    "a comma before the bracket": array(EVERYTHING)[:-3] + b",\n]\n",
    "one a line": "".join(compact(e) + "\n" for e in EVERYTHING).encode(),
    "one a line, no end": "\n".join(map(compact, EVERYTHING)).encode(),
    "spaced": "".join(json.dumps(e) + "\n" for e in EVERYTHING).encode(),
    "pretty": json.dumps(EVERYTHING, indent=2).encode(),
    "all in one line": compact(EVERYTHING).encode(),
    "api": compact({"entities": {e["id"]: e for e in EVERYTHING}, "success": 1}).encode(),
    "api, pretty": json.dumps({"success": 1, "entities": {e["id"]: e for e in EVERYTHING}}, indent=1)
    .encode(),
}  # fmt: skip


def test_the_constraints_decide() -> None:
    subjects = {line.split()[0].rpartition(b"/")[2] for line in EXPECTED if b"/P625>" in line}
    assert subjects == {b"Q7>", b"Q8>", b"Q64>"}
    assert sum(b"/P279>" in line for line in EXPECTED) == 1
    assert sum(b"label" in line and b"/Q515>" in line for line in EXPECTED) == 2


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "dump.json").write_bytes(LAYOUTS[name])
    assert sorted(lines(tmp_path / "dump.json", folder=tmp_path)) == EXPECTED


def test_one_entity_alone(tmp_path: Path) -> None:
    (tmp_path / "Q7.json").write_bytes(json.dumps(PLACES[0], indent=4).encode())
    assert sorted(lines(tmp_path / "Q7.json", folder=tmp_path)) == [
        line for line in EXPECTED if b"Q7>" in line or b"Thing_Q7>" in line
    ]


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "json": bytes,
    "json.gz": gzip.compress,
    "json.bz2": bz2.compress,
    "json.zst": zstandard.compress,
    "members.json.gz": lambda data: gzip.compress(data[:900]) + gzip.compress(data[900:]),
    "streams.json.bz2": lambda data: bz2.compress(data[:900]) + bz2.compress(data[900:]),
    "frames.json.zst": lambda data: zstandard.compress(data[:900]) + zstandard.compress(data[900:]),
}


@pytest.mark.parametrize("name", PACKED)
def test_every_packing_gives_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PACKED[name](LAYOUTS["array"]))
    assert sorted(lines(tmp_path / name, folder=tmp_path)) == EXPECTED


@pytest.mark.parametrize("name", ["json.gz", "json.bz2", "json.zst"])
def test_a_dump_that_is_cut_off_is_said_with_its_place(tmp_path: Path, name: str) -> None:
    random.seed(1)
    big = array([noise(random.randrange(10**9)) for _ in range(3000)])
    packed = PACKED[name](big)
    (tmp_path / name).write_bytes(packed[: len(packed) * 2 // 3])
    with pytest.raises(SourceError, match=rf"{name}: broken or cut off after [\d,]+ bytes"):
        lines(tmp_path / name, folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json.gz", b"<html>404</html>", "no gz although it is named so"),
        ("a.json.bz2", gzip.compress(b"[]", mtime=0), "no bz2 although it is named so, but gz"),
        ("a.json", b"", "an empty file"),
        ("a.json", b"<html>maintenance</html>\n", "no JSON that can be read"),
    ],
)
def test_what_is_no_dump_is_said(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=says):
        lines(tmp_path / name, folder=tmp_path)
    with pytest.raises(SourceError, match=r"none\.json: .*Correct the name"):
        lines(tmp_path / "none.json", folder=tmp_path)


def test_malformed_lines_are_named_and_not_fatal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [b'{"id":"Q9","x":{"property":"P279", oops},', b'["property":"P279"],', b"\xff\xfe"]
    data = LAYOUTS["array"].replace(b"[\n", b"[\n" + b"\n".join(broken) + b"\n", 1)
    (tmp_path / "dump.json").write_bytes(data)
    assert sorted(lines(tmp_path / "dump.json", folder=tmp_path)) == EXPECTED
    assert "malformed line at byte 2 (unpacked)" in caplog.text
    assert "malformed lines: 2" in caplog.text


def test_a_line_of_fifty_megabytes(tmp_path: Path) -> None:
    long = compact(town("Q9", P973=["x" * 50_000_000])).encode()
    data = array(EVERYTHING[:3]).removesuffix(b"\n]\n") + b",\n" + long + b"\n]\n"
    (tmp_path / "dump.json").write_bytes(data)
    found = lines(tmp_path / "dump.json", folder=tmp_path)
    assert any(b"/Q9> <http://www.wikidata.org/prop/direct/P625>" in line for line in found)


def values(qid: str, claims: dict[str, Any], of: str, **more: Any) -> list[str]:
    made = town(qid, **claims) if "links" not in more else entity(qid, claims, more["links"])
    subject, predicate = f"<http://www.wikidata.org/entity/{qid}>", f"<{WDT}{of}>"
    text = [line.decode() for line in entity_lines(made, WANTED, Report())]
    return [
        line.split(" ", 2)[2].removesuffix(" .\n") for line in text
        if line.startswith(f"{subject} {predicate} ")
    ]  # fmt: skip


def wd(qid: str) -> str:
    return f"<http://www.wikidata.org/entity/{qid}>"


def test_the_best_rank_counts() -> None:
    ranks = [people("+1"), people("+2", "preferred"), people("+3", "deprecated")]
    decimal = "^^<http://www.w3.org/2001/XMLSchema#decimal>"
    assert values("Q7", {"P1082": ranks}, "P1082") == [f'"+2"{decimal}']
    assert values("Q7", {"P1082": ranks[::2]}, "P1082") == [f'"+1"{decimal}']
    assert values("Q7", {"P1082": ranks[2:]}, "P1082") == []


def test_the_country_is_the_present_one() -> None:
    both = [country("Q28513", ended=True), country("Q40")]
    assert values("Q7", {"P17": both}, "P17") == [wd("Q40")]
    assert (
        values("Q7", {"P17": [country("Q1", rank="preferred", ended=True), country("Q2")]}, "P17") == []
    )


def test_the_moon_is_not_the_earth() -> None:
    geo = "^^<http://www.opengis.net/ont/geosparql#wktLiteral>"
    assert values("Q7", {"P625": at(1.5, -2.25)}, "P625") == [f'"Point(-2.25 1.5)"{geo}']
    assert values("Q7", {"P625": at(1.5, 2, "Q405")}, "P625") == [f'"{wd("Q405")} Point(2 1.5)"{geo}']


def test_old_dumps_have_numbers_only_and_no_datatypes() -> None:
    old = town("Q7", P31=is_a("Q515", old=True), P18=shows("Ein Bild.jpg", datatype=None))
    text = b"".join(entity_lines(old, WANTED, Report())).decode()
    assert f"{WDT}P31> {wd('Q515')}" in text
    assert "Special:FilePath/Ein%20Bild.jpg>" in text


@pytest.mark.parametrize(
    "other",
    [
        {"type": "lexeme", "id": "L7", "claims": {"P31": is_a("Q515")}},
        {"type": "property", "id": "P7", "claims": {"P279": below("Q1")}},
        {"type": "item", "id": "Q7"},
        {"type": "item", "id": "Q7", "claims": [], "labels": [], "sitelinks": []},
        {"type": "item", "id": "Q7", "redirect": "Q8"},
        {"id": "Q7", "claims": {"P279": [{"mainsnak": {"snaktype": "novalue"}, "rank": "normal"}]}},
        town("Q7", P625=[{"mainsnak": {"snaktype": "somevalue"}, "rank": "normal"}]),
        town("Q7", P18=[]),
        {**town("Q7"), "sitelinks": {"itwiki": {"title": "Sette"}}},
        {**town("Q7"), "sitelinks": []},
    ],
)
def test_what_lacks_something_is_left_out(other: dict[str, Any]) -> None:
    assert entity_lines(other, WANTED, Report()) == []


def test_values_that_cannot_be_written_are_counted() -> None:
    report = Report()
    wide = Wanted(WANTED.properties | {"P571"}, WANTED.images, WANTED.languages, WANTED.sites)
    julian = {"time": "+0995-05-05T00:00:00Z", "precision": 11, "calendarmodel": "x/Q1985786"}
    made = town("Q7", P571=[statement("P571", julian, "time", "time")])
    assert not any(b"P571" in line for line in entity_lines(made, wide, report))
    assert report.counts == {"values of P571 that cannot be written": 1}


@pytest.mark.parametrize(
    ("title", "ending"),
    [
        ("St. John's", "St._John%27s"), ("Łódź", "%C5%81%C3%B3d%C5%BA"),
        ("A/B: (c), d!", "A/B:_(c),_d!"),
        ('100% "x"?', "100%25_%22x%22%3F"),
    ],
)  # fmt: skip
def test_articles_are_named_as_mediawiki_does(title: str, ending: str) -> None:
    made = {**town("Q7"), "sitelinks": {"dewiki": {"title": title}}}
    text = b"".join(entity_lines(made, WANTED, Report())).decode()
    assert f"<https://de.wikipedia.org/wiki/{ending}>" in text
    assert text.count('inLanguage> "de" ') == 1


def test_a_query_of_ones_own_widens_what_is_taken(tmp_path: Path) -> None:
    shutil.copytree(CATALOG.folder, tmp_path / "mine")
    labels = tmp_path / "mine" / "extract" / "labels.rq"
    query = labels.read_text("utf-8").replace("labels", "heights").replace("rdfs:label", "wdt:P2044")
    (tmp_path / "mine" / "extract" / "heights.rq").write_text(query, "utf-8")
    mine = read_catalog(tmp_path / "mine")
    assert wanted(mine, read_recipe(mine.folder / "recipe.toml")).properties - WANTED.properties == {
        "P2044"
    }


# RDF


def ntriples(*entities: dict[str, Any]) -> bytes:
    return b"".join(line for e in entities for line in entity_lines(e, WANTED, Report()))


ENTITY, PROP = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/"
EXTRA = "\n".join([
    f'<{ENTITY}Q7> <http://www.w3.org/2000/01/rdf-schema#label> "x"@zh-classical .',
    f"<{ENTITY}Q5> <{PROP}direct/P31> <urn:x> .",
    f"<{ENTITY}Q7> <{PROP}P17> <{ENTITY}statement/Q7-1> .",
    f'<{ENTITY}statement/Q7-1> <{PROP}qualifier/P582> "1918" .\n',
]).encode()  # fmt: skip


@pytest.mark.parametrize("name", ["a.nt", "a.nt.gz", "a.ttl.bz2", "a.ttl"])
def test_rdf_gives_the_same_statements(tmp_path: Path, name: str) -> None:
    data = ntriples(*PLACES, city_class()) + EXTRA
    packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(name[name.rfind(".") :], bytes)
    (tmp_path / name).write_bytes(packed(data))

    def read(content: bytes) -> set[str]:
        return {str(q) for q in ox.parse(content, ox.RdfFormat.N_TRIPLES, lenient=True)}

    found = read(b"".join(lines(tmp_path / name, folder=tmp_path)))
    assert found >= read(b"".join(EXPECTED))
    more = [x for x in found - read(b"".join(EXPECTED)) if "P17" not in x and "P582" not in x]
    assert more == []


def test_a_line_of_rdf_that_cannot_be_read_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = b'<http://www.wikidata.org/entity/Q7> <http://www.wikidata.org/prop/direct/P17> "x .\n'
    (tmp_path / "a.nt").write_bytes(ntriples(PLACES[0]) + bad + ntriples(*PLACES[1:], city_class()))
    assert sorted(lines(tmp_path / "a.nt", folder=tmp_path)) == EXPECTED
    assert "lines that cannot be read: 1" in caplog.text


# Going on


def write_large(path: Path, entities: int = 4000) -> None:
    with gzip.open(path, "wb", 1) as stream:
        stream.write(b"[\n")
        for n in range(entities):
            made = town(f"Q{n}") if n % 40 == 1 else noise(n)
            if n % 40 == 2:  # a place without an image, which is counted
                made = {**town(f"Q{n}"), "claims": {"P31": is_a("Q515"), "P625": at(1, 2)}}
            made["aliases"] = {"en": [{"language": "en", "value": f"filler {n} " * 400}]}
            stream.write(compact(made).encode() + b",\n")
        stream.write(compact(city_class()).encode() + b"\n]\n")


KILLED = """
import sys; from pathlib import Path
from mlmkg.sources import dump, streams
dump.CHECKPOINT = 1 << 20; streams.BLOCK = 1 << 18
from tests.test_dump import lines
lines(sys.argv[1], folder=Path(sys.argv[2]))
"""


def test_a_killed_reading_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlmkg.harvest.journal import Journal
    from mlmkg.sources import dump, scan, streams

    monkeypatch.setattr(dump, "CHECKPOINT", 1 << 20)
    monkeypatch.setattr(streams, "BLOCK", 1 << 18)
    write_large(tmp_path / "dump.json.gz", 8000)
    clean = lines(tmp_path / "dump.json.gz", folder=tmp_path / "clean")
    assert any(b'leftOutCount> "200"' in line for line in clean)
    journal = tmp_path / "killed" / "journal" / "dump.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "dump.json.gz"), str(tmp_path / "killed")],
        cwd=Path(__file__).parent.parent,
    )
    while process.poll() is None:
        time.sleep(0.005)
        if journal.is_file() and journal.with_name("dump.sqlite-wal").is_file():
            with Journal(journal) as seen:
                if len(seen) >= 3:
                    os.kill(process.pid, signal.SIGKILL)
                    break
    assert process.wait() == -signal.SIGKILL
    scanned: list[int] = []
    real = scan.Needles.hits

    def counting(needles: scan.Needles, block: bytes) -> Any:
        scanned.append(len(block))
        return real(needles, block)

    monkeypatch.setattr(scan.Needles, "hits", counting)
    assert lines(tmp_path / "dump.json.gz", folder=tmp_path / "killed") == clean
    whole = len(gzip.decompress((tmp_path / "dump.json.gz").read_bytes()))
    assert 0 < sum(scanned) < whole - (2 << 20)
    scanned.clear()
    assert lines(tmp_path / "dump.json.gz", folder=tmp_path / "killed") == clean
    assert scanned == []


@pytest.mark.parametrize("part", [0.1, 0.35, 0.5, 0.77, 0.99])
def test_wherever_a_reading_stops_it_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    from mlmkg.sources import dump, streams

    monkeypatch.setattr(dump, "CHECKPOINT", 1 << 18)
    monkeypatch.setattr(streams, "BLOCK", 1 << 17)
    write_large(tmp_path / "dump.json.gz", 3000)
    clean = lines(tmp_path / "dump.json.gz", folder=tmp_path / "clean")
    source = Dump((str(tmp_path / "dump.json.gz"),), WANTED, tmp_path / "journal")
    some = source.statements(quiet)
    for _ in range(int(part * len(clean))):
        next(some)
    del some  # as a build that is stopped does
    assert lines(tmp_path / "dump.json.gz", folder=tmp_path) == clean


def test_a_dump_is_read_from_an_address(tmp_path: Path) -> None:
    (tmp_path / "dump.json.gz").write_bytes(gzip.compress(LAYOUTS["array"]))

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *words: Any) -> None:
            super().__init__(*words, directory=str(tmp_path))

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    assert sorted(lines(f"{url}/dump.json.gz", folder=tmp_path)) == EXPECTED
    with pytest.raises(SourceError, match="HTTP 404"):
        lines(f"{url}/none.json.gz", folder=tmp_path)
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_spark_gives_the_same_line_for_line(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, which is not on this machine")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    write_large(tmp_path / "dump.json.gz", 1000)
    data = gzip.decompress((tmp_path / "dump.json.gz").read_bytes())
    broken = b'{"id":"Q9","x":{"property":"P279", oops},\n'
    (tmp_path / "dump.json.bz2").write_bytes(bz2.compress(data + broken))
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        for name in ("dump.json.gz", "dump.json.bz2"):
            local = lines(tmp_path / name, folder=tmp_path)
            assert len(local) > 200
            assert lines(tmp_path / name, folder=tmp_path, engine="spark") == local
        with pytest.raises(SourceError, match=r"none\.json"):
            lines(tmp_path / "none.json", folder=tmp_path, engine="spark")
    finally:
        session.stop()


def test_a_dump_becomes_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "dump.json.gz").write_bytes(gzip.compress(LAYOUTS["array"]))
    words = ["-w", tmp_path / "mlm", "build", "--source", "dump", "--dump", tmp_path / "dump.json.gz"]
    built = invoke(*words, "--offline")
    assert built.exit_code == 0, built.output
    assert "image_files: 3 left for later" in built.output
    assert "summaries: 3 left for later" in built.output
    store = open_read_only(Workspace(tmp_path / "mlm"))
    rows = store.rows("SELECT ?e { ?e a mlm:Candidate ; wdt:P31 wd:Q515 } ORDER BY ?e")
    assert [row[0].rpartition("/")[2] for row in rows] == ["Q64", "Q7", "Q8"]
    assert "Nothing to do" in invoke(*words, "--offline").output


@pytest.mark.parametrize("name", ["dump.json", "dump.nt", "dump.ttl", "pretty.json"])
def test_reading_goes_on_from_wherever_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mlmkg.sources import dump, streams

    monkeypatch.setattr(dump, "CHECKPOINT", 1)
    monkeypatch.setattr(streams.Dump.read, "__defaults__", (4096,))
    towns = [town(f"Q{n}") for n in range(1, 120)]
    content = {
        "dump.json": array(towns), "dump.nt": ntriples(*towns), "dump.ttl": ntriples(*towns),
        "pretty.json": json.dumps(towns, indent=1).encode(),
    }[name]  # fmt: skip
    (tmp_path / name).write_bytes(content)
    clean = lines(tmp_path / name, folder=tmp_path / "clean")
    assert sum(b"/P625>" in line for line in clean) == len(towns)
    for stop in range(1, len(clean), 61):
        journal = tmp_path / str(stop) / "journal"
        begun = Dump((str(tmp_path / name),), WANTED, journal).statements(quiet)
        for _ in range(stop):
            next(begun)
        begun.close()  # type: ignore[attr-defined]
        assert lines(tmp_path / name, folder=tmp_path / str(stop)) == clean


def test_dumps_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for folder, content in (("a", b"[]\n"), ("b", b"[ ]\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dump.json").write_bytes(content)
    a, b = (str(tmp_path / folder / "dump.json") for folder in "ab")
    identities = [Dump(paths, WANTED, tmp_path).identity() for paths in [(a,), (b,), (a, b), (b, a)]]
    assert len({json.dumps(i, sort_keys=True) for i in identities}) == 4


def test_an_array_that_is_cut_off_unpacked_is_said(tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_bytes(array(PLACES)[:-40])
    with pytest.raises(SourceError, match=r"dump\.json: cut off after [\d,]+ bytes"):
        lines(tmp_path / "dump.json", folder=tmp_path)
    (tmp_path / "part.json").write_bytes(array(PLACES).rpartition(b",\n")[0] + b",\n")
    assert any(b"/P625>" in line for line in lines(tmp_path / "part.json", folder=tmp_path))


def test_what_is_wrong_in_one_entity_does_not_stop_a_pretty_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {**town("Q9"), "labels": {"en": "no mapping"}}
    (tmp_path / "dump.json").write_bytes(json.dumps([wrong, 7, *EVERYTHING], indent=1).encode())
    assert sorted(lines(tmp_path / "dump.json", folder=tmp_path)) == EXPECTED
    assert "malformed entities: 2" in caplog.text


@pytest.mark.parametrize("before", [[b'{"redirect":"Q1","entity":"Q2"}'] * 20, [b"oops"] * 20])
def test_a_dump_may_begin_with_what_is_no_entity(tmp_path: Path, before: list[bytes]) -> None:
    rest = [compact(e).encode() for e in EVERYTHING]
    (tmp_path / "dump.json").write_bytes(b"\n".join([*before, *rest]))
    assert sorted(lines(tmp_path / "dump.json", folder=tmp_path)) == EXPECTED


def test_answers_one_after_the_other(tmp_path: Path) -> None:
    half = [{e["id"]: e for e in part} for part in (EVERYTHING[:3], EVERYTHING[3:])]
    answers = [{"warnings": {"main": "x"}, "entities": half[0]}, {"entities": half[1], "success": 1}]
    (tmp_path / "dump.json").write_text("\n".join(map(compact, answers)), "utf-8")
    assert sorted(lines(tmp_path / "dump.json", folder=tmp_path)) == EXPECTED
    (tmp_path / "other.json").write_text('{"features": [], "type": "FeatureCollection"}', "utf-8")
    with pytest.raises(SourceError, match="holds no entities"):
        lines(tmp_path / "other.json", folder=tmp_path)


def test_rdf_of_other_entities_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cat, page = f"<{ENTITY}Q146>", "<https://en.wikipedia.org/wiki/Cat>"
    unknown = "<http://www.wikidata.org/.well-known/genid/8>"
    other = "\n".join([
        f"{cat} <{PROP}direct/P31> <{ENTITY}Q5> .",
        f"{page} <http://schema.org/about> {cat} .",
        f'{page} <http://schema.org/name> "Cat"@en .',
        f"<{ENTITY}statement/Q146-1> <{PROP}statement/P17> <{ENTITY}Q183> .",
        f'<{ENTITY}statement/Q146-1> <{PROP}qualifier/P582> "1918" .',
        *(line.replace("Q7", "Q99") for line in ntriples(PLACES[0]).decode().splitlines()
          if "/P18>" not in line and "schema.org" not in line),
        f"<{ENTITY}Q99> <{PROP}direct/P18> {unknown} .",
        f"<{ENTITY}Q99> <{PROP}direct/P41> _:b .",
        f"<{ENTITY}Q99> <{PROP}direct/P94",
    ])  # fmt: skip
    data = ntriples(*PLACES, city_class())
    (tmp_path / "a.nt").write_bytes(data + other.encode())
    found = lines(tmp_path / "a.nt", folder=tmp_path)
    left_out = [line for line in found if b"/left-out/" in line]
    assert sorted(line for line in found if line not in left_out) == EXPECTED
    assert (
        sum(b'leftOutCount> "1"' in line for line in left_out) == 1
    )  # Q99: it has no image that is known
    assert "lines that cannot be read: 1" in caplog.text
    # Where an article does not stand beside its entity, it may be of one that is wanted.
    apart = f"{page} <http://schema.org/about> <{ENTITY}Q64> .\n".encode()
    (tmp_path / "b.nt").write_bytes(apart + data)
    assert sorted(lines(tmp_path / "b.nt", folder=tmp_path)) == sorted([*EXPECTED, apart])


GREGORIAN, JULIAN = ENTITY + "Q1985727", ENTITY + "Q1985786"


@pytest.mark.parametrize(
    ("time", "precision", "calendar", "written"),
    [
        ("+2014-01-05T00:00:00Z", 11, GREGORIAN, "2014-01-05T00:00:00Z"),
        ("+2014-02-30T00:00:00Z", 11, GREGORIAN, "2014-02-28T00:00:00Z"),
        ("+2014-05-00T00:00:00Z", 10, GREGORIAN, "2014-05-01T00:00:00Z"),
        ("+2014-05-07T00:00:00Z", 9, JULIAN, "2014-01-01T00:00:00Z"),
        ("-0001-00-00T00:00:00Z", 9, GREGORIAN, "0000-01-01T00:00:00Z"),
        ("-0044-03-15T00:00:00Z", 11, GREGORIAN, "-0043-03-15T00:00:00Z"),
        ("-13000000000-00-00T00:00:00Z", 3, GREGORIAN, "-13000000000-01-01T00:00:00Z"),
        ("+0000-01-01T00:00:00Z", 9, GREGORIAN, None),
        ("+1066-10-14T00:00:00Z", 11, JULIAN, None),
    ],
)
def test_times_are_written_as_wikibase_does(
    time: str, precision: int, calendar: str, written: str | None
) -> None:
    wide = Wanted(WANTED.properties | {"P571"}, WANTED.images, WANTED.languages, WANTED.sites)
    value = {"time": time, "precision": precision, "calendarmodel": calendar}
    made = town("Q7", P571=[statement("P571", value, "time", "time")])
    text = b"".join(entity_lines(made, wide, Report())).decode()
    expected = f'P571> "{written}"^^<http://www.w3.org/2001/XMLSchema#dateTime> .'
    assert (expected in text) if written else ("P571" not in text)


def test_commons_is_a_site_and_has_maps(tmp_path: Path) -> None:
    wide = Wanted(WANTED.properties | {"P3896"}, WANTED.images, (), ("https://commons.wikimedia.org/",))
    made = town("Q7", P3896=[statement("P3896", "Data:Hong Kong.map", "string", "geo-shape")])
    made["sitelinks"] = {"commonswiki": {"title": "Category:Seven"}}
    text = b"".join(entity_lines(made, wide, Report())).decode()
    assert "P3896> <http://commons.wikimedia.org/data/main/Data:Hong+Kong.map> ." in text
    assert "<https://commons.wikimedia.org/wiki/Category:Seven> <http://schema.org/inLanguage>" in text
    assert '"Category:Seven"@en' in text


def test_numbers_are_written_as_php_does() -> None:
    geo = '"^^<http://www.opengis.net/ont/geosparql#wktLiteral>'
    for number, written in [
        (13.0, "13"), (-0.0, "-0"), (0.00001, "1.0E-5"), (0.0001, "0.0001"),
        (52.516666666667, "52.516666666667"), (1.234567890123456, "1.2345678901235"),
    ]:  # fmt: skip
        assert values("Q7", {"P625": at(1, number)}, "P625") == [f'"Point({written} 1){geo}']


@pytest.mark.parametrize("name", ["a.nt.gz", "a.ttl", "https://example.org/a.json.gz"])
def test_spark_says_what_it_does_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="Leave out `--engine spark`"):
        lines(name, folder=tmp_path, engine="spark")


def test_blocks_do_not_pile_up_behind_the_bar(tmp_path: Path) -> None:
    from mlmkg.sources.dump import with_progress
    from mlmkg.sources.streams import BLOCK, open_dump

    # A megabyte of a dump, packed, may be many blocks.
    (tmp_path / "dump.json.gz").write_bytes(gzip.compress(b"\n" * (10 * BLOCK), 1))
    read: list[int] = []

    def counted(blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            read.append(len(block))
            yield block

    with open_dump(str(tmp_path / "dump.json.gz")) as stream:
        for handed, _ in enumerate(with_progress(counted(stream.blocks()), stream, quiet), 1):
            assert len(read) <= handed + 1
    assert sum(read) == 10 * BLOCK
