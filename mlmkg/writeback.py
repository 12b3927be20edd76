"""What a model says, as triples: predictions with rank, probability and place.

A run's description and its predictions enter; the named graphs ``runs/{run}`` and
``predictions/{run}`` leave, with their provenance. The run and its figures use the W3C Machine
Learning Schema (https://www.w3.org/2016/10/mls/).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from mlmkg import graphfile, pipeline
from mlmkg.ntriples import double, integer, iri, line, point, text
from mlmkg.provenance import SOFTWARE, Made, Plan, now, time
from mlmkg.store import graph_iri
from mlmkg.vocab import (
    CELL,
    DCT,
    MLM,
    MLS,
    PREDICTION,
    PREFIXES,
    PROV,
    RDF,
    RDFS,
    RUN,
    VERSION,
)
from mlmkg.workspace import Workspace


@dataclass(frozen=True)
class Prediction:
    """One guess.

    :param entity: its IRI.
    :param modality: what the guess was made from: ``image`` or ``text``.
    :param rank: 1 is the most probable.
    :param cell: S2 token.
    :param probability: 0 to 1.
    :param latitude, longitude: of the cell's centroid, degrees.
    """

    entity: str
    modality: str
    rank: int
    cell: str
    probability: float
    latitude: float
    longitude: float


@dataclass(frozen=True)
class RunDescription:
    """What the graph says of a training run.

    :param settings: name -> value.
    :param evaluation: as ``mlmkg evaluate --json`` prints it.
    :param graph: the graph that says who is in the version, if it is not named after it.
    :param content: what its predictions depend on, such as digests of weights and data; where it is
        not given, the predictions themselves are held in memory to name the graph's file after them.
    :param model: its kind, ``mlm-clip`` or ``ir-le``.
    """

    name: str
    version: str
    export_key: str
    task: str
    settings: Mapping[str, Any]
    encoders: tuple[str, ...]
    started: datetime
    ended: datetime
    evaluation: Mapping[str, Any]
    graph: str = ""
    content: str = ""
    model: str = "multitask model"


def triples(run: RunDescription, predictions: Iterable[Prediction]) -> Iterator[bytes]:
    """Yield the N-Triples lines of a run and its predictions."""
    yield from _run(run)
    yield from _predictions(run, predictions)


def _predictions(run: RunDescription, predictions: Iterable[Prediction]) -> Iterator[bytes]:
    a, kind = iri(RDF.type), iri(MLM.Prediction)
    about, modality, rank = iri(MLM.predictionFor), iri(MLM.modality), iri(MLM.rank)
    cell, certainty, place = iri(MLM.predictedCell), iri(MLM.probability), iri(MLM.predictedPoint)
    made, by = iri(PROV.wasGeneratedBy), iri(RUN[run.name])
    for guess in predictions:
        name = sha256(guess.entity.encode()).hexdigest()[:16]
        subject = iri(PREDICTION[f"{run.name}/{name}-{guess.modality}-{guess.rank}"])
        yield line(subject, a, kind)
        yield line(subject, about, iri(guess.entity))
        yield line(subject, modality, text(guess.modality))
        yield line(subject, rank, integer(guess.rank))
        yield line(subject, cell, iri(CELL[guess.cell]))
        yield line(subject, certainty, double(round(guess.probability, 6)))
        yield line(subject, place, point(guess.latitude, guess.longitude))
        yield line(subject, made, by)


def _run(run: RunDescription) -> Iterator[bytes]:
    subject, a = iri(RUN[run.name]), iri(RDF.type)
    yield line(subject, a, iri(MLS.Run))
    yield line(subject, a, iri(PROV.Activity))
    yield line(subject, iri(RDFS.label), text(run.name))
    yield line(subject, iri(PROV.used), iri(VERSION[run.version]))
    yield line(subject, iri(PROV.startedAtTime), time(run.started))
    yield line(subject, iri(PROV.endedAtTime), time(run.ended))
    yield line(subject, iri(PROV.wasAssociatedWith), iri(SOFTWARE))
    yield line(subject, iri(MLS.executes), iri(f"{RUN[run.name]}#implementation"))
    implementation = iri(f"{RUN[run.name]}#implementation")
    yield line(implementation, a, iri(MLS.Implementation))
    yield line(implementation, iri(DCT.title), text(f"{run.model}, task {run.task}", "en"))
    for encoder in run.encoders:
        yield line(implementation, iri(DCT.requires), text(encoder))
    for name, value in run.settings.items():
        setting = iri(f"{RUN[run.name]}#setting-{name}")
        yield line(subject, iri(MLS.hasInput), setting)
        yield line(setting, a, iri(MLS.HyperParameterSetting))
        yield line(setting, iri(RDFS.label), text(name))
        yield line(setting, iri(MLS.hasValue), text(json.dumps(value)))
    for name, value in figures(run.evaluation):
        evaluation = iri(f"{RUN[run.name]}#evaluation-{name.replace('@', '-at-')}")
        yield line(subject, iri(MLS.hasOutput), evaluation)
        yield line(evaluation, a, iri(MLS.ModelEvaluation))
        yield line(evaluation, iri(RDFS.label), text(name))
        yield line(evaluation, iri(MLS.hasValue), double(value))


def figures(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield (name, value) of the figures of an evaluation: ``location-image-F1``.

    Of the field's evaluation those of the whole and of each language, ``field-location-image-F1``; the
    groups stay in the run's folder.
    """
    for task in ("retrieval", "retrieval_by_dot_product", "location", "certainty"):
        for side, values in (evaluation.get(task) or {}).items():
            yield from _numbers(f"{task}-{side}", values)
    for task in ("retrieval", "location"):
        sides = (evaluation.get("field") or {}).get(task) or {}
        for side, found in sides.items():
            if isinstance(found, Mapping) and "figures" in found:
                yield from _numbers(f"field-{task}-{side}", found["figures"])
        languages = sides.get("by_language") or (sides.get("text") or {}).get("by_language") or {}
        for language, found in (languages.get("languages") or languages.get("groups") or {}).items():
            for side in ("image_to_text", "text_to_image"):
                yield from _numbers(f"field-{task}-{side}-{language}", found.get(side))
            if task == "location":
                yield from _numbers(f"field-location-text-{language}", found)


def _numbers(name: str, values: Mapping[str, Any] | None) -> Iterator[tuple[str, float]]:
    for key, value in (values or {}).items():
        if isinstance(value, int | float):
            yield f"{name}-{key}", float(value)


def turtle(run: RunDescription, predictions: Iterable[Prediction]) -> bytes:
    """Return a run and its predictions as Turtle, for a person to read."""
    lines = b"".join(triples(run, predictions))
    parsed = (quad.triple for quad in ox.parse(lines, ox.RdfFormat.N_TRIPLES))
    return ox.serialize(parsed, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b""


def write_back(
    workspace: Workspace, query_set: str, run: RunDescription, predictions: Iterable[Prediction]
) -> graphfile.Written:
    """Write a run and its predictions as graphs and index them; the same again changes nothing.

    :param query_set: the set whose graphs they stand beside.
    :returns: what was written as ``predictions/{run}``.
    """
    write_run(workspace, query_set, run)
    title = "Predictions of a training run"
    lines = _predictions(run, predictions)
    return _write(workspace, query_set, run, "predictions", title, lines, run.content)


def write_run(workspace: Workspace, query_set: str, run: RunDescription) -> graphfile.Written:
    """Write the graph ``runs/{run}``: settings, encoders, and the figures of its evaluation."""
    return _write(workspace, query_set, run, "runs", "Description of a training run", _run(run))


def _write(
    workspace: Workspace, query_set: str, run: RunDescription, family: str, title: str,
    content: Iterable[bytes], depends: str = "",
) -> graphfile.Written:  # fmt: skip
    started = now()
    name = f"{family}/{run.name}"
    code = sha256(Path(__file__).read_bytes()).hexdigest()
    if depends:
        lines, key = content, sha256(f"{name} {depends} {code}".encode()).hexdigest()[:16]
    else:
        lines = list(content)
        key = sha256(b"".join(lines)).hexdigest()[:16]
    plan = Plan(title, "mlmkg/writeback.py", "python", code)

    # The run itself is an activity, and no activity is used: what is told of it is.
    described = (graph_iri(query_set, f"runs/{run.name}"),) * (family == "predictions")

    def made(content: graphfile.Written) -> Made:
        return Made(
            graph=graph_iri(query_set, name), key=key, content=content, plan=plan,
            parameters={"run": run.name, "export": run.export_key},
            used=(*described, graph_iri(query_set, run.graph or run.version)), origins=(),
            started=started, ended=now(),
        )  # fmt: skip

    return pipeline.add(workspace, query_set, made, name, key, lines)
