"""Where is this? A text, an image or both enter; a place, its certainty and neighbours leave.

A :class:`Locator` is loaded once and answers any number of questions. Neighbours are the entities of
the dataset whose image and texts together lie nearest in the shared space.

Shapes: E entities, C cells, d what retrieval compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from mlmkg.ml import checkpoint
from mlmkg.ml.certainty import Certainty
from mlmkg.ml.encoders import Encoder, load_encoder
from mlmkg.ml.evaluate import said
from mlmkg.ml.featurefolder import load_for_run
from mlmkg.ml.hierarchy import coarsen
from mlmkg.ml.models import Inputs, Model, Outputs
from mlmkg.ml.sphere import lies_in, placed
from torch import Tensor

from mlmkg.errors import ModelError
from mlmkg.outlines import centroids
from mlmkg.progress import Progress, quiet
from mlmkg.s2 import from_tokens
from mlmkg.workspace import Workspace, written_whole

#: Level of the coarse cell that is told beside the fine one: some 1,500 km across.
COARSE: Final = 3
ENTITIES: Final = 4096


@dataclass(frozen=True)
class Cell:
    """A cell that it may be.

    :param latitude, longitude: of its centroid, degrees.
    :param probability: 0 to 1, calibrated on validation.
    """

    cell: str
    latitude: float
    longitude: float
    probability: float


@dataclass(frozen=True)
class Mean:
    """The mean of all cells' centres, weighted by their probabilities.

    :param latitude, longitude: degrees.
    :param likely: whether it lies in a cell of the set; of two cells far apart it lies in neither.
    """

    latitude: float
    longitude: float
    likely: bool


@dataclass(frozen=True)
class Neighbour:
    """An entity of the dataset.

    :param similarity: cosine, -1 to 1.
    """

    entity: str
    label: str
    latitude: float
    longitude: float
    similarity: float


@dataclass(frozen=True)
class Located:
    """An answer.

    :param modality: what it was told from: ``image``, ``text`` or ``fused``.
    :param latitude, longitude: the place, degrees.
    :param estimate: how it was made: ``argmax`` for the centre of the likeliest cell, the first of
        ``cells``; ``centroid`` for ``mean``. Whichever was nearer on validation, but never a mean that
        lies in no likely cell.
    :param mean: the mean of all cells by probability.
    :param coverage: how often the set of likely cells holds the true one, 0 to 1.
    :param set_size: how many cells that set has here: the likeliest ones.
    :param coarse: the likeliest coarse cell and its probability; None where cells are no S2 tokens.
    """

    run: str
    modality: str
    latitude: float
    longitude: float
    estimate: str
    mean: Mean
    coverage: float
    set_size: int
    coarse: Cell | None
    cells: list[Cell]
    neighbours: list[Neighbour]


class Locator:
    """A trained run, ready to be asked.

    :param run: its name or folder; by default the newest one that learnt to locate.
    :param export: the folder of the export that it was trained on, if it has been moved.
    :raises ModelError: if there is none, or what it was trained with is not at hand.
    """

    def __init__(
        self, workspace: Workspace, run: str | None = None, *, export: Path | None = None,
        progress: Progress = quiet,
    ) -> None:  # fmt: skip
        folder = checkpoint.run_folder(workspace, run or checkpoint.newest(workspace))
        loaded = checkpoint.load(folder)
        if loaded.task == "ir":
            raise ModelError(
                "the run learnt retrieval alone, and no place", where=folder,
                action="Name a run of the task mtl or le with --run",
            )  # fmt: skip
        self.model, self._about = loaded.model, loaded.about
        self.run = str(self._about["run"])
        self.dataset = load_for_run(self._about, workspace, export=export, progress=progress)
        checkpoint.check_fits(loaded, self.dataset, folder)
        if loaded.certainty is None:
            raise ModelError(
                "nothing is known of the run's certainty", where=folder,
                action="Train again with --force",
            )  # fmt: skip
        self._certainty: Certainty = loaded.certainty
        self._encoders: dict[str, Encoder] = {}
        digest = sha256((folder / checkpoint.WEIGHTS).read_bytes()).hexdigest()[:16]
        self._gallery = self._vectors(workspace.features / f"gallery-{digest}.npy")

    def load_encoders(self, *inputs: str) -> None:
        """Load what answers need: ``image``, ``summary``; else the first question does."""
        for name in inputs:
            self._encoder(name)

    def locate(
        self, text: str | None = None, image: Path | None = None, *, top: int = 5, neighbours: int = 5
    ) -> Located:
        """Answer.

        :param text: in any language that the encoder knows.
        :param image: a file.
        :param top, neighbours: how many of each.
        :raises ModelError: if neither is given, or the image cannot be read.
        """
        given = {"summary": text, "image": image}
        items = {name: item for name, item in given.items() if item is not None}
        if not items or (text is not None and not text.strip()):
            raise ModelError("there is nothing to locate", action="Give a text, an image, or both")
        if image is not None and not image.is_file():
            raise ModelError("there is no such image", where=image, action="Name an image file")
        out = self._said(items)
        modality = "image" if text is None else "text"
        if len(items) == 2 and "fused" in out.logits:
            modality = "fused"
        probability_1C = self._certainty.probabilities(modality, out.logits[modality])
        likely_C = self._certainty.sets(modality, probability_1C)[0]
        mean = self._mean(probability_1C, likely_C)
        estimate = self._certainty.fitted[modality].estimate if mean.likely else "argmax"
        place_12 = placed(probability_1C, self.dataset.centres, estimate)
        best = torch.topk(probability_1C[0], min(top, probability_1C.shape[1]))
        return Located(
            run=self.run, modality=modality,
            latitude=round(float(place_12[0, 0]), 4), longitude=round(float(place_12[0, 1]), 4),
            estimate=estimate, mean=mean,
            coverage=self._certainty.coverage, set_size=int(likely_C.sum()),
            coarse=self._coarse(probability_1C),
            cells=[
                self._cell(label, float(p))
                for label, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ],
            neighbours=self._nearest(out, set(items), neighbours),
        )  # fmt: skip

    def _cell(self, label: int, probability: float) -> Cell:
        latitude, longitude = self.dataset.centres[label].tolist()
        return Cell(
            self.dataset.cells[label], round(latitude, 4), round(longitude, 4), round(probability, 4)
        )

    def _mean(self, probability_1C: Tensor, likely_C: Tensor) -> Mean:
        place_2 = placed(probability_1C, self.dataset.centres, "centroid")[0]
        likely = lies_in(place_2, likely_C, self.dataset.cells, self.dataset.centres)
        latitude, longitude = place_2.tolist()
        return Mean(round(latitude, 4), round(longitude, 4), likely)

    def _coarse(self, probability_1C: Tensor) -> Cell | None:
        try:
            coarse_1K, tokens = coarsen(probability_1C, self.dataset.cells, COARSE)
        except ModelError:
            return None
        best = int(coarse_1K[0].argmax())
        latitude, longitude = centroids(from_tokens([tokens[best]]))[0].tolist()
        return Cell(
            tokens[best], round(latitude, 4), round(longitude, 4), round(float(coarse_1K[0, best]), 4)
        )

    def _encoder(self, name: str) -> Encoder:
        if name not in self._encoders:
            side = 0 if name == "image" else 1
            full = self.dataset.encoders[side]
            asked = self._about.get("encoded_by") or [
                n.rpartition(" ")[0] for n in self._about["encoders"]
            ]
            encoder = load_encoder(asked[side], "image" if name == "image" else "text")
            if f"{encoder.name} {encoder.revision}" != full:
                raise ModelError(
                    f"the run was trained on features of {full}, and here is revision "
                    f"{encoder.revision}",
                    where=self.run, action="Install that version of the encoder, or train again",
                )  # fmt: skip
            self._encoders[name] = encoder
        return self._encoders[name]

    def _said(self, items: dict[str, str | Path]) -> Outputs:
        features, known = {}, {}
        for name, width in self.model.config.widths.items():
            known[name] = torch.tensor([name in items])
            features[name] = torch.zeros(1, width)
            if name in items:
                try:
                    vector = self._encoder(name).encode([items[name]])
                except ModelError as error:
                    if name != "image" or error.where != str(items[name]):
                        raise
                    action = "Name a picture, such as a JPEG or a PNG, with --image"
                    raise ModelError(error.what, where=error.where, action=action) from None
                features[name] = torch.from_numpy(np.asarray(vector))
        with torch.inference_mode():
            out: Outputs = self.model(Inputs(features, known))
        return out

    def _vectors(self, path: Path) -> Tensor:
        """Return (E, d) of what retrieval compares, of length 1: the mean of an entity's two sides."""
        try:
            return torch.from_numpy(np.load(path)).float()
        except (OSError, ValueError):
            pass
        sides = _sides(self.model, self)
        with written_whole(path) as stream:
            np.save(stream, sides.half().numpy())
        return sides

    def _nearest(self, out: Outputs, items: set[str], number: int) -> list[Neighbour]:
        image_1d, text_1d = (F.normalize(v, dim=1) for v in self.model.compared(out))
        asked_1d = (image_1d if "image" in items else 0) + (text_1d if "summary" in items else 0)
        assert isinstance(asked_1d, Tensor)
        cosine_E = self._gallery @ F.normalize(asked_1d, dim=1)[0].float()
        best = torch.topk(cosine_E, min(number, len(cosine_E)))
        return [
            Neighbour(
                entity=self.dataset.entities[i], label=self.dataset.labels[i],
                latitude=round(float(self.dataset.places[i, 0]), 4),
                longitude=round(float(self.dataset.places[i, 1]), 4),
                similarity=round(float(value), 4),
            )
            for i, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]  # fmt: skip


def _sides(model: Model, locator: Locator) -> Tensor:
    dataset = locator.dataset
    parts = []
    for start in range(0, len(dataset.entities), ENTITIES):
        entities = torch.arange(start, min(start + ENTITIES, len(dataset.entities)))
        answers = said(model, dataset, entities)
        both = sum(
            F.normalize(vectors, dim=1) * answers.known[side][:, None]
            for side, vectors in (("image", answers.image_ND), ("text", answers.text_ND))
        )
        assert isinstance(both, Tensor)
        parts.append(F.normalize(both, dim=1))
    return torch.cat(parts)
