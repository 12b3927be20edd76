"""Validation: shapes on single nodes, check queries on the whole store."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pyoxigraph as ox
import pytest
from click.testing import CliRunner

from mlmkg.validate import Validation, draw, run_check, validate
from mlmkg.vocab import PREFIXES

HEAD = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
SHA = "ab" * 32

ENTITY = """
gn:1 a mlm:Entity ; wdt:P31 wd:Q515 ; wdt:P625 "Point(13.41 52.52)"^^geo:wktLiteral ;
  wdt:P17 wd:Q183 ; wdt:P1082 3426354 ; rdfs:label "Berlin"@en , "Berlin"@de ;
  mlm:tripleClass wd:Q515 ; mlm:split mlm:train ; mlm:cell cell:47a85 ; mlm:drawRank 7 ;
  mlm:inVersion version:mlm .
"""
SUMMARY = """
<urn:s> a mlm:Summary ; schema:about gn:1 ; schema:inLanguage "en" ; schema:text "A city."@en ;
  mlm:generated true ; dct:license <https://creativecommons.org/licenses/by/4.0/> ;
  mlm:attribution "GeoNames" .
"""
IMAGE = f"""
<urn:i> a mlm:ImageFile ; mlm:sha256 "{SHA}" ; mlm:width 64 ; mlm:height 64 ; mlm:byteSize 2000 ;
  mlm:mediaType "image/jpeg" ; mlm:path "ab/{SHA}.jpg" ; mlm:generated false ;
  mlm:perceptualHash "8f3a61c5d29e7004" .
"""
SHOWN = """
<urn:w> mlm:file <urn:i> ;
  dct:license <https://creativecommons.org/publicdomain/mark/1.0/> ; mlm:attribution "NASA" .
"""
CELL = """
cell:47a85 a mlm:GeoCell ; mlm:s2Token "47a85" ; mlm:s2Level 8 ; mlm:entityCount 30 ;
  mlm:polygon "POLYGON((13 52,14 52,14 53,13 52))"^^geo:wktLiteral ;
  mlm:centroid "Point(13.5 52.5)"^^geo:wktLiteral .
"""
PREDICTION = """
<urn:p> a mlm:Prediction ; mlm:predictionFor gn:1 ; mlm:modality "image" ; mlm:rank 1 ;
  mlm:predictedCell cell:47a85 ; mlm:probability 0.25e0 ;
  mlm:predictedPoint "Point(13.5 52.5)"^^geo:wktLiteral ; prov:wasGeneratedBy <urn:run> .
<urn:run> a mls:Run , prov:Activity .
"""
GRAPH = f"""
<urn:g> a prov:Entity ; mlm:tripleCount 12 ; mlm:sha256 "{SHA}" ; mlm:key "0123456789abcdef" ;
  prov:wasGeneratedBy <urn:a> .
<urn:a> a prov:Activity ; prov:startedAtTime "2026-11-24T00:00:00Z"^^xsd:dateTime ;
  prov:endedAtTime "2026-11-24T00:00:01Z"^^xsd:dateTime ; prov:wasAssociatedWith <urn:agent> ;
  prov:qualifiedAssociation <urn:a#association> .
<urn:a#association> a prov:Association ; prov:hadPlan <urn:plan> .
<urn:plan> a prov:Plan ; mlm:sha256 "{SHA}" .
"""
COUNTRY = """
wd:Q183 a mlm:Country ; rdfs:label "Germany"@en ; wdt:P297 "DE" ; mlm:euMember2019 true ;
  mlm:population2019 83517045 .
"""
CONTINENT = 'wd:Q46 a mlm:Continent ; rdfs:label "Europe"@en , "Europa"@de .'
CANDIDATE = 'gn:2 a mlm:Candidate ; wdt:P31 wd:Q532 ; wdt:P625 "Point(7.1 50.7)"^^geo:wktLiteral .'
CHANGE = """
<urn:c> a mlm:Change ; mlm:changed gn:1 ; mlm:changeOf "place" ; mlm:changeKind "changed" ;
  mlm:before "Point(13 52)" ; mlm:after "Point(13.41 52.52)" .
"""
LEFT_OUT = """
<urn:l> a mlm:LeftOut ; mlm:ofClass wd:Q532 , wd:Q515 ; mlm:leftOutCount 7 ; mlm:onEarth true ;
  mlm:withImage false ; mlm:withArticle true .
"""
SPLIT = 'mlm:train a mlm:Split ; rdfs:label "train"@en .'
VERSION = 'version:mlm a mlm:Version ; rdfs:label "MLM"@en .'
GOOD = {
    "candidate": CANDIDATE, "change": CHANGE, "continent": CONTINENT, "split": SPLIT,
    "version": VERSION, "entity": ENTITY, "summary": SUMMARY, "image file": IMAGE,
    "image": SHOWN, "geo cell": CELL,
    "prediction": PREDICTION, "graph": GRAPH, "country": COUNTRY, "entities left out": LEFT_OUT,
}  # fmt: skip

#: shape, what stands there, what is put in its place, a word of the message
BAD = [
    ("entity", "wdt:P31 wd:Q515 ; ", "", "instance of"),
    ("entity", 'wdt:P625 "Point(13.41 52.52)"^^geo:wktLiteral ;', "", "has coordinates"),
    ("entity", '"Point(13.41 52.52)"^^geo:wktLiteral', '"Point(13.41 52.52)"', "geo:wktLiteral"),
    ("entity", "Point(13.41 52.52)", "Point(52.52 113.41)", "-90 to 90"),
    ("entity", "Point(13.41 52.52)", "13.41, 52.52", "Point(longitude latitude)"),
    ("entity", "mlm:cell cell:47a85", "mlm:cell cell:47a85 , cell:47b", "one geo cell"),
    ("entity", "mlm:cell cell:47a85", "mlm:cell cell:47b", "describes that cell"),
    ("entity", "mlm:split mlm:train", "mlm:split mlm:train , mlm:test", "one split"),
    ("entity", "mlm:split mlm:train", "mlm:split mlm:dev", "one split"),
    ("entity", "mlm:tripleClass wd:Q515 ;", "", "triple class"),
    ("entity", "mlm:drawRank 7", "mlm:drawRank 0", "draw rank"),
    ("entity", "wdt:P1082 3426354", "wdt:P1082 -1", "population"),
    ("entity", '"Berlin"@de', '"Kölln"@en', "one label in a language"),
    ("summary", "schema:about gn:1", "schema:about gn:1 , gn:2", "exactly one entity"),
    ("summary", 'schema:inLanguage "en"', 'schema:inLanguage "English"', "ISO 639"),
    ("summary", '"A city."@en', '" "@en', "not empty"),
    ("summary", '"A city."@en', '"A city."', "tagged"),
    ("summary", "dct:license", "dct:rights", "licence"),
    ("summary", "mlm:generated true ; ", "", "whether a program"),
    ("image file", f'mlm:sha256 "{SHA}"', f'mlm:sha256 "{SHA[:-1]}G"', "SHA-256"),
    ("image file", "mlm:width 64", "mlm:width 0", "width"),
    ("image file", "mlm:height 64", "mlm:height 64 , 65", "height"),
    ("image file", "mlm:byteSize 2000", "mlm:byteSize -1", "size in bytes"),
    ("image file", "image/jpeg", "jpeg", "media type"),
    ("image file", f"ab/{SHA}", f"../{SHA}", "made of its SHA-256"),
    ("image file", "8f3a61c5d29e7004", "8F3A", "perceptual hash"),
    ("image", "dct:license", "dct:rights", "licence"),
    ("image", "mlm:file <urn:i>", "mlm:file <urn:i> , <urn:j>", "one file"),
    ("image", 'mlm:attribution "NASA"', 'mlm:attribution ""', "credit"),
    ("geo cell", 's2Token "47a85"', 's2Token "47A850"', "S2 token"),
    ("geo cell", "mlm:s2Level 8", "mlm:s2Level 31", "0 to 30"),
    ("geo cell", "POLYGON((", "LINESTRING((", "outline"),
    ("geo cell", "mlm:centroid", "mlm:middle", "centroid"),
    ("prediction", "mlm:probability 0.25e0", "mlm:probability 1.2e0", "0 to 1"),
    ("prediction", "mlm:rank 1", "mlm:rank 0", "rank"),
    ("prediction", 'modality "image"', 'modality "audio"', "image or text"),
    ("prediction", "mlm:predictedCell cell:47a85", "mlm:predictedCell cell:1", "geo cell"),
    ("prediction", "prov:wasGeneratedBy <urn:run>", "prov:used <urn:run>", "which run"),
    ("graph", "<urn:g> a prov:Entity", "<urn:g> a prov:Collection", "prov:Entity"),
    ("graph", f'mlm:sha256 "{SHA}" ; mlm:key', "mlm:key", "SHA-256"),
    ("graph", "prov:hadPlan <urn:plan>", "prov:agent <urn:agent>", "plan"),
    ("graph", f'prov:Plan ; mlm:sha256 "{SHA}"', "prov:Plan", "plan that made a graph has"),
    ("country", "83517045", '"83 million"', "positive integer"),
    ("country", '"DE"', '"Germany"', "two capital letters"),
    ("continent", '"Europa"@de', '"Europa"@en', "one label in a language"),
    ("candidate", "wdt:P31 wd:Q532 ;", "", "instance of"),
    ("candidate", '"^^geo:wktLiteral', '"', "geo:wktLiteral"),
    ("change", "mlm:changed gn:1", "mlm:changed gn:1 , gn:2", "one thing"),
    ("change", '"place"', '"colour"', "a place"),
    ("change", '"changed"', '"moved"', "added, removed or changed"),
    ("change", 'mlm:after "', 'mlm:after "Point(0 0)" , "', "after a change"),
    ("entities left out", "mlm:ofClass wd:Q532 , wd:Q515 ;", "", "at least one class"),
    ("entities left out", "mlm:leftOutCount 7", "mlm:leftOutCount 0", "1 or more"),
    ("entities left out", "mlm:withArticle true", "mlm:withArticle true , false", "an article"),
    ("split", "mlm:train a mlm:Split", "mlm:dev a mlm:Split", "three splits"),
    ("version", '"MLM"@en', '"MLM"', "its language"),
]


def store(*turtle: str) -> ox.Store:
    """Return a store that holds each text in a named graph of its own."""
    made = ox.Store()
    for number, text in enumerate(turtle):
        graph = ox.NamedNode(f"urn:graph:{number}")
        made.load((HEAD + text).encode(), ox.RdfFormat.TURTLE, to_graph=graph)
    return made


def test_a_store_in_which_all_is_well_has_no_findings():
    validation = validate(store(*GOOD.values()))
    assert validation.findings == ()
    assert validation.nodes == dict.fromkeys(sorted(GOOD), (1, 1))


@pytest.mark.parametrize(("shape", "good", "bad", "word"), BAD)
def test_a_broken_node_is_found_and_the_message_says_what_is_wrong(shape, good, bad, word):
    assert good in GOOD[shape]
    broken = GOOD | {shape: GOOD[shape].replace(good, bad, 1)}
    findings = validate(store(*broken.values())).findings
    assert {finding.check for finding in findings} == {shape}
    assert any(word in finding.message for finding in findings)
    assert all(finding.focus and finding.severity == "violation" for finding in findings)


def test_a_finding_shows_the_value_but_not_a_whole_text():
    long = SUMMARY.replace('"A city."@en', f'"{"A city. " * 50}"')
    (finding,) = validate(store(ENTITY, CELL, long)).findings
    assert "Found: A city." in finding.message
    assert len(finding.message) < 200


def many_images(number: int, broken: set[int] = frozenset()) -> str:
    return "".join(
        IMAGE.replace("<urn:i>", f"<urn:i{n}>").replace("64 ;", "0 ;" if n in broken else "64 ;", 1)
        for n in range(number)
    )


def test_a_sample_is_as_large_as_asked_for_and_the_same_every_time():
    images = store(many_images(50, broken=set(range(50))))
    first = validate(images, sample=10)
    assert first.nodes["image file"] == (10, 50)
    assert len({finding.focus for finding in first.findings}) == 10
    assert validate(images, sample=10).findings == first.findings
    assert validate(images, sample=10, seed="another").findings != first.findings


def test_all_looks_at_every_node(monkeypatch):
    monkeypatch.setattr("mlmkg.validate.BATCH", 20)
    images = store(many_images(50, broken={3, 44}))
    found = validate(images, sample=1, all=True)
    assert found.nodes["image file"] == (50, 50)
    assert {finding.focus for finding in found.findings} == {"urn:i3", "urn:i44"}


def test_neighbours_of_the_sample_are_not_validated_in_passing():
    """The cell of an entity is only half known when the entity is looked at, and must not be judged."""
    assert validate(store(PREDICTION, ENTITY, CELL), sample=1).findings == ()


def test_the_draw_keeps_what_it_had_when_nodes_are_added():
    before = draw([f"urn:{n}" for n in range(100)], 20)
    after = draw([f"urn:{n}" for n in range(110)], 20)
    assert len(set(before) & set(after)) >= 10


@dataclass(frozen=True)
class Query:
    name: str
    title: str
    text: str


TWO_SPLITS = Query(
    "entity-in-two-splits", "An entity is in two splits",
    "SELECT ?entity ?other WHERE { ?entity mlm:split mlm:train, ?other FILTER(?other != mlm:train) }",
)  # fmt: skip


def test_each_row_of_a_check_is_a_finding():
    data = store(ENTITY, "gn:1 mlm:split mlm:test .")
    (finding,) = [f for f in validate(data, checks=[TWO_SPLITS]).findings if f.check == TWO_SPLITS.name]
    assert finding.focus == "https://sws.geonames.org/1"
    assert finding.message.startswith("An entity is in two splits: entity https://sws.geonames.org/1")


def test_a_check_may_word_its_own_message():
    query = Query("x", "X", "SELECT ?e ('Go home' AS ?message) WHERE { ?e a mlm:Entity }")
    (finding,) = run_check(store(ENTITY), query)
    assert finding.message == "Go home"


def test_a_check_may_call_the_functions_of_the_project():
    query = Query("x", "X", "SELECT ?t WHERE { BIND(mlmf:s2cell(52.52, 13.41, 8) AS ?t) }")
    (finding,) = run_check(store(ENTITY), query)
    assert finding.message.startswith("X: t 47a")


def test_a_check_that_is_not_a_select_is_refused():
    with pytest.raises(TypeError, match="not a SELECT"):
        list(run_check(store(ENTITY), Query("x", "X", "ASK { ?s ?p ?o }")))


def test_the_summary_says_what_was_looked_at():
    seen = Validation((), {"entity": (200, 34_006), "graph": (18, 18), "prediction": (0, 0)}, ("a",))
    assert seen.summary() == "1 checks; shapes on 200 of 34,006 entity, 18 graph"


def on_disk(path, *turtle: str):
    disk = ox.Store(str(path / "store"))
    for number, text in enumerate(turtle):
        graph = ox.NamedNode(f"https://w3id.org/mlmkg/graph/v1/g{number}")
        disk.load((HEAD + text).encode(), ox.RdfFormat.TURTLE, to_graph=graph)
    disk.flush()


def command_line(workspace, *words: str):
    from mlmkg.cli.main import root

    return CliRunner().invoke(root, ["-w", str(workspace), *words])


@pytest.fixture
def queries(tmp_path):
    """A query set of one's own, with one check."""
    folder = tmp_path / "queries"
    (folder / "checks").mkdir(parents=True)
    (folder / "recipe.toml").write_text("")
    text = f"#+ title: {TWO_SPLITS.title}\n{HEAD}{TWO_SPLITS.text}\n"
    (folder / "checks" / "entity-in-two-splits.rq").write_text(text)
    return folder


def test_the_command_prints_one_line_and_exits_0_when_all_is_well(tmp_path, queries):
    on_disk(tmp_path, ENTITY, CELL)
    result = command_line(tmp_path, "-q", str(queries), "validate")
    assert result.exit_code == 0
    assert result.stdout == "No findings: 1 checks; shapes on 1 entity, 1 geo cell\n"


def test_the_command_prints_the_findings_and_exits_1(tmp_path, queries):
    on_disk(tmp_path, ENTITY.replace("mlm:train", "mlm:train , mlm:test"), CELL)
    result = command_line(tmp_path, "-q", str(queries), "validate")
    assert result.exit_code == 1
    assert "one split" in result.stdout
    assert "entity-in-two-splits" in result.stdout
    as_json = json.loads(command_line(tmp_path, "-q", str(queries), "validate", "--json").stdout)
    assert {finding["check"] for finding in as_json["findings"]} == {"entity", TWO_SPLITS.name}
    assert as_json["nodes"]["entity"] == [1, 1]
