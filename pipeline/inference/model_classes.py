# SPDX-License-Identifier: Apache-2.0
"""Read a COCO file whose categories are to be the classes of a model."""

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any

from pipeline.coco import reader
from pipeline.coco.categories import CategoryMapping, Classes, with_class_names
from pipeline.common.path_checks import shown

LOG = logging.getLogger(__name__)


def with_model_classes(
    coco: reader.CocoFile, model_categories: Sequence[dict[str, Any]], mapping: CategoryMapping, otherwise: str
) -> reader.CocoFile:
    """Return a file with the names of the model's classes; a file without any category gets those of the model.

    `otherwise`: what happens to its other categories, for the log.

    Raises:
        CocoError: see `with_class_names`.
    """
    if coco.categories:
        class_names = [category["name"] for category in model_categories]
        return with_class_names(coco, mapping, Classes(class_names, "the model", otherwise))
    LOG.warning("%s: has no categories: those of the model are used, with their ids", shown(coco.path))
    return dataclasses.replace(coco, categories=tuple(map(reader.Category.model_validate, model_categories)))
