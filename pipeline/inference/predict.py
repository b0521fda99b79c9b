# SPDX-License-Identifier: Apache-2.0
"""Station `predict`: a model looks at images.

At any images or folders of them, to write COCO results, a list of the images and copies with masks drawn:

    python -m pipeline.inference.predict --model results/runs/quickstart/model.pt --out looked_at photo.jpg folder

Or at the images of a COCO file, to write COCO results that belong to it:

    python -m pipeline.inference.predict --model M.pt --annotations A.json --images DIR --predictions OUT.json
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from faster_coco_eval import mask as coco_mask
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.transform import resize_boxes

from pipeline.coco import reader
from pipeline.coco.paste_masks import paste_masks_to_rle
from pipeline.common import devices, json_files
from pipeline.common.errors import CaristeError
from pipeline.common.progress import track
from pipeline.models import detectors
from pipeline.viz.overlays import OverlayObject, class_color, draw_overlay

IMAGE_SUFFIXES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class PredictError(CaristeError):
    """Nothing to look at, or nowhere to write; the message says what to change."""


def predict_images(
    detector: detectors.Detector, images: Sequence[tuple[int, Path]], category_ids: Mapping[str, int]
) -> Iterator[tuple[np.ndarray, list[dict[str, Any]]]]:
    """Yield for each (image id, path) the image, uint8 RGB, and its COCO results, highest score first.

    `category_ids` gives each class name its id in the results; classes that it does not name are left out.

    Raises:
        CocoError: an image that is missing or corrupt.
    """
    names = [category["name"] for category in detector.categories]
    label_ids = {label: category_ids[name] for label, name in enumerate(names, 1) if name in category_ids}
    for image_id, path in images:
        image = reader.read_image(path)
        found = detect_objects(detector.model, image, label_ids)
        yield image, [{"image_id": image_id, **detection} for detection in found]


@torch.inference_mode()
def detect_objects(network: MaskRCNN, image: np.ndarray, label_ids: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return what the network sees in an image, uint8 RGB (height, width, 3): COCO results without `image_id`.

    The steps are those of torchvision's `GeneralizedRCNN.forward` in eval mode; only, no masks of the image's
    size are made: the 100 of a 12-megapixel photograph would take 5 GB.
    """
    size = image.shape[:2]
    pixels = torch.from_numpy(image).to(next(network.parameters()).device).permute(2, 0, 1).float() / 255
    images, _ = network.transform([pixels])
    features = network.backbone(images.tensors)
    proposals, _ = network.rpn(images, features)
    (found,), _ = network.roi_heads(features, proposals, images.image_sizes)
    boxes = resize_boxes(found["boxes"], images.image_sizes[0], size).cpu()
    known = [row for row, label in enumerate(found["labels"].tolist()) if label in label_ids]
    boxes, masks = boxes[known], found["masks"][known].cpu()
    labels, scores = found["labels"][known].tolist(), found["scores"][known].tolist()
    return [
        _detection(box, segmentation, score, label_ids[label])
        for box, segmentation, score, label in zip(
            boxes.tolist(), paste_masks_to_rle(masks, boxes, size), scores, labels, strict=True
        )
    ]


def _detection(box: Sequence[float], segmentation: dict[str, Any], score: float, category_id: int) -> dict[str, Any]:
    """`box`: left, top, right, bottom, in pixels of the image."""
    left, top, right, bottom = box
    return {
        "category_id": category_id,
        "bbox": [round(value, 2) for value in (left, top, right - left, bottom - top)],
        "score": round(score, 6),
        "segmentation": segmentation,
    }


def predict_annotated(
    detector: detectors.Detector, annotated: reader.CocoFile, images_dir: Path
) -> list[dict[str, Any]]:
    """Return the COCO results for all images of a COCO file, with the category ids of that file.

    Raises:
        CocoError: an image that is missing, corrupt or of another size than the file says.
    """
    reader.check_images(annotated, images_dir)
    images = [(image.id, images_dir / image.file_name) for image in annotated.images]
    category_ids = {category.name: category.id for category in annotated.categories}
    looked_at = track(predict_images(detector, images, category_ids), len(images), "predict")
    return [detection for _, found in looked_at for detection in found]


def find_images(places: Sequence[Path]) -> list[Path]:
    """Return the images that are named, and those in the folders that are named, in order.

    Raises:
        PredictError: no such file, or a folder without images.
    """
    images: list[Path] = []
    for place in places:
        if not place.exists():
            raise PredictError(f"{place}: no such file or folder")
        if place.is_file():
            images.append(place)
            continue
        inside = sorted(path for path in place.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        if not inside:
            raise PredictError(f"{place}: no images in this folder ({', '.join(sorted(IMAGE_SUFFIXES))})")
        images += inside
    return images


def overlay_paths(images: Sequence[Path], folder: Path) -> list[Path]:
    """Return where the drawn copy of each image goes: `NAME.png`, numbered where names repeat.

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
    """Write `predictions.json`, `images.json` (a COCO file: which id is which image) and the drawn copies.

    Raises:
        CocoError: a corrupt image.
        PredictError: a drawn copy would overwrite an image.
    """
    copies = overlay_paths(paths, out)
    out.mkdir(parents=True, exist_ok=True)
    numbered = list(enumerate(paths, 1))
    category_ids = {category["name"]: category["id"] for category in detector.categories}
    looked_at = track(predict_images(detector, numbered, category_ids), len(paths), "predict")
    image_entries, results = [], []
    for (image_id, path), copy, (image, found) in zip(numbered, copies, looked_at, strict=True):
        height, width = image.shape[:2]
        image_entries.append(
            {"id": image_id, "file_name": str(path), "width": width, "height": height, "drawn": copy.name}
        )
        results += found
        shown = [detection for detection in found if detection["score"] >= draw_threshold]
        _write_png(copy, draw_overlay(image, detection_overlays(shown, detector.categories)))
    json_files.write_json(
        out / "images.json", {"images": image_entries, "annotations": [], "categories": detector.categories}
    )
    json_files.write_json(out / "predictions.json", results)


def detection_overlays(
    results: Sequence[Mapping[str, Any]], categories: Sequence[Mapping[str, Any]]
) -> list[OverlayObject]:
    """Return what to draw for COCO results of one image, the surest last and so on top."""
    places = {category["id"]: place for place, category in enumerate(categories)}
    return [
        OverlayObject(
            text=f"{categories[places[result['category_id']]]['name']} {result['score']:.2f}",
            color_rgb=class_color(places[result["category_id"]]),
            box=result["bbox"],
            mask=coco_mask.decode(result["segmentation"]),
        )
        for result in sorted(results, key=lambda result: result["score"])
    ]


def _write_png(path: Path, image: np.ndarray) -> None:
    """Write uint8 RGB aside, then put it in its place."""
    aside = path.with_name(f".{path.stem}.{os.getpid()}.png")
    if not cv2.imwrite(str(aside), cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
        raise PredictError(f"{path}: cannot be written")
    aside.replace(path)


def predict_folder(model: Path, inputs: Sequence[Path], out: Path, device: str, draw_threshold: float) -> None:
    """Load a model and run `predict_and_draw` on the images that `inputs` name, files or folders."""
    paths = find_images(inputs)
    predict_and_draw(detectors.load(model, devices.select_device(device)), paths, out, draw_threshold)


def predict_coco_file(model: Path, annotations: Path, images_dir: Path, predictions: Path, device: str) -> None:
    """Load a model and write its COCO results for all images of a COCO file."""
    annotated = reader.read_coco(annotations)
    detector = detectors.load(model, devices.select_device(device))
    json_files.write_json(predictions, predict_annotated(detector, annotated, images_dir))
