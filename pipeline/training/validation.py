# SPDX-License-Identifier: Apache-2.0
"""Scoring while training: which weights were the best, and whether it still gets better."""

import logging
from pathlib import Path
from typing import Any

from torch import Tensor
from torchvision.models.detection import MaskRCNN

from pipeline.coco import reader
from pipeline.common import distributed
from pipeline.config.training import ModelSection, ValidationSection
from pipeline.inference import evaluate, predict
from pipeline.models import detectors

LOG = logging.getLogger(__name__)


class ValidationError(Exception):
    """The set to validate on cannot give the metric; the message names the file and what to change."""


class Validation:
    """Looks at a COCO set every now and then, and keeps the weights (on the CPU) that scored best.

    Raises:
        coco.CocoError: the set or its pictures cannot be used.
        ValidationError: the set has nothing that the metric could be computed of.
    """

    def __init__(
        self, settings: ValidationSection, annotations: Path, images_dir: Path, trained_on: list[reader.Category]
    ) -> None:
        self.settings = settings
        self.images_dir = images_dir
        self.annotated = reader.read(annotations)
        self.categories = [{"id": category.id, "name": category.name} for category in trained_on]
        known = {category.name for category in trained_on}
        self.unknown = {category.name for category in self.annotated.categories} - known
        reader.check_pictures(self.annotated, images_dir)
        if self._score([]) is None:
            raise ValidationError(
                f"{annotations}: train.validation.metric = {settings.metric!r} has no value there: it needs "
                f"annotations of {', '.join(sorted(known))}, for mask_ metrics with masks"
            )
        self.best: float | None = None
        self.best_iteration = 0
        self.best_weights: dict[str, Tensor] = {}
        self.looks_without_gain = 0

    def due(self, iteration: int, last: int) -> bool:
        """Say whether to look after this iteration; after the last one always."""
        return iteration % self.settings.every == 0 or iteration == last

    @property
    def exhausted(self) -> bool:
        """Whether there was no gain for as many looks as the config's patience allows."""
        return 0 < self.settings.patience <= self.looks_without_gain

    def look(self, network: MaskRCNN, settings: ModelSection, iteration: int) -> float:
        """Score the network, which is in train mode before and after, and keep its weights if they are the best."""
        network.eval()
        score = distributed.from_first(self._look(network, settings) if distributed.rank() == 0 else None)
        network.train()
        if self.best is None or score > self.best:
            self.best, self.best_iteration, self.looks_without_gain = score, iteration, 0
            self.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
        else:
            self.looks_without_gain += 1
        LOG.info("iteration %d: %s %.3f; best %.3f", iteration, self.settings.metric, score, self.best)
        return score

    def _look(self, network: MaskRCNN, settings: ModelSection) -> float:
        detector = detectors.Detector(network, self.categories, settings, {})
        found = predict.predict_annotated(detector, self.annotated, self.images_dir)
        return self._score([reader.Detection.model_validate(result) for result in found]) or 0.0

    def _score(self, detections: list[reader.Detection]) -> float | None:
        kind, figure = self.settings.metric.split("_")
        summary = evaluate.evaluate(self.annotated, detections, self.unknown)[kind]
        return summary and summary[figure]

    def facts(self) -> dict[str, Any]:
        """Return what the model file keeps of it."""
        return {"metric": self.settings.metric, "best": self.best, "iteration": self.best_iteration}

    def state_dict(self) -> dict[str, Any]:
        names = ("best", "best_iteration", "best_weights", "looks_without_gain")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def start(
    settings: ValidationSection | None, trained_on: reader.CocoFile, images_dir: Path, val: Path | None
) -> Validation | None:
    """Return what `train.validation` asks for. `val`: the rendered split, with pictures in `images_dir`.

    Raises:
        coco.CocoError, ValidationError: see Validation; or the split is asked for and was not given.
    """
    if settings is None:
        return None
    if settings.on:
        places = (Path(settings.on.annotations), Path(settings.on.images))
    elif val:
        places = (val, images_dir)
    else:
        raise ValidationError("train.validation without `on` means the rendered val split: give its file with --val")
    return Validation(settings, *places, trained_on.categories)
