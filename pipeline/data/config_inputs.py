# SPDX-License-Identifier: Apache-2.0
"""Check that the files and folders which a config names exist, when a run is planned and not after hours of rendering.

Snakemake itself finds a missing input only if the target needs it, and it does not know the images of a COCO file.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pipeline.common import path_checks
from pipeline.common.errors import CaristeError
from pipeline.common.validation_messages import at_most_ten, suggestion
from pipeline.config.backbone_names import WEIGHTS, is_known
from pipeline.config.config import Config
from pipeline.config.field_types import CocoSetSection
from pipeline.record.base_types import Category

# Reading more than this takes too long when a run is planned. The stages check everything.
MAX_PARSED_BYTES, MAX_OPENED_IMAGES = 50_000_000, 1000


class ConfigInputError(CaristeError):
    """A file, a folder or an image that a config names and that cannot be used."""


def check_config_inputs(config: Config) -> None:
    """Check all backbones, weights, COCO files and real images that a config names.

    Relative paths start at the working directory.

    Raises:
        ConfigInputError: one line for each that is unknown, missing or cannot be read, at most ten, then a count.
    """
    problems = [*_backbone_problems(config), *_weight_problems(config)]
    for key, real in named_sets(config).items():
        problems += _set_problems(key, real)
    if problems:
        raise ConfigInputError(at_most_ten(problems))


def named_sets(config: Config) -> dict[str, CocoSetSection]:
    """Return the sets of real images that a config names, by their keys."""
    sets: dict[str, CocoSetSection] = {f"compare.{name}": real for name, real in config.compare.items()}
    sets |= {f"train.sources.{name}": real for name, real in config.train.sources.items()}
    if config.train.validation and config.train.validation.dataset:
        sets["train.validation.dataset"] = config.train.validation.dataset
    return sets


def _backbone_problems(config: Config) -> Iterator[str]:
    names = {"model.backbone": config.model.backbone} | {
        f"study.backbones.{name}": name for name in config.study.backbones
    }
    unknown = {key: name for key, name in names.items() if not is_known(name)}
    if unknown:
        import timm  # slow to import

        for key, name in unknown.items():
            timm_name = name.removeprefix("timm/")
            if not timm.is_model(timm_name):
                near = suggestion(timm_name, timm.list_models())
                yield f"{key} = {path_checks.shown(name)}: neither torchvision's nor timm's name of a backbone{near}"


def _weight_problems(config: Config) -> Iterator[str]:
    paths = {"model.weights": config.model.weights, "model.weights_file": config.model.weights_file}
    paths |= {f"study.backbones.{name}.weights": each.weights for name, each in config.study.backbones.items()}
    for key, path in paths.items():
        if path and path not in WEIGHTS and (problem := _problem(path, folder=False)):
            near = suggestion(path, list(WEIGHTS)) if os.sep not in path and "did you mean" not in problem else ""
            yield f"{key} = {path_checks.shown(path)}: {problem}{near}"


def _set_problems(key: str, real: CocoSetSection) -> list[str]:
    found = [
        f"{key}.{name} = {path_checks.shown(path)}: {problem}"
        for name, path, folder in (("annotations", real.annotations, False), ("images", real.images, True))
        if (problem := _problem(path, folder))
    ]
    if not found and any(brace in f"{real.annotations}{real.images}" for brace in "{}"):
        found = [f"{key}: Snakemake takes {{ and }} in a path for a wildcard; rename the file or folder"]
    if found or os.path.getsize(real.annotations) > MAX_PARSED_BYTES:
        return found
    return [f"{key}: {line}" for line in _content_problems(key, real)]


def _content_problems(key: str, real: CocoSetSection) -> list[str]:
    """Return what is wrong in a COCO file, with its categories, and with its images."""
    from pipeline.coco import categories, image_check, reader  # slow to import, and most configs name no sets

    mapping = categories.CategoryMapping(real.categories, f"{key}.categories")
    classes = categories.Classes(get_args(Category), "the rendered set", f"{key}: not used")
    try:
        coco = reader.read_coco(real.annotations, real.images)
        categories.with_class_names(coco, mapping, classes)
    except CaristeError as error:
        return str(error).splitlines()
    if len(coco.images) <= MAX_OPENED_IMAGES:
        return list(image_check.find_images(coco, real.images).problems.values())
    folder = image_check.ImageFolder(real.images)
    missing = [image for image in coco.images if not folder.find(image.file_name).paths]
    return [
        f"image {each.id}: {path_checks.shown(Path(real.images, each.file_name))}: no such file" for each in missing
    ]


def _problem(path: str, folder: bool) -> str | None:
    check = path_checks.input_folder_problem if folder else path_checks.input_file_problem
    return path_checks.text_problem(path) or check(Path(path))
