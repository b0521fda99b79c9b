# SPDX-License-Identifier: Apache-2.0
"""Stage `predict`: run a model on images and write COCO results (`cariste predict`).

It takes images and folders of images, and writes copies with the detections drawn as well; or the images of a COCO
file, and writes results that belong to it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.models.detection import MaskRCNN

from pipeline.coco import image_check, reader
from pipeline.coco.paste_masks import paste_masks_to_rle
from pipeline.common import devices, image_files, json_files
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.inference.detection_overlays import detection_overlays
from pipeline.inference.forward import detect
from pipeline.models import detectors
from pipeline.viz.overlays import draw_overlay

IMAGE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class PredictError(CaristeError):
    """The inputs or the output folder cannot be used; the message says what to change."""


def predict_folder(model: Path, inputs: Sequence[Path], out: Path, device: str, draw_threshold: float) -> None:
    """Load a model and run `predict_and_draw` on the images that `inputs`, files or folders, name."""
    paths = find_images(inputs)
    predict_and_draw(detectors.load(model, devices.select_device(device)), paths, out, draw_threshold)


def predict_coco_file(model: Path, annotations: Path, images_dir: Path, predictions: Path, device: str) -> None:
    """Load a model and write its COCO results for all images of a COCO file."""
    ground_truth = reader.read_coco(annotations)
    detector = detectors.load(model, devices.select_device(device))
    json_files.write_json(predictions, predict_annotated(detector, ground_truth, images_dir))


def predict_images(
    detector: detectors.Detector, images: Sequence[tuple[int, Path]], category_ids: Mapping[str, int]
) -> Iterator[tuple[np.ndarray, list[dict[str, Any]]]]:
    """Yield for each (image id, path) the image, uint8 RGB, and its COCO results, highest score first.

    `category_ids`: class name -> id in the results. Other classes are left out.

    Raises:
        ImageFileError: an image that is missing or damaged.
    """
    names = [category["name"] for category in detector.categories]
    label_ids = {label: category_ids[name] for label, name in enumerate(names, 1) if name in category_ids}
    for image_id, path in images:
        image = image_files.read_image(path)
        detections = detect_objects(detector.model, image, label_ids)
        yield image, [{"image_id": image_id, **detection} for detection in detections]


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
    detector: detectors.Detector, ground_truth: reader.CocoFile, images_dir: Path
) -> list[dict[str, Any]]:
    """Return the COCO results for all images of a COCO file, with the category ids of that file.

    Raises:
        CocoError: an image that is missing or of another size than the file says.
        ImageFileError: a damaged image.
    """
    image_check.check_images(ground_truth, images_dir)
    images = [(image.id, images_dir / image.file_name) for image in ground_truth.images]
    category_ids = {category.name: category.id for category in ground_truth.categories}
    predictions = track(predict_images(detector, images, category_ids), len(images), "predict")
    return [result for _, results in predictions for result in results]


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Return the images that `paths` name, and those in the folders that it names, in order.

    Raises:
        PredictError: no such file, or a folder without images.
    """
    images: list[Path] = []
    for path in paths:
        if not path.exists():
            raise PredictError(f"{path}: no such file or folder")
        if path.is_file():
            images.append(path)
            continue
        folder_images = sorted(each for each in path.iterdir() if each.suffix.lower() in IMAGE_SUFFIXES)
        if not folder_images:
            raise PredictError(f"{path}: no images in this folder ({', '.join(sorted(IMAGE_SUFFIXES))})")
        images += folder_images
    return images


def overlay_paths(images: Sequence[Path], folder: Path) -> list[Path]:
    """Return the path of the drawn copy of each image: `NAME.png`, numbered where names repeat.

    Raises:
        PredictError: a copy would overwrite one of the images.
    """
    stems = Counter(image.stem for image in images)
    names = [
        image.stem if stems[image.stem] == 1 else f"{image.stem}_{number}" for number, image in enumerate(images, 1)
    ]
    paths = [folder / f"{name}.png" for name in names]
    originals = {image.resolve() for image in images}
    for path in paths:
        if path.resolve() in originals:
            raise PredictError(f"{path}: the drawn copy would overwrite this image; choose another --out")
    return paths


def predict_and_draw(detector: detectors.Detector, paths: Sequence[Path], out: Path, draw_threshold: float) -> None:
    """Write drawn copies of the images, `predictions.json`, and `images.json`: a COCO file that names the image ids.

    Detections with a score of at least `draw_threshold` are drawn.

    Raises:
        ImageFileError: a damaged image.
        PredictError: a drawn copy would overwrite an image.
    """
    overlay_files = overlay_paths(paths, out)
    images_with_ids = list(enumerate(paths, 1))
    category_ids = {category["name"]: category["id"] for category in detector.categories}
    categories = [reader.Category.model_validate(category) for category in detector.categories]
    predictions = track(predict_images(detector, images_with_ids, category_ids), len(paths), "predict")
    image_entries, all_results = [], []
    for (image_id, path), overlay_file, (image, results) in zip(
        images_with_ids, overlay_files, predictions, strict=True
    ):
        height, width = image.shape[:2]
        entry = {"id": image_id, "file_name": str(path), "width": width, "height": height, "drawn": overlay_file.name}
        image_entries.append(entry)
        all_results += results
        drawn = [reader.Detection.model_validate(result) for result in results if result["score"] >= draw_threshold]
        coco_image = reader.CocoImage.model_validate(entry)
        overlays = detection_overlays(drawn, coco_image, categories, with_names=True)
        image_files.write_png(overlay_file, draw_overlay(image, overlays))
    document = {"images": image_entries, "annotations": [], "categories": detector.categories}
    json_files.write_json(out / "images.json", document)
    json_files.write_json(out / "predictions.json", all_results)
