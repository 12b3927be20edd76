"""Features and tables: each thing encoded once, each vector with the entity it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from mlmkg.ml.data import Dataset, load_dataset
from mlmkg.ml.encoders import load_encoder

from mlmkg.errors import ExportError, ModelError
from tests.exports import iri, write_export

T = TypeVar("T")


class Counted:
    """A progress that remembers how many steps each kind of work took."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}

    def __call__(
        self, items: Iterable[T], what: str, *, total: int | None = None, unit: str = "it"
    ) -> Iterable[T]:
        self.steps[what] = 0
        for item in items:
            self.steps[what] += 1
            yield item


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_export(
        tmp_path_factory.mktemp("export") / "toy", entities=16, same_image=((0, 4),),
        without_image=frozenset({3}), without_text=frozenset({5}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(export: Path, features: Path) -> Dataset:
    return load_dataset(export, features)


def test_an_image_that_two_entities_show_is_encoded_once(dataset: Dataset) -> None:
    assert len(dataset.images.vectors) == 14  # 16, less one without, less one shown twice
    one, other = dataset.images.first(torch.tensor([0, 4])).tolist()
    assert one == other


def test_an_entity_without_a_modality_has_no_row_of_it(dataset: Dataset) -> None:
    assert dataset.images.first(torch.tensor([2, 3]))[1] == -1
    assert dataset.texts.counts(torch.tensor([4, 5])).tolist() == [3, 0]
    drawn = dataset.texts.drawn(torch.tensor([5, 5]), torch.Generator().manual_seed(0))
    assert drawn.tolist() == [-1, -1]


def test_every_text_keeps_its_language_and_its_entity(dataset: Dataset) -> None:
    assert dataset.languages == ["en", "de", "fr"]
    use = load_encoder("use")
    said = {"en": "Place 7 is a town in the region of Svealand.",
            "de": "Place 7 ist eine Stadt in der Region Svealand.",
            "fr": "Place 7 est une ville de la région Svealand."}  # fmt: skip
    begin, end = dataset.texts.start[7:9].tolist()
    for row, language in zip(
        dataset.texts.index[begin:end], dataset.texts.language[begin:end], strict=True
    ):
        wanted = use.encode([said[dataset.languages[language]]])[0].astype(float)
        assert np.dot(wanted, dataset.texts.vectors[row].double().numpy()) > 0.999


def test_a_drawn_row_belongs_to_its_entity_and_each_language_comes(dataset: Dataset) -> None:
    rows = dataset.texts.drawn(torch.full((200,), 7), torch.Generator().manual_seed(0))
    begin, end = dataset.texts.start[7:9].tolist()
    assert set(rows.tolist()) == set(dataset.texts.index[begin:end].tolist())


def test_labels_are_in_the_order_of_the_sorted_tokens(dataset: Dataset) -> None:
    assert dataset.cells == ["0d423", "46503", "47a85", "47e67"]
    assert dataset.cells[dataset.cell[0]] == "47a85"
    assert dataset.centres[dataset.cell[0]].tolist() == [52.5, 13.4]
    assert dataset.entities[0] == iri(0)


def test_a_second_reading_encodes_nothing(dataset: Dataset, export: Path, features: Path) -> None:
    counted = Counted()
    again = load_dataset(export, features, progress=counted)
    assert sum(counted.steps.values()) == 0
    assert torch.equal(again.images.vectors, dataset.images.vectors)


@pytest.mark.slow
def test_a_version_that_grew_encodes_only_what_is_new(tmp_path: Path) -> None:
    cache = tmp_path / "features"
    small = load_dataset(write_export(tmp_path / "small", entities=130), cache)
    counted = Counted()
    large = load_dataset(write_export(tmp_path / "large", entities=132), cache, progress=counted)
    assert counted.steps == {"lite0 (image)": 2, "use (text)": 6}  # of 132 and of 396
    every = torch.arange(130)
    same = [d.images.vectors[d.images.first(every)] for d in (small, large)]
    assert torch.equal(*same)
    alone = load_dataset(tmp_path / "large", tmp_path / "other")
    new = torch.arange(130, 132)
    assert torch.allclose(
        large.images.vectors[large.images.first(new)].float(),
        alone.images.vectors[alone.images.first(new)].float(), atol=0.02,
    )  # fmt: skip


def test_features_that_hold_nan_are_said_with_the_file_to_delete(tmp_path: Path) -> None:
    export = write_export(tmp_path / "toy", entities=8)
    load_dataset(export, tmp_path / "features")
    path = next((tmp_path / "features").glob("lite0-*.npy"))
    vectors = np.load(path)
    vectors[3, 5] = np.nan
    np.save(path, vectors)
    with pytest.raises(ModelError, match=r"NaN\. Delete the file") as error:
        load_dataset(export, tmp_path / "features")
    assert error.value.where == str(path)


def test_features_cut_short_are_said(tmp_path: Path) -> None:
    export = write_export(tmp_path / "toy", entities=8)
    load_dataset(export, tmp_path / "features")
    path = next((tmp_path / "features").glob("use-*.npy"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="cannot be read"):
        load_dataset(export, tmp_path / "features")


def test_a_file_that_is_no_image_is_named_and_no_cache_is_left(tmp_path: Path) -> None:
    export = write_export(tmp_path / "toy", entities=8)
    broken = next((export / "images").glob("*/*.jpg"))
    broken.write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match=broken.name):
        load_dataset(export, tmp_path / "features")
    assert not list((tmp_path / "features").glob("*"))


def test_an_export_that_is_not_there_says_which_are(export: Path, features: Path) -> None:
    with pytest.raises(ExportError, match=r"no export.*choose among toy"):
        load_dataset(export.parent / "irle", features)


def test_an_unknown_encoder_says_which_there_are(export: Path, features: Path) -> None:
    with pytest.raises(ModelError, match=r"no encoder 'resnet'.*lite0, use"):
        load_dataset(export, features, ("resnet", "use"))


def test_the_index_of_a_cache_says_what_made_it(dataset: Dataset, features: Path) -> None:
    about = json.loads(next(features.glob("use-*.json")).read_text("utf-8"))
    assert about["encoder"] == dataset.encoders[1]
    assert about["licence"].startswith("https://")
    assert len(about["rows"]) == len(dataset.texts.vectors) == 45
