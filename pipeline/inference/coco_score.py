# SPDX-License-Identifier: Apache-2.0
"""The score of a validation round: predict a COCO set, and evaluate the predictions."""

from pathlib import Path

from torch import nn

from pipeline.coco import image_check, reader
from pipeline.coco.categories import NO_MAPPING, CategoryMapping
from pipeline.common.errors import CaristeError
from pipeline.config.training import ModelSection, ValidationSection
from pipeline.data.image_decoding import check_all_decode
from pipeline.inference import evaluate, predict
from pipeline.inference.model_classes import with_model_classes
from pipeline.models import detectors


class ValidationSetError(CaristeError):
    """The set to validate on cannot give the metric; the message names the file and what to change."""


class CocoScore:
    """Computes one metric of a model on a COCO set.

    Args:
        metric: as in `train.validation.metric`, such as "box_AP50".
        annotations: the COCO file.
        images_dir: what its file names are relative to.
        trained_on: the categories of the model; annotations of other categories are left out.
        settings: of the model.
        mapping: which categories of the file are which of the model.

    Raises:
        CocoError: the set or its images cannot be used.
        ValidationSetError: the set has no annotations to compute the metric from.
    """

    def __init__(
        self,
        metric: str,
        annotations: Path,
        images_dir: Path,
        trained_on: list[reader.Category],
        settings: ModelSection,
        mapping: CategoryMapping = NO_MAPPING,
    ) -> None:
        self.metric = metric
        self.data = annotations
        self.settings = settings
        self.categories = detectors.category_entries(trained_on)
        self.coco_file = with_model_classes(
            reader.read_coco(annotations, images_dir), self.categories, mapping, "not scored"
        )
        class_names = {category.name for category in trained_on}
        self.unknown_classes = {category.name for category in self.coco_file.categories} - class_names
        self.files = image_check.check_images(self.coco_file, images_dir)
        if self._metric_of([]) is None:
            raise ValidationSetError(
                f"{annotations}: train.validation.metric = {metric!r} has no value for this set: it needs annotations "
                f"of {', '.join(sorted(class_names))}, and for mask_ metrics these need masks"
            )

    def __call__(self, model: nn.Module) -> float:
        """Return the metric, 0 to 1. The model is in evaluation mode."""
        detector = detectors.Detector(model, self.categories, self.settings, {})
        results = predict.results_of_files(detector, self.coco_file, self.files)
        return self._metric_of([reader.Detection.model_validate(result) for result in results]) or 0.0

    def _metric_of(self, detections: list[reader.Detection]) -> float | None:
        geometry, metric_name = self.metric.split("_")
        summary = evaluate.evaluate(self.coco_file, detections, self.unknown_classes)[geometry]
        return summary and summary[metric_name]


def score_from_config(
    settings: ValidationSection,
    model: ModelSection,
    images_dir: Path,
    val: Path | None,
    trained_on: list[reader.Category],
) -> CocoScore:
    """Return the score that `train.validation` asks for. `val` is the rendered split, with images in `images_dir`.

    Raises:
        CocoError: see `CocoScore`.
        ImageFileError: an image of the set is damaged.
        ValidationSetError: see `CocoScore`; or the rendered split is asked for and `val` is None.
    """
    if settings.dataset:
        data, folder = Path(settings.dataset.annotations), Path(settings.dataset.images)
        mapping = CategoryMapping(settings.dataset.categories, "train.validation.dataset.categories")
        score = CocoScore(settings.metric, data, folder, trained_on, model, mapping)
        check_all_decode("train.validation.dataset", [file.path for file in score.files.values()])
        return score
    if not val:
        raise ValidationSetError(
            "train.validation without `dataset` uses the rendered validation split: give its COCO file with --val"
        )
    return CocoScore(settings.metric, val, images_dir, trained_on, model)
