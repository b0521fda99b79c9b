# SPDX-License-Identifier: Apache-2.0
"""The score of a validation round: predict a COCO set, and evaluate the predictions."""

from pathlib import Path

from torch import nn

from pipeline.coco import reader
from pipeline.common.errors import CaristeError
from pipeline.config.training import ModelSection, ValidationSection
from pipeline.inference import evaluate, predict
from pipeline.models import detectors
from pipeline.training.validation import Validation


class ValidationError(CaristeError):
    """The set to validate on cannot give the metric; the message names the file and what to change."""


class CocoScore:
    """Computes one metric of a network on a COCO set.

    `metric`: as in `train.validation.metric`, "box_AP50" for example. `trained_on`: the categories of the network;
    annotations of other categories are left out.

    Raises:
        coco.CocoError: the set or its images cannot be used.
        ValidationError: the set has no annotation that the metric could be computed from.
    """

    def __init__(
        self,
        metric: str,
        annotations: Path,
        images_dir: Path,
        trained_on: list[reader.Category],
        settings: ModelSection,
    ) -> None:
        self.metric = metric
        self.images_dir = images_dir
        self.settings = settings
        self.annotated = reader.read_coco(annotations)
        self.categories = [{"id": category.id, "name": category.name} for category in trained_on]
        known = {category.name for category in trained_on}
        self.unknown = {category.name for category in self.annotated.categories} - known
        reader.check_images(self.annotated, images_dir)
        if self._value([]) is None:
            raise ValidationError(
                f"{annotations}: train.validation.metric = {metric!r} has no value there: it needs "
                f"annotations of {', '.join(sorted(known))}, for mask_ metrics with masks"
            )

    def __call__(self, network: nn.Module) -> float:
        """Return the metric, 0 to 1. The network is in evaluation mode."""
        detector = detectors.Detector(network, self.categories, self.settings, {})
        results = predict.predict_annotated(detector, self.annotated, self.images_dir)
        return self._value([reader.Detection.model_validate(result) for result in results]) or 0.0

    def _value(self, detections: list[reader.Detection]) -> float | None:
        kind, figure = self.metric.split("_")
        summary = evaluate.evaluate(self.annotated, detections, self.unknown)[kind]
        return summary and summary[figure]


def start(
    settings: ValidationSection | None,
    model: ModelSection,
    trained_on: list[reader.Category],
    images_dir: Path,
    val: Path | None,
) -> Validation | None:
    """Return the validation that `train.validation` asks for. `val`: the rendered split, images in `images_dir`.

    Raises:
        coco.CocoError, ValidationError: see `CocoScore`; or the split is asked for and was not given.
    """
    if settings is None:
        return None
    if settings.dataset:
        data, folder = Path(settings.dataset.annotations), Path(settings.dataset.images)
    elif val:
        data, folder = val, images_dir
    else:
        raise ValidationError("train.validation without `on` means the rendered val split: give its file with --val")
    return Validation(settings, CocoScore(settings.metric, data, folder, trained_on, model), data)
