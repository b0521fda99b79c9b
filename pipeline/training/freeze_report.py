# SPDX-License-Identifier: Apache-2.0
"""What a run will train and what it will leave alone, before it starts.

    python -m pipeline.training.freeze_report --show --config configs/quickstart.yaml
    python -m pipeline.training.freeze_report --show results/runs/quickstart/model.pt

Stages of the backbone's body and all other parts, from the input to the masks: their layers and parameters, what is
trained, and what `model.unfreeze` changes when. No weights are read or fetched but those of a model file.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from torch import nn

from pipeline.config import config
from pipeline.config.freezing import describe_freeze
from pipeline.labelling import annotations
from pipeline.models import detectors, freezing

DEFAULT_CONFIG = "configs/quickstart.yaml"


@dataclass(frozen=True)
class InspectedRun:
    """The model that is looked at, frozen as at the start of its run, and the run; an epoch has `images`."""

    source: str
    detector: nn.Module
    settings: config.ModelSection
    iterations: int
    batch_size: int
    images: int

    def unfreezings(self) -> list[freezing.UnfreezeEvent]:
        epoch = self.images / self.batch_size
        return freezing.schedule(self.detector, self.settings, self.iterations, epoch)


@dataclass(frozen=True)
class LayerRow:
    """A part or, if `layer` is said, one layer of it.

    `stage`: the N of `freeze: N` that freezes up to here. `parameters_by_layer`: how many it has. `all_but_last`: the N of
    `{all_but_last: N}` that trains from here on. `trained`: of the parameters, at the start. `trained_from`: the first
    iteration of each step of the schedule that unfreezes something here.
    """

    part: str
    layer: str | None
    stage: int | None
    layers: int
    all_but_last: int
    parameters: int
    trained: int
    only_norms_frozen: bool
    trained_from: tuple[int, ...]


def run_from_config(file: str) -> InspectedRun:
    """Return what a config says; its epochs are of the training images of the rendered set."""
    settings = config.read_config(file)
    data, run = settings.data, settings.train
    images = sum(data.split.of(index) == "train" for index in range(data.images))
    detector = detectors.build_unweighted(settings.model, len(annotations.CATEGORIES))
    source = "config" if file.lstrip().startswith("{") else file
    return InspectedRun(source, detector, settings.model, run.iterations, run.batch_size, images)


def run_from_model_file(file: str) -> InspectedRun:
    """Return what was so in the run that wrote this model file."""
    loaded = detectors.load(file)
    freezing.apply_freezing(loaded.model, loaded.settings)
    run, images = loaded.facts["config"]["train"], loaded.facts["images"]
    return InspectedRun(file, loaded.model, loaded.settings, run["iterations"], run["batch_size"], images)


def modules_by_part(detector: nn.Module) -> dict[str, tuple[str, ...]]:
    """Return the modules of each part, from the input to the masks: the body's stages, then what follows it."""
    found = {
        f"{freezing.BACKBONE_MODULE} {stage.name}": tuple(
            f"{freezing.BACKBONE_MODULE}.{name}" for name in stage.modules
        )
        for stage in freezing.backbone_stages(detector.get_submodule(freezing.BACKBONE_MODULE))
    }
    after = [f"backbone.{name}" for name, _ in detector.backbone.named_children() if name != "body"]
    heads = [f"roi_heads.{name}" for name, _ in detector.roi_heads.named_children()]
    learning = (name for name in (*after, "rpn", *heads) if [*detector.get_submodule(name).parameters()])
    return found | {name: (name,) for name in learning}


def layer_rows(detector: nn.Module, unfreezings: Sequence[freezing.UnfreezeEvent]) -> list[LayerRow]:
    """Return a row for each part, and after it a row for each of its layers."""
    layers, found = freezing.parameters_by_layer(detector), []
    left = len(layers)
    for number, (part, modules) in enumerate(modules_by_part(detector).items(), 1):
        inside = {name: own for name, own in layers.items() if f"{name}.".startswith(tuple(f"{m}." for m in modules))}
        stage = number if part.startswith(f"{freezing.BACKBONE_MODULE} ") else None
        names = [name for own in inside.values() for name in own]
        found.append(LayerRow(part, None, stage, len(inside), left, **_counted(detector, names, unfreezings)))
        for place, (name, own) in enumerate(inside.items()):
            found.append(LayerRow(part, name, None, 1, left - place, **_counted(detector, own, unfreezings)))
        left -= len(inside)
    return found


def _counted(
    detector: nn.Module, names: Sequence[str], unfreezings: Iterable[freezing.UnfreezeEvent]
) -> dict[str, int | bool | tuple[int, ...]]:
    own = {name: detector.get_parameter(name) for name in names}
    learning = {name for name, parameter in own.items() if parameter.requires_grad}
    frozen = own.keys() - learning
    owners = [detector.get_submodule(name.rpartition(".")[0]) for name in frozen]
    return {
        "parameters": freezing.count(own.values()),
        "trained": freezing.count(own[name] for name in learning),
        "only_norms_frozen": bool(frozen and learning)
        and all(isinstance(owner, freezing.NORM_LAYERS) for owner in owners),
        "trained_from": tuple(each.iteration for each in unfreezings if own.keys() & set(each.names)),
    }


def trained_state(row: LayerRow) -> str:
    """Say whether a part is trained at the start, and at which iterations the schedule changes that."""
    if row.trained == row.parameters:
        return "trained"
    changes = list(row.trained_from)
    if row.trained:
        begin = "norms frozen" if row.only_norms_frozen else f"{row.trained:,} trained"
    else:
        begin = f"frozen until {changes.pop(0)}" if changes else "frozen"
    return begin + (f", more from {', '.join(map(str, changes))}" if changes else "")


def parts_table(found: Sequence[LayerRow], each_layer: bool) -> Table:
    """Return the parts, with their layers if wanted, and totals; what does not learn at the start is blue."""
    whole = [row for row in found if row.layer is None]
    grid = Table(box=box.SIMPLE_HEAD, show_footer=True, padding=(0, 1, 0, 0))
    grid.add_column("stage", justify="right")
    grid.add_column("part", footer="all", no_wrap=True)
    grid.add_column("layers", justify="right", footer=str(sum(row.layers for row in whole)))
    grid.add_column("all_but_last", justify="right")
    grid.add_column("parameters", justify="right", footer=f"{sum(row.parameters for row in whole):,}")
    grid.add_column("at the start", footer=f"{sum(row.trained for row in whole):,} trained", overflow="fold")
    for row in found if each_layer else whole:
        name, layers = (row.layer, "") if row.layer else (row.part, str(row.layers))
        stage, style = str(row.stage or ""), "" if row.trained else "blue"
        grid.add_row(stage, name, layers, str(row.all_but_last), f"{row.parameters:,}", trained_state(row), style=style)
    return grid


def schedule_table(subject: InspectedRun, found: Sequence[LayerRow]) -> Table:
    """Return what the schedule changes, step by step."""
    grid = Table(box=box.SIMPLE_HEAD)
    for heading in ("from iteration", "more trained", "all trained then", "learning rate"):
        grid.add_column(heading, justify="right")
    grid.add_column("parts", overflow="fold")
    trained = freezing.count(freezing.trainable_parameters(subject.detector))
    for step in subject.unfreezings():
        more = freezing.count(subject.detector.get_parameter(name) for name in step.names)
        trained += more
        where = ", ".join(row.part for row in found if row.layer is None and step.iteration in row.trained_from)
        rate = f"× {step.learning_rate_factor:g}"
        grid.add_row(str(step.iteration), f"{more:,}", f"{trained:,}", rate, where)
    return grid


def print_report(subject: InspectedRun, console: Console, each_layer: bool) -> None:
    """Print it all for a reader."""
    found = layer_rows(subject.detector, subject.unfreezings())
    backbone = subject.detector.backbone.name
    console.print(f"{subject.source}: {backbone}; frozen at the start: {describe_freeze(subject.settings.freeze)}")
    console.print(parts_table(found, each_layer))
    console.print("freeze: N freezes stages 1 to N; freeze: {all_but_last: N} trains from the row with this N on.")
    if not each_layer:
        console.print("--each lists every layer, by the name that patterns match.")
    if subject.settings.unfreeze:
        epoch = subject.images / subject.batch_size
        length = f"{subject.iterations} iterations, {epoch:g} for each epoch of {subject.images} images"
        console.print(f"\nLater in the run ({length}):")
        console.print(schedule_table(subject, found))


def to_dict(subject: InspectedRun) -> dict[str, Any]:
    """Return the same for machines: all rows, and the schedule with the names of its parameters."""
    unfreezings = subject.unfreezings()
    return {
        "source": subject.source,
        "backbone": subject.detector.backbone.name,
        "parameters": freezing.count(subject.detector.parameters()),
        "trained": freezing.count(freezing.trainable_parameters(subject.detector)),
        "rows": [asdict(row) for row in layer_rows(subject.detector, unfreezings)],
        "schedule": [asdict(step) for step in unfreezings],
    }


def print_run(run: InspectedRun, each_layer: bool, as_json: bool) -> None:
    """Print the report of a run to stdout, as tables or as JSON."""
    if as_json:
        print(json.dumps(to_dict(run), indent=2))
        return
    width = None if sys.stdout.isatty() else 100
    print_report(run, Console(width=width, markup=False, highlight=False), each_layer)
