# SPDX-License-Identifier: Apache-2.0
"""Detect with numpy, opencv and onnxruntime alone: python detect_without_torch.py model.onnx image.jpg drawn.png"""

import json
import sys

import cv2
import numpy as np
import onnxruntime

model_file, image_file, drawn_file = sys.argv[1:]
onnxruntime.set_default_logger_severity(3)  # errors: it would warn that score_threshold has a default
session = onnxruntime.InferenceSession(model_file, providers=["CPUExecutionProvider"])
about = {name: json.loads(text) for name, text in session.get_modelmeta().custom_metadata_map.items()}
width, height = about["input"]["width"], about["input"]["height"]
drawn = cv2.imread(image_file)
if drawn is None or drawn.shape != (height, width, 3):
    sys.exit(f"{image_file}: not an image of {width}x{height} pixels, for which {model_file} was exported")
found = session.run(["boxes", "labels", "scores", "masks"], {"image": cv2.cvtColor(drawn, cv2.COLOR_BGR2RGB)})
for box, label, score, mask in zip(*found, strict=True):
    # The mask fills its box. One mask pixel of nothing around it, then whole pixels: as torchvision pastes it.
    border = np.tile((box[2:] - box[:2]) / len(mask), 2) * (-1, -1, 1, 1)
    left, top, right, bottom = (int(side) for side in box + border)
    pasted = cv2.resize(np.pad(mask, 1), (right - left + 1, bottom - top + 1)) >= about["thresholds"]["mask"]
    whole = np.zeros((height, width), bool)
    inside = pasted[max(-top, 0) : height - top, max(-left, 0) : width - left]
    whole[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = inside
    category, places = about["categories"][label - 1], np.argwhere(whole)
    centre = places.mean(axis=0)[::-1].tolist() if len(places) else None
    seen = {"score": float(score), "box": box.tolist(), "pixels": len(places), "centre": centre}
    print(json.dumps({**category, **seen}))
    if score >= 0.5:
        drawn[whole] = drawn[whole] // 2 + np.array((0, 79, 115) if label == 1 else (116, 90, 43), np.uint8)  # BGR
        text, corner = f"{category['name']} {score:.2f}", (min(max(left, 0), width - 140), max(top, 12))
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # readable on dark and on bright
            cv2.putText(drawn, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, thickness)
cv2.imwrite(drawn_file, drawn)
