# SPDX-License-Identifier: Apache-2.0
"""Stage `evaluate`: compare predictions with the ground truth, as COCO's average precision (`cariste evaluate`)."""

import logging
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.coco import image_check, reader
from pipeline.coco.categories import NO_MAPPING, CategoryMapping, with_class_names
from pipeline.coco.image_check import ImageFile
from pipeline.common import devices
from pipeline.common.image_remarks import Remarks
from pipeline.common.vocabulary import IOU_TYPES, METRICS
from pipeline.evaluation import summary
from pipeline.inference import predict
from pipeline.inference.model_classes import with_model_classes
from pipeline.inference.set_facts import asset_lookup, brightness_of_images
from pipeline.models import detectors
from pipeline.viz.formatting import DASH

# It reports every step of its work.
logging.getLogger("faster_coco_eval").setLevel(logging.WARNING)

IouType = Literal["box", "mask"]
# Our name -> COCO's name.
COCO_IOU_TYPES = {"box": "bbox", "mask": "segm"}
# Indices of IoU 0.50 and 0.75 in COCO's ten thresholds from 0.50 to 0.95.
IOU_50, IOU_75 = 0, 5


def evaluate(
    ground_truth: reader.CocoFile, detections: Sequence[reader.Detection], unknown_classes: Collection[str] = ()
) -> dict[str, Any]:
    """Return the metrics of one set: `box`, `mask`, `images`, and `annotations` and `ignored` by class name.

    `box` and `mask` hold AP (the mean over IoU 0.50 to 0.95 and over the classes), AP50, AP75, and the same by class,
    with at most 100 detections per image. A class has null and does not count if it has no annotations or is one of
    `unknown_classes`, on which the model was not trained. `mask` is null if masks are missing. `iscrowd` regions are
    ignored.
    """
    classes = {category.id: category.name for category in ground_truth.categories}
    scored = {category_id: name for category_id, name in classes.items() if name not in unknown_classes}
    counts = Counter((annotation.category_id, annotation.iscrowd) for annotation in ground_truth.annotations)
    has_masks = masks_missing_reason(ground_truth, detections) is None
    return {
        "box": _average_precision(ground_truth, detections, classes, scored, "box"),
        "mask": _average_precision(ground_truth, detections, classes, scored, "mask") if has_masks else None,
        "images": len(ground_truth.images),
        "annotations": {name: counts[category_id, 0] for category_id, name in classes.items()},
        "ignored": {name: counts[category_id, 1] for category_id, name in classes.items()},
    }


def masks_missing_reason(ground_truth: reader.CocoFile, detections: Sequence[reader.Detection]) -> str | None:
    """Return why masks cannot be scored, None if they can. An ignored region needs only its box."""
    objects = [annotation for annotation in ground_truth.annotations if not annotation.iscrowd]
    without_mask = [annotation.id for annotation in objects if annotation.segmentation is None]
    if without_mask:
        first = "" if len(without_mask) == len(objects) else f", the first is annotation {without_mask[0]}"
        return f"{len(without_mask)} of {len(objects)} annotations have no segmentation{first}"
    boxes = sum(detection.segmentation is None for detection in detections)
    return f"{boxes} of {len(detections)} predictions have no segmentation" if boxes else None


def _average_precision(
    ground_truth: reader.CocoFile,
    detections: Sequence[reader.Detection],
    classes: Mapping[reader.Id, str],
    scored: Mapping[reader.Id, str],
    iou_type: IouType,
) -> dict[str, Any]:
    """Return AP, AP50 and AP75 over the `scored` classes, and by name of all `classes` (category id -> name)."""
    numbers = _Numbers.of(ground_truth)
    coco_ground_truth = COCO(_ground_truth_document(ground_truth, numbers, iou_type))
    coco_detections = coco_ground_truth.loadRes(_result_entries(detections, numbers))
    coco_eval = COCOeval_faster(coco_ground_truth, coco_detections, iouType=COCO_IOU_TYPES[iou_type])
    coco_eval.params.catIds = sorted(numbers.categories[category_id] for category_id in scored)
    if not scored or not ground_truth.images:
        nothing = np.empty((len(coco_eval.params.iouThrs), 0))
        return _ap_summary(nothing) | {name: _ap_summary(nothing) for name in classes.values()}
    coco_eval.evaluate()
    coco_eval.accumulate()
    # precision[IoU threshold, recall, class, area range (0: all), detections (last: 100)]; -1: no annotations.
    precision = coco_eval.eval["precision"][:, :, :, 0, -1]
    by_number = {number: precision[:, :, index] for index, number in enumerate(coco_eval.params.catIds)}
    no_annotations = np.full_like(precision[:, :, 0], -1)
    return _ap_summary(precision) | {
        name: _ap_summary(by_number.get(numbers.categories[category_id], no_annotations))
        for category_id, name in classes.items()
    }


def _ap_summary(precision: np.ndarray) -> dict[str, float | None]:
    """Return the means of `precision`, float (10 IoU thresholds from 0.50 to 0.95, …), without values of -1."""
    values = (precision, precision[IOU_50], precision[IOU_75])
    return {metric: _mean_or_none(each) for metric, each in zip(METRICS, values, strict=True)}


def _mean_or_none(precision: np.ndarray) -> float | None:
    valid = precision[precision > -1]
    return round(float(valid.mean()), 4) if valid.size else None


def _ground_truth_document(ground_truth: reader.CocoFile, numbers: "_Numbers", iou_type: IouType) -> dict[str, Any]:
    """Return the keys that COCO's evaluation needs, and masks if masks are scored."""
    annotations = []
    for number, annotation in enumerate(ground_truth.annotations, 1):
        x, y, width, height = annotation.bbox
        entry = {
            # New ids from 1 on: COCO's evaluation takes a match with annotation 0 for no match.
            "id": number,
            "image_id": numbers.images[annotation.image_id],
            "category_id": numbers.categories[annotation.category_id],
            "bbox": list(annotation.bbox),
            "iscrowd": annotation.iscrowd,
            # Objects of all areas are scored; those with a negative area would be ignored.
            "area": width * height,
        }
        if iou_type == "mask":
            box_polygon = [[x, y, x + width, y, x + width, y + height, x, y + height]]
            segmentation = annotation.model_dump(mode="json", include={"segmentation"})["segmentation"]
            entry["segmentation"] = box_polygon if segmentation is None else segmentation
        annotations.append(entry)
    images = [
        {"id": numbers.images[image.id], "width": image.width, "height": image.height} for image in ground_truth.images
    ]
    categories = [{"id": numbers.categories[each.id], "name": each.name} for each in ground_truth.categories]
    return {"images": images, "annotations": annotations, "categories": categories}


def _result_entries(detections: Sequence[reader.Detection], numbers: "_Numbers") -> list[dict[str, Any]]:
    keys = {"bbox", "score", "segmentation"}
    return [
        {
            **detection.model_dump(mode="json", include=keys, exclude_none=True),
            "image_id": numbers.images[detection.image_id],
            "category_id": numbers.categories[detection.category_id],
        }
        for detection in detections
    ]


class _Numbers(NamedTuple):
    """Ids from 1 on for images and categories: COCO's evaluation takes no text and no integers of more than 64 bits."""

    images: Mapping[reader.Id, int]
    categories: Mapping[reader.Id, int]

    @classmethod
    def of(cls, coco: reader.CocoFile) -> "_Numbers":
        sections = (coco.images, coco.categories)
        return cls(*({entry.id: number for number, entry in enumerate(section, 1)} for section in sections))


def metrics_table(metrics: Mapping[str, Any], title: str) -> Table:
    """Return the metrics of one set as a table: one row over all classes and one per class."""
    table = Table(title=f"{title}: {metrics['images']} images", box=SIMPLE)
    table.add_column("class", no_wrap=True)
    iou_types = [iou_type for iou_type in IOU_TYPES if metrics[iou_type] is not None]
    for heading in ("objects", *(f"{iou_type}\n{metric}" for iou_type in iou_types for metric in METRICS)):
        table.add_column(heading, justify="right")
    counts = metrics["annotations"]
    table.add_row("all", str(sum(counts.values())), *_format_metrics([metrics[each] for each in iou_types]))
    for name, count in counts.items():
        table.add_row(name, str(count), *_format_metrics([metrics[each][name] for each in iou_types]))
    return table


def _format_metrics(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    values = (summary[metric] for summary in summaries for metric in METRICS)
    return [DASH if value is None else f"{value:.3f}" for value in values]


def operating_point_table(metrics: Mapping[str, Any]) -> Table:
    """Return recall, precision and false alarms of each scored class at its threshold, with 95 % intervals."""
    table = Table(
        title="with detections of at least this confidence, IoU 0.5", box=SIMPLE, collapse_padding=True, pad_edge=False
    )
    table.add_column("class", no_wrap=True)
    for heading in ("recall", "precision", "false alarms\nper image"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, point in metrics["operating_points"].items():
        values = [_format_interval(point, key) for key in ("recall", "precision", "false_alarms_per_image")]
        table.add_row(f"{name} >= {point['threshold']:.2f}", *values)
    return table


def _format_interval(point: Mapping[str, Any], key: str) -> str:
    value, bounds = point[key], point[f"{key}_interval"]
    return DASH if value is None or bounds is None else f"{value:.2f} [{bounds[0]:.2f}, {bounds[1]:.2f}]"


@dataclass(frozen=True)
class Evaluation:
    """A scored set. `files`: of the images that can be read, by image id; empty if no folder of images was given."""

    ground_truth: reader.CocoFile
    detections: Sequence[reader.Detection]
    files: Mapping[reader.Id, ImageFile]
    metrics: dict[str, Any]

    def thresholds(self) -> dict[str, float]:
        """Return the confidence threshold of each scored class, by its name."""
        return {name: point["threshold"] for name, point in self.metrics["operating_points"].items()}


def evaluate_predictions(
    title: str,
    annotations: Path,
    predictions: Path,
    images_dir: Path | None = None,
    mapping: CategoryMapping = NO_MAPPING,
) -> Evaluation:
    """Score one results file and print the metrics.

    `images_dir`: for sizes that the COCO file lacks, brightness, and what lies under false alarms. `mapping`: other
    names for its categories; those with the same name are scored as one class.
    """
    ground_truth = with_class_names(reader.read_coco(annotations, images_dir), mapping)
    detections = reader.read_results(predictions, ground_truth)
    files = image_check.find_images(ground_truth, images_dir).files if images_dir else {}
    return _evaluate_and_print(title, ground_truth, detections, images_dir, files)


def evaluate_model(
    path: Path, annotations: Path, images_dir: Path, device: str, mapping: CategoryMapping = NO_MAPPING
) -> Evaluation:
    """Score a model on a COCO file and print the metrics.

    `mapping` says which categories of the file are which classes of the model.
    """
    ground_truth = reader.read_coco(annotations, images_dir)
    detector = detectors.load(path, devices.select_device(device))
    ground_truth = with_model_classes(ground_truth, detector.categories, mapping, "not scored")
    trained_on = {entry["name"] for entry in detector.categories}
    unknown_classes = {category.name for category in ground_truth.categories} - trained_on
    remarks, files = Remarks(), image_check.check_images(ground_truth, images_dir)
    results = predict.predict_annotated(detector, ground_truth, files, remarks)
    remarks.log()
    detections = [reader.Detection.model_validate(result) for result in results]
    return _evaluate_and_print(str(annotations), ground_truth, detections, images_dir, files, unknown_classes)


def _evaluate_and_print(
    title: str,
    ground_truth: reader.CocoFile,
    detections: Sequence[reader.Detection],
    images_dir: Path | None,
    files: Mapping[reader.Id, ImageFile],
    unknown_classes: Collection[str] = (),
) -> Evaluation:
    metrics = evaluate(ground_truth, detections, unknown_classes)
    metrics |= summary.summarize(
        ground_truth,
        detections,
        set(metrics["annotations"]) - set(unknown_classes),
        {},
        has_masks=metrics["mask"] is not None,
        brightness=brightness_of_images(ground_truth, files) if files else None,
        asset_lookup=asset_lookup(images_dir) if images_dir else None,
    )
    if not sum(metrics["annotations"].values()):
        ignored = sum(metrics["ignored"].values())
        reason = (
            f"every annotation ({ignored}) has iscrowd 1 and is ignored" if ignored else "the file has no annotations"
        )
        print(f"{title}: there is nothing to score: {reason}", file=sys.stderr)
    elif metrics["mask"] is None:
        reason = masks_missing_reason(ground_truth, detections)
        print(f"{title}: boxes only, because mask AP needs all masks: {reason}", file=sys.stderr)
    Console().print(metrics_table(metrics, title))
    Console().print(operating_point_table(metrics))
    return Evaluation(ground_truth, detections, files, metrics)
