# SPDX-License-Identifier: Apache-2.0
"""Station `train`: a COCO file and its images become a model.

    python -m pipeline.training.train --config configs/quickstart.yaml --images results/data/quickstart \\
        --annotations results/data/quickstart/annotations/train.json --out model.pt --log training.jsonl

The log's first line says what is trained on what; then comes one line per iteration. On the CPU the same command gives
the same weights, whatever the number of workers and however often it was killed and given again; another number of
threads adds up in another order. docs/howto/training.md has the rest.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torch.amp import GradScaler

from pipeline.coco import reader
from pipeline.common import devices, distributed
from pipeline.common.progress import track
from pipeline.config.stages import TrainConfig
from pipeline.config.training import ModelSection, TrainSection
from pipeline.data.dataset import TrainingDataset
from pipeline.data.loader import BatchLoader
from pipeline.models import detectors, freezing, mixed_precision
from pipeline.training import checkpoints, nan_recovery, optimization, train_step, validation_score
from pipeline.training.checkpoints import CheckpointStore
from pipeline.training.finite_check import NonFiniteError
from pipeline.training.state import TrainingState
from pipeline.training.training_log import TrainingLog, peak_memory_mb
from pipeline.training.weight_average import WeightAverage

LOG = logging.getLogger(__name__)


def train(
    settings: TrainConfig,
    annotations: Path,
    images_dir: Path,
    out: Path,
    log: Path,
    checkpoint: Path | None = None,
    val: Path | None = None,
    threads: int | None = None,
) -> None:
    """Train a model as `settings.model` and `settings.train` say; write the model file and the logs when it is done.

    Until then the log grows beside its place, as `<name>.part`, and the folder `checkpoint` (by default beside `out`)
    holds what the same call goes on from. `val`: the COCO file that is meant by `train.validation` without a set of
    its own. Sets torch's threads, seed and determinism for the whole process.

    Raises:
        backbones.BackboneError, coco.CocoError, config.ConfigError, devices.DeviceError, distributed.DistributedError,
        freezing.FreezingError, detectors.ModelFileError, validation_score.ValidationError,
        initial_weights.WeightsError: something to
        start from cannot be used.
        TrainingError: losses that are no numbers, again and again, or no memory left.
    """
    checkpoint = checkpoint or out.parent / "checkpoint"
    settings = settings.with_backbone_rate()
    recorded = settings.model_dump(mode="json")
    if threads:
        section = settings.train.model_copy(update={"threads": settings.train.threads})
        settings = settings.model_copy(update={"train": section})
    with (
        distributed.process_group(devices.select_device(settings.train.device)) as device,
        nan_recovery.explain_out_of_memory(device),
    ):
        _train(settings, recorded, annotations, images_dir, out, log, checkpoint, val, device)


def _train(
    settings: TrainConfig,
    recorded: dict[str, Any],
    annotations: Path,
    images_dir: Path,
    out: Path,
    log: Path,
    checkpoint: Path,
    val: Path | None,
    device: torch.device,
) -> None:
    _prepare_torch(settings, device)
    annotated = reader.read_coco(annotations)
    section = settings.train
    dataset = TrainingDataset(annotated, images_dir, section.augment, settings.run.seed, section.sources)
    validation = validation_score.start(section.validation, settings.model, annotated.categories, images_dir, val)
    detector = _build(settings, annotated, device)
    unfreezings = freezing.schedule(detector, settings.model, section.iterations, len(dataset) / section.batch_size)
    facts = _facts(settings, device, detector, dataset)
    state = TrainingState(
        detector,
        optimization.build_optimizer(detector, section),
        GradScaler(device.type, enabled=section.precision == "fp16"),
        TrainingLog(log if distributed.rank() == 0 else None, facts, section.tensorboard),
        WeightAverage(detector, section.ema_decay) if section.ema_decay else None,
        validation,
    )
    files = {"--annotations": annotations}
    files |= {f"train.sources.{name}.annotations": Path(source.annotations) for name, source in section.sources.items()}
    files |= {"the validation set": validation.data} if validation else {}
    identity = checkpoints.run_identity(settings, files, device)
    kept = CheckpointStore(checkpoint, identity, detectors.describe_model(detector, annotated.categories))
    if saved := kept.newest():
        state.load_state_dict(saved)
        LOG.info("goes on after iteration %d of %d, from %s", state.iteration, section.iterations, checkpoint)
    else:
        kept.save(state)
    while not _is_done(state, section):
        try:
            _loop(state, dataset, settings, unfreezings, kept)
        except NonFiniteError as failure:
            nan_recovery.roll_back(state, kept, failure)
    distributed.require_same_weights(detector)
    if distributed.rank() == 0:
        _finish(state, settings.model, annotated, facts | {"config": recorded}, out)
        kept.remove()


def _loop(
    state: TrainingState,
    dataset: TrainingDataset,
    settings: TrainConfig,
    unfreezings: Sequence[freezing.UnfreezeEvent],
    kept: CheckpointStore,
) -> None:
    """Train from where `state` is to the end, or to where it gets no better.

    Raises:
        NotFinite: a loss or gradient is no number; `state` is spoilt.
    """
    last = settings.train.iterations
    network = distributed.wrap_data_parallel(state.detector.train())
    line: dict[str, Any] = {}
    place = (state.iteration, distributed.rank(), distributed.world_size())
    batches = BatchLoader(dataset, settings.train, settings.run.seed, *place)
    if distributed.rank() == 0:
        batches = track(batches, last - state.iteration, "train", "iteration", status=lambda: _note(line))
    started = time.monotonic()
    for iteration, batch in enumerate(batches, state.iteration + 1):
        if due := freezing.steps_due(unfreezings, iteration):
            network = _unfreeze(state, due, settings.train, iteration - 1)
        if iteration not in state.skipped:
            line = {"iteration": iteration, **train_step.train_step(network, state, batch, iteration, settings.train)}
        state.iteration = iteration
        if state.validation and state.validation.is_due(iteration, last):
            with state.average.in_place() if state.average else nullcontext():
                score = state.validation.run(state.detector, iteration)
            line |= {settings.train.validation.metric: score}
        now = time.monotonic()
        if iteration not in state.skipped:
            state.log.write(line | {"seconds": now - started, "memory_mb": peak_memory_mb(state.device)})
        started = now
        if iteration % settings.train.checkpoint_every == 0 and iteration < last:
            kept.save(state)
        if state.validation and state.validation.exhausted:
            rounds = state.validation.rounds_without_gain
            LOG.info("iteration %d: stops early, after %d validation rounds without a gain", iteration, rounds)
            break


def _unfreeze(
    state: TrainingState, due: Sequence[freezing.UnfreezeEvent], settings: TrainSection, first_step: int
) -> nn.Module:
    """Train more from this step on; return what to call in training."""
    for unfreezing in due:
        named = freezing.unfreeze_parameters(state.detector, unfreezing)
        optimization.add_parameters(state.optimizer, named, unfreezing.learning_rate_factor, settings, first_step)
    return distributed.wrap_data_parallel(state.detector)


def _is_done(state: TrainingState, settings: TrainSection) -> bool:
    stopped = state.validation is not None and state.validation.exhausted
    return stopped or state.iteration == settings.iterations


def _finish(
    state: TrainingState, model: ModelSection, annotated: reader.CocoFile, facts: dict[str, Any], out: Path
) -> None:
    """Write the model file, of the best weights or the average if there are such, and the logs."""
    facts = facts | {"iterations": state.iteration}
    facts |= {"rollbacks": state.rollbacks} if state.rollbacks else {}
    if state.validation:
        facts |= {"validation": state.validation.facts()}
        state.detector.load_state_dict(state.validation.best_weights)
    # The best weights are an average already.
    averaged = state.average is not None and not state.validation
    with state.average.in_place() if averaged else nullcontext():
        state.detector.to(memory_format=torch.contiguous_format)
        detectors.save(out, state.detector, model, annotated.categories, facts)
    state.log.finish()


def _build(settings: TrainConfig, annotated: reader.CocoFile, device: torch.device) -> nn.Module:
    detector = detectors.build(settings.model, annotated.categories).to(device)
    if settings.train.channels_last:
        detector = detector.to(memory_format=torch.channels_last)
    if settings.train.precision != "fp32":
        mixed_precision.keep_boxes_fp32(detector)
    if distributed.rank():
        # The same weights to begin with, other boxes to sample.
        torch.manual_seed(settings.run.seed + distributed.rank())
    return detector


def _prepare_torch(settings: TrainConfig, device: torch.device) -> None:
    torch.set_num_threads(settings.train.threads)
    torch.manual_seed(settings.run.seed)
    # Not on a GPU, where torchvision's RoIAlign has no deterministic way back.
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False


def _facts(
    settings: TrainConfig, device: torch.device, detector: nn.Module, dataset: TrainingDataset
) -> dict[str, Any]:
    """Return what the log begins with and the model file keeps; nothing in it changes from run to run."""
    return {
        "device": devices.device_name(device),
        "trainable_parameters": freezing.count(freezing.trainable_parameters(detector)),
        "parameters": freezing.count(list(detector.parameters())),
        "weights": settings.model.weights,
        "images": len(dataset),
        "sources": {source.name: source.facts() for source in dataset.sources},
        "processes": distributed.world_size(),
        "threads": settings.train.threads,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def _note(line: dict[str, Any]) -> str:
    return f"loss {line['loss']:.3f}, learning rate {line['learning_rate']:.5f}" if line else ""
