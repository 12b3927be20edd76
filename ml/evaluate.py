"""Evaluation as the paper does it (section 4): retrieval both ways, location per modality.

Retrieval: ten draws of 500 test entities, the same draws both ways; the median rank of the true
partner (medR) and recall at 1, 5 and 10, averaged over the draws. Equal scores get their average
rank. Location: precision, recall and F1 over cells weighted by their size, and the distance from the
entity to the centroid of the predicted cell. Beside each number stands what chance would reach.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from mlmkg.ml.certainty import Certainty, measure_certainty
from mlmkg.ml.data import Dataset
from mlmkg.ml.field import as_the_field_does
from mlmkg.ml.figures import chance_figures, location_figures, plain, retrieval_figures
from mlmkg.ml.gallery import ranks_both_ways
from mlmkg.ml.losses import great_circle
from mlmkg.ml.models import Model
from mlmkg.ml.outputs import known, outputs, published_rows
from torch import Tensor

DRAWS: Final = 10
GALLERY: Final = 500
SEED: Final = 1234


@dataclass(frozen=True)
class Said:
    """What a model says of entities that are shown as the published evaluation shows them.

    :param entities_n: (n,) their numbers.
    :param known: modality -> (n,) true where there is anything of it.
    :param image_ND, text_ND: (n, d) what retrieval compares.
    :param logits: modality -> (n, C).
    """

    entities_n: Tensor
    known: dict[str, Tensor]
    image_ND: Tensor
    text_ND: Tensor
    logits: dict[str, Tensor]


def said(model: Model, dataset: Dataset, entities_n: Tensor) -> Said:
    """Return what a model says of entities; see :func:`mlmkg.ml.outputs.published_rows`."""
    rows = published_rows(dataset, entities_n, model.inputs)
    out = outputs(model, dataset, rows)
    image_ND, text_ND = model.compared(out)
    there = {name: known(rows, name) for name in ("image", "text", "fused")}
    return Said(entities_n, there, image_ND, text_ND, dict(out.logits))


def evaluate(
    model: Model, dataset: Dataset, task: str, split: str = "test", *,
    certainty: Certainty | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the figures of a model on a split.

    :param task: ``ir`` gives no location, ``le`` gives no retrieval.
    :param certainty: as it was fitted on validation.
    :returns: ``retrieval.{image_to_text,text_to_image}.{medR,R@1,R@5,R@10}``, compared by cosine, and
        ``retrieval_by_dot_product`` likewise where that is something else, as the released code
        compares; ``location.{image,text,fused}.{F1,P,R,median_km,within_25km,...}``, None where not
        trained; the same under ``chance``; ``draws``, ``gallery`` (candidates in each) and ``pairs``
        (test entities with both modalities), None where there is no retrieval; ``unseen_cells``: how
        many entities lie in cells that training never saw, which count as wrong; ``certainty``: per
        modality how far it can be believed, see :class:`mlmkg.ml.certainty.Measured`; ``field``: see
        :func:`mlmkg.ml.field.as_the_field_does`.
    """
    retrieval, by_product, chance_retrieval = None, None, None
    protocol: dict[str, int | None] = {"draws": None, "gallery": None, "pairs": None}
    entities_E = dataset.split[split]
    answers = said(model, dataset, entities_E)
    pairs = _pairs(answers) if task != "le" else None
    if pairs is not None:
        retrieval, chance_retrieval, protocol = _retrieval(*(F.normalize(v, dim=1) for v in pairs))
        if any(bool(((v.norm(dim=1) - 1).abs() > 1e-3).any()) for v in pairs):
            by_product, _, _ = _retrieval(*pairs)
    location, chance_location = None, None
    if task != "ir":
        location = {name: _location(answers, dataset, name) for name in answers.logits}
        chance_location = _majority(dataset, entities_E)
    return {
        "version": dataset.version, "task": task, "split": split, "entities": len(entities_E),
        "retrieval": retrieval, "retrieval_by_dot_product": by_product, "location": location,
        **protocol, "unseen_cells": _unseen(dataset, entities_E),
        "certainty": _certain(answers, dataset, certainty) if task != "ir" else None,
        "field": as_the_field_does(
            model, dataset, task, split, certainty=certainty, classes=dataset.kinds
        ),
        "chance": {"retrieval": chance_retrieval, "location": chance_location},
    }  # fmt: skip


def quick(model: Model, dataset: Dataset, split: str, task: str) -> dict[str, float]:
    """Return the numbers that choose the best epoch: recall at 10 and weighted F1, 0 to 1."""
    entities_E = dataset.split[split]
    found: dict[str, float] = {}
    if not len(entities_E):
        return found
    answers = said(model, dataset, entities_E)
    pairs = _pairs(answers) if task != "le" else None
    if pairs is not None:
        both = ranks_both_ways(*(F.normalize(vectors, dim=1) for vectors in pairs)).values()
        found["R@10"] = float(np.mean([(r <= 10).mean() for r in both]))
    if task != "ir":
        for name in ("image", "text"):
            figures = _location(answers, dataset, name)
            if figures is not None and figures["F1"] is not None:
                found[f"F1_{name}"] = figures["F1"]
    return found


def predict_cells(
    model: Model, dataset: Dataset, entities_E: Tensor, modality: str
) -> tuple[Tensor, Tensor]:
    """Return which entities have the modality, and their cells' probabilities.

    :param modality: ``image`` (the first image), ``text`` (the language number i mod 3, as
        published), or ``fused`` (both, or the one that there is).
    :returns: (n,) entity numbers and (n, C) probabilities.
    """
    answers = said(model, dataset, entities_E)
    has = answers.known[modality]
    return entities_E[has], torch.softmax(answers.logits[modality][has], dim=1)


def _pairs(answers: Said) -> tuple[Tensor, Tensor] | None:
    """Return (n, d) vectors of the images and the texts of the entities that have both."""
    both = answers.known["image"] & answers.known["text"]
    if int(both.sum()) < 2:
        return None
    return answers.image_ND[both], answers.text_ND[both]


def _retrieval(
    image_ND: Tensor, text_ND: Tensor
) -> tuple[dict[str, Any], dict[str, float], dict[str, int | None]]:
    size = len(image_ND)
    gallery = min(GALLERY, size)
    draws = DRAWS if size > GALLERY else 1
    # The published protocol: the draws are Python's, with this seed.
    chance = random.Random(SEED)
    figures: dict[str, list[dict[str, float]]] = {}
    for _ in range(draws):
        chosen = chance.sample(range(size), gallery)
        for way, rank_n in ranks_both_ways(image_ND[chosen], text_ND[chosen]).items():
            figures.setdefault(way, []).append(retrieval_figures(rank_n))
    mean = {
        direction: {key: float(np.mean([draw[key] for draw in results])) for key in results[0]}
        for direction, results in figures.items()
    }
    return mean, chance_figures(gallery), {"draws": draws, "gallery": gallery, "pairs": size}


def _certain(
    answers: Said, dataset: Dataset, certainty: Certainty | None
) -> dict[str, dict[str, float | None]] | None:
    if certainty is None:
        return None
    label_N = dataset.cell[answers.entities_n]
    measured = measure_certainty(certainty, answers.logits, label_N, answers.known)
    return {name: found.figures() for name, found in measured.items()}


def _location(answers: Said, dataset: Dataset, modality: str) -> dict[str, float | None] | None:
    has = answers.known[modality] & (dataset.cell[answers.entities_n] >= 0)
    if not int(has.sum()):
        return None
    return _figures(dataset, answers.entities_n[has], answers.logits[modality][has].argmax(dim=1))


def _figures(dataset: Dataset, entities_N: Tensor, guess_N: Tensor) -> dict[str, float | None]:
    kilometres = great_circle(dataset.centres[guess_N], dataset.places[entities_N]).numpy()
    return plain(location_figures(dataset.cell[entities_N].numpy(), guess_N.numpy(), kilometres))


def _unseen(dataset: Dataset, entities_E: Tensor) -> int:
    cell_E = dataset.cell[entities_E]
    known = torch.isin(cell_E, dataset.cell[dataset.split["train"]])
    return int(((cell_E >= 0) & ~known).sum())


def _majority(dataset: Dataset, entities_E: Tensor) -> dict[str, float | None] | None:
    """Return the figures of always saying the cell that training saw most."""
    seen = dataset.cell[dataset.split["train"]]
    seen = seen[seen >= 0]
    known = entities_E[dataset.cell[entities_E] >= 0]
    if not len(seen) or not len(known):
        return None
    most = int(torch.bincount(seen).argmax())
    return _figures(dataset, known, torch.full_like(known, most))
