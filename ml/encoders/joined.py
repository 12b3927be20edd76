"""Several encoders side by side: their vectors one after the other, as the paper joins two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mlmkg.ml.encoders.base import Encoder, Half, TwoStep


class Joined(TwoStep):
    """Encoders of one modality; ``dim`` is the sum of theirs."""

    def __init__(self, parts: Sequence[Encoder]) -> None:
        self._parts = parts
        self.name = "+".join(part.name for part in parts)
        self.revision = "+".join(part.revision for part in parts)
        self.licence = " and ".join(dict.fromkeys(part.licence for part in parts))
        self.modality = parts[0].modality
        self.batch = min(part.batch for part in parts)
        self.by_length = any(part.by_length for part in parts)
        self.precision = next((part.precision for part in parts if part.precision), None)

    @property
    def dim(self) -> int:
        """The width of the vectors."""
        return sum(part.dim for part in self._parts)

    def prepare(self, batch: Sequence[Any]) -> Any:
        """Return what each of them prepares."""
        return [p.prepare(batch) if isinstance(p, TwoStep) else batch for p in self._parts]

    def encoded(self, prepared: Any) -> Half:
        """Return (n, dim) vectors, the first encoder's numbers first."""
        return np.hstack([
            part.encoded(its) if isinstance(part, TwoStep) else part.encode(its)
            for part, its in zip(self._parts, prepared, strict=True)
        ])  # fmt: skip
