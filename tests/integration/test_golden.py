# SPDX-License-Identifier: Apache-2.0
"""Three images of configs/ci.yaml have the records and labels of golden.json.

When they are meant to change: raise GENERATOR_VERSION if images change, then run
`CARISTE_RENEW_GOLDEN=1 python -m pytest tests/integration/test_golden.py` and look at the difference before you commit.

Records and labels are the same bytes on every processor with the same vector instructions. On another processor, Cycles
and numpy take other code paths, and a pixel on an edge may fall to the other side. There, masks are compared.
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
# On another processor, masks must overlap at least so much, or differ in at most so many pixels.
MIN_IOU, MAX_DIFFERENT_PIXELS = 0.98, 3


def processor() -> str:
    """Return the machine and its vector instructions, which decide which code paths are taken."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    return " ".join((platform.machine(), *(name for name in VECTOR_INSTRUCTIONS if name in flags)))


@pytest.fixture(scope="module")
def current(tmp_path_factory) -> dict[str, Any]:
    """What golden.json would hold for the present code: the three images are sampled, rendered and labeled."""
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
def golden(current) -> dict[str, Any]:
    """What golden.json holds. It is written first if CARISTE_RENEW_GOLDEN is set."""
    if os.environ.get("CARISTE_RENEW_GOLDEN"):
        annotations = ",\n  ".join(json.dumps(annotation, sort_keys=True) for annotation in current["annotations"])
        rest = json.dumps({name: value for name, value in current.items() if name != "annotations"}, indent=1)
        GOLDEN.write_text(f'{rest[:-2]},\n "annotations": [\n  {annotations}\n ]\n}}\n')
    return json.loads(GOLDEN.read_text())


def test_the_records_have_the_bytes_of_the_golden_file(current, golden):
    assert current["records_sha256"] == golden["records_sha256"]


def test_the_labels_have_the_bytes_of_the_golden_file(current, golden):
    if current["processor"] == golden["processor"]:
        assert current["annotations"] == golden["annotations"]
        assert current["labels_sha256"] == golden["labels_sha256"]
    check_similar(current["annotations"], golden["annotations"])


def check_similar(current: list[dict], golden: list[dict]) -> None:
    """Check that two lists of annotations describe the same objects with nearly the same masks."""
    keys = ("image_id", "instance", "category_id", "asset", "truncated")
    identities = [[[annotation[key] for key in keys] for annotation in side] for side in (current, golden)]
    assert identities[0] == identities[1]
    for one, other in zip(current, golden, strict=True):
        for mask in ("segmentation", "amodal_segmentation"):
            a, b = coco_mask.decode(one[mask]), coco_mask.decode(other[mask])
            iou = np.count_nonzero(a & b) / max(np.count_nonzero(a | b), 1)
            similar = iou >= MIN_IOU or np.count_nonzero(a ^ b) <= MAX_DIFFERENT_PIXELS
            assert similar, (mask, one["image_id"], one["instance"])
        assert one["distance_m"] == pytest.approx(other["distance_m"], abs=0.002)


def test_the_comparison_allows_a_pixel_on_an_edge_but_no_other_mask(golden):
    largest = max(golden["annotations"], key=lambda annotation: annotation["area"])
    mask = coco_mask.decode(largest["segmentation"])
    edge, half = mask.copy(), mask.copy()
    edge[tuple(np.argwhere(mask)[0])] = 0
    half[:, : int(np.median(np.argwhere(mask)[:, 1]))] = 0
    half[np.argwhere(mask)[:, 0].min()] = 0
    check_similar([largest | {"segmentation": reader.encode_mask(edge)}], [largest])
    with pytest.raises(AssertionError, match="segmentation"):
        check_similar([largest | {"segmentation": reader.encode_mask(half)}], [largest])
