"""Coarse cells: the probability of an S2 cell is the sum of those of the cells in it.

A model learns one partition; a question about a larger region needs no other model.

Shapes: N entities, C cells, K coarse cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mlmkg.errors import ModelError, RecipeError
from mlmkg.s2 import ancestors, check_level, from_tokens, levels
from mlmkg.s2 import tokens as to_tokens


def coarsen(probabilities_NC: Tensor, tokens: Sequence[str], level: int) -> tuple[Tensor, list[str]]:
    """Return the probabilities of the cells of a level, and their tokens.

    A cell of an adaptive partition that is larger than the level's stays as it is: nothing says where
    in it an entity lies.

    :param probabilities_NC: (N, C).
    :param tokens: the C cells' S2 tokens.
    :param level: 0 (a face of the cube, 85 million km²) to 30.
    :returns: (N, K), whose rows have the sums of the given ones, and K tokens in the order of their
        ids.
    :raises ModelError: if a cell is no S2 cell: imported files number their cells and do not name them.
    :raises RecipeError: for a level that S2 does not have.

    >>> coarse, names = coarsen(torch.tensor([[0.5, 0.25, 0.25]]), ["47a85", "47e67", "0d423"], 2)
    >>> names, coarse.tolist()
    (['0d', '47'], [[0.25, 0.75]])
    """
    parent_C, names = parents_of(tokens, level)
    coarse_NK = probabilities_NC.new_zeros((len(probabilities_NC), len(names)))
    return coarse_NK.index_add(1, parent_C.to(probabilities_NC.device), probabilities_NC), names


def parents_of(tokens: Sequence[str], level: int) -> tuple[Tensor, list[str]]:
    """Return (C,) the number of each cell's coarse cell, and the K coarse cells' tokens.

    The labels of entities become coarse by the same: ``parent_C[label_N]``. See :func:`coarsen` for
    the parameters and errors.
    """
    check_level(level)
    try:
        ids = from_tokens(tokens)
    except RecipeError as error:
        raise ModelError(
            f"these cells have no parents: {error.what}",
            action="Train on an export of `mlmkg export`, whose cells are those of S2",
        ) from None
    level_C = levels(ids)
    above = ids.copy()
    deeper = level_C > level
    above[deeper] = ancestors(ids[deeper], level)
    found, parent_C = np.unique(above, return_inverse=True)
    return torch.from_numpy(parent_C), to_tokens(found)
