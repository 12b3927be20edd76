"""Trains embeddings of a graph with PyKEEN, by any of its models.

Triples enter, a real float16 vector per node leaves. No other module knows PyKEEN's classes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mlmkg.errors import ModelError
from mlmkg.progress import Progress, quiet


def train_embeddings(
    triples: npt.NDArray[np.str_], method: str, *, dim: int, epochs: int, seed: int, batch: int,
    rate: float, both_ways: bool = False, progress: Progress = quiet,
) -> tuple[npt.NDArray[np.float16], list[float], dict[str, int]]:  # fmt: skip
    """Return (n, d) vectors, the loss of each epoch, and node -> its row.

    Of a model with several vectors a node, the first; complex numbers as pairs of real ones.

    :param triples: (m, 3) head, relation, tail.
    :param method: a model's name.
    :param both_ways: whether the model walks every link in both directions.
    :raises ModelError: if it does not train on these triples, or the vectors are not finite.
    """
    from pykeen.models import model_resolver
    from pykeen.training import SLCWATrainingLoop
    from pykeen.triples import TriplesFactory

    logging.getLogger("pykeen").setLevel(logging.ERROR)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    factory = TriplesFactory.from_labeled_triples(triples, create_inverse_triples=both_ways)
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model: Any = model_resolver.make(
                method, triples_factory=factory, embedding_dim=dim, random_seed=seed
            ).to(device)
            loop = SLCWATrainingLoop(
                model=model, triples_factory=factory, optimizer="Adam", optimizer_kwargs={"lr": rate},
                automatic_memory_optimization=False,
            )  # fmt: skip
            losses = loop.train(
                factory, num_epochs=epochs, batch_size=min(batch, factory.num_triples),
                use_tqdm=False, use_tqdm_batch=False, num_workers=0,
                callbacks=_ticking(progress(range(epochs), method, unit="epoch")),
            )  # fmt: skip
        except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            raise ModelError(
                f"cannot be trained on these links ({type(error).__name__}: {error})", where=method,
                action="Choose another --method or --dim",
            ) from error  # fmt: skip
        model.eval()
        with torch.inference_mode():
            vectors_NX = model.entity_representations[0](indices=None).detach().cpu()
    if vectors_NX.is_complex():
        vectors_NX = torch.view_as_real(vectors_NX)
    vectors = vectors_NX.reshape(len(vectors_NX), -1).numpy().astype(np.float16)
    if not np.isfinite(vectors).all():
        raise ModelError(
            "gave vectors that are not finite", where=method, action="Choose another --method"
        )
    return vectors, [float(loss) for loss in losses or []], dict(factory.entity_to_id)


def _ticking(epochs: Any) -> Any:
    """Return a callback that takes an item of ``epochs`` after each, so that progress is seen."""
    from pykeen.training.callbacks import TrainingCallback

    class Ticking(TrainingCallback):
        """Moves a progress bar."""

        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self._items: Iterator[Any] = iter(epochs)
            next(self._items, None)

        def post_epoch(self, epoch: int, epoch_loss: float, **kwargs: Any) -> None:
            """Take the next; after the last, end."""
            next(self._items, None)

    return Ticking()
