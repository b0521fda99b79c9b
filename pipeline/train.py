# SPDX-License-Identifier: Apache-2.0
"""Station `train`: a COCO file and its pictures become a model.

    python -m pipeline.train --config configs/quickstart.yaml --images results/data/quickstart \\
        --annotations results/data/quickstart/annotations/train.json --out model.pt --log training.jsonl

The log's first line says what is trained on what; then comes one line per iteration. On the CPU the same command gives
the same weights, whatever the number of workers; another number of threads adds up in another order.
"""

import argparse
import json
import logging
import math
import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import torch
import torchvision
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from pipeline import backbones, coco, config, devices, freezing, model, weights
from pipeline.dataset import Sample, TrainingPictures
from pipeline.loading import Loader
from pipeline.progress import track

OUT_OF_MEMORY = (
    "out of memory; lower train.batch_size, then model.min_size and model.max_size, model.sampled_boxes, "
    "model.rpn_proposals_train or train.workers"
)


class TrainingError(Exception):
    """Training cannot go on; the message names the iteration and the pictures, or what to lower."""


def train(settings: config.Config, annotations: Path, images_dir: Path, out: Path, log: Path) -> None:
    """Train a model as `settings.model` and `settings.train` say; write the model file and the log when it is done.

    Until then the log grows beside its place, as `<name>.part`. Sets torch's threads, seed and determinism for the
    whole process.

    Raises:
        backbones.BackboneError, coco.CocoError, config.ConfigError, devices.DeviceError, freezing.FreezingError,
        model.ModelFileError, weights.WeightsError: something to start from cannot be used.
        TrainingError: a loss that is no number, or no memory left.
    """
    device = devices.pick(settings.train.device)
    _prepare_torch(settings, device)
    annotated = coco.read(annotations)
    section = settings.train
    pictures = TrainingPictures(annotated, images_dir, section.augment, settings.run.seed, section.sources)
    detector = model.build(settings.model, annotated.categories).to(device)
    epoch = len(pictures) / settings.train.batch_size
    unfreezings = freezing.schedule(detector, settings.model, settings.train.iterations, epoch)
    facts = _facts(settings, device, detector, pictures)
    log.parent.mkdir(parents=True, exist_ok=True)
    growing_log = log.with_name(f"{log.name}.part")
    try:
        with growing_log.open("w") as file:
            _write_line(file, facts)
            _loop(detector, Loader(pictures, section, settings.run.seed), section, unfreezings, file)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise TrainingError(f"{device}: {OUT_OF_MEMORY} ({str(error).splitlines()[0]})") from error
    all_facts = facts | {"config": settings.model_dump(mode="json")}
    model.save(out, detector, settings.model, annotated.categories, all_facts)
    growing_log.replace(log)


def _loop(
    detector: nn.Module,
    batches: Iterable[list[Sample]],
    settings: config.TrainSection,
    unfreezings: list[freezing.Unfreezing],
    log: TextIO,
) -> None:
    device = next(detector.parameters()).device
    parameters = freezing.trainable(detector)
    optimizer = _optimizer(parameters, settings)
    factor = partial(learning_rate_factor, iterations=settings.iterations, warmup=settings.warmup_iterations)
    schedule = LambdaLR(optimizer, factor)
    detector.train()
    line: dict[str, Any] = {}
    progress = track(batches, settings.iterations, "train", "iteration", note=lambda: _note(line))
    started = time.monotonic()
    for iteration, batch in enumerate(progress, 1):
        for unfreezing in freezing.due(unfreezings, iteration):
            joining = [parameter for _, parameter in freezing.unfreeze(detector, unfreezing)]
            parameters += joining
            _join(joining, unfreezing.learning_rate_factor, optimizer, schedule)
        pictures = [sample.picture.to(device) for sample in batch]
        targets = [{key: value.to(device) for key, value in sample.target.items()} for sample in batch]
        losses = detector(pictures, targets)
        loss = torch.stack(list(losses.values())).sum()
        _check_finite({"loss": loss} | losses, iteration, batch)
        optimizer.zero_grad()
        loss.backward()
        gradient = nn.utils.clip_grad_norm_(parameters, settings.gradient_clip)
        _check_finite({"gradient": gradient}, iteration, batch)
        learning_rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        now = time.monotonic()
        line = {"iteration": iteration, "loss": loss.item(), **{name: value.item() for name, value in losses.items()}}
        line |= {"learning_rate": learning_rate, "seconds": now - started}
        started = now
        _write_line(log, line)


def _join(parameters: list[nn.Parameter], factor: float, optimizer: Optimizer, schedule: LambdaLR) -> None:
    """Train these too, from now on, at `factor` times the learning rate; they follow the schedule like all others."""
    optimizer.add_param_group(
        {
            "params": parameters,
            "lr": schedule.get_last_lr()[0] * factor,
            "initial_lr": schedule.base_lrs[0] * factor,
        }
    )
    schedule.base_lrs.append(schedule.base_lrs[0] * factor)
    schedule.lr_lambdas.append(schedule.lr_lambdas[0])


def _optimizer(parameters: list[nn.Parameter], settings: config.TrainSection) -> Optimizer:
    if settings.optimizer == "adamw":
        # Fused: a third of the time, which is a twentieth of a step on a processor.
        return AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    return SGD(parameters, settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay)


def learning_rate_factor(step: int, iterations: int, warmup: int) -> float:
    """Return the factor on the learning rate at step 0, 1, …: linear up during `warmup` steps, then half a cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, iterations - warmup)))


def _prepare_torch(settings: config.Config, device: torch.device) -> None:
    torch.set_num_threads(settings.train.threads)
    torch.manual_seed(settings.run.seed)
    # Not on a GPU, where torchvision's RoIAlign has no deterministic way back.
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False


def _facts(
    settings: config.Config, device: torch.device, detector: nn.Module, pictures: TrainingPictures
) -> dict[str, Any]:
    """Return what the log begins with and the model file keeps; nothing in it changes from run to run."""
    return {
        "device": devices.describe(device),
        "trainable_parameters": freezing.count(freezing.trainable(detector)),
        "parameters": freezing.count(list(detector.parameters())),
        "weights": settings.model.weights,
        "pictures": len(pictures),
        "sources": {source.name: source.facts() for source in pictures.sources},
        "threads": settings.train.threads,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def _check_finite(values: dict[str, Tensor], iteration: int, batch: Sequence[Sample]) -> None:
    wrong = [f"{name} is {value.item()}" for name, value in values.items() if not torch.isfinite(value)]
    if wrong:
        names = ", ".join(sample.file_name for sample in batch)
        raise TrainingError(
            f"iteration {iteration}: {', '.join(wrong)}; pictures of the batch: {names}; look at their annotations, "
            "or lower train.learning_rate"
        )


def _is_out_of_memory(error: BaseException) -> bool:
    """Tell memory from other troubles: on the CPU, and of a worker that was killed, torch says RuntimeError."""
    signs = ("can't allocate memory", "killed by signal")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error) for sign in signs)


def _write_line(file: TextIO, values: dict[str, Any]) -> None:
    file.write(json.dumps(values) + "\n")
    file.flush()


def _note(line: dict[str, Any]) -> str:
    return f"loss {line['loss']:.3f}, learning rate {line['learning_rate']:.5f}" if line else ""


def _reason(error: Exception) -> str:
    """Return the error's own words: the loader wraps what a worker raised into the worker's traceback."""
    return str(error).strip().rsplit(f"{type(error).__name__}: ", 1)[-1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.train", description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="YAML file, or its sections as JSON")
    parser.add_argument("--annotations", required=True, type=Path, help="COCO file with masks")
    parser.add_argument("--images", required=True, type=Path, help="folder that the file names start from")
    parser.add_argument("--out", required=True, type=Path, help="model file to write")
    parser.add_argument("--log", required=True, type=Path, help="training log to write, JSON lines")
    parser.add_argument("--threads", type=int, help="instead of the config's train.threads")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="train: %(message)s")
    problems = (
        backbones.BackboneError,
        coco.CocoError,
        config.ConfigError,
        devices.DeviceError,
        freezing.FreezingError,
        model.ModelFileError,
        weights.WeightsError,
        TrainingError,
    )
    try:
        settings = config.read(arguments.config)
        if arguments.threads is not None:
            section = settings.train.model_copy(update={"threads": arguments.threads})
            settings = settings.model_copy(update={"train": section})
        train(settings, arguments.annotations, arguments.images, arguments.out, arguments.log)
    except problems as error:
        print(_reason(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
