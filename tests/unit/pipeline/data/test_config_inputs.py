# SPDX-License-Identifier: Apache-2.0
"""What a config names is looked for when a run is planned."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.config.config import ConfigError, validate
from pipeline.data.config_inputs import ConfigInputError, check_config_inputs


@pytest.fixture
def hall(tmp_path) -> dict[str, str]:
    """A real set of two images, as a config names it."""
    folder = tmp_path / "it's a site #2"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 48)).save(folder / name)
    write_coco(tmp_path / "hall.json", ["a.png", "b.png"])
    return {"annotations": str(tmp_path / "hall.json"), "images": str(folder)}


def write_coco(path: Path, names: list[str], category: str = "Pallet-Truck") -> None:
    images = [{"id": number, "file_name": name, "width": 64, "height": 48} for number, name in enumerate(names, 1)]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}
    document = {"images": images, "categories": [{"id": 1, "name": category}], "annotations": [annotation]}
    path.write_text(json.dumps(document))


# Each place of a config that names a set of real images.
PLACES = {
    "compare.hall": lambda real: {"compare": {"hall": real}},
    "train.sources.hall": lambda real: {"train": {"sources": {"hall": real | {"share": 0.5}}}},
    "train.validation.dataset": lambda real: {"train": {"validation": {"dataset": real}}},
}


def refusal_of(values: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigInputError) as refused:
        check_config_inputs(validate(values))
    return str(refused.value).splitlines()


@pytest.mark.parametrize("key", PLACES)
def test_a_set_that_is_there_is_accepted(hall, key):
    check_config_inputs(validate(PLACES[key](hall)))


@pytest.mark.parametrize("key", PLACES)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": "/nope"}, ".images = /nope: no such folder"),
        ({"annotations": "nowhere/a.json"}, ".annotations = nowhere/a.json: no such file"),
        ({"annotations": "."}, ".annotations = .: is a folder, not a file"),
        ({"images": __file__}, "is a file, not a folder"),
        ({"images": "~nobody/{x}"}, "no such folder"),
        ({"categories": {"forklift": "pallet_truck"}}, ".categories: no category 'forklift'"),
    ],
)
def test_what_is_missing_is_one_line_with_its_key(hall, key, changes, said):
    (line,) = refusal_of(PLACES[key](hall | changes))
    assert line.startswith(key)
    assert said in line


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.png", "c.png"], "image 2: .*c.png: no such file"),
        (["a.png", "sub/b.jpg"], "image 2: .*sub/b.jpg: no such file"),
    ],
)
def test_missing_images_are_named(hall, names, said):
    write_coco(Path(hall["annotations"]), names)
    (line,) = refusal_of({"compare": {"hall": hall}})
    assert line.startswith("compare.hall: ")
    assert "no such file" in line
    assert names[1] in line


def test_many_missing_images_are_ten_lines_and_a_count(hall):
    write_coco(Path(hall["annotations"]), ["a.png", *(f"{number}.png" for number in range(30))])
    assert refusal_of({"compare": {"hall": hall}})[-1] == "and 20 more"


def test_of_a_large_set_only_the_presence_of_images_is_checked(hall, monkeypatch):
    monkeypatch.setattr("pipeline.data.config_inputs.MAX_OPENED_IMAGES", 1)
    check_config_inputs(validate({"compare": {"hall": hall}}))
    write_coco(Path(hall["annotations"]), ["a.png", "c.png"])
    assert "c.png: no such file" in refusal_of({"compare": {"hall": hall}})[0]
    monkeypatch.setattr("pipeline.data.config_inputs.MAX_PARSED_BYTES", 1)
    check_config_inputs(validate({"compare": {"hall": hall}}))


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"images": 5}'])
def test_a_file_that_is_no_coco_file_is_named(hall, content):
    Path(hall["annotations"]).write_text(content)
    lines = refusal_of({"compare": {"hall": hall}})
    assert all("hall.json" in line for line in lines)


def test_categories_that_are_no_classes_are_found_before_the_rendering(hall):
    write_coco(Path(hall["annotations"]), ["a.png", "b.png"], category="person")
    (line,) = refusal_of({"train": {"sources": {"hall": hall | {"share": 0.5}}}})
    assert "none of its categories (person) is a class" in line
    check_config_inputs(validate({"compare": {"hall": hall | {"categories": {"person": "pedestrian"}}}}))


def test_a_path_that_snakemake_would_take_for_a_pattern_is_refused(hall, tmp_path):
    shutil.copytree(hall["images"], tmp_path / "{x}")
    (line,) = refusal_of({"compare": {"hall": hall | {"images": str(tmp_path / "{x}")}}})
    assert "Snakemake takes { and } in a path for a wildcard" in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"model": {"weights": "imagnet"}}, "model.weights = imagnet: no such file; did you mean imagenet?"),
        ({"model": {"weights": "results/model.pt"}}, "model.weights = results/model.pt: no such file"),
        ({"model": {"weights_file": "coco.pth"}}, "model.weights_file = coco.pth: no such file"),
        ({"study": {"backbones": {"resnet18": "r.pth"}}}, "study.backbones.resnet18.weights = r.pth: no such file"),
    ],
)
def test_weights_that_are_no_file_are_found(values, said):
    (line,) = refusal_of(values)
    assert line.startswith(said)


def test_a_file_of_weights_is_accepted(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"x")
    check_config_inputs(validate({"model": {"weights": str(tmp_path / "model.pt")}}))


BACKBONES = {
    "yolov8n": "model.backbone = yolov8n: neither torchvision's nor timm's name of a backbone",
    "timm/convnext_pic": "model.backbone = timm/convnext_pic: neither torchvision's nor timm's name of a backbone; did "
    "you mean convnext_pico?",
    "swin-tiny\n": "contains a line break",
    "regnetx_002": "",
    "timm/convnext_pico": "",
    "timm/tf_efficientnet_lite0": "",
    "resnet18": "",
}


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_that_nobody_knows_is_named(name):
    plain = name.removeprefix("timm/")
    values = {"model": {"backbone": name, "weights": "none"}, "study": {"backbones": {plain: "none"}}}
    if not (said := BACKBONES[name]):
        check_config_inputs(validate(values))
    elif "\n" in name:
        with pytest.raises(ConfigError, match=said):
            validate(values)
    else:
        assert refusal_of(values) == [
            said,
            said.replace(f"model.backbone = {name}", f"study.backbones.{plain} = {plain}"),
        ]
