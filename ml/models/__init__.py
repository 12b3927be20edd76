"""The models by name: settings enter, a model leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from mlmkg.ml.models.base import INPUTS, MODALITIES, TEXT_INPUTS, Config, Inputs, Model, Outputs
from mlmkg.ml.models.baseline import BaselineConfig, IrLe
from mlmkg.ml.models.clip import ClipConfig, MlmClip

from mlmkg.errors import ModelError

__all__ = [
    "INPUTS",
    "MODALITIES",
    "MODELS",
    "TEXT_INPUTS",
    "BaselineConfig",
    "ClipConfig",
    "Config",
    "Inputs",
    "IrLe",
    "MlmClip",
    "Model",
    "Outputs",
    "made",
]  # fmt: skip

MODELS: Final[Mapping[str, tuple[type[Model], type[Config]]]] = {
    "mlm-clip": (MlmClip, ClipConfig),
    "ir-le": (IrLe, BaselineConfig),
}


def made(settings: Mapping[str, Any]) -> Model:
    """Return an untrained model.

    :param settings: ``kind`` and those of its configuration that are not as usual; what another kind
        has is left alone.
    :raises ModelError: if there is no such kind.
    """
    kind = settings["kind"]
    if kind not in MODELS:
        raise ModelError(f"there is no model {kind!r}", action=f"Models: {', '.join(MODELS)}")
    model, config = MODELS[kind]
    known = {field.name for field in fields(config)}
    return model(config(**{k: v for k, v in settings.items() if k in known}))
