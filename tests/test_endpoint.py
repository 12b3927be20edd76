"""The source `endpoint`: real queries to a real server that fails as public ones do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from mlmkg.catalog import read_catalog
from mlmkg.errors import SourceError
from mlmkg.estimate import estimate
from mlmkg.harvest.client import Answer, Client, Failed
from mlmkg.pipeline import build
from mlmkg.recipe import read_recipe
from mlmkg.sources.endpoint import Endpoint, read_triples
from mlmkg.sources.gazetteer import Gazetteer
from mlmkg.sources.slices import Slice
from mlmkg.steps import EVERYTHING, dataset
from mlmkg.store import open_read_only
from mlmkg.vocab import PREFIXES
from mlmkg.workspace import Workspace
from tests.endpoints import FAULTS, Front, endpoint

HEAD = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
PLACES = 60
CATALOG = read_catalog()
RECIPE = read_recipe(CATALOG.folder / "recipe.toml")


def wikidata() -> str:
    """Twelve classes in a tree, sixty places in them, and things that are not places."""
    text = [HEAD]
    for n in range(12):
        above = "Q486972" if n < 6 else f"Q{100 + n - 6}"
        text.append(f'wd:Q{100 + n} wdt:P279 wd:{above} ; rdfs:label "class {n}"@en .')
    for n in range(PLACES):
        text.append(
            f'wd:Q{1000 + n} wdt:P31 wd:Q{100 + n % 12} ; rdfs:label "Place {n}"@en , "Ort {n}"@de ;'
            f' wdt:P625 "Point({n - 30} {n / 2})"^^geo:wktLiteral ; wdt:P17 wd:Q{n % 3 + 1} ;'
            f" wdt:P18 <http://commons.wikimedia.org/wiki/Special:FilePath/{n}.jpg> ."
            f"<https://en.wikipedia.org/wiki/Place_{n}> schema:about wd:Q{1000 + n} ;"
            f' schema:isPartOf <https://en.wikipedia.org/> ; schema:name "Place {n}"@en .'
        )
    text.append('wd:Q5000 wdt:P31 wd:Q5 ; wdt:P625 "Point(1 1)"^^geo:wktLiteral .')
    text.append("wd:Q1000 wdt:P17 _:unknown .")
    return "\n".join(text)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("endpoint")
    (folder / "data.ttl").write_text(wikidata(), "utf-8")
    with endpoint(folder / "data.ttl", folder) as server:
        yield server


@pytest.fixture(autouse=True)
def calm(front: Front) -> None:
    front.fault = lambda query: ""
    front.queries.clear()
    front.most = 0


def client(pace: float = 0.005) -> Client:
    return Client("tests@example.org", pace=pace)


def extracted(
    front: Front, folder: Path, part: Slice = EVERYTHING, **options: object
) -> dict[str, list[str]]:
    """Build from the endpoint and return the extract graphs, sorted."""
    source = Endpoint(front.url, client(), "2026", **options)  # type: ignore[arg-type]
    steps = dataset(CATALOG, RECIPE, source, Gazetteer(limit=1), part=part, images=False)
    workspace = Workspace(folder)
    build(steps, workspace)
    store = open_read_only(workspace)
    names = [q.writes for q in CATALOG.of_kind("extract")]
    return {
        name: sorted(
            " ".join(row) for row in store.rows(
                f"SELECT ?s ?p ?o {{ GRAPH <https://w3id.org/mlmkg/graph/v1/{name}> {{ ?s ?p ?o }} }}"
            )
        )
        for name in names if name
    }  # fmt: skip


def test_the_extract_queries_bring_the_places_and_nothing_else(front: Front, tmp_path: Path) -> None:
    graphs = extracted(front, tmp_path)
    subjects = {line.split()[0].rpartition("/")[2] for line in graphs["instances"]}
    assert subjects == {f"Q{1000 + n}" for n in range(PLACES)}
    assert not any("_:" in line or "unknown" in line for line in graphs["instances"])
    assert len(graphs["labels"]) == 2 * PLACES
    assert len(graphs["articles"]) == 4 * PLACES
    assert len(graphs["images"]) == PLACES


def test_requests_are_few_one_at_a_time_and_say_who_asks(front: Front, tmp_path: Path) -> None:
    extracted(front, tmp_path)
    assert len(front.queries) == 5
    assert front.most == 1
    assert all("tests@example.org" in agent for agent in front.agents)
    assert not any("SERVICE" in query.upper() for query in front.queries)


def test_several_queries_at_a_time_when_asked_for(front: Front, tmp_path: Path) -> None:
    small = re.compile(r"VALUES \?entity \{[^}]*\}")
    front.fault = lambda q: "timeout" if any(len(m.split()) > 12 for m in small.findall(q)) else ""
    assert extracted(front, tmp_path / "a", at_once=3) == extracted(front, tmp_path / "b")
    assert 1 < front.most <= 3


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_and_asked_again(front: Front, tmp_path: Path, fault: str) -> None:
    clean = extracted(front, tmp_path / "clean")
    front.queries.clear()
    front.fault = lambda query: fault if len(front.queries) % 3 == 1 else ""
    assert extracted(front, tmp_path / "faulty") == clean
    assert len(front.queries) > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_five_faults_in_a_hundred_change_nothing(front: Front, tmp_path: Path, seed: int) -> None:
    clean = extracted(front, tmp_path / "clean")
    front.fail_at_random(0.3 if seed < 3 else 0.05, seed)
    assert extracted(front, tmp_path / "faulty") == clean


def test_a_batch_that_takes_too_long_is_halved_and_grows_back(front: Front, tmp_path: Path) -> None:
    clean = extracted(front, tmp_path / "clean")
    front.queries.clear()
    front.fault = lambda query: "timeout" if query.count("/entity/Q10") > 10 else ""
    assert extracted(front, tmp_path / "halved") == clean
    sizes = [query.count("/entity/Q10") for query in front.queries if "rdfs:label ?label" in query][1:]
    assert max(sizes) > 10
    assert any(b > a for a, b in pairwise(sizes))


def test_one_value_that_takes_too_long_stops_the_build_with_its_name(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmkg.harvest.client.ATTEMPTS", 2)
    front.fault = lambda query: "timeout" if "entity/Q1007>" in query else ""
    with pytest.raises(SourceError, match=r"too long even for .*Q1007.*--country"):
        extracted(front, tmp_path)


def test_a_killed_build_asks_for_nothing_twice(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = extracted(front, tmp_path / "clean")
    monkeypatch.setattr("mlmkg.harvest.client.ATTEMPTS", 1)
    front.queries.clear()
    front.fault = lambda query: "503" if len(front.queries) > 3 else ""
    with pytest.raises(SourceError, match=r"503.*what was answered is kept"):
        extracted(front, tmp_path / "broken")
    answered = front.queries[:3]
    front.queries.clear()
    front.fault = lambda query: ""
    assert extracted(front, tmp_path / "broken") == clean
    assert set(front.queries) & set(answered) == set()


def test_a_ban_stops_at_once_and_says_what_to_change(front: Front, tmp_path: Path) -> None:
    front.fault = lambda query: "403"
    with pytest.raises(SourceError, match=r"banned until 2030.*MLMKG_CONTACT"):
        extracted(front, tmp_path)
    assert len(front.queries) == 1


def test_an_endpoint_that_never_ends_is_left(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlmkg.harvest.client.ATTEMPTS", 2)
    monkeypatch.setattr("mlmkg.sources.endpoint.TIMEOUT", 0.2)
    front.fault = lambda query: "endless"
    with pytest.raises(SourceError, match="takes the server too long"):
        extracted(front, tmp_path)


@pytest.mark.slow
def test_slices_by_country_box_and_number(front: Front, tmp_path: Path) -> None:
    def entities(part: Slice) -> set[int]:
        graphs = extracted(front, tmp_path / str(hash(part)), part)
        return {int(line.split()[0].rpartition("Q")[2]) - 1000 for line in graphs["instances"]}

    assert entities(Slice(country="Q2")) == set(range(1, PLACES, 3))
    assert entities(Slice(bbox=(-5, 0, 5, 20))) == set(range(25, 36))
    assert entities(Slice(bbox=(20, -90, -20, 90))) == {*range(11), *range(50, 60)}
    assert len(entities(Slice(limit=7))) == 7


def test_a_limit_takes_the_same_entities_however_the_batches_fall(front: Front, tmp_path: Path) -> None:
    clean = extracted(front, tmp_path / "clean", Slice(limit=7))
    front.fault = lambda query: (
        "timeout" if query.count("/entity/Q10") > 9 and "?point" in query else ""
    )
    assert extracted(front, tmp_path / "halved", Slice(limit=7)) == clean


def test_a_limit_waits_for_what_was_late_though_later_batches_have_enough(
    front: Front, tmp_path: Path
) -> None:
    clean = extracted(front, tmp_path / "clean", Slice(limit=7))
    first = "Q100> <http://www.wikidata.org/entity/Q101>"
    # Two batches at a time: the first is late, the second alone has over seven places.
    front.fault = lambda q: "timeout" if "?point" in q and (q.count("Q10") > 20 or first in q) else ""
    assert extracted(front, tmp_path / "late", Slice(limit=7), at_once=2) == clean


def test_a_dry_run_counts_the_requests(front: Front) -> None:
    source = Endpoint(front.url, client(), "2026")
    stale = {str(q.writes) for q in CATALOG.of_kind("extract")} | {"summaries", "image_files"}
    rows = {row["requests for"]: row for row in estimate(CATALOG, RECIPE, source, Slice(), stale)}
    assert len(front.queries) == 2
    assert rows["extract/instances.rq"]["values"] == 12
    assert rows["extract/labels.rq"]["values"] == PLACES
    assert rows["summaries, at most"]["requests"] == 9
    assert rows["image files, one image each"]["requests"] == PLACES


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("text/html", b"<html>maintenance</html>", "instead of triples"),
        ("application/n-triples", b"<!DOCTYPE html><html></html>\n", "instead of triples"),
        ("application/n-triples", b"<urn:a> <urn:b> <urn:c> .\n<urn:a> <ur", "ends within a line"),
        ("application/n-triples", b"<urn:a> <urn:b> <urn:c> .\nTimeoutException\n", "breaks off"),
        ("text/turtle", b"<urn:a> <urn:b> <urn:c> , <urn:d", "breaks off"),
    ],
)
def test_an_answer_that_is_not_whole_does_not_count(kind: str, body: bytes, why: str) -> None:
    with pytest.raises(Failed, match=why):
        read_triples(Answer("http://e/", kind, body, 0.1))


def test_a_language_tag_that_strict_parsers_refuse_is_read() -> None:
    body = '<urn:a> <urn:b> "文言"@zh-classical .\n'.encode()
    assert read_triples(Answer("http://e/", "application/n-triples", body, 0.1)) == body
