"""The [dataset] table: what it may say, and which format is left out for want of what."""

from __future__ import annotations

import pytest

from mlmkg.errors import RecipeError
from mlmkg.metadata import read_description, write_metadata
from mlmkg.metadata.description import Agent
from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.described import ORCID


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"titel": "x"}, r"titel: unknown key.*title, description"),
        ({"title": 7}, "title: not a text"),
        ({"licence": "CC BY"}, "licence: not an IRI"),
        ({"publisher": {"url": "https://x.example/"}}, "publisher: not a name"),
        ({"creators": "Ada"}, "creators: not a list"),
        ({"creators": [{"name": "Ada", "orcid": "0000-0002-1825-0098"}]}, "orcid: not an ORCID"),
        ({"creators": [{"name": "Ada", "orcid": "Ada"}]}, "orcid: not an ORCID"),
        ({"publisher": {"name": "A", "ror": "https://ror.org/x"}}, "ror: not a ROR"),
        ({"funding": [{"award": "1"}]}, "funding: not a funder"),
        ({"previous": {"iri": "https://x.example/"}}, "previous: has no version"),
        ({"free": "yes"}, "free: not true or false"),
        ({"availability": "always"}, "availability: not one of them.*stable, available"),
        ({"issued": "yesterday"}, "issued: not a date"),
        ({"temporal": ["2026-01-01", "2019-01-01"]}, "temporal: the first day lies after"),
    ],
)
def test_a_setting_that_makes_no_sense_is_reported(settings, message):
    with pytest.raises(RecipeError, match=message):
        read_description(settings)


def test_a_publisher_may_be_a_name_alone():
    assert read_description({"publisher": "City archive"}).publisher == Agent("City archive")


def test_an_orcid_may_be_written_with_or_without_its_address():
    for spelling in (ORCID, "0000-0002-1825-0097"):
        (creator,) = read_description({"creators": [{"name": "Ada", "orcid": spelling}]}).creators
        assert (creator.iri, creator.person) == (ORCID, True)


def test_a_doi_is_found_in_an_address_and_only_there():
    assert read_description({"identifier": "https://doi.org/10.5072/x"}).doi == "10.5072/x"
    assert read_description({"identifier": "doi:10.5072/x"}).doi == "10.5072/x"
    assert read_description({"identifier": "urn:isbn:1"}).doi is None


def test_a_format_that_lacks_a_setting_is_an_error_only_if_asked_for(built, tmp_path, monkeypatch):
    settings = tmp_path / "mlmkg.toml"
    settings.write_text('[dataset]\npublisher = "City archive"\n')
    monkeypatch.setenv("MLMKG_SETTINGS", str(settings))
    asked = invoke("-w", built, "metadata", "-o", tmp_path / "a", "--format", "void,datacite-json")
    assert isinstance(asked.exception, RecipeError)
    assert "datacite-json needs creators, issued: add them to [dataset]" in str(asked.exception)
    assert not (tmp_path / "a").exists()
    default = invoke("-w", built, "metadata", "-o", tmp_path / "b")
    assert default.exit_code == 0
    assert "datacite-xml is left out: it needs creators, issued, identifier (a DOI)" in default.stderr
    assert "croissant is left out: it describes an export" in default.stderr


def test_one_format_alone_writes_one_file_and_an_unknown_one_is_named(built, tmp_path):
    store, workspace = open_read_only(Workspace(built)).raw, Workspace(built)
    done = write_metadata(store, workspace, tmp_path, formats=["codemeta"])
    assert [path.name for path in done.files] == ["codemeta.json"]
    with pytest.raises(RecipeError, match=r"no format 'bibtex'.*void, dcat"):
        write_metadata(store, workspace, tmp_path, formats=["bibtex"])
