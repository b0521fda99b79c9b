# SPDX-License-Identifier: Apache-2.0
"""Detect objects with an exported model; needs only numpy, OpenCV and onnxruntime.

    python detect_without_torch.py model.onnx image.jpg drawn.png

Prints one JSON object per detection: category, score, box (left, top, right, bottom), pixels and center of the mask.
Draws the detections with a score of at least 0.5.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime

DRAW_THRESHOLD = 0.5
COLORS_BGR = {1: (0, 159, 230), 2: (233, 180, 86)}  # by label: orange pedestrians, blue pallet trucks


def paste_mask(mask, box, shape, threshold):
    """Return the mask in the image, bool (height, width). `mask` holds probabilities and fills its box."""
    height, width = shape
    # Add a border of one mask pixel and round to whole pixels, like torchvision.
    border = np.tile((box[2:] - box[:2]) / len(mask), 2) * (-1, -1, 1, 1)
    left, top, right, bottom = (int(side) for side in box + border)
    resized = cv2.resize(np.pad(mask, 1), (right - left + 1, bottom - top + 1)) >= threshold
    pasted = np.zeros((height, width), bool)
    inside = resized[max(-top, 0) : height - top, max(-left, 0) : width - left]
    pasted[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = inside
    return pasted


def draw(image, mask, box, text, color_bgr):
    """Draw one detection into the image, in place."""
    image[mask] = image[mask] // 2 + np.array(color_bgr, np.uint8) // 2
    corner = min(max(int(box[0]), 0), image.shape[1] - 140), max(int(box[1]), 12)
    for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # readable on dark and on bright images
        cv2.putText(image, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, color, thickness)


model_file, image_file, drawn_file = sys.argv[1:]
onnxruntime.set_default_logger_severity(3)  # errors only: it warns that the input score_threshold has a default
session = onnxruntime.InferenceSession(model_file, providers=["CPUExecutionProvider"])
metadata = {name: json.loads(text) for name, text in session.get_modelmeta().custom_metadata_map.items()}
width, height = metadata["input"]["width"], metadata["input"]["height"]

image = cv2.imread(image_file)
if image is None or image.shape != (height, width, 3):
    sys.exit(f"{image_file}: not an image of {width}x{height} pixels, for which {model_file} was exported")
rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
boxes, labels, scores, masks = session.run(["boxes", "labels", "scores", "masks"], {"image": rgb})

for box, label, score, mask in zip(boxes, labels, scores, masks, strict=True):
    pasted = paste_mask(mask, box, (height, width), metadata["thresholds"]["mask"])
    category, pixels = metadata["categories"][label - 1], np.argwhere(pasted)
    center = pixels.mean(axis=0)[::-1].tolist() if len(pixels) else None
    values = {"score": float(score), "box": box.tolist(), "pixels": len(pixels), "center": center}
    print(json.dumps({**category, **values}))
    if score >= DRAW_THRESHOLD:
        draw(image, pasted, box, f"{category['name']} {score:.2f}", COLORS_BGR.get(int(label), (200, 200, 200)))
cv2.imwrite(drawn_file, image)
