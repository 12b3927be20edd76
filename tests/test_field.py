"""Evaluation over all images and languages of all entities, against what one sees entity by entity."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from mlmkg.ml.certainty import Certainty, Fitted
from mlmkg.ml.data import Dataset
from mlmkg.ml.field import as_the_field_does
from mlmkg.ml.losses import great_circle
from mlmkg.ml.models import BaselineConfig, ClipConfig, Inputs, IrLe, MlmClip, Model, Outputs
from mlmkg.ml.rows import grouped

from tests.exports import dataset_of

CENTRES = [(48.9, 2.4), (52.5, 13.4), (40.4, -3.7)]
WIDTHS = {"image": 6, "summary": 5}


def dataset(entities: int = 72) -> Dataset:
    """Return entities of 0 to 2 images and 0 to 3 texts in English, German and French."""
    generator = torch.Generator().manual_seed(2)
    cell = [i % 3 if i % 10 else -1 for i in range(entities)]
    places = [(lat + i / 100, lon) for i in range(entities) for lat, lon in [CENTRES[i % 3]]]
    images = [i for i in range(entities) for _ in range(i % 3)]
    texts = [(i, n) for i in range(entities) for n in range(i % 4)]
    made = dataset_of(
        torch.zeros(entities, 6), torch.zeros(entities, 5), cell,
        {"train": [0, 1], "test": list(range(2, entities))}, CENTRES, places,
    )  # fmt: skip
    return replace(
        made,
        images=grouped(
            torch.randn(len(images), 6, generator=generator), images, range(len(images)),
            [-1] * len(images), entities,
        ),
        texts=grouped(
            torch.randn(len(texts), 5, generator=generator), [i for i, _ in texts], range(len(texts)),
            [n for _, n in texts], entities,
        ),
        languages=["en", "de", "fr"],
        continents=["Africa" if i % 3 else "Asia" for i in range(entities)],
    )  # fmt: skip


def model_of(kind: str) -> Model:
    torch.manual_seed(1)
    if kind == "ir-le":
        return IrLe(BaselineConfig({**WIDTHS, "classes": 5}, 3)).eval()
    return MlmClip(ClipConfig(WIDTHS, 3, hidden=16, shared=8)).eval()


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Any]:
    """What is said of the untrained mlm-clip."""
    return as_the_field_does(model_of("mlm-clip"), dataset(), "mtl")


def alone(model: Model, data: Dataset, image: int | None, text: int | None) -> Outputs:
    """Return what a model says of one image, one text, or both, by their rows."""
    rows = {"image": image, "summary": text}
    features, known = {}, {}
    for name, width in WIDTHS.items():
        row = rows[name]
        features[name] = torch.zeros(1, width) if row is None else data.rows(name).vectors[row][None]
        known[name] = torch.tensor([row is not None])
    with torch.inference_mode():
        out: Outputs = model(Inputs(features, known))
    return out


def rows_of(data: Dataset, name: str, entity: int) -> list[int]:
    rows = data.rows(name)
    found: list[int] = rows.index[rows.start[entity] : rows.start[entity + 1]].tolist()
    return found


@pytest.mark.parametrize("modality", ["image", "text", "fused"])
def test_location_is_from_the_mean_of_what_all_rows_say(
    modality: str, evaluated: dict[str, Any]
) -> None:
    data, model = dataset(), model_of("mlm-clip")
    right, km, number = 0, [], 0
    for entity in data.split["test"].tolist():
        images: list[int | None] = [*rows_of(data, "image", entity)] or [None]
        texts: list[int | None] = [*rows_of(data, "summary", entity)] or [None]
        has = {"image": images != [None], "text": texts != [None]}
        has["fused"] = has["image"] or has["text"]
        if not has[modality] or int(data.cell[entity]) < 0:
            continue
        turns = max(len(images) * (modality != "text"), len(texts) * (modality != "image"))
        said = [
            alone(
                model, data, images[t % len(images)] if modality != "text" else None,
                texts[t % len(texts)] if modality != "image" else None,
            ).logits[modality].softmax(dim=1)
            for t in range(turns)
        ]  # fmt: skip
        guess = int(torch.cat(said).mean(dim=0).argmax())
        number += 1
        right += guess == int(data.cell[entity])
        km.append(float(great_circle(data.centres[guess], data.places[entity])))
    found = evaluated["location"][modality]
    assert found["entities"] == number
    assert found["figures"]["R"] == pytest.approx(right / number)  # weighted recall is accuracy
    assert found["figures"]["median_km"] == pytest.approx(float(torch.tensor(km).quantile(0.5)))


def test_retrieval_is_among_all_that_have_both_and_uses_all_of_their_rows(
    evaluated: dict[str, Any],
) -> None:
    data, model = dataset(), model_of("mlm-clip")
    both = [i for i in data.split["test"].tolist() if i % 3 and i % 4]
    directions = {}
    for name in ("image", "summary"):
        directions[name] = torch.stack([
            torch.cat([
                model.compared(
                    alone(model, data, row if name == "image" else None,
                          row if name == "summary" else None)
                )[0 if name == "image" else 1]
                for row in rows_of(data, name, i)
            ]).mean(dim=0)
            for i in both
        ])  # fmt: skip
        directions[name] /= directions[name].norm(dim=1, keepdim=True)
    scores = directions["image"] @ directions["summary"].T
    best = (scores >= scores.diagonal()[:, None]).sum(dim=1)  # no ties here
    found = evaluated["retrieval"]
    assert found["candidates"] == len(both)
    figures = found["image_to_text"]["figures"]
    assert figures["R@10"] == pytest.approx(float((best <= 10).double().mean()))
    assert figures["MRR"] == pytest.approx(float((1 / best).mean()), rel=1e-5)
    low, high = found["image_to_text"]["intervals"]["MRR"]
    assert low < figures["MRR"] < high


@pytest.mark.parametrize("kind", ["mlm-clip", "ir-le"])
def test_groups_and_languages_stand_beside_the_whole_and_all_of_it_is_json(kind: str) -> None:
    data, model = dataset(), model_of(kind)
    if kind == "ir-le":
        data = replace(data, classes=data.texts)
    classes = [["city"] if i % 2 else ["village", "port"] for i in range(72)]
    found = as_the_field_does(model, data, "mtl", classes=classes)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["places"] == "entities"
    assert list(found["location"]) == list(model.modalities)
    text = found["location"]["text"]
    # 0 to 3 texts: English of three in four, French of one in four, which are under 20.
    assert list(text["by_language"]["groups"]) == ["de", "en"]
    assert text["by_language"]["left_out"]["groups"] == 1
    # All entities of the two continents with a text and a cell.
    asia, africa = (text["by_continent"]["groups"].get(n, {"rows": 0}) for n in ("Asia", "Africa"))
    small = text["by_continent"]["left_out"]["rows"]
    assert asia["rows"] + africa["rows"] + small == text["entities"]
    assert text["by_class"]["groups"]["city"]["rows"] > 20
    assert found["retrieval"]["by_language"]["left_out"].keys() == {"fr"}


def test_a_single_task_gives_its_own_figures_only() -> None:
    data, model = dataset(), model_of("mlm-clip")
    assert as_the_field_does(model, data, "ir")["location"] is None
    assert as_the_field_does(model, data, "le")["retrieval"] is None


def test_the_estimate_of_the_certainty_decides_where_an_entity_is_put(
    evaluated: dict[str, Any],
) -> None:
    data, model = dataset(), model_of("mlm-clip")
    middle = Certainty(0.9, dict.fromkeys(model.modalities, Fitted(estimate="centroid")))
    cells = evaluated["location"]["image"]["figures"]
    between = as_the_field_does(model, data, "le", certainty=middle)["location"]["image"]["figures"]
    assert between["F1"] == cells["F1"]
    assert between["median_km"] != cells["median_km"]


def test_mean_places_of_cells_are_called_that_and_nothing_to_show_gives_nothing() -> None:
    data, model = dataset(), model_of("mlm-clip")
    published = replace(data, places=data.centres[torch.arange(72) % 3])
    assert as_the_field_does(model, published, "le")["places"] == "cells"
    bare = [grouped(torch.zeros(1, width), [0], [0], [-1], 72) for width in (6, 5)]  # train only
    found = as_the_field_does(model, replace(data, images=bare[0], texts=bare[1]), "mtl")
    assert found["retrieval"] is None
    assert found["location"] == {"image": None, "text": None, "fused": None}
