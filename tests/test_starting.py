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


def test_museums_come_out_of_a_recipe_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.ttl").write_text(MUSEUMS, "utf-8")
    words = ["init", tmp_path / "museums", "--class", "Q33506", "--languages", "en,it,es"]
    made = invoke("--contact", "tests@example.org", *words)
    assert made.exit_code == 0, made.output
    recipe = read_recipe(tmp_path / "museums" / "queries" / "museums" / "recipe.toml")
    assert recipe.languages == ("en", "it", "es")
    with endpoint(tmp_path / "data.ttl", tmp_path) as front:
        workspace, queries = tmp_path / "mlm", tmp_path / "museums" / "queries" / "museums"
        built = invoke(
            "-w", workspace, "-q", queries, "--contact", "tests@example.org", "build", "--source",
            "endpoint", "--endpoint", front.url, "--offline",
        )  # fmt: skip
        assert built.exit_code != 0
        assert "has not been answered yet" in str(built.exception)
        monkeypatch.setattr("mlmkg.harvest.client.ATTEMPTS", 1)
        site = "https://it.wikipedia.org/=http://127.0.0.1:9/"
        built = invoke(
            "-w", workspace, "-q", queries, "--contact", "tests@example.org", "build", "--source",
            "endpoint", "--endpoint", front.url, "--mirror", site,
        )  # fmt: skip
    # Nobody answers in place of the Wikipedia; what was asked before is kept, as the message says.
    assert "127.0.0.1:9" in str(built.exception)
    assert (workspace / "graphs").is_dir()
    assert not (workspace / "store").exists() or open_read_only(Workspace(workspace))
    (articles,) = (workspace / "graphs").glob("articles-*.nt.zst")
    from mlmkg.graphfile import open_lines

    text = open_lines(articles).read().decode()
    assert "it.wikipedia.org/wiki/Uffizi" in text
    assert "de.wikipedia.org" not in text


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
