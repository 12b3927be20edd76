"""Models of transformers: texts, images, and those that know both.

A text model that says how its sentences are pooled (``modules.json``, as E5, LaBSE and all of
sentence-transformers) is read by that library. BERT without it is read as the MLM paper did: the first
500 characters, the mean of the word pieces, four layers side by side; any other by the mean of its last
layer. No code that a model brings along is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mlmkg.ml.encoders.base import Encoder, ImageEncoder, TorchEncoder
from mlmkg.ml.encoders.hub import Model, find

from mlmkg.errors import ModelError

#: Characters of a text that BERT is given, and how many of its layers, counted from the last.
BERT_CHARACTERS: Final = 500
BERT_LAYERS: Final = 4
#: What a card says that asks for a prefix; E5's do.
_PREFIX: Final = re.compile(r"""should start with ["'“]query: """)
_SIGLIP: Final = ("siglip", "siglip2")


def load(which: str, modality: str | None, precision: str | None = None) -> Encoder:
    """Return an encoder of a model.

    :param which: an id on the hub, or a folder.
    :param modality: image or text; None if the model has only one.
    :raises ModelError: if it cannot be found or is of no kind known here.
    """
    model = find(which)  # before the import of transformers, which takes seconds

    from transformers import AutoConfig
    from transformers.utils.logging import disable_progress_bar

    # One line a model: "Loading weights".
    disable_progress_bar()  # type: ignore[no-untyped-call]
    inner = model.folder / "0_CLIPModel"  # where sentence-transformers puts an image-text model
    root = inner if inner.is_dir() and modality != "text" else model.folder
    sentences = (model.folder / "modules.json").is_file()
    if sentences and modality != "image" and not inner.is_dir():
        return Sentences(model, precision)
    try:
        config = AutoConfig.from_pretrained(root, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"no model that transformers knows ({str(error).split('. ')[0]})", where=root,
            action="Give a folder with config.json, or another id",
        ) from None  # fmt: skip
    if hasattr(config, "text_config") and hasattr(config, "vision_config"):
        if modality is None:
            raise ModelError(f"{model.name} encodes images and texts", action="Say which")
        side = JointImages if modality == "image" else JointTexts
        return side(model, root, config, precision)
    if hasattr(config, "vocab_size"):
        return Tokens(model, root, config, precision)
    return Images(model, root, config, precision)


class _Hub(TorchEncoder):
    """A model that AutoModel loads."""

    def __init__(self, model: Model, root: Path, config: Any, precision: str | None) -> None:
        super().__init__(precision)
        self.name, self.revision, self.licence = model.name, model.revision, model.licence
        self._root, self._config = root, config

    @cached_property
    def _net(self) -> Any:
        from transformers import AutoModel

        try:
            net, about = AutoModel.from_pretrained(
                self._root, local_files_only=True, output_loading_info=True, dtype="float32"
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"the model cannot be loaded ({str(error).split('. ')[0]})", where=self._root,
                action="Fetch it again, or give another",
            ) from None  # fmt: skip
        missing = sorted(key for key in about["missing_keys"] if "pooler" not in key)
        if missing:
            raise ModelError(
                f"weights are missing: {missing[0]} and {len(missing) - 1} more", where=self._root,
                action="Give the model whole; what is missing would be chance",
            )  # fmt: skip
        self._random_pooler = len(about["missing_keys"]) > 0
        return net.eval().to(self.device)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._root, local_files_only=True)


class _Images(_Hub, ImageEncoder):
    """One of them that takes images, sized by its own processor."""

    @cached_property
    def dim(self) -> int:
        """The width of the vectors, as a grey image tells it."""
        from PIL import Image

        grey = self.pixels(Image.new("RGB", (224, 224), (127, 127, 127)))
        return int(self.encoded(self.stacked([grey])).shape[1])

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoImageProcessor

        return AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            self._root, local_files_only=True
        )

    def pixels(self, image: Any) -> Any:
        """Return what the processor makes of an image: a mapping of tensors of one row."""
        return self._processor(image, return_tensors="pt")

    def stacked(self, every: list[Any]) -> Any:
        """Return the same of a batch."""
        import torch

        return {name: torch.cat([one[name] for one in every]) for name in every[0]}


class Images(_Images):
    """An image model: its class token; where it has none, what it pools, or the mean of its patches."""

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors."""
        net = self._net
        out = net(**{name: value.to(self.device) for name, value in prepared.items()})
        if hasattr(getattr(net, "embeddings", None), "cls_token") and out.last_hidden_state.ndim == 3:
            return out.last_hidden_state[:, 0]
        pooled = getattr(out, "pooler_output", None)
        if pooled is not None and not self._random_pooler:
            return pooled.flatten(1)
        last = out.last_hidden_state
        return last.mean(dim=1) if last.ndim == 3 else last.mean(dim=(2, 3))


class JointImages(_Images):
    """The image side of a model that knows both, in the space of both."""

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors."""
        out = self._net.get_image_features(
            **{name: value.to(self.device) for name, value in prepared.items()}
        )
        return getattr(out, "pooler_output", out)


class _Texts(_Hub):
    """One of them that takes texts."""

    modality = "text"
    by_length = True

    @cached_property
    def dim(self) -> int:
        """The width of the vectors, as one word tells it."""
        return int(self.encode(["Berlin"]).shape[1])

    def tokens(self, texts: Sequence[str], config: Any, **options: Any) -> Any:
        """Return the tokens of a batch, cut where the model ends."""
        longest = min(getattr(config, "max_position_embeddings", 512), self._tokenizer.model_max_length)
        return self._tokenizer(
            list(texts), truncation=True, max_length=longest, return_tensors="pt", **options
        )


class JointTexts(_Texts):
    """The text side of a model that knows both, in the space of both."""

    def prepare(self, batch: Sequence[str]) -> Any:
        """Return tokens; SigLIP was trained on texts filled up to their full length, without a mask."""
        siglip = self._config.model_type in _SIGLIP
        fill = "max_length" if siglip else True
        tokens = self.tokens(batch, self._config.text_config, padding=fill)
        names = ("input_ids",) if siglip else ("input_ids", "attention_mask")
        return {name: tokens[name] for name in names if name in tokens}

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors."""
        out = self._net.get_text_features(
            **{name: value.to(self.device) for name, value in prepared.items()}
        )
        return getattr(out, "pooler_output", out)


class Tokens(_Texts):
    """The mean of a text's tokens, without those that begin and end it."""

    def prepare(self, batch: Sequence[str]) -> Any:
        """Return tokens."""
        if self._config.model_type == "bert":
            batch = [text[:BERT_CHARACTERS] for text in batch]
        return self.tokens(batch, self._config, padding=True, return_special_tokens_mask=True)

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors."""
        import torch

        given = {name: value.to(self.device) for name, value in prepared.items()}
        special = given.pop("special_tokens_mask")
        bert = self._config.model_type == "bert"
        out = self._net(**given, output_hidden_states=bert)
        layers = out.hidden_states[-BERT_LAYERS:][::-1] if bert else [out.last_hidden_state]
        hidden_BTD = torch.cat(list(layers), dim=-1).float()
        counted_BT = (given["attention_mask"] * (1 - special)).unsqueeze(-1)
        # A text without a word has only the special tokens: their mean, rather than 0 / 0.
        counted_BT = torch.where(
            counted_BT.sum(1, keepdim=True) > 0, counted_BT, given["attention_mask"].unsqueeze(-1)
        )
        return (hidden_BTD * counted_BT).sum(1) / counted_BT.sum(1)


class Sentences(TorchEncoder):
    """A model of sentence-transformers, pooled as it says itself."""

    modality = "text"
    by_length = True

    def __init__(self, model: Model, precision: str | None) -> None:
        super().__init__(precision)
        self.name, self.revision, self.licence = model.name, model.revision, model.licence
        self._folder = model.folder
        e5 = re.search(r"(^|[/:_-])e5-(small|base|large)", model.name) and "instruct" not in model.name
        #: What the card asks to put before every text.
        self.prefix = "query: " if e5 or _PREFIX.search(model.card) else ""

    @cached_property
    def _net(self) -> Any:
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(
                str(self._folder), device=str(self.device), local_files_only=True
            ).eval()
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise ModelError(
                f"the model cannot be loaded ({str(error).split('. ')[0]})", where=self._folder,
                action="Fetch it again, or give another",
            ) from None  # fmt: skip

    @cached_property
    def dim(self) -> int:
        """The width of the vectors."""
        return int(self._net.get_embedding_dimension())

    def prepare(self, batch: Sequence[str]) -> Any:
        """Return tokens."""
        return self._net.preprocess([self.prefix + text for text in batch])

    def vectors(self, prepared: Any) -> Any:
        """Return (n, dim) vectors."""
        given = {
            name: value.to(self.device) if hasattr(value, "to") else value
            for name, value in prepared.items()
        }
        return self._net(given)["sentence_embedding"]
