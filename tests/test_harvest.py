"""What is fetched over the network: few requests, none twice, none lost, whatever the server does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from mlmkg import licences
from mlmkg.errors import SourceError, WorkspaceError
from mlmkg.harvest import client, images, pictures, summaries
from mlmkg.harvest.client import Budget, Client, Failed, retry_after
from mlmkg.harvest.journal import Journal
from mlmkg.harvest.summaries import Article
from mlmkg.progress import quiet
from mlmkg.sources import cirrus
from tests.servers import Server, wiki
from tests.wikis import FAULTS, animated, picture, vast

SITE = "https://en.wikipedia.org/"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with wiki() as running:
        yield running


@pytest.fixture(autouse=True)
def calm(server: Server) -> None:
    server.forget()


def polite(server: Server) -> Client:
    return Client("tests@example.org", server.mirrors, pace=0.005)


def articles(*titles: str) -> list[Article]:
    return [
        Article(f"http://www.wikidata.org/entity/Q{n}", f"{SITE}wiki/{n}", SITE, title, "en")
        for n, title in enumerate(titles, start=1)
    ]


Harvest = tuple[tuple[list[bytes], str], tuple[list[bytes], str]]
TOWNS = articles(*(f"Town {n}" for n in range(45)))
IMAGES = [f"http://commons.wikimedia.org/wiki/Special:FilePath/{n}.png" for n in range(60)]


def texts(
    server: Server, folder: Path, wanted: list[Article], *, offline: bool = False
) -> tuple[list[bytes], str]:
    notes: list[str] = []
    with Journal(folder / "summaries.sqlite") as journal:
        lines = list(summaries.fetch(
            wanted, None if offline else polite(server), journal, progress=quiet, note=notes.append
        ))  # fmt: skip
    return [line for line in lines if b"retrieved" not in line], notes[0]


def files(
    server: Server, folder: Path, wanted: list[str], *, offline: bool = False
) -> tuple[list[bytes], str]:
    notes: list[str] = []
    with Journal(folder / "images.sqlite") as journal:
        lines = list(images.fetch(
            wanted, folder / "images", None if offline else polite(server), journal,
            progress=quiet, note=notes.append,
        ))  # fmt: skip
    return [line for line in lines if b"retrieved" not in line], notes[0]


@pytest.fixture(scope="module")
def clean(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Harvest:
    """What is fetched when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("clean")
    return texts(server, folder, TOWNS), files(server, folder, IMAGES)


def image(name: str) -> str:
    return "http://commons.wikimedia.org/wiki/Special:FilePath/" + quote(name, safe="")


def test_twenty_titles_a_request_and_at_most_three_at_a_time(server: Server, tmp_path: Path) -> None:
    lines, note = texts(server, tmp_path, TOWNS)
    assert note == "45 text"
    assert max(server.titles) == 20
    # Three batches, each continued once but the last of five.
    assert len(server.requests) == 5
    assert server.most["api"] <= 3
    assert sum(b'"Town 44 is a town."@en' in line for line in lines) == 1
    assert all("tests@example.org" in agent for agent in server.agents)


def test_redirects_and_spellings_find_their_entity(server: Server, tmp_path: Path) -> None:
    wanted = articles("Twice", "Town_3", "A|B", "Bare", "Nowhere", "Either")
    lines, note = texts(server, tmp_path, wanted)
    assert note == "3 text, 1 empty, 1 missing, 1 disambiguation"
    joined = b"".join(lines).decode()
    assert 'summary/Q1/en> <http://schema.org/text> "Łódź is a city."@en' in joined
    assert 'summary/Q2/en> <http://schema.org/text> "Town 3 is a town."@en' in joined
    assert 'summary/Q3/en> <http://schema.org/text> "A pipe."@en' in joined
    assert "wiki/%C5%81%C3%B3d%C5%BA?oldid=7" in joined
    assert joined.count("licenses/by-sa/4.0/") == 3


def test_nothing_is_asked_twice(server: Server, tmp_path: Path) -> None:
    first = texts(server, tmp_path, TOWNS)
    server.requests.clear()
    assert texts(server, tmp_path, TOWNS) == first
    assert server.requests == []
    assert texts(server, tmp_path, [*TOWNS, *articles("Łódź")])[1] == "46 text"
    assert len(server.requests) == 1


def test_offline_takes_what_is_there_and_counts_the_rest(server: Server, tmp_path: Path) -> None:
    texts(server, tmp_path, TOWNS[:20])
    server.requests.clear()
    lines, note = texts(server, tmp_path, TOWNS, offline=True)
    assert note == "20 text, 25 left for later"
    assert len([line for line in lines if b"schema.org/text" in line]) == 20
    assert server.requests == []


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_and_asked_again(
    server: Server, tmp_path: Path, clean: Harvest, fault: str
) -> None:
    seen: list[str] = []

    def every_fourth_once(path: str) -> str:
        seen.append(path)
        return fault if seen.count(path) == 1 and len(set(seen)) % 4 == 1 else ""

    server.fault = every_fourth_once
    server.requests.clear()
    assert (texts(server, tmp_path / "b", TOWNS), files(server, tmp_path / "b", IMAGES)) == clean
    assert len(server.requests) > 67


@pytest.mark.parametrize("seed", range(10))
def test_five_faults_in_a_hundred_change_nothing(
    server: Server, tmp_path: Path, clean: Harvest, seed: int
) -> None:
    server.fail_at_random(0.05, seed)
    assert (texts(server, tmp_path / "b", TOWNS), files(server, tmp_path / "b", IMAGES)) == clean


def test_a_server_that_stays_down_stops_the_build_and_loses_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 2)
    server.fault = lambda path: "503" if "Town+44" in path else ""
    with pytest.raises(SourceError, match=r"503.*what was fetched is kept"):
        texts(server, tmp_path, TOWNS)
    server.forget()
    assert texts(server, tmp_path, TOWNS)[1] == "45 text"
    assert sum(server.titles) == 5


def test_a_title_that_an_answer_leaves_out_is_not_missing(server: Server, tmp_path: Path) -> None:
    server.silent = lambda title: len(server.titles) == 1  # in the first answer
    assert texts(server, tmp_path, TOWNS[:3])[1] == "3 text"
    assert server.titles == [3, 3]
    server.titles.clear()
    assert files(server, tmp_path, IMAGES[:3])[1] == "3 file"
    assert server.titles == [3, 3]


def test_a_title_that_is_always_left_out_can_be_asked_for_later(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 3)
    server.silent = lambda title: title in {"Town 1", "File:1.png"}
    assert texts(server, tmp_path, TOWNS[:3])[1] == "2 text, 1 unanswered"
    assert files(server, tmp_path, IMAGES[:3])[1] == "2 file, 1 failed"
    server.forget()
    for name in ("summaries", "images"):
        with Journal(tmp_path / f"{name}.sqlite") as journal:
            assert journal.forget_failures() > 0
    assert texts(server, tmp_path, TOWNS[:3])[1] == "3 text"
    assert files(server, tmp_path, IMAGES[:3])[1] == "3 file"
    assert server.titles == [1, 1]


def test_an_answer_that_tells_of_no_title_stops_the_build(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 2)
    server.silent = lambda title: True
    with pytest.raises(SourceError, match=r"no word of 3 of 3 titles, such as 'Town 0'"):
        texts(server, tmp_path, TOWNS[:3])
    assert len(server.requests) == 2


def test_a_continuation_that_goes_nowhere_is_left(server: Server, tmp_path: Path) -> None:
    server.stuck = True
    with pytest.raises(SourceError, match="goes on at the same place"):
        texts(server, tmp_path, TOWNS[:3])
    assert len(server.requests) == 2


@pytest.mark.parametrize("code", ["ratelimited", "readonly", "internal_api_error_DBQueryError"])
def test_errors_of_the_api_that_pass_are_asked_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 3)
    server.error = {"code": code, "info": "not now"}
    with pytest.raises(SourceError, match=f"{code}: not now"):
        texts(server, tmp_path, TOWNS[:3])
    assert len(server.requests) == 3


def test_other_errors_of_the_api_stop_at_once(server: Server, tmp_path: Path) -> None:
    server.error = {"code": "badvalue", "info": "no such prop"}
    with pytest.raises(SourceError, match=r"w/api\.php: the API answers badvalue: no such prop"):
        texts(server, tmp_path, TOWNS[:3])
    assert len(server.requests) == 1


def test_titles_that_can_be_no_page_are_told_apart(server: Server, tmp_path: Path) -> None:
    _, note = texts(server, tmp_path, articles("Round", "Special:Random", "", "a\x1fb", "Town 1"))
    assert note == "1 missing, 3 invalid, 1 text"
    assert server.titles == [3]
    assert files(server, tmp_path, [image("a\x1fb.png")])[1] == "1 missing"


def test_long_titles_are_sent_as_a_form(server: Server, tmp_path: Path) -> None:
    long = [f"{n} " + "ß" * 120 for n in range(20)]
    server.pages |= dict.fromkeys(long, "Long.")
    assert texts(server, tmp_path, articles(*long))[1] == "20 text"
    assert server.methods == {"POST"}


def test_an_entity_elsewhere_has_summaries_of_its_own(server: Server, tmp_path: Path) -> None:
    here, there = (
        Article(f"https://{host}/Q1", f"{SITE}wiki/1", SITE, "Town 1", "en")
        for host in ("a.org", "b.org")
    )
    lines, note = texts(server, tmp_path, [here, there])
    assert note == "2 text"
    assert server.titles == [1]
    subjects = {line.split()[0] for line in lines}
    assert len(subjects) == 2


def test_a_refusal_stops_at_once(server: Server, tmp_path: Path) -> None:
    server.fault = lambda path: "403"
    with pytest.raises(SourceError, match=r"refuses us \(403\).*MLMKG_CONTACT"):
        texts(server, tmp_path, TOWNS[:3])
    assert len(server.requests) == 1


@pytest.mark.parametrize("contact", ["", "me", "me@home"])
def test_who_asks_must_be_said(contact: str) -> None:
    with pytest.raises(SourceError, match=r"^MLMKG_CONTACT: "):
        Client(contact)


def test_a_long_wait_is_not_waited_for(server: Server) -> None:
    assert retry_after("Fri, 31 Dec 2100 23:59:59 GMT") > 10**9  # type: ignore[operator]
    with pytest.raises(Failed, match="no end"):
        server.fault = lambda path: "trickle"
        polite(server).ask(server.url, lambda a: a, timeout=0.05, attempts=1)


def test_an_answer_too_long_is_cut_off(server: Server) -> None:
    server.files["long.png"] = bytes(100_000)
    with pytest.raises(Failed, match="more than 1,000 bytes"):
        polite(server).ask(f"{server.url}thumb/long.png", lambda a: a, largest=1_000)
    assert len(server.requests) == 1


def test_a_budget_is_waited_for() -> None:
    budget = Budget(seconds=0.2, window=0.3)
    budget.spend(0.3)
    started = time.monotonic()
    budget.wait()
    assert time.monotonic() - started > 0.2


def test_fifty_titles_a_request_then_two_files_at_a_time(server: Server, tmp_path: Path) -> None:
    lines, note = files(server, tmp_path, IMAGES)
    assert note == "60 file"
    assert sorted(server.titles) == [10, 50]
    assert len(server.requests) == 62
    assert server.most["media"] <= 2
    assert len(list((tmp_path / "images").glob("*/*.png"))) == 60
    joined = b"".join(lines).decode()
    assert joined.count("https://creativecommons.org/licenses/by-sa/4.0/") == 60
    assert '"Jane Doe, CC BY-SA 4.0, https://commons.wikimedia.org/wiki/File:7.png"' in joined
    server.requests.clear()
    assert files(server, tmp_path, IMAGES)[0] == lines
    assert server.requests == []


def test_a_file_that_is_gone_from_the_disk_is_fetched_again(server: Server, tmp_path: Path) -> None:
    files(server, tmp_path, IMAGES[:3])
    next((tmp_path / "images").glob("*/*.png")).unlink()
    server.requests.clear()
    assert files(server, tmp_path, IMAGES[:3])[1] == "3 file"
    assert len(server.requests) == 1


def test_images_offline_are_left_for_later(server: Server, tmp_path: Path) -> None:
    files(server, tmp_path, IMAGES[:2])
    server.requests.clear()
    assert files(server, tmp_path, IMAGES[:5], offline=True)[1] == "2 file, 3 left for later"
    assert server.requests == []


def test_an_older_version_of_an_image_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.older.add("7.png")
    server.files["the older one.png"] = picture(200)
    files(server, tmp_path, [image("7.png")])
    kept = next((tmp_path / "images").glob("*/*"))
    assert kept.read_bytes() == server.files["7.png"]
    assert len(server.requests) == 2


def test_equal_files_are_kept_once(server: Server, tmp_path: Path) -> None:
    server.files["copy.png"] = server.files["1.png"]
    lines, _ = files(server, tmp_path, [image("1.png"), image("copy.png")])
    assert sum(b"ontology#file>" in line for line in lines) == 2
    assert sum(b"ontology#sha256>" in line for line in lines) == 1
    assert len(list((tmp_path / "images").glob("*/*"))) == 1


@pytest.mark.parametrize(
    "name",
    ["\"quoted\" 'name'.png", "a/b/../../etc.png", "100%.png", "\u200fשלום.png", "a?b#c&d=e.png"],
)
def test_names_are_never_paths(server: Server, tmp_path: Path, name: str) -> None:
    server.files[name] = picture(99)
    # The local server, as Apache does, takes no slash in a name: ask for its last part.
    server.files[name.rpartition("/")[2]] = picture(99)
    _, note = files(server, tmp_path, [image(name)])
    assert note == "1 file"
    kept = list(tmp_path.rglob("*.png"))
    assert [len(path.stem) for path in kept] == [64]


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (vast(), "refused"),
        (picture(1)[:60], "failed"),
        (b"", "failed"),
        (b"<html></html>", "failed"),
        (b"II*\x00 no tiff", "failed"),
        # Pillow raises a NotImplementedError for it.
        (picture(3, "DDS")[:80] + b"\x98" + picture(3, "DDS")[81:], "failed"),
        (animated(), "file"),
        (picture(3, "JPEG", "CMYK"), "file"),
        (picture(3, "PNG", "I;16"), "file"),
        (picture(3, "BMP"), "refused"),
    ],
)
def test_what_is_no_picture_is_counted_and_not_kept(
    server: Server, tmp_path: Path, content: bytes, outcome: str
) -> None:
    server.files["trap.png"] = content
    _, note = files(server, tmp_path, [image("trap.png"), IMAGES[0]])
    expected = "2 file" if outcome == "file" else f"1 {outcome}, 1 file"
    assert note == expected
    assert len(list((tmp_path / "images").glob("*/*"))) == expected.count("file") + note.count("2")


def test_the_ending_is_what_the_file_is(tmp_path: Path) -> None:
    assert pictures.check(picture(3, "JPEG", "CMYK")).path.endswith(".jpg")
    assert pictures.check(animated()).media_type == "image/gif"


def test_what_failed_is_asked_again_only_when_that_is_wanted(server: Server, tmp_path: Path) -> None:
    good = server.files["5.png"]
    server.files["5.png"] = good[:50]
    assert files(server, tmp_path, [image("5.png")])[1] == "1 failed"
    server.files["5.png"] = good
    assert files(server, tmp_path, [image("5.png")])[1] == "1 failed"
    with Journal(tmp_path / "images.sqlite") as journal:
        assert journal.forget_failures() == 1
    assert files(server, tmp_path, [image("5.png")])[1] == "1 file"


def test_missing_and_foreign_images_are_told_apart(server: Server, tmp_path: Path) -> None:
    wanted = [image("none.png"), "https://example.org/x.png", IMAGES[0]]
    assert files(server, tmp_path, wanted)[1] == "1 missing, 1 not on Commons, 1 file"


def test_a_drawing_is_marked(server: Server, tmp_path: Path) -> None:
    server.files["flag.svg"] = picture(7)
    lines, _ = files(server, tmp_path, [image("flag.svg")])
    assert any(b'originalMediaType> "image/svg+xml"' in line for line in lines)
    assert next((tmp_path / "images").glob("*/*")).suffix == ".png"


def test_files_of_an_older_journal_are_looked_at_not_fetched(server: Server, tmp_path: Path) -> None:
    before = files(server, tmp_path, IMAGES[1:4])
    assert sum(b"perceptualHash" in line for line in before[0]) == 3
    forget_looks(tmp_path)
    server.forget()
    assert files(server, tmp_path, IMAGES[1:4]) == before
    assert not server.requests
    # One whose file is damaged is fetched again.
    forget_looks(tmp_path)
    damaged = min((tmp_path / "images").glob("*/*"))
    damaged.write_bytes(damaged.read_bytes()[:40])
    assert files(server, tmp_path, IMAGES[1:4]) == before
    assert len(server.requests) == 1


def forget_looks(folder: Path) -> None:
    """Leave the journal as an mlmkg without perceptual hashes wrote it."""
    with Journal(folder / "images.sqlite") as journal:
        for key in list(journal.keys("file ")):
            record = orjson.loads(journal.get(key) or b"")
            assert record.pop("perceptual_hash")
            journal.add({key: orjson.dumps(record)})


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F"])
def test_a_picture_of_any_mode_has_a_perceptual_hash(mode: str) -> None:
    found = pictures.check(picture(0, "TIFF", mode)).perceptual_hash
    assert found in {"0" * 16, "8" + "0" * 15}  # one colour all over


def test_only_widths_that_commons_serves() -> None:
    images.check_width(330)
    with pytest.raises(SourceError, match=r"no thumbnail 300 pixels wide.*330"):
        images.check_width(300)


KILLED = """
import sys; from pathlib import Path
from mlmkg.harvest import images; from mlmkg.harvest.client import Client
from mlmkg.harvest.journal import Journal; from mlmkg.progress import quiet
from tests.test_harvest import IMAGES
folder, url = Path(sys.argv[1]), sys.argv[2]
client = Client("tests@example.org", {"https://commons.wikimedia.org/": url})
with Journal(folder / "images.sqlite") as journal:
    list(images.fetch(IMAGES, folder / "images", client, journal, progress=quiet, note=print))
"""


def kill_after(server: Server, after: int, program: str, folder: Path) -> None:
    """Run a program until it has sent so many requests, and kill it while it waits for answers."""
    killed = threading.Event()

    def hold(path: str) -> str:
        if len(server.requests) > after:
            killed.wait(60)
        return ""

    server.fault = hold
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), server.url], cwd=Path(__file__).parent.parent
    )
    try:
        while len(server.requests) <= after and process.poll() is None:
            time.sleep(0.001)
        assert process.poll() is None, "it ended by itself"
        process.kill()
        process.wait()
    finally:
        killed.set()
    time.sleep(0.1)  # what was in the air arrives
    server.fault = lambda path: ""


@pytest.mark.parametrize("after", [3, 20, 45])
def test_a_killed_harvest_goes_on_where_it_was(
    server: Server, tmp_path: Path, clean: Harvest, after: int
) -> None:
    kill_after(server, after, KILLED, tmp_path / "killed")
    assert len(server.requests) < 62
    assert files(server, tmp_path / "killed", IMAGES) == clean[1]
    counts = Counter(path for path in server.requests if "thumb" in path)
    # What was in the air when it was killed cannot be known: two at most.
    assert sum(count - 1 for count in counts.values()) <= 2
    assert len(counts) == 60


KILLED_TEXTS = """
import sys; from pathlib import Path
from mlmkg.harvest import summaries; from mlmkg.harvest.client import Client
from mlmkg.harvest.journal import Journal; from mlmkg.progress import quiet
from tests.test_harvest import articles
folder, url = Path(sys.argv[1]), sys.argv[2]
client = Client("tests@example.org", {"https://en.wikipedia.org/": url})
wanted = articles(*(f"Village {n}" for n in range(1000)))
with Journal(folder / "summaries.sqlite") as journal:
    list(summaries.fetch(wanted, client, journal, progress=quiet, note=print))
"""


@pytest.mark.parametrize("after", [5, 40])
def test_killed_summaries_go_on_where_they_were(server: Server, tmp_path: Path, after: int) -> None:
    villages = {f"Village {n}": f"Village {n} is a village." for n in range(1000)}
    server.pages |= villages
    kill_after(server, after, KILLED_TEXTS, tmp_path)
    before = len(server.requests)
    assert before < 100
    lines, note = texts(server, tmp_path, articles(*villages))
    assert note == "1,000 text"
    assert sum(b"is a village." in line for line in lines) == 1000
    # Fifty batches of two requests each, and at most three batches that were in the air.
    assert before < len(server.requests) <= 106


def test_a_journal_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"no database, though long enough to be taken for one" * 9)
    with pytest.raises(WorkspaceError, match=r"j\.sqlite: not a journal"):
        Journal(tmp_path / "j.sqlite")


def test_summaries_from_a_cirrussearch_dump(tmp_path: Path) -> None:
    import gzip

    pages = [
        {"wiki": "enwiki", "wikibase_item": "Q1", "title": "One", "opening_text": "One is one.",
         "version": 12, "timestamp": "2026-01-02T03:04:05Z"},
        {"wiki": "enwiki", "wikibase_item": "Q2", "title": "Two", "opening_text": ""},
        {"wiki": "dewiki", "wikibase_item": "Q3", "title": "Drei", "opening_text": "Drei."},
        {"wiki": "enwiki", "title": "No item", "opening_text": "x"},
        {"wiki": "enwiki", "title": "Four \"4\"", "opening_text": "Four has no item yet."},
        {"wiki": "dewiki", "title": "One", "opening_text": "Eins."},
    ]  # fmt: skip
    path = tmp_path / "enwiki-20260101-cirrussearch-content.json.gz"
    with gzip.open(path, "wb") as stream:
        for page in pages:
            stream.write(b'{"index":{"_id":"1"}}\n' + orjson.dumps(page) + b"\n")
        stream.write(b'{"wikibase_item":"Q3", broken\n')
    notes: list[str] = []
    wanted = articles("One", "Two", "Three", 'Four "4"')
    lines = b"".join(cirrus.read([str(path)], wanted, quiet, notes.append)).decode()
    assert notes == ["2 text, 1 empty, 1 malformed lines, 1 not in the dumps"]
    assert '"Four has no item yet."@en' in lines
    assert "Eins." not in lines
    assert '"One is one."@en' in lines
    assert 'revision> "12"' in lines
    # When the dump was made: the page's own timestamp says when it was last edited.
    assert lines.count("2026-01-01T00:00:00Z") == 2


def test_licences_have_families() -> None:
    assert licences.family(licences.licence_iri("CC BY 3.0 fr")) == "cc-by"
    assert licences.family(licences.licence_iri("", "//creativecommons.org/licenses/by-sa/3.0")) == (
        "cc-by-sa"
    )
    assert licences.family(licences.licence_iri("CC0")) == "cc0"
    assert licences.family(licences.licence_iri("FAL")) == "fal"
    assert licences.family(licences.licence_iri("GFDL 1.2")) == "gfdl"
    assert licences.family(licences.licence_iri("Public domain", "http://usa.gov/x", "pd")) == "pd"
    assert licences.licence_iri("", "http://creativecommons.org/licenses/by/2.5/scotland/deed.en") == (
        "https://creativecommons.org/licenses/by/2.5/scotland/"
    )
    # A version that nobody said is not made up.
    assert licences.licence_iri("", "http://creativecommons.org/licenses/by-sa").endswith("/by-sa/")
    assert licences.family(licences.licence_iri("CC BY-NC 2.0")) == "other"
    assert licences.family(licences.licence_iri("weird")) == "unknown"
