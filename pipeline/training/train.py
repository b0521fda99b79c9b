# SPDX-License-Identifier: Apache-2.0
"""The stage `train`: a COCO file and its images become a model.

The first line of the log holds facts about the run; then comes one line per iteration. On a CPU, the same config gives
the same weights, whatever the number of workers and however often the run was killed and started again. Another number
of threads sums in another order and changes the last bits. docs/howto/training.md has the rest.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
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
from pipeline.training import checkpoints, nan_recovery, optimization, train_step
from pipeline.training.checkpoints import CheckpointStore
from pipeline.training.finite_check import NonFiniteError
from pipeline.training.state import TrainingState
from pipeline.training.training_log import TrainingLog, peak_memory_mb
from pipeline.training.validation import Score, Validation
from pipeline.training.weight_average import WeightAverage

LOG = logging.getLogger(__name__)

# Takes the categories that the model is trained on.
ScoreFor = Callable[[list[reader.Category]], Score]


@dataclass(frozen=True)
class TrainingPaths:
    """What a run reads and writes.

    Attributes:
        annotations: the COCO file to train on.
        images_dir: what its file names are relative to.
        model: the model file to write.
        log: the training log to write.
        checkpoints: the folder that the same run resumes from.
    """

    annotations: Path
    images_dir: Path
    model: Path
    log: Path
    checkpoints: Path


def train(
    settings: TrainConfig,
    annotations: Path,
    images_dir: Path,
    out: Path,
    log: Path,
    checkpoint: Path | None = None,
    threads: int | None = None,
    score_for: ScoreFor | None = None,
) -> None:
    """Train a model, then write the model file `out` and the training log.

    Until the run is done, the log grows as `<name>.part`, and the folder `checkpoint` (default: `checkpoint` beside
    `out`) holds what the same call resumes from. `threads` replaces `train.threads`, which the model file still
    records. `score_for` returns the score of the validation rounds; it is needed if the config has `train.validation`.
    Sets the threads, the seed and the determinism of torch for the whole process.

    Raises:
        BackboneError, CocoError, DeviceError, DistributedError, FreezingError, ModelFileError, ValidationSetError,
        WeightsError: something that the run starts from cannot be used.
        TrainingError: NaN losses again and again, or out of memory.
    """
    settings = settings.with_backbone_rate()
    recorded = settings.model_dump(mode="json")
    if threads:
        section = settings.train.model_copy(update={"threads": threads})
        settings = settings.model_copy(update={"train": section})
    paths = TrainingPaths(annotations, images_dir, out, log, checkpoint or out.parent / "checkpoint")
    with (
        distributed.process_group(devices.select_device(settings.train.device)) as device,
        nan_recovery.explain_out_of_memory(device),
    ):
        _train(settings, recorded, paths, device, score_for)


def _train(
    settings: TrainConfig,
    recorded: dict[str, Any],
    paths: TrainingPaths,
    device: torch.device,
    score_for: ScoreFor | None,
) -> None:
    _prepare_torch(settings, device)
    coco_file = reader.read_coco(paths.annotations)
    section = settings.train
    dataset = TrainingDataset(coco_file, paths.images_dir, section.augment, settings.run.seed, section.sources)
    validation = Validation(section.validation, score_for(coco_file.categories)) if section.validation else None
    detector = _build_detector(settings, coco_file, device)
    unfreezings = freezing.schedule(detector, settings.model, section.iterations, len(dataset) / section.batch_size)
    facts = _run_facts(settings, device, detector, dataset)
    state = TrainingState(
        detector,
        optimization.build_optimizer(detector, section),
        GradScaler(device.type, enabled=section.precision == "fp16"),
        TrainingLog(paths.log if distributed.rank() == 0 else None, facts, section.tensorboard),
        WeightAverage(detector, section.ema_decay) if section.ema_decay else None,
        validation,
    )
    identity = checkpoints.run_identity(settings, _coco_files(paths, section, validation), device)
    store = CheckpointStore(paths.checkpoints, identity, detectors.describe_model(detector, coco_file.categories))
    _resume_or_start(state, store, section.iterations)
    while not _is_done(state, section):
        try:
            _run_iterations(state, dataset, settings, unfreezings, store)
        except NonFiniteError as failure:
            nan_recovery.roll_back(state, store, failure)
    distributed.require_same_weights(detector)
    if distributed.rank() == 0:
        _finish(state, settings.model, coco_file, facts | {"config": recorded}, paths.model)
        store.remove()


def _coco_files(paths: TrainingPaths, section: TrainSection, validation: Validation | None) -> dict[str, Path]:
    """Return every COCO file of the run, by the option or config key that names it."""
    files = {"--annotations": paths.annotations}
    files |= {f"train.sources.{name}.annotations": Path(source.annotations) for name, source in section.sources.items()}
    return files | ({"the validation set": validation.score.data} if validation else {})


def _resume_or_start(state: TrainingState, store: CheckpointStore, iterations: int) -> None:
    """Load the newest checkpoint of this run; if there is none, save the first one."""
    if saved := store.newest():
        state.load_state_dict(saved)
        LOG.info("resumes after iteration %d of %d, from %s", state.iteration, iterations, store.folder)
    else:
        store.save(state)


def _run_iterations(
    state: TrainingState,
    dataset: TrainingDataset,
    settings: TrainConfig,
    unfreezings: Sequence[freezing.UnfreezeEvent],
    store: CheckpointStore,
) -> None:
    """Train from the iteration of `state` to the last one, or until validation stops the run.

    Raises:
        NonFiniteError: a loss or gradient is infinite or NaN; `state` must go back to a checkpoint.
    """
    last = settings.train.iterations
    model = distributed.wrap_data_parallel(state.detector.train())
    entry: dict[str, Any] = {}
    position = (state.iteration, distributed.rank(), distributed.world_size())
    batches = BatchLoader(dataset, settings.train, settings.run.seed, *position)
    if distributed.rank() == 0:
        batches = track(batches, last - state.iteration, "train", "iteration", status=lambda: _progress_message(entry))
    started = time.monotonic()
    for iteration, batch in enumerate(batches, state.iteration + 1):
        if due := freezing.steps_due(unfreezings, iteration):
            model = _unfreeze(state, due, settings.train, iteration - 1)
        is_skipped = iteration in state.skipped
        if not is_skipped:
            entry = {"iteration": iteration, **train_step.train_step(model, state, batch, iteration, settings.train)}
        state.iteration = iteration
        if state.validation and state.validation.is_due(iteration, last):
            entry |= {settings.train.validation.metric: _validate(state)}
        now = time.monotonic()
        if not is_skipped:
            state.log.write(entry | {"seconds": now - started, "memory_mb": peak_memory_mb(state.device)})
        started = now
        if iteration % settings.train.checkpoint_every == 0 and iteration < last:
            store.save(state)
        if state.validation and state.validation.exhausted:
            rounds = state.validation.rounds_without_gain
            LOG.info("iteration %d: stops early, after %d validation rounds without a better score", iteration, rounds)
            break


def _validate(state: TrainingState) -> float:
    """Return the score of a validation round, of the averaged weights if there are any."""
    with state.average.averaged_weights() if state.average else nullcontext():
        return state.validation.run(state.detector, state.iteration)


def _unfreeze(
    state: TrainingState, due: Sequence[freezing.UnfreezeEvent], settings: TrainSection, first_step: int
) -> nn.Module:
    """Train more parameters from step `first_step` on; return the model to call from then on."""
    for event in due:
        unfrozen = freezing.unfreeze_parameters(state.detector, event)
        optimization.add_parameters(state.optimizer, unfrozen, event.learning_rate_factor, settings, first_step)
    return distributed.wrap_data_parallel(state.detector)


def _is_done(state: TrainingState, settings: TrainSection) -> bool:
    stopped = state.validation is not None and state.validation.exhausted
    return stopped or state.iteration == settings.iterations


def _finish(
    state: TrainingState, model: ModelSection, coco_file: reader.CocoFile, facts: dict[str, Any], out: Path
) -> None:
    """Write the model file and the logs. The file gets the best weights, the averaged ones or the last ones."""
    facts = facts | {"iterations": state.iteration}
    facts |= {"rollbacks": state.rollbacks} if state.rollbacks else {}
    if state.validation:
        facts |= {"validation": state.validation.facts()}
        state.detector.load_state_dict(state.validation.best_weights)
    # The best weights are averaged already.
    averaged = state.average is not None and not state.validation
    with state.average.averaged_weights() if averaged else nullcontext():
        state.detector.to(memory_format=torch.contiguous_format)
        detectors.save(out, state.detector, model, coco_file.categories, facts)
    state.log.finish()


def _build_detector(settings: TrainConfig, coco_file: reader.CocoFile, device: torch.device) -> nn.Module:
    detector = detectors.build(settings.model, coco_file.categories).to(device)
    if settings.train.channels_last:
        detector = detector.to(memory_format=torch.channels_last)
    if settings.train.precision != "fp32":
        mixed_precision.keep_boxes_fp32(detector)
    if distributed.rank():
        # All processes start with the same weights and then sample different boxes.
        torch.manual_seed(settings.run.seed + distributed.rank())
    return detector


def _prepare_torch(settings: TrainConfig, device: torch.device) -> None:
    torch.set_num_threads(settings.train.threads)
    torch.manual_seed(settings.run.seed)
    # Only on the CPU: on a GPU, torchvision's RoIAlign has no deterministic backward pass.
    torch.use_deterministic_algorithms(device.type == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False


def _run_facts(
    settings: TrainConfig, device: torch.device, detector: nn.Module, dataset: TrainingDataset
) -> dict[str, Any]:
    """Return the first line of the log, which the model file holds too. It is the same on every run."""
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


def _progress_message(entry: dict[str, Any]) -> str:
    """Return the loss and the learning rate of the last iteration."""
    return f"loss {entry['loss']:.3f}, learning rate {entry['learning_rate']:.5f}" if entry else ""
