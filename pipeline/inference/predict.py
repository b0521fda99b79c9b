# SPDX-License-Identifier: Apache-2.0
"""Stage `predict`: run a model on images and write COCO results (`cariste predict`).

It takes images and folders of images, and writes copies with the detections drawn as well; or the images of a COCO
file, and writes results that belong to it.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.models.detection import MaskRCNN

from pipeline.coco import image_check, reader
from pipeline.coco.categories import NO_MAPPING, CategoryMapping
from pipeline.coco.image_check import ImageFile
from pipeline.coco.paste_masks import paste_masks_to_rle
from pipeline.common import devices, image_files, json_files
from pipeline.common.errors import CaristeError
from pipeline.common.image_remarks import Remarks
from pipeline.common.path_checks import shown
from pipeline.common.progress import track
from pipeline.common.validation_messages import at_most_ten
from pipeline.data.image_decoding import decoding_problems
from pipeline.inference import prediction_files
from pipeline.inference.detection_overlays import detection_overlays
from pipeline.inference.find_images import find_images
from pipeline.inference.forward import detect
from pipeline.inference.model_classes import with_model_classes
from pipeline.inference.prediction_files import DRAWN_BY, drawn_paths
from pipeline.models import detectors
from pipeline.viz.overlays import draw_overlay

LOG = logging.getLogger(__name__)


class PredictError(CaristeError):
    """Nothing can be predicted, or the results cannot be written; the message says what to change."""


def predict_folder(
    model: Path, inputs: Sequence[Path], out: Path, device: str, draw_threshold: float, recursive: bool = False
) -> bool:
    """Load a model and run `predict_and_draw` on the images that `inputs`, files or folders, name.

    Images that cannot be read are logged. Returns whether all could be read.

    Raises:
        InputsError, PredictError: nothing is done.
    """
    prediction_files.check_folder(out)
    failures: list[str] = []
    paths = find_images(inputs, recursive)
    readable = [path for path in paths if _has_readable_header(path, failures)]
    known = _report_failures(failures, len(paths))
    detector = detectors.load(model, devices.select_device(device))
    predict_and_draw(detector, readable, out, draw_threshold, failures)
    _report_failures(failures, len(paths), known)
    return not failures


def predict_coco_file(
    model: Path,
    annotations: Path,
    images_dir: Path,
    predictions: Path,
    device: str,
    mapping: CategoryMapping = NO_MAPPING,
) -> bool:
    """Load a model and write its COCO results for the images of a COCO file; see `predict_folder`.

    `mapping` says which categories of the file are which classes of the model.
    """
    ground_truth = reader.read_coco(annotations, images_dir)
    found = image_check.find_images(ground_truth, images_dir)
    failures = [f"{shown(annotations)}: {problem}" for problem in found.problems.values()]
    known = _report_failures(failures, len(ground_truth.images))
    detector = detectors.load(model, devices.select_device(device))
    ground_truth = with_model_classes(ground_truth, detector.categories, mapping, "not predicted")
    remarks = Remarks()
    results = results_of_files(detector, ground_truth, found.files, failures, remarks)
    remarks.log()
    _report_failures(failures, len(ground_truth.images), known)
    json_files.write_json(predictions, results)
    return not failures


def _has_readable_header(path: Path, failures: list[str]) -> bool:
    """Return whether the header of an image can be read; if not, the reason is added to `failures`."""
    try:
        image_files.check_header(path)
    except image_files.ImageFileError as error:
        failures.append(str(error))
        return False
    return True


def _report_failures(failures: Sequence[str], image_count: int, known: int = 0) -> int:
    """Log which images cannot be read, except the first `known`, and return how many these are in all.

    Raises:
        PredictError: none can be read.
    """
    if failures and len(failures) == image_count:
        raise PredictError(at_most_ten(failures))
    if len(failures) > known:
        for line in at_most_ten(failures[known:]).splitlines():
            LOG.warning("%s", line)
        LOG.warning("%d of %d images cannot be read; the others are predicted", len(failures), image_count)
    return len(failures)


def predict_images(
    detector: detectors.Detector,
    images: Sequence[tuple[reader.Id, ImageFile]],
    category_ids: Mapping[str, reader.Id],
    failures: list[str] | None = None,
    remarks: Remarks | None = None,
) -> Iterator[tuple[reader.Id, np.ndarray, list[dict[str, Any]]]]:
    """Yield for each (image id, file) the id, the image, uint8 RGB, and its COCO results, highest score first.

    `category_ids`: class name -> id in the results. Other classes are left out. Images that cannot be read are left
    out, and the reasons are added to `failures`.

    Raises:
        ImageFileError: an image cannot be read, and `failures` is None.
    """
    names = [category["name"] for category in detector.categories]
    label_ids = {label: category_ids[name] for label, name in enumerate(names, 1) if name in category_ids}
    for image_id, file in track(images, len(images), "predict"):
        try:
            image = file.read(remarks)
        except image_files.ImageFileError as error:
            if failures is None:
                raise
            failures.append(str(error))
            continue
        detections = detect_objects(detector.model, image, label_ids)
        yield image_id, image, [{"image_id": image_id, **detection} for detection in detections]


@torch.inference_mode()
def detect_objects(network: MaskRCNN, image: np.ndarray, label_ids: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return the COCO results, without `image_id`, of an image, uint8 RGB (height, width, 3).

    `label_ids`: label of the network, from 1 -> category id. Other labels are left out.
    """
    size = image.shape[:2]
    pixels = torch.from_numpy(image).to(next(network.parameters()).device)
    boxes, labels, scores, masks = detect(network, network.transform, pixels, size)
    rows = [row for row, label in enumerate(labels.tolist()) if label in label_ids]
    boxes, masks = boxes.cpu()[rows], masks[rows].cpu()
    return [
        _coco_result(box, segmentation, score, label_ids[label])
        for box, segmentation, score, label in zip(
            boxes.tolist(),
            paste_masks_to_rle(masks, boxes, size),
            scores[rows].tolist(),
            labels[rows].tolist(),
            strict=True,
        )
    ]


def _coco_result(box: Sequence[float], segmentation: dict[str, Any], score: float, category_id: int) -> dict[str, Any]:
    """Return a COCO result without `image_id`; `box`: left, top, right, bottom in pixels of the image."""
    left, top, right, bottom = box
    return {
        "category_id": category_id,
        "bbox": [round(value, 2) for value in (left, top, right - left, bottom - top)],
        "score": round(score, 6),
        "segmentation": segmentation,
    }


def predict_annotated(
    detector: detectors.Detector,
    ground_truth: reader.CocoFile,
    files: Mapping[reader.Id, ImageFile],
    remarks: Remarks | None = None,
) -> list[dict[str, Any]]:
    """Return the COCO results for all images of a COCO file, with the category ids of that file.

    `files`: of all images, from `image_check.check_images`. What was assumed about them is added to `remarks`.

    Raises:
        ImageFileError: damaged images, found before the first prediction: one line for each, at most ten.
    """
    # What is assumed about the images is noted when they are predicted.
    paths = [file.path for file in files.values()]
    if damaged := decoding_problems(shown(ground_truth.path), paths, Remarks()):
        raise image_files.ImageFileError(at_most_ten(damaged))
    return results_of_files(detector, ground_truth, files, remarks=remarks)


def results_of_files(
    detector: detectors.Detector,
    ground_truth: reader.CocoFile,
    files: Mapping[reader.Id, ImageFile],
    failures: list[str] | None = None,
    remarks: Remarks | None = None,
) -> list[dict[str, Any]]:
    """Return the COCO results for the images in `files`, by their ids; `failures` and `remarks`: see `predict_images`.

    Raises:
        ImageFileError: an image cannot be read, and `failures` is None.
    """
    category_ids = {category.name: category.id for category in ground_truth.categories}
    predictions = predict_images(detector, list(files.items()), category_ids, failures, remarks)
    return [result for _, _, results in predictions for result in results]


def predict_and_draw(
    detector: detectors.Detector, paths: Sequence[Path], out: Path, draw_threshold: float, failures: list[str]
) -> None:
    """Write drawn copies of the images, `predictions.json`, and `images.json`: a COCO file that names the image ids.

    Detections with a score of at least `draw_threshold` are drawn. Images that cannot be read are left out, and the
    reasons are added to `failures`. The two files are written at the end.
    """
    images = [(image_id, ImageFile(path)) for image_id, path in enumerate(paths, 1)]
    files = dict(zip(range(1, len(paths) + 1), drawn_paths(paths, out), strict=True))
    category_ids = {category["name"]: category["id"] for category in detector.categories}
    categories = [reader.Category.model_validate(category) for category in detector.categories]
    image_entries, all_results = [], []
    remarks = Remarks()
    for image_id, image, results in predict_images(detector, images, category_ids, failures, remarks):
        height, width = image.shape[:2]
        file_name, drawn_name = str(paths[image_id - 1]), files[image_id].name
        entry = {"id": image_id, "file_name": file_name, "width": width, "height": height, "drawn": drawn_name}
        image_entries.append(entry)
        all_results += results
        drawn = [reader.Detection.model_validate(result) for result in results if result["score"] >= draw_threshold]
        overlays = detection_overlays(drawn, reader.CocoImage.model_construct(**entry), categories, with_names=True)
        image_files.write_png(files[image_id], draw_overlay(image, overlays), software=DRAWN_BY)
    remarks.log()
    if image_entries:
        prediction_files.write(out, image_entries, detector.categories, all_results)
