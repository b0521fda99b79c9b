# SPDX-License-Identifier: Apache-2.0
"""Three images of configs/ci.yaml, whose records and labels are kept in golden.json.

When they are meant to change: raise GENERATOR_VERSION if images change, then
`CARISTE_RENEW_GOLDEN=1 python -m pytest tests/integration/test_golden.py`, and look at the difference
before committing it.

Records and labels are the same bytes on every processor with the same vector instructions. On another kind, Cycles and
numpy take other code paths and a pixel on an edge may fall to the other side: there, masks are compared.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask

from pipeline.coco import reader
from pipeline.config import config
from pipeline.labelling import label
from tests.helpers.paths import ROOT

GOLDEN = Path(__file__).with_name("golden.json")
VECTOR_INSTRUCTIONS = ("sse4_2", "avx2", "avx512f", "asimd", "sve")
# On another kind of processor: masks overlap so much, or differ in so few pixels.
LEAST_IOU, FEW_PIXELS = 0.98, 3


def processor() -> str:
    """Return what decides about code paths: the machine and which of the vector instructions it has."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    return " ".join((platform.machine(), *(name for name in VECTOR_INSTRUCTIONS if name in flags)))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Any]:
    """The three images, made now, as golden.json keeps them."""
    folder = tmp_path_factory.mktemp("golden")
    settings = config.read_config(ROOT / "configs/ci.yaml")
    three = settings.data.model_copy(update={"images": 3, "shard_size": 3})
    settings = settings.model_copy(update={"data": three})
    scenes = folder / "scenes/00000.jsonl"
    run("pipeline", "sample", "--config", settings.model_dump_json(), "--count", "3", "--out", scenes)
    run("blender", "render", "--scenes", scenes, "--out", folder / "shards/00000")
    label.label_dataset(folder, settings)
    train = folder / "annotations/train.json"
    return {
        "records_sha256": sha256(scenes),
        "processor": processor(),
        "labels_sha256": sha256(train),
        "annotations": json.loads(train.read_text())["annotations"],
    }


def run(module: str, *arguments: Any) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def golden(made) -> dict[str, Any]:
    if os.environ.get("CARISTE_RENEW_GOLDEN"):
        annotations = ",\n  ".join(json.dumps(each, sort_keys=True) for each in made["annotations"])
        rest = json.dumps({name: value for name, value in made.items() if name != "annotations"}, indent=1)
        GOLDEN.write_text(f'{rest[:-2]},\n "annotations": [\n  {annotations}\n ]\n}}\n')
    return json.loads(GOLDEN.read_text())


def test_the_records_are_those_that_were_kept(made, golden):
    assert made["records_sha256"] == golden["records_sha256"]


def test_the_labels_are_those_that_were_kept(made, golden):
    if made["processor"] == golden["processor"]:
        assert made["annotations"] == golden["annotations"]
        assert made["labels_sha256"] == golden["labels_sha256"]
    expect_alike(made["annotations"], golden["annotations"])


def expect_alike(found: list[dict], kept: list[dict]) -> None:
    """Check that two lists of annotations are of the same things with nearly the same masks."""
    names = ("image_id", "instance", "category_id", "asset", "truncated")
    assert [[each[name] for name in names] for each in found] == [[each[name] for name in names] for each in kept]
    for one, other in zip(found, kept, strict=True):
        for mask in ("segmentation", "amodal_segmentation"):
            a, b = coco_mask.decode(one[mask]), coco_mask.decode(other[mask])
            iou = np.count_nonzero(a & b) / max(np.count_nonzero(a | b), 1)
            assert iou >= LEAST_IOU or np.count_nonzero(a ^ b) <= FEW_PIXELS, (
                mask,
                one["image_id"],
                one["instance"],
            )
        assert one["distance_m"] == pytest.approx(other["distance_m"], abs=0.002)


def test_another_mask_is_told_from_a_pixel_on_an_edge(golden):
    largest = max(golden["annotations"], key=lambda each: each["area"])
    mask = coco_mask.decode(largest["segmentation"])
    edge, half = mask.copy(), mask.copy()
    edge[tuple(np.argwhere(mask)[0])] = 0
    half[:, : int(np.median(np.argwhere(mask)[:, 1]))] = 0
    half[np.argwhere(mask)[:, 0].min()] = 0
    expect_alike([largest | {"segmentation": reader.encode_mask(edge)}], [largest])
    with pytest.raises(AssertionError, match="segmentation"):
        expect_alike([largest | {"segmentation": reader.encode_mask(half)}], [largest])
