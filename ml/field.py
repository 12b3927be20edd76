"""Evaluation as the field does it: all test entities, each with all of its images and languages.

Beside the published protocol (:mod:`mlmkg.ml.evaluate`), whose galleries of 500 and single image and
language keep figures comparable with the paper's and say little about use.

Shapes: N entities of a split, M rows (images, or texts), D dimensions, C cells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from mlmkg.ml.certainty import Certainty, Fitted
from mlmkg.ml.conformal import COVERAGE
from mlmkg.ml.coordinates import of_cells
from mlmkg.ml.data import Dataset
from mlmkg.ml.figures import (
    Floats,
    Integers,
    chance_figures,
    location_figures,
    plain,
    retrieval_figures,
)
from mlmkg.ml.gallery import by_language, fused, mean_by_owner, ranks_both_ways
from mlmkg.ml.groups import Compute, by_group, intervals, members
from mlmkg.ml.losses import great_circle
from mlmkg.ml.models import MODALITIES, TEXT_INPUTS, Model, Outputs
from mlmkg.ml.outputs import only, outputs
from mlmkg.ml.rows import Rows
from torch import Tensor

#: Group by -> name -> the rows of that group among a split's entities.
Groups = Mapping[str, Mapping[str, Integers]]


class Shown(NamedTuple):
    """What a model says of all rows of one modality.

    :param owner_M: whose each row is, 0 to N - 1.
    :param language_M: number of its language, -1 for none.
    :param out: the model's answers.
    """

    owner_M: Tensor
    language_M: Tensor
    out: Outputs


def as_the_field_does(
    model: Model, dataset: Dataset, task: str, split: str = "test", *,
    certainty: Certainty | None = None, classes: Sequence[Collection[str]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the figures over all entities of a split.

    :param task: ``ir`` gives no location, ``le`` gives no retrieval.
    :param certainty: temperatures and estimates; without it, the likeliest cell's centre counts.
    :param classes: names of the classes of each of the dataset's entities.
    :returns: ``entities``; ``places``, which says whether kilometres are to the ``entities`` or, as in
        the published files, to the mean places of their ``cells``; ``retrieval``, None where fewer
        than two have both modalities: ``candidates``, and per direction ``figures``, ``intervals``
        (of 95 %), ``chance``, ``by_continent``, ``by_class``; ``by_language``; ``location``: per
        modality the same without chance, and ``by_language`` for the text.
    """
    entities_N = dataset.split[split]
    shown = {name: _all(model, dataset, entities_N, name) for name in MODALITIES}
    groups = {"by_continent": members([dataset.continents[i] for i in entities_N.tolist()])}
    if classes is not None:
        groups["by_class"] = members([classes[i] for i in entities_N.tolist()])
    certainty = certainty or Certainty(COVERAGE, {name: Fitted() for name in MODALITIES})
    cells = of_cells(dataset.places.numpy(), dataset.cell.numpy())
    retrieval, location = None, None
    if task != "le":
        retrieval = _retrieval(model, dataset, shown, groups, len(entities_N))
    if task != "ir":
        location = {
            name: _location(dataset, entities_N, name, said, certainty, groups)
            for name, said in shown.items()
            if name in said.out.logits
        }
    return {
        "split": split, "entities": len(entities_N), "places": "cells" if cells else "entities",
        "retrieval": retrieval, "location": location,
    }  # fmt: skip


def _retrieval(
    model: Model, dataset: Dataset, shown: Mapping[str, Shown], groups: Groups, entities: int
) -> dict[str, Any] | None:  # fmt: skip
    images, texts = shown["image"], shown["text"]
    text_MD = model.compared(texts.out)[1]
    image_ND, has_image_N = fused(model.compared(images.out)[0], images.owner_M, entities)
    text_ND, has_text_N = fused(text_MD, texts.owner_M, entities)
    both_n = (has_image_N & has_text_N).nonzero()[:, 0]
    if len(both_n) < 2:
        return None
    found: dict[str, Any] = {"candidates": len(both_n)}
    for way, rank_n in ranks_both_ways(image_ND[both_n], text_ND[both_n]).items():
        compute = partial(_of_ranks, rank_n)
        found[way] = _summary(compute, both_n, entities, groups)
        found[way]["chance"] = chance_figures(len(both_n))
    place_N = _places(both_n, entities)
    own_M = place_N[texts.owner_M]
    found["by_language"] = by_language(
        image_ND[both_n], text_MD[own_M >= 0], own_M[own_M >= 0], texts.language_M[own_M >= 0],
        dataset.languages,
    )  # fmt: skip
    return found


def _location(
    dataset: Dataset, entities_N: Tensor, modality: str, shown: Shown, certainty: Certainty,
    groups: Groups,
) -> dict[str, Any] | None:  # fmt: skip
    probabilities_MC = certainty.probabilities(modality, shown.out.logits[modality])
    probabilities_NC, has_N = mean_by_owner(probabilities_MC, shown.owner_M, len(entities_N))
    known_n = (has_N & (dataset.cell[entities_N] >= 0)).nonzero()[:, 0]
    if not len(known_n):
        return None
    compute = partial(
        _of_cells,
        *_guessed(dataset, entities_N[known_n], modality, probabilities_NC[known_n], certainty),
    )
    found = _summary(compute, known_n, len(entities_N), groups)
    if modality == "text":
        # Row by row: each is one summary with the entity's classes.
        owner_M = entities_N[shown.owner_M]
        with_m = ((dataset.cell[owner_M] >= 0) & (shown.language_M >= 0)).nonzero()[:, 0]
        language_m = [dataset.languages[i] for i in shown.language_M[with_m].tolist()]
        guessed = _guessed(dataset, owner_M[with_m], modality, probabilities_MC[with_m], certainty)
        found["by_language"] = by_group(partial(_of_cells, *guessed), members(language_m))
    return found


def _guessed(
    dataset: Dataset, entities_n: Tensor, modality: str, probabilities_nC: Tensor, certainty: Certainty
) -> tuple[Integers, Integers, Floats]:
    """Return (n,) true cells, guessed cells, and kilometres between the places."""
    places_n2 = certainty.places(modality, probabilities_nC, dataset.centres)
    km_n = great_circle(places_n2, dataset.places[entities_n])
    return (
        dataset.cell[entities_n].numpy(), probabilities_nC.argmax(dim=1).numpy(), km_n.numpy(),
    )  # fmt: skip


def _of_ranks(rank_n: Floats, rows: Integers) -> dict[str, float]:
    return retrieval_figures(rank_n[rows])


def _of_cells(true_n: Integers, guess_n: Integers, km_n: Floats, rows: Integers) -> dict[str, float]:
    return location_figures(true_n[rows], guess_n[rows], km_n[rows])


def _summary(compute: Compute, of_n: Tensor, entities: int, groups: Groups) -> dict[str, Any]:
    """Return figures, intervals and groups of what is known of some of a split's entities.

    :param compute: from rows among those, 0 to n - 1.
    :param of_n: (n,) which they are, 0 to ``entities`` - 1.
    """
    place_N = _places(of_n, entities).numpy()
    return {
        "entities": len(of_n), "figures": plain(compute(np.arange(len(of_n)))),
        "intervals": intervals(compute, len(of_n)),
    } | {
        by: by_group(compute, {
            name: place_N[rows][place_N[rows] >= 0] for name, rows in named.items()
        })
        for by, named in groups.items()
    }  # fmt: skip


def _places(of_n: Tensor, entities: int) -> Tensor:
    """Return (N,) the place of each entity among some of them, -1 where it is not."""
    return torch.full((entities,), -1).scatter(0, of_n, torch.arange(len(of_n)))


def _all(model: Model, dataset: Dataset, entities_N: Tensor, modality: str) -> Shown:
    """Return what a model says of every image, of every summary, or of as many pairs of both.

    Classes and vectors of the graph, of which there is one of each, stand beside every summary.
    """
    first = {name: dataset.rows(name).first(entities_N) for name in model.inputs}
    images, summaries = dataset.images, dataset.texts
    counts = {"image": images.counts(entities_N), "summary": summaries.counts(entities_N)}
    if modality == "image":
        turns_N = counts["image"]
    else:
        has_N = torch.stack([row >= 0 for name, row in first.items() if name in TEXT_INPUTS]).any(dim=0)
        turns_N = counts["summary"].clamp(min=has_N.long())
    if modality == "fused":
        turns_N = torch.maximum(turns_N, counts["image"])
    owner_M = torch.arange(len(entities_N)).repeat_interleave(turns_N)
    turn_M = torch.arange(len(owner_M)) - (turns_N.cumsum(0) - turns_N)[owner_M]
    rows = {name: row[owner_M] for name, row in first.items()}
    for name, listed in (("image", images), ("summary", summaries)):
        rows[name] = listed.nth(entities_N[owner_M], turn_M % counts[name][owner_M].clamp(min=1))
    language_M = torch.full_like(owner_M, -1)
    if modality == "text":
        language_M = _languages(summaries, entities_N[owner_M], turn_M)
    return Shown(owner_M, language_M, outputs(model, dataset, only(rows, modality)))


def _languages(summaries: Rows, entities_M: Tensor, turn_M: Tensor) -> Tensor:
    """Return (M,) the language of an entity's summary of that number, -1 where it has none."""
    has_M = summaries.counts(entities_M) > turn_M
    place_M = (summaries.start[entities_M] + turn_M).clamp(max=max(len(summaries.language) - 1, 0))
    language_M = torch.full_like(turn_M, -1)
    language_M[has_M] = summaries.language[place_M[has_M]]
    return language_M
