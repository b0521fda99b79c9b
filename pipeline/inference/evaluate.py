# SPDX-License-Identifier: Apache-2.0
"""Station `evaluate`: predictions against annotations, as COCO's average precision, box and mask, in all and by class.

On any COCO file with images, with a model or with results that are there already:

    python -m pipeline.inference.evaluate --model M.pt --annotations A.json --images DIR --out metrics.json
    python -m pipeline.inference.evaluate --predictions P.json --annotations A.json --out metrics.json

Or split by split, one entry in `metrics.json` for each:

    python -m pipeline.inference.evaluate --out metrics.json \\
        --split val ANN.json PRED.json --split test ANN.json PRED.json
"""

import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.coco import reader
from pipeline.common import devices
from pipeline.inference import predict
from pipeline.models import detectors

IOU_TYPES = {"box": "bbox", "mask": "segm"}


def evaluate(
    annotated: reader.CocoFile, detections: Sequence[reader.Detection], unknown_classes: Collection[str] = ()
) -> dict[str, Any]:
    """Return the figures of one set: box, mask, images, annotations and ignored regions by class name.

    Each of box and mask has AP (mean over IoU 0.50 to 0.95 and classes), AP50, AP75 and the same by class, with at
    most 100 detections an image. A class that has no annotations, or is one of `unknown_classes` (that the model never
    learned), has null and does not count. `mask` is null if masks are missing. Regions with `iscrowd` are ignored.
    """
    classes = {category.id: category.name for category in annotated.categories}
    scored = {number: name for number, name in classes.items() if name not in unknown_classes}
    counts = Counter((annotation.category_id, annotation.iscrowd) for annotation in annotated.annotations)
    masks = masks_missing_reason(annotated, detections) is None
    return {
        "box": _precision(annotated, detections, classes, scored, "box"),
        "mask": _precision(annotated, detections, classes, scored, "mask") if masks else None,
        "images": len(annotated.images),
        "annotations": {name: counts[number, 0] for number, name in classes.items()},
        "ignored": {name: counts[number, 1] for number, name in classes.items()},
    }


def masks_missing_reason(annotated: reader.CocoFile, detections: Sequence[reader.Detection]) -> str | None:
    """Return why masks cannot be scored, or None if they can. A region to ignore needs no more than its box."""
    objects = [annotation for annotation in annotated.annotations if not annotation.iscrowd]
    bare = sum(annotation.segmentation is None for annotation in objects)
    if bare:
        return f"{annotated.path}: {bare} of {len(objects)} annotations have no segmentation"
    if any(detection.segmentation is None for detection in detections):
        return "the predictions hold boxes without segmentation"
    return None


def _precision(
    annotated: reader.CocoFile,
    detections: Sequence[reader.Detection],
    classes: Mapping[int, str],
    scored: Mapping[int, str],
    kind: Literal["box", "mask"],
) -> dict[str, Any]:
    """Return AP, AP50 and AP75 over the scored classes, and by name for all `classes` (id to name)."""
    truth = COCO(_truth(annotated, kind))
    run = COCOeval_faster(truth, truth.loadRes(_results(detections)), iouType=IOU_TYPES[kind])
    run.params.catIds = sorted(scored)
    if not scored or not annotated.images:
        return _summary(np.empty((10, 0))) | {name: _summary(np.empty((10, 0))) for name in classes.values()}
    run.evaluate()
    run.accumulate()
    # precision[IoU threshold, recall, class, area range (0: all), detections (last: 100)]; -1: no annotations.
    precision = run.eval["precision"][:, :, :, 0, -1]
    by_class = {number: precision[:, :, place] for place, number in enumerate(run.params.catIds)}
    nothing = np.full_like(precision[:, :, 0], -1)
    return _summary(precision) | {name: _summary(by_class.get(number, nothing)) for number, name in classes.items()}


def _summary(precision: np.ndarray) -> dict[str, float | None]:
    """Return the means of `precision`, float (10 IoU thresholds from 0.50 to 0.95, …), over what is not -1."""
    return {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5])}


def _mean(precision: np.ndarray) -> float | None:
    there = precision[precision > -1]
    return round(float(there.mean()), 4) if there.size else None


def _truth(annotated: reader.CocoFile, kind: Literal["box", "mask"]) -> dict[str, Any]:
    """Return what COCO's evaluation needs of a file: areas everywhere, and masks if masks are scored."""
    annotations = []
    for number, annotation in enumerate(annotated.annotations, 1):
        x, y, width, height = annotation.bbox
        # Numbered anew: COCO's evaluation takes a match with annotation 0 for none.
        entry = annotation.model_dump(mode="json", include={"image_id", "category_id", "bbox", "iscrowd"})
        entry["id"] = number
        entry["area"] = width * height if annotation.area is None else annotation.area
        if kind == "mask":
            corners = [[x, y, x + width, y, x + width, y + height, x, y + height]]
            segmentation = annotation.model_dump(mode="json", include={"segmentation"})["segmentation"]
            entry["segmentation"] = corners if segmentation is None else segmentation
        annotations.append(entry)
    images = [image.model_dump(include={"id", "width", "height"}) for image in annotated.images]
    categories = [category.model_dump(include={"id", "name"}) for category in annotated.categories]
    return {"images": images, "annotations": annotations, "categories": categories}


def _results(detections: Sequence[reader.Detection]) -> list[dict[str, Any]]:
    keys = {"image_id", "category_id", "bbox", "score", "segmentation"}
    return [detection.model_dump(mode="json", include=keys, exclude_none=True) for detection in detections]


def metrics_table(metrics: Mapping[str, Any], title: str) -> Table:
    """Return the figures of one set as a table: a row in all and for each class."""
    drawn = Table(title=f"{title}: {metrics['images']} images", box=SIMPLE)
    drawn.add_column("class", no_wrap=True)
    kinds = [kind for kind in IOU_TYPES if metrics[kind] is not None]
    for heading in ("objects", *(f"{kind}\n{figure}" for kind in kinds for figure in ("AP", "AP50", "AP75"))):
        drawn.add_column(heading, justify="right")
    counts = metrics["annotations"]
    drawn.add_row("all", str(sum(counts.values())), *_figures([metrics[kind] for kind in kinds]))
    for name, count in counts.items():
        drawn.add_row(name, str(count), *_figures([metrics[kind][name] for kind in kinds]))
    return drawn


def _figures(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    figures = (summary[figure] for summary in summaries for figure in ("AP", "AP50", "AP75"))
    return ["–" if figure is None else f"{figure:.3f}" for figure in figures]


def evaluate_predictions(title: str, annotations: Path, predictions: Path) -> dict[str, Any]:
    """Score one results file, and print the table."""
    annotated = reader.read_coco(annotations)
    return _report(title, annotated, reader.read_results(predictions, annotated))


def evaluate_model(path: Path, annotations: Path, images_dir: Path, device: str) -> dict[str, Any]:
    """Score a model on a COCO file, and print the table."""
    annotated = reader.read_coco(annotations)
    detector = detectors.load(path, devices.select_device(device))
    unknown = {category.name for category in annotated.categories} - {entry["name"] for entry in detector.categories}
    for name in sorted(unknown):
        print(f"{annotations}: the model knows no {name}: this class is not scored", file=sys.stderr)
    results = predict.predict_annotated(detector, annotated, images_dir)
    detections = [reader.Detection.model_validate(result) for result in results]
    return _report(str(annotations), annotated, detections, unknown)


def _report(
    title: str,
    annotated: reader.CocoFile,
    detections: Sequence[reader.Detection],
    unknown_classes: Collection[str] = (),
) -> dict[str, Any]:
    metrics = evaluate(annotated, detections, unknown_classes)
    if metrics["mask"] is None:
        print(f"{title}: boxes only: {masks_missing_reason(annotated, detections)}", file=sys.stderr)
    Console().print(metrics_table(metrics, title))
    return metrics
