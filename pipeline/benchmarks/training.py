# SPDX-License-Identifier: Apache-2.0
"""Compare id maps with torchvision's masks: training steps, memory and pasting (`cariste benchmark-training`).

Both variants have the same weights, images, sampled boxes, batch and threads, and run in turn in one process. Times are
processor times, so that other processes do not count. They are medians over the steps; the first step is left out.
"""

import copy
import statistics
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from faster_coco_eval import mask as coco_mask
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.roi_heads import RoIHeads, paste_masks_in_image, project_masks_on_boxes

from pipeline.coco import reader
from pipeline.coco.paste_masks import paste_masks_to_rle
from pipeline.config import config
from pipeline.config.training import ModelSection
from pipeline.data.dataset import make_target
from pipeline.models import detectors
from pipeline.models.id_map_mask_loss import mask_targets_in_boxes, roi_heads_arguments

CATEGORIES = [reader.Category(id=1, name="pedestrian"), reader.Category(id=2, name="pallet_truck")]
Target = dict[str, Tensor]


@dataclass(frozen=True)
class BenchmarkRow:
    """A row of the table: torchvision's value, ours, and the largest ratio of both that is acceptable."""

    name: str
    reference: float
    ours: float
    unit: str
    max_ratio: float | None = None

    @property
    def ratio(self) -> float:
        """Ours divided by torchvision's."""
        return self.ours / self.reference


@dataclass(frozen=True)
class SyntheticImage:
    """`image`: float (3, height, width). `segmentations`: compressed RLE. `labels`: int64 (n,), from 1."""

    image: Tensor
    segmentations: list[dict[str, Any]]
    labels: Tensor


class TensorBytes(TorchDispatchMode):
    """Counts the bytes of the tensors that are created inside a `with` block.

    `current`: of those that exist now. `peak`: the largest value of `current`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.current = self.peak = 0
        self._reference_counts: Counter[int] = Counter()

    def __torch_dispatch__(self, operation: Callable, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and not any(leaf is given for given in tree_leaves(args)):
                self._track_storage(leaf)
        return result

    def _track_storage(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        self._reference_counts[address] += 1
        if self._reference_counts[address] == 1:
            self.current += size
            self.peak = max(self.peak, self.current)
        weakref.finalize(tensor, self._release_storage, address, size)

    def _release_storage(self, address: int, size: int) -> None:
        self._reference_counts[address] -= 1
        if self._reference_counts[address] == 0:
            self.current -= size


def make_synthetic_image(rng: np.random.Generator, instances: int, width: int, height: int) -> SyntheticImage:
    """Return noise with ellipses of the shape of a person. They overlap, but all are visible."""
    ids = np.zeros((height, width), np.int32)
    rows, columns = np.mgrid[:height, :width]
    centers = rng.permutation(instances)
    across = int(np.ceil(np.sqrt(instances * width / height)))
    down = -(-instances // across)
    for instance_id, cell in enumerate(centers, 1):
        middle_y, middle_x = (cell // across + 0.5) * height / down, (cell % across + 0.5) * width / across
        tall, wide = rng.uniform(0.4, 0.7) * height / down, rng.uniform(0.3, 0.6) * width / across
        ids[((rows - middle_y) / tall) ** 2 + ((columns - middle_x) / wide) ** 2 <= 1] = instance_id
    encoded = [reader.encode_mask(ids == instance_id) for instance_id in range(1, instances + 1)]
    image = torch.from_numpy(rng.random((3, height, width), dtype=np.float32))
    return SyntheticImage(image, encoded, torch.from_numpy(rng.integers(1, 3, instances)))


def torchvision_target(synthetic: SyntheticImage) -> Target:
    """Return a flipped target as torchvision's references/detection/coco_utils.py and transforms.py make it."""
    masks = torch.stack([torch.as_tensor(coco_mask.decode(each)) for each in synthetic.segmentations]).flip(-1)
    left, top, width, height = torch.from_numpy(coco_mask.toBbox(synthetic.segmentations)).float().unbind(1)
    right = masks.shape[-1] - left  # after the flip
    return {
        "boxes": torch.stack((right - width, top, right, top + height), dim=1),
        "labels": synthetic.labels,
        "masks": masks,
    }


def id_map_target(synthetic: SyntheticImage) -> Target:
    """Return our flipped target. Masks are written into the id map one by one, as the training data set does it."""
    ids = np.zeros(synthetic.image.shape[1:], np.int32)
    for instance_id, each in enumerate(synthetic.segmentations, 1):
        ids[coco_mask.decode(each).view(bool)] = instance_id
    return make_target(torch.from_numpy(ids).flip(-1), synthetic.labels)


def torchvision_mask_bytes(synthetic: SyntheticImage, size: tuple[int, int], boxes: Tensor, matched: Tensor) -> int:
    """Return the peak bytes of torchvision's masks in a step: those of the target, its transform and the loss."""
    masks = torchvision_target(synthetic)["masks"]
    with TensorBytes() as tensors:
        masks = masks.clone()
        resized = functional.interpolate(masks[:, None].float(), size=size)[:, 0].byte()
        project_masks_on_boxes(resized, boxes, matched, 28)
    return tensors.peak


def id_map_bytes(synthetic: SyntheticImage, size: tuple[int, int], boxes: Tensor, matched: Tensor) -> int:
    """Return the peak bytes of the id map in a step: those of the target and the loss."""
    target = id_map_target(synthetic)
    with TensorBytes() as tensors:
        mask_targets_in_boxes(target["ids"].clone(), size, boxes, target["mask_ids"][matched], 28)
    return tensors.peak


def measure_steps(settings: ModelSection, images: Sequence[SyntheticImage], steps: int) -> Iterator[BenchmarkRow]:
    """Yield the processor seconds of making targets, of steps and of both, for the batch `images`."""
    torch.manual_seed(0)
    ours = detectors.build(settings, CATEGORIES)
    reference = copy.deepcopy(ours)
    reference.roi_heads = RoIHeads(*roi_heads_arguments(reference.roi_heads))
    variants = ((reference, torchvision_target), (ours, id_map_target))
    tensors = [synthetic.image for synthetic in images]
    target_times: list[list[float]] = [[], []]
    step_times: list[list[float]] = [[], []]
    for number in range(steps + 1):
        for variant, (network, make) in enumerate(variants):
            started = time.process_time()
            targets = [make(synthetic) for synthetic in images]
            target_times[variant].append(time.process_time() - started)
            torch.manual_seed(number)
            started = time.process_time()
            _training_step(network, tensors, targets)
            step_times[variant].append(time.process_time() - started)
    target_s, step_s = ([statistics.median(each[1:]) for each in both] for both in (target_times, step_times))
    instances = len(images[0].labels)
    yield BenchmarkRow(f"{instances} instances: targets from annotations", *target_s, "s")
    yield BenchmarkRow(f"{instances} instances: step", *step_s, "s", 0.8 if instances < 50 else 0.5)
    both_s = [sum(each) for each in zip(target_s, step_s, strict=True)]
    yield BenchmarkRow(f"{instances} instances: both", *both_s, "s", 0.8 if instances < 50 else 0.5)


def _training_step(network: MaskRCNN, images: list[Tensor], targets: list[Target]) -> None:
    """Train one step. The learning rate is so small that both variants keep the same proposals."""
    losses = network(images, targets)
    network.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    parameters = [each for each in network.parameters() if each.grad is not None]
    nn.utils.clip_grad_norm_(parameters, 1.0)
    torch.optim.SGD(parameters, 1e-9).step()


def measure_memory(settings: ModelSection, synthetic: SyntheticImage) -> BenchmarkRow:
    """Return the peak bytes of the masks of one image in a step."""
    target = id_map_target(synthetic)
    scale = min(settings.min_size / min(synthetic.image.shape[1:]), settings.max_size / max(synthetic.image.shape[1:]))
    size = (int(synthetic.image.shape[1] * scale), int(synthetic.image.shape[2] * scale))
    positive = max(1, settings.sampled_boxes // 4)
    matched = torch.arange(positive) % len(target["boxes"])
    boxes = target["boxes"][matched] * scale
    megabytes = [memory(synthetic, size, boxes, matched) / 1e6 for memory in (torchvision_mask_bytes, id_map_bytes)]
    return BenchmarkRow(f"{len(synthetic.labels)} instances: memory for masks of an image", *megabytes, "MB", 0.1)


def measure_pasting(rng: np.random.Generator, detections: int, width: int, height: int, runs: int) -> BenchmarkRow:
    """Return the processor seconds from the masks of the network to RLE, for one image."""
    centers = torch.from_numpy(rng.uniform(0, 1, (detections, 2))) * torch.tensor([width, height])
    halves = torch.from_numpy(rng.uniform(0.02, 0.15, (detections, 2))) * height
    limits = torch.tensor([width, height] * 2)
    boxes = torch.minimum(torch.cat((centers - halves, centers + halves), dim=1).clamp(min=0), limits).float()
    masks = torch.from_numpy(rng.random((detections, 1, 28, 28), dtype=np.float32))
    masks = functional.avg_pool2d(masks, 7, stride=1, padding=3, count_include_pad=False)

    def reference() -> list[Any]:
        pasted = paste_masks_in_image(masks, boxes, (height, width))[:, 0] >= 0.5
        return [coco_mask.encode(np.asfortranarray(mask)) for mask in pasted.byte().numpy()]

    def ours() -> list[Any]:
        return list(paste_masks_to_rle(masks, boxes, (height, width)))

    times: list[list[float]] = [[], []]
    for _ in range(runs + 1):
        for variant, run in enumerate((reference, ours)):
            started = time.process_time()
            run()
            times[variant].append(time.process_time() - started)
    seconds = [statistics.median(each[1:]) for each in times]
    return BenchmarkRow(f"{detections} detections of {width}x{height}: paste and RLE", *seconds, "s", 0.25)


def results_table(rows: Sequence[BenchmarkRow]) -> Table:
    """Return the rows as a table."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("", "torchvision", "id maps", "ratio", "limit"):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows:
        cells = (f"{row.reference:.3f} {row.unit}", f"{row.ours:.3f} {row.unit}", f"{row.ratio:.3f}")
        table.add_row(row.name, *cells, "" if row.max_ratio is None else f"{row.max_ratio:.2f}")
    return table


def run_benchmark(
    source: str, instances: Sequence[int], size: tuple[int, int], batch_size: int, steps: int, threads: int
) -> None:
    """Measure and print the table. `source`: the config of the model. `size`: (width, height) of images in pixels."""
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    settings = config.read_config(source).model
    rows = [measure_pasting(rng, 50, 1280, 720, steps)]
    for count in instances:
        images = [make_synthetic_image(rng, count, *size) for _ in range(batch_size)]
        rows += [measure_memory(settings, images[0]), *measure_steps(settings, images, steps)]
    Console(width=None if sys.stdout.isatty() else 100).print(results_table(rows))
