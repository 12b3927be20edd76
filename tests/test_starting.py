"""`mlmkg init`: a dataset of another class, built from a real endpoint with nothing but files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlmkg.recipe import read_recipe
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.endpoints import endpoint
from tests.test_endpoint import HEAD
from tests.wikis import picture, wiki

MUSEUMS = (
    HEAD
    + """
wd:Q207694 wdt:P279 wd:Q33506 ; rdfs:label "museo d'arte"@it .
wd:Q51252 wdt:P31 wd:Q207694 ; wdt:P625 "Point(11.2553 43.7684)"^^geo:wktLiteral ; wdt:P17 wd:Q38 ;
  rdfs:label "Uffizi"@it ; wdt:P18 <http://commons.wikimedia.org/wiki/Special:FilePath/Uffizi.jpg> .
<https://it.wikipedia.org/wiki/Uffizi> schema:about wd:Q51252 ; schema:name "Uffizi"@it ;
  schema:isPartOf <https://it.wikipedia.org/> .
<https://de.wikipedia.org/wiki/Uffizien> schema:about wd:Q51252 ; schema:name "Uffizien"@de ;
  schema:isPartOf <https://de.wikipedia.org/> .
wd:Q64 wdt:P31 wd:Q515 ; wdt:P625 "Point(13.4 52.5)"^^geo:wktLiteral .
wd:Q515 wdt:P279 wd:Q486972 .
"""
)


def test_museums_come_out_of_a_recipe_alone(tmp_path: Path) -> None:
    (tmp_path / "data.ttl").write_text(MUSEUMS, "utf-8")
    words = ["init", tmp_path / "museums", "--class", "Q33506", "--languages", "en,it,es"]
    made = invoke("--contact", "tests@example.org", *words)
    assert made.exit_code == 0, made.output
    queries = tmp_path / "museums" / "queries" / "museums"
    assert read_recipe(queries / "recipe.toml").languages == ("en", "it", "es")
    with endpoint(tmp_path / "data.ttl", tmp_path) as front, wiki() as server:
        server.pages["Uffizi"] = "Gli Uffizi sono un museo."
        server.files["Uffizi.jpg"] = picture(5, "JPEG")
        words = [
            "-w", tmp_path / "mlm", "-q", queries, "--contact", "tests@example.org", "build",
            "--source", "endpoint", "--endpoint", front.url,
            "--mirror", f"https://it.wikipedia.org/={server.url}",
            "--mirror", f"https://commons.wikimedia.org/={server.url}",
        ]  # fmt: skip
        built = invoke(*words)
        assert built.exit_code == 0, built.output
        again = invoke(*words)
    assert "Nothing to do" in again.output
    rows = open_read_only(Workspace(tmp_path / "mlm")).rows(
        "SELECT ?entity ?text ?type { ?entity a mlm:Entity ; wdt:P18/mlm:file/mlm:mediaType ?type ."
        " ?summary schema:about ?entity ; a mlm:Summary ; schema:text ?text }"
    )
    uffizi = "http://www.wikidata.org/entity/Q51252"
    assert list(rows) == [[uffizi, "Gli Uffizi sono un museo.", "image/jpeg"]]


def test_offline_needs_what_was_asked_before(tmp_path: Path) -> None:
    words = ["build", "--source", "endpoint", "--endpoint", "http://127.0.0.1:9/", "--offline"]
    assert "has not been answered yet" in str(invoke("-w", tmp_path / "mlm", *words).exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["x", "--class", "museum"], "'museum' is no Wikidata item"),
        (["x", "--languages", "English"], "'English' is no code"),
        (["x", "--languages", ","], "no language"),
    ],
)
def test_a_bad_value_is_refused_and_nothing_is_written(
    tmp_path: Path, words: list[str], says: str
) -> None:
    result = invoke("init", tmp_path / words[0], *words[1:])
    assert says in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty" in str(invoke("init", tmp_path).exception)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
