# SPDX-License-Identifier: Apache-2.0
"""The command `cariste layers`: what a run will train and what stays frozen, before it starts.

Lists the stages of the backbone's body and all other parts, from the input to the masks, with their layers and
parameters, what is trained, and when `model.unfreeze` changes that. For a config, no weights are read or downloaded.
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


@dataclass(frozen=True)
class InspectedRun:
    """A run to report on.

    Attributes:
        source: the file that describes the run.
        detector: the model, frozen as at the start of the run.
        images: in an epoch.
    """

    source: str
    detector: nn.Module
    settings: config.ModelSection
    iterations: int
    batch_size: int
    images: int

    def unfreezings(self) -> list[freezing.UnfreezeEvent]:
        """Return what `model.unfreeze` changes, in the order of time."""
        iterations_per_epoch = self.images / self.batch_size
        return freezing.schedule(self.detector, self.settings, self.iterations, iterations_per_epoch)


@dataclass(frozen=True)
class LayerRow:
    """A part of the model, or a layer of it.

    Attributes:
        part: the name of the part.
        layer: the name of the layer; None in the row of the part itself.
        stage: the N of `freeze: N` that freezes up to this part; None for layers, and behind the body.
        layers: the number of layers.
        all_but_last: the N of `{all_but_last: N}` that trains from here on.
        parameters: the number of parameters.
        trained: how many of them are trained at the start.
        only_norms_frozen: whether only normalizations are frozen.
        trained_from: the iterations from which `model.unfreeze` trains something here.
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


def run_from_config(source: str) -> InspectedRun:
    """Return the run that a config describes. An epoch has the training images of the rendered set."""
    settings = config.read_config(source)
    data, train = settings.data, settings.train
    images = sum(data.split.of(index) == "train" for index in range(data.images))
    detector = detectors.build_unweighted(settings.model, len(annotations.CATEGORIES))
    name = "config" if config.is_inline(source) else source
    return InspectedRun(name, detector, settings.model, train.iterations, train.batch_size, images)


def run_from_model_file(path: str) -> InspectedRun:
    """Return the run that wrote a model file.

    Raises:
        ModelFileError: see `detectors.load`; or the file does not say how it was trained.
    """
    loaded = detectors.load(path)
    freezing.apply_freezing(loaded.model, loaded.settings)
    try:
        train, images = loaded.facts["config"]["train"], loaded.facts["images"]
        return InspectedRun(path, loaded.model, loaded.settings, train["iterations"], train["batch_size"], images)
    except (KeyError, TypeError):
        raise detectors.ModelFileError(f"{path}: its facts do not say how it was trained; give --config") from None


def modules_by_part(detector: nn.Module) -> dict[str, tuple[str, ...]]:
    """Return part → names of its modules: first the stages of the backbone's body, then what follows it."""
    body = freezing.BACKBONE_MODULE
    parts = {
        f"{body} {stage.name}": tuple(f"{body}.{module}" for module in stage.modules)
        for stage in freezing.backbone_stages(detector.get_submodule(body))
    }
    other_modules = [f"backbone.{name}" for name, _ in detector.backbone.named_children() if name != "body"]
    heads = [f"roi_heads.{name}" for name, _ in detector.roi_heads.named_children()]
    with_parameters = (name for name in (*other_modules, "rpn", *heads) if [*detector.get_submodule(name).parameters()])
    return parts | {name: (name,) for name in with_parameters}


def layer_rows(detector: nn.Module, unfreezings: Sequence[freezing.UnfreezeEvent]) -> list[LayerRow]:
    """Return a row for each part, followed by the rows of its layers."""
    layers, rows = freezing.parameters_by_layer(detector), []
    layers_from_here = len(layers)
    for number, (part, modules) in enumerate(modules_by_part(detector).items(), 1):
        prefixes = tuple(f"{module}." for module in modules)
        layers_inside = {name: names for name, names in layers.items() if f"{name}.".startswith(prefixes)}
        stage = number if part.startswith(f"{freezing.BACKBONE_MODULE} ") else None
        all_names = [name for names in layers_inside.values() for name in names]
        counts = _parameter_counts(detector, all_names, unfreezings)
        rows.append(LayerRow(part, None, stage, len(layers_inside), layers_from_here, **counts))
        for index, (layer, names) in enumerate(layers_inside.items()):
            counts = _parameter_counts(detector, names, unfreezings)
            rows.append(LayerRow(part, layer, None, 1, layers_from_here - index, **counts))
        layers_from_here -= len(layers_inside)
    return rows


def _parameter_counts(
    detector: nn.Module, names: Sequence[str], unfreezings: Iterable[freezing.UnfreezeEvent]
) -> dict[str, int | bool | tuple[int, ...]]:
    """Return the last four fields of a LayerRow, for the parameters with these names."""
    parameters = {name: detector.get_parameter(name) for name in names}
    trained_names = {name for name, parameter in parameters.items() if parameter.requires_grad}
    frozen_names = parameters.keys() - trained_names
    owners = [detector.get_submodule(name.rpartition(".")[0]) for name in frozen_names]
    return {
        "parameters": freezing.count(parameters.values()),
        "trained": freezing.count(parameters[name] for name in trained_names),
        "only_norms_frozen": bool(frozen_names and trained_names)
        and all(isinstance(owner, freezing.NORM_LAYERS) for owner in owners),
        "trained_from": tuple(event.iteration for event in unfreezings if parameters.keys() & set(event.names)),
    }


def trained_state(row: LayerRow) -> str:
    """Return in words whether a part is trained at the start, and at which iterations that changes."""
    if row.trained == row.parameters:
        return "trained"
    changes = list(row.trained_from)
    if row.trained:
        start = "norms frozen" if row.only_norms_frozen else f"{row.trained:,} trained"
    else:
        start = f"frozen until {changes.pop(0)}" if changes else "frozen"
    return start + (f", more from {', '.join(map(str, changes))}" if changes else "")


def parts_table(rows: Sequence[LayerRow], each_layer: bool) -> Table:
    """Return a table of the parts, with their layers if `each_layer`, and totals. Blue: not trained at the start."""
    part_rows = [row for row in rows if row.layer is None]
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, padding=(0, 1, 0, 0))
    table.add_column("stage", justify="right")
    table.add_column("part", footer="all", no_wrap=True)
    table.add_column("layers", justify="right", footer=str(sum(row.layers for row in part_rows)))
    table.add_column("all_but_last", justify="right")
    table.add_column("parameters", justify="right", footer=f"{sum(row.parameters for row in part_rows):,}")
    table.add_column("at the start", footer=f"{sum(row.trained for row in part_rows):,} trained", overflow="fold")
    for row in rows if each_layer else part_rows:
        name, layers = (row.layer, "") if row.layer else (row.part, str(row.layers))
        stage, style = str(row.stage or ""), "" if row.trained else "blue"
        cells = (stage, name, layers, str(row.all_but_last), f"{row.parameters:,}", trained_state(row))
        table.add_row(*cells, style=style)
    return table


def schedule_table(run: InspectedRun, rows: Sequence[LayerRow]) -> Table:
    """Return a table of what `model.unfreeze` changes, step by step."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("from iteration", "more trained", "all trained then", "learning rate"):
        table.add_column(heading, justify="right")
    table.add_column("parts", overflow="fold")
    trained = freezing.count(freezing.trainable_parameters(run.detector))
    for event in run.unfreezings():
        count = freezing.count(run.detector.get_parameter(name) for name in event.names)
        trained += count
        parts = ", ".join(row.part for row in rows if row.layer is None and event.iteration in row.trained_from)
        rate = f"× {event.learning_rate_factor:g}"
        table.add_row(str(event.iteration), f"{count:,}", f"{trained:,}", rate, parts)
    return table


def print_report(run: InspectedRun, console: Console, each_layer: bool) -> None:
    """Print the tables of a run."""
    rows = layer_rows(run.detector, run.unfreezings())
    backbone = run.detector.backbone.name
    console.print(f"{run.source}: {backbone}; frozen at the start: {describe_freeze(run.settings.freeze)}")
    console.print(parts_table(rows, each_layer))
    console.print("freeze: N freezes stages 1 to N; freeze: {all_but_last: N} trains from the row with this N on.")
    if not each_layer:
        console.print("--each lists every layer, with the name that patterns match.")
    if run.settings.unfreeze:
        iterations_per_epoch = run.images / run.batch_size
        length = f"{run.iterations} iterations, {iterations_per_epoch:g} for each epoch of {run.images} images"
        console.print(f"\nLater in the run ({length}):")
        console.print(schedule_table(run, rows))


def to_dict(run: InspectedRun) -> dict[str, Any]:
    """Return the report for programs: all rows, and the schedule with the names of its parameters."""
    unfreezings = run.unfreezings()
    return {
        "source": run.source,
        "backbone": run.detector.backbone.name,
        "parameters": freezing.count(run.detector.parameters()),
        "trained": freezing.count(freezing.trainable_parameters(run.detector)),
        "rows": [asdict(row) for row in layer_rows(run.detector, unfreezings)],
        "schedule": [asdict(event) for event in unfreezings],
    }


def print_run(run: InspectedRun, each_layer: bool, as_json: bool) -> None:
    """Print the report of a run to stdout, as tables or as JSON."""
    if as_json:
        print(json.dumps(to_dict(run), indent=2))
        return
    width = None if sys.stdout.isatty() else 100
    print_report(run, Console(width=width, markup=False, highlight=False), each_layer)
