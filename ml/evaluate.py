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
import numpy.typing as npt
import torch
import torch.nn.functional as F
from mlmkg.ml.data import Dataset
from mlmkg.ml.losses import great_circle
from mlmkg.ml.models import Model
from mlmkg.ml.outputs import known, outputs, published_rows
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor

DRAWS: Final = 10
GALLERY: Final = 500
SEED: Final = 1234
#: Street, city, region, country, continent.
RADII_KM: Final = (1, 25, 200, 750, 2500)

Ranks = npt.NDArray[np.float64]


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


def evaluate(model: Model, dataset: Dataset, task: str, split: str = "test") -> dict[str, Any]:
    """Return the figures of a model on a split.

    :param task: ``ir`` gives no location, ``le`` gives no retrieval.
    :returns: ``retrieval.{image_to_text,text_to_image}.{medR,R@1,R@5,R@10}``, compared by cosine, and
        ``retrieval_by_dot_product`` likewise where that is something else, as the released code
        compares; ``location.{image,text,fused}.{F1,P,R,median_km,within_25km,...}``, None where not
        trained; the same under ``chance``; ``draws``, ``gallery`` (candidates in each) and ``pairs``
        (test entities with both modalities), None where there is no retrieval; ``unseen_cells``: how
        many entities lie in cells that training never saw, which count as wrong.
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
        image_ND, text_ND = (F.normalize(vectors, dim=1) for vectors in pairs)
        scores_NN = (image_ND @ text_ND.T).numpy()
        both = [ranks(scores_NN), ranks(scores_NN.T)]
        found["R@10"] = float(np.mean([(r <= 10).mean() for r in both]))
    if task != "ir":
        for name in ("image", "text"):
            figures = _location(answers, dataset, name)
            if figures is not None:
                found[f"F1_{name}"] = figures["F1"]
    return found


def ranks(scores: npt.NDArray[np.floating[Any]]) -> Ranks:
    """Return the rank of each row's own column, from 1; equal scores get their average rank.

    :param scores: (N, N), row i belongs with column i.

    >>> ranks(np.array([[0.9, 0.1], [0.5, 0.5]]))
    array([1. , 1.5])
    """
    own = np.diagonal(scores)[:, None]
    better = (scores > own).sum(axis=1)
    equal = (scores == own).sum(axis=1)
    result: Ranks = better + (equal + 1) / 2
    return result


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
    images_ND: Tensor, texts_ND: Tensor
) -> tuple[dict[str, Any], dict[str, float], dict[str, int | None]]:
    image_ND, text_ND = images_ND.numpy(), texts_ND.numpy()
    size = len(image_ND)
    gallery = min(GALLERY, size)
    draws = DRAWS if size > GALLERY else 1
    # The published protocol: the draws are Python's, with this seed.
    chance = random.Random(SEED)
    figures: dict[str, list[dict[str, float]]] = {"image_to_text": [], "text_to_image": []}
    for _ in range(draws):
        chosen = chance.sample(range(size), gallery)
        scores = image_ND[chosen] @ text_ND[chosen].T
        figures["image_to_text"].append(_recalls(ranks(scores)))
        figures["text_to_image"].append(_recalls(ranks(scores.T)))
    mean = {
        direction: {key: float(np.mean([draw[key] for draw in results])) for key in results[0]}
        for direction, results in figures.items()
    }
    expected = {"medR": (gallery + 1) / 2} | {f"R@{k}": min(1.0, k / gallery) for k in (1, 5, 10)}
    return mean, expected, {"draws": draws, "gallery": gallery, "pairs": size}


def _recalls(rank: Ranks) -> dict[str, float]:
    return {"medR": float(np.median(rank))} | {f"R@{k}": float((rank <= k).mean()) for k in (1, 5, 10)}


def _location(answers: Said, dataset: Dataset, modality: str) -> dict[str, float] | None:
    has = answers.known[modality] & (dataset.cell[answers.entities_n] >= 0)
    if not int(has.sum()):
        return None
    return _figures(dataset, answers.entities_n[has], answers.logits[modality][has].argmax(dim=1))


def _figures(dataset: Dataset, entities_N: Tensor, guess_N: Tensor) -> dict[str, float]:
    true_N = dataset.cell[entities_N]
    precision, recall, f1, _ = precision_recall_fscore_support(
        true_N.numpy(), guess_N.numpy(), average="weighted", zero_division=0
    )
    kilometres = great_circle(dataset.centres[guess_N], dataset.places[entities_N]).numpy()
    return {
        "F1": float(f1), "P": float(precision), "R": float(recall),
        "median_km": float(np.median(kilometres)),
    } | {f"within_{r}km": float((kilometres <= r).mean()) for r in RADII_KM}  # fmt: skip


def _unseen(dataset: Dataset, entities_E: Tensor) -> int:
    cell_E = dataset.cell[entities_E]
    known = torch.isin(cell_E, dataset.cell[dataset.split["train"]])
    return int(((cell_E >= 0) & ~known).sum())


def _majority(dataset: Dataset, entities_E: Tensor) -> dict[str, float] | None:
    """Return the figures of always saying the cell that training saw most."""
    seen = dataset.cell[dataset.split["train"]]
    seen = seen[seen >= 0]
    known = entities_E[dataset.cell[entities_E] >= 0]
    if not len(seen) or not len(known):
        return None
    most = int(torch.bincount(seen).argmax())
    return _figures(dataset, known, torch.full_like(known, most))
