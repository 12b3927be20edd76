"""PROV: who made what from what, under the rules of PROV-CONSTRAINTS.

There is no Python package that knows the constraints (``prov`` reads and writes, and checks nothing).
Those that apply to what is written here are stated below, by their names in
https://www.w3.org/TR/prov-constraints/.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
import rdflib
from rdflib import PROV, RDF

from mlmkg.store import open_read_only
from mlmkg.workspace import Workspace
from tests.conftest import invoke
from tests.described import ORCID, SETTINGS, predicted, turtle, written

MLM = rdflib.Namespace("https://w3id.org/mlmkg/ontology#")
#: Graphs that come from a file of the package alone.
NOTHING_USED = {"ontology", "countries"}
DERIVED = (PROV.wasDerivedFrom, PROV.wasRevisionOf)


def violations(graph: rdflib.Graph) -> Iterator[str]:
    """Yield the constraints that a graph of provenance breaks."""
    entities = set(graph.subjects(RDF.type, PROV.Entity))
    activities = set(graph.subjects(RDF.type, PROV.Activity))
    agents = {
        *graph.subjects(RDF.type, PROV.SoftwareAgent), *graph.subjects(RDF.type, PROV.Agent),
        *graph.subjects(RDF.type, PROV.Person), *graph.subjects(RDF.type, PROV.Organization),
    }  # fmt: skip
    yield from (f"entity-activity-disjoint: {node}" for node in entities & activities)
    for predicate, kinds in (
        (PROV.used, (activities, entities)), (PROV.wasGeneratedBy, (entities, activities)),
        (PROV.wasAssociatedWith, (activities, agents)), (PROV.wasAttributedTo, (entities, agents)),
        *((one, (entities, entities)) for one in DERIVED),
    ):  # fmt: skip
        for pair in graph.subject_objects(predicate):
            for node, kind in zip(pair, kinds, strict=True):
                if node not in kind:
                    yield f"typing: {node} of {predicate}"
    for entity in entities:
        if len(set(graph.objects(entity, PROV.wasGeneratedBy))) > 1:
            yield f"unique-generation: {entity}"
    for activity in activities:
        for time in (PROV.startedAtTime, PROV.endedAtTime):
            if len(set(graph.objects(activity, time))) > 1:
                yield f"unique-start and -end: {activity}"
    yield from disorder(graph, activities)


def disorder(graph: rdflib.Graph, activities: set[rdflib.term.Node]) -> Iterator[str]:
    """Yield what happens before what it comes from: events are ordered, strictly by derivations."""
    order = nx.DiGraph()
    for activity in activities:
        order.add_edge(("start", activity), ("end", activity), rule="start-precedes-end")
    for activity, entity in graph.subject_objects(PROV.used):
        use = ("use", activity, entity)
        order.add_edge(("start", activity), use, rule="usage-within-activity")
        order.add_edge(use, ("end", activity), rule="usage-within-activity")
        order.add_edge(("made", entity), use, rule="generation-precedes-usage")
    for entity, activity in graph.subject_objects(PROV.wasGeneratedBy):
        order.add_edge(("start", activity), ("made", entity), rule="generation-within-activity")
        order.add_edge(("made", entity), ("end", activity), rule="generation-within-activity")
    for informed, informer in graph.subject_objects(PROV.wasInformedBy):
        order.add_edge(("start", informer), ("end", informed), rule="wasInformedBy-ordering")
    strict = [(old, new) for one in DERIVED for new, old in graph.subject_objects(one)]
    for old, new in strict:
        order.add_edge(("made", old), ("made", new), rule="derivation-generation-generation")
    for old, new in strict:
        if nx.has_path(order, ("made", new), ("made", old)):
            yield f"derivation-generation-generation: {new} is from {old} and before it"
    for activity in activities:
        started = graph.value(activity, PROV.startedAtTime)
        for event in nx.descendants(order, ("start", activity)):
            ended = graph.value(event[1], PROV.endedAtTime) if event[0] == "end" else None
            if started is not None and ended is not None and started.toPython() > ended.toPython():
                yield f"ordering: {activity} started after {event[1]} ended"


@pytest.fixture(scope="module")
def workspace(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small dataset with predictions of a run, and an export."""
    folder = tmp_path_factory.mktemp("proven") / "mlm"
    shutil.copytree(built, folder)
    predicted(Workspace(folder))
    assert invoke("-w", folder, "export", "--no-report", "--version", "mlm").exit_code == 0
    written(Workspace(folder), folder / "metadata", **SETTINGS)
    return Workspace(folder)


@pytest.fixture
def prov(workspace: Workspace) -> rdflib.Graph:
    return turtle(workspace.root / "metadata" / "prov.ttl")


def test_no_constraint_is_broken(prov):
    assert list(violations(prov)) == []


def test_every_graph_has_an_activity_a_plan_and_an_agent(workspace, prov):
    for name, iri in open_read_only(workspace).graphs().items():
        if name == "provenance":
            continue
        activity = prov.value(rdflib.URIRef(iri), PROV.wasGeneratedBy)
        association = prov.value(activity, PROV.qualifiedAssociation)
        plan, agent = prov.value(association, PROV.hadPlan), prov.value(association, PROV.agent)
        assert (plan, RDF.type, PROV.Plan) in prov, name
        assert len(str(prov.value(plan, MLM.sha256))) == 64, name
        assert (agent, RDF.type, PROV.SoftwareAgent) in prov, name
        assert list(prov.objects(activity, PROV.used)) or name in NOTHING_USED, name


def test_a_run_and_its_predictions_lead_back_to_the_version_and_its_graph(prov):
    (run,) = prov.subjects(RDF.type, rdflib.URIRef("http://www.w3.org/ns/mls#Run"))
    assert len(list(prov.subjects(PROV.wasGeneratedBy, run))) == 2
    (described,) = (s for s in prov.subjects(PROV.wasGeneratedBy) if str(s).endswith("/runs/first"))
    assert str(next(prov.subjects(PROV.used, described))).startswith("https://w3id.org/mlmkg/act")
    version = prov.value(run, PROV.used)
    graph = prov.value(version, PROV.wasDerivedFrom)
    assert str(graph) == "https://w3id.org/mlmkg/graph/v1/mlm"
    assert prov.value(graph, PROV.wasGeneratedBy) is not None


def test_an_export_is_derived_from_the_graphs_it_was_written_from_and_from_no_later_one(
    workspace, prov, tmp_path
):
    (export,) = [node for node in prov.subjects() if str(node).endswith("#version-mlm")][:1]
    assert len(list(prov.objects(export, PROV.wasDerivedFrom))) > 15
    copy = shutil.copytree(workspace.root, tmp_path / "mlm")
    path = copy / "exports" / "mlm" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    (iri,) = [iri for iri in manifest["graphs"] if iri.endswith("/summaries")]
    manifest["graphs"][iri] = "0" * 64
    path.write_text(json.dumps(manifest), "utf-8")
    later = turtle(written(Workspace(copy), tmp_path / "out", **SETTINGS) / "prov.ttl")
    sources = set(later.objects(export, PROV.wasDerivedFrom))
    assert rdflib.URIRef(iri) not in sources
    assert len(sources) > 15


def test_people_and_the_release_before_are_named(prov):
    (dataset,) = set(prov.subjects(PROV.wasAttributedTo, rdflib.URIRef(ORCID)))
    assert str(prov.value(dataset, PROV.wasRevisionOf)) == SETTINGS["previous"]["iri"]
    assert (rdflib.URIRef(ORCID), RDF.type, PROV.Person) in prov


@pytest.mark.parametrize("fault", ["time", "twice", "circle", "type"])
def test_a_fault_is_found(prov, fault):
    graph = next(node for node in prov.subjects(PROV.wasGeneratedBy) if "/splits" in str(node))
    activity = prov.value(graph, PROV.wasGeneratedBy)
    source = prov.value(activity, PROV.used)
    if fault == "time":
        prov.remove((activity, PROV.endedAtTime, None))
        ended = rdflib.Literal("1999-01-01T00:00:00Z", datatype=rdflib.XSD.dateTime)
        prov.add((activity, PROV.endedAtTime, ended))
        expected = "ordering"
    elif fault == "twice":
        other = next(one for one in prov.subjects(RDF.type, PROV.Activity) if one != activity)
        prov.add((graph, PROV.wasGeneratedBy, other))
        expected = "unique-generation"
    elif fault == "circle":
        prov.add((source, PROV.wasDerivedFrom, graph))
        prov.add((graph, PROV.wasDerivedFrom, source))
        expected = "derivation-generation-generation"
    else:
        prov.add((graph, RDF.type, PROV.Activity))
        expected = "entity-activity-disjoint"
    assert any(expected in broken for broken in violations(prov))
