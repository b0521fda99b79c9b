# SPDX-License-Identifier: Apache-2.0
"""Detect without torch: python detect_without_torch.py model.onnx picture.jpg drawn.png (numpy, opencv, onnxruntime)."""

import json
import sys

import cv2
import numpy as np
import onnxruntime

model_file, picture_file, drawn_file = sys.argv[1:]
session = onnxruntime.InferenceSession(model_file, providers=["CPUExecutionProvider"])
about = {name: json.loads(text) for name, text in session.get_modelmeta().custom_metadata_map.items()}
width, height = about["input"]["width"], about["input"]["height"]
drawn = cv2.imread(picture_file)
if drawn is None or drawn.shape != (height, width, 3):
    sys.exit(f"{picture_file}: not a picture of {width}x{height} pixels")
found = session.run(["boxes", "labels", "scores", "masks"], {"picture": cv2.cvtColor(drawn, cv2.COLOR_BGR2RGB)})
for box, label, score, mask in zip(*found, strict=True):
    # The mask fills the box. One mask pixel of nothing around it, then whole pixels: as torchvision pastes it.
    border = np.tile((box[2:] - box[:2]) / len(mask), 2) * (-1, -1, 1, 1)
    left, top, right, bottom = (int(side) for side in box + border)
    pasted = cv2.resize(np.pad(mask, 1), (right - left + 1, bottom - top + 1))
    whole = np.zeros((height, width), bool)
    inside = pasted[max(-top, 0) : height - top, max(-left, 0) : width - left] >= about["thresholds"]["mask"]
    whole[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = inside
    print(json.dumps({**about["categories"][label - 1], "score": float(score), "box": box.tolist(), "pixels": int(whole.sum())}))
    if score >= 0.5:
        drawn[whole] = drawn[whole] // 2 + np.array((0, 127, 0) if label == 1 else (127, 0, 0), np.uint8)
cv2.imwrite(drawn_file, drawn)
