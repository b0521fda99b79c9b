# SPDX-License-Identifier: Apache-2.0
"""Stage `report`: a page of what was rendered, trained and scored, and on which machine (`cariste report`).

The page is one HTML file that needs no other file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coco import reader
from pipeline.common import image_files
from pipeline.common.errors import CaristeError
from pipeline.common.vocabulary import METRICS, SPLITS
from pipeline.common.yaml_files import dump_yaml
from pipeline.config.freezing import describe_freeze
from pipeline.config.stages import ReportConfig
from pipeline.record.scene import GENERATOR_VERSION, shard_folder_name
from pipeline.reports import example_images, run_records
from pipeline.viz import charts, html_pages
from pipeline.viz.formatting import DASH, display_name, format_count
from pipeline.viz.overlays import class_color

EXAMPLE_IMAGES = 12
COMPARISON_IMAGES = 8
QUARANTINED_IMAGES = 10
MIN_SCORE_SHOWN = 0.5

MIN_HEIGHT_PX = 4
FRACTION_BINS = np.linspace(0, 1, 21)
# Column of the training log -> title of its chart, label of its axis.
TRAINING_CHARTS = {
    "loss": ("Total loss", "loss"),
    "loss_classifier": ("Box class", "classifier loss"),
    "loss_box_reg": ("Box position", "box loss"),
    "loss_mask": ("Mask", "mask loss"),
    "loss_objectness": ("Proposals: object or background", "objectness loss"),
    "loss_rpn_box_reg": ("Proposals: position", "proposal box loss"),
    "learning_rate": ("Learning rate", "learning rate"),
    "seconds": ("Time", "seconds per iteration"),
}
SMOOTHED_CURVES = frozenset(TRAINING_CHARTS) - {"learning_rate"}


class ReportError(CaristeError):
    """The page cannot be written; the message names the file, what is wrong and the command that makes it."""


@dataclass(frozen=True)
class Metrics:
    """The content of `metrics.json`; `path` is for messages."""

    path: Path
    values: dict[str, Any]

    def formatted(self, *keys: str, digits: int = 3) -> str:
        """Return the metric at these keys, a dash for null.

        Raises:
            ReportError: no such key.
        """
        value: Any = self.values
        for key in keys:
            if value is None:
                break
            if key not in value:
                raise ReportError(f"{self.path}: no {'.'.join(keys)}; `snakemake -j4 evaluate` writes it")
            value = value[key]
        return DASH if value is None else f"{value:.{digits}f}"


@dataclass(frozen=True)
class _Inputs:
    """All files that the page is made from. `files`: split -> annotations. `classes`: category id -> name."""

    files: dict[str, reader.CocoFile]
    classes: dict[int, str]
    predictions: tuple[reader.Detection, ...]
    metrics: Metrics
    audit: run_records.AuditRecord
    stages: list[run_records.StageUsage]
    rendering: run_records.RenderingSummary
    training: run_records.TrainingCurves


def write_report(config: ReportConfig, data: Path, run: Path, out: Path, config_source: str = "") -> None:
    """Write the page of the data set in folder `data` and the training run in folder `run`.

    `config_source`: the config file, for messages.

    Raises:
        ReportError: an input is missing or is not what its stage writes.
        RunRecordError: as above, for records of the run.
        CocoError, ImageFileError: an annotation, a prediction or an image cannot be used.
    """
    _require_inputs(config, data, run, config_source)
    inputs = _read_inputs(config, data, run)
    html_pages.write_page(out, "report.html.j2", _template_context(config, data, inputs))


def _require_inputs(config: ReportConfig, data: Path, run: Path, config_source: str) -> None:
    """Raise one ReportError that names every missing input and the command that makes it."""
    # The Snakefile may give the config as text, but a command can only name a file.
    configfile = f" --configfile {config_source}" if Path(config_source).suffix in (".yaml", ".yml") else ""
    required = [
        *((data, f"annotations/{name}.json", "dataset") for name in (*SPLITS, "audit")),
        *((data, f"shards/{shard}/shard.json", "dataset") for shard in _shard_names(config)),
        (data, "benchmarks/**/*.tsv", "dataset"),
        *((run, name, "train") for name in ("training.jsonl", "metrics.json", "predictions/test.json")),
        (run, "benchmarks/**/*.tsv", "train"),
    ]
    missing = [
        f"{folder / pattern}: no such file; `snakemake -j4 {target}{configfile}` makes it"
        for folder, pattern, target in required
        if not any(folder.glob(pattern))
    ]
    if missing:
        raise ReportError("\n".join(missing))


def _shard_names(config: ReportConfig) -> list[str]:
    """Return the names of the config's shards. The folder may also hold those of an earlier, larger data set."""
    return [shard_folder_name(number) for number in range(config.data.shards)]


def _read_inputs(config: ReportConfig, data: Path, run: Path) -> _Inputs:
    files = {split: _read_annotations(data / f"annotations/{split}.json") for split in SPLITS}
    shards = _shard_names(config)
    return _Inputs(
        files=files,
        classes={category.id: category.name for category in files["train"].categories},
        predictions=reader.read_results(run / "predictions/test.json", files["test"]),
        metrics=Metrics(run / "metrics.json", run_records.read_json(run / "metrics.json")),
        audit=run_records.read_audit(data / "annotations/audit.json"),
        stages=run_records.read_stages(data / "benchmarks", run / "benchmarks", shards=shards),
        rendering=run_records.read_rendering([data / "shards" / name / "shard.json" for name in shards]),
        training=run_records.read_training(run / "training.jsonl"),
    )


def _read_annotations(path: Path) -> reader.CocoFile:
    """Read annotations that the stage `label` wrote: with what rendering measured."""
    file = reader.read_coco(path)
    required = [("image", file.images, {"rig", "layout"})]
    required += [("annotation", file.annotations, {"visible_fraction", "distance_m"})]
    for noun, entries, keys in required:
        for entry in entries:
            if missing := keys - entry.model_extra.keys():
                message = f"{path}: {noun} {entry.id} has no {', '.join(sorted(missing))}; label the shards again"
                raise ReportError(message)
    return file


def _template_context(config: ReportConfig, data: Path, inputs: _Inputs) -> dict[str, Any]:
    """Return the variables of the template."""
    classes, files = inputs.classes, inputs.files
    splits = {split: _split_counts(file, classes) for split, file in files.items()}
    comparisons = example_images.prediction_comparisons(
        files["test"], inputs.predictions, data, COMPARISON_IMAGES, MIN_SCORE_SHOWN
    )
    return {
        "config": config,
        "config_yaml": dump_yaml(config.model_dump(mode="json")),
        "classes": list(classes.values()),
        "class_colors": [class_color(number) for number in range(len(classes))],
        "splits": splits,
        "audit": inputs.audit,
        "quarantined": _quarantined_examples(inputs.audit.quarantined, data),
        "image_count": sum(split["images"] for split in splits.values()),
        "key_figures": _key_figures(inputs, splits),
        "examples": list(example_images.labeled_examples(files["train"], data, EXAMPLE_IMAGES)),
        "comparisons": list(comparisons),
        "min_score": MIN_SCORE_SHOWN,
        "precision": [_precision_table(inputs.metrics, split, splits[split]) for split in SPLITS[1:]],
        "training": _training_facts(inputs.training, config),
        "stages": [_stage_row(stage) for stage in inputs.stages],
        "non_sampling_share": f"{inputs.rendering.non_sampling_share:.0%}",
        "machine": run_records.machine_info(),
        "rendering": {"generator": str(GENERATOR_VERSION), **inputs.rendering.versions},
        "software": run_records.software_versions(),
        "charts": _label_charts(files.values(), classes, config) | _run_charts(inputs),
    }


def _quarantined_examples(quarantined: list[run_records.QuarantineEntry], data: Path) -> list[dict[str, Any]]:
    """Return name, reasons and the first drawing of the first images that failed the audit.

    The drawing is None if somebody has deleted it: it can be made again by labeling again.
    """
    examples = []
    for image in quarantined[:QUARANTINED_IMAGES]:
        drawings = [data / path for path in image.drawings if (data / path).is_file()]
        uri = example_images.jpeg_uri(image_files.read_image(drawings[0])) if drawings else None
        examples.append({"name": f"{image.index:06d}", "shard": image.shard, "reasons": image.reasons, "uri": uri})
    return examples


def _split_counts(file: reader.CocoFile, classes: Mapping[int, str]) -> dict[str, Any]:
    """Return the numbers of images, of annotations by class, of ignored annotations and of images without any."""
    counts = Counter(each.category_id for each in file.annotations if not each.iscrowd)
    return {
        "images": len(file.images),
        "counts": {name: counts[category_id] for category_id, name in classes.items()},
        "ignored": sum(each.iscrowd for each in file.annotations),
        "empty": sum(not annotations for annotations in file.annotations_by_image().values()),
    }


def _key_figures(inputs: _Inputs, splits: Mapping[str, dict[str, Any]]) -> list[dict[str, str]]:
    """Return the figures at the top of the page: value, label and CSS class."""
    precision = [
        {
            "value": inputs.metrics.formatted("test", "box", name, "AP50", digits=2),
            "label": f"box AP50, {display_name(name)}, test",
            "css_class": f"class-{number}",
        }
        for number, name in enumerate(inputs.classes.values())
    ]
    annotations = sum(sum(split["counts"].values()) for split in splits.values())
    minutes = sum(stage.seconds for stage in inputs.stages) / 60
    return [
        *precision,
        {"value": str(sum(split["images"] for split in splits.values())), "label": "images", "css_class": ""},
        {"value": str(annotations), "label": "annotations with masks", "css_class": ""},
        {"value": f"{minutes:.1f}", "label": "minutes for all stages, summed over all jobs", "css_class": ""},
    ]


def _precision_table(metrics: Metrics, split: str, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table of one split: box and mask, over all classes and by class."""
    keys_of_row = {"all": (), **{name: (name,) for name in counts["counts"]}}
    objects = counts["counts"] | {"all": sum(counts["counts"].values())}
    groups = [
        {
            "iou_type": iou_type,
            "rows": [
                {
                    "name": display_name(name),
                    "objects": objects[name],
                    "cells": [metrics.formatted(split, iou_type, *keys, metric) for metric in METRICS],
                }
                for name, keys in keys_of_row.items()
            ],
        }
        for iou_type in ("box", "mask")
    ]
    return {"split": split, "images": counts["images"], "groups": groups}


def _label_charts(files: Iterable[reader.CocoFile], classes: Mapping[int, str], config: ReportConfig) -> dict[str, str]:
    """Draw what the annotations of all splits hold, without `iscrowd` ones."""
    images = [image for file in files for image in file.images]
    annotations = [each for file in files for each in file.annotations if not each.iscrowd]

    def by_class(value: Callable[[reader.Annotation], float]) -> dict[str, list[float]]:
        return {name: [value(each) for each in annotations if each.category_id == key] for key, name in classes.items()}

    counts = Counter((each.image_id, each.category_id) for each in annotations)
    heights = np.geomspace(MIN_HEIGHT_PX, max(config.camera.height, 2 * MIN_HEIGHT_PX), 21)
    visible_fractions = by_class(lambda each: each.model_extra["visible_fraction"])
    distances = by_class(lambda each: each.model_extra["distance_m"])
    farthest = max((max(each, default=0) for each in distances.values()), default=0)
    return {
        "height": charts.histogram_by_class(
            by_class(lambda each: each.bbox[3]), "box height in pixels", heights, log=True
        ),
        "visible": charts.histogram_by_class(visible_fractions, "visible share of the object", FRACTION_BINS),
        "distance": charts.histogram_by_class(distances, "distance in meters", np.linspace(0, max(farthest, 1), 21)),
        "counts": charts.count_bars(
            {name: [counts[image.id, key] for image in images] for key, name in classes.items()}
        ),
        "rigs": charts.shares(_attribute_counts(images, "rig"), config.camera.rigs, "camera rig"),
        "layouts": charts.shares(_attribute_counts(images, "layout"), config.layout.kinds, "layout"),
    }


def _run_charts(inputs: _Inputs) -> dict[str, Any]:
    """Draw the training curves, and the time and memory of the stages."""
    columns, rendering = inputs.training.columns, inputs.rendering
    curves = {
        title: charts.line_chart(columns["iteration"], columns[name], label, smooth=name in SMOOTHED_CURVES)
        for name, (title, label) in TRAINING_CHARTS.items()
    }
    seconds = {stage.name: stage.seconds for stage in inputs.stages}
    memory_mb = {stage.name: stage.memory_mb for stage in inputs.stages if stage.memory_mb is not None}
    seconds_per_image = {step: seconds / rendering.images for step, seconds in rendering.seconds.items()}
    return {
        "training": curves,
        "stages": charts.bar_chart(seconds, "seconds, summed over the jobs"),
        "memory": charts.bar_chart(memory_mb, "MB, resident, largest job"),
        "rendering": charts.bar_chart(seconds_per_image, "seconds per image"),
    }


def _attribute_counts(images: Iterable[reader.CocoImage], key: str) -> Counter[str]:
    return Counter(image.model_extra[key] for image in images)


def _training_facts(training: run_records.TrainingCurves, config: ReportConfig) -> dict[str, Any]:
    iterations = len(training.columns["iteration"])
    model, train = config.model, config.train
    frozen = describe_freeze(model.freeze) + (", part of it not until the end" if model.unfreeze else "")
    return {
        "iterations": iterations,
        "window": charts.smoothing_window(iterations),
        "facts": {display_name(name): _format_value(value) for name, value in training.facts.items()},
        "settings": {
            "network": f"Mask R-CNN, {model.backbone}",
            "initial weights": model.weights,
            "frozen": frozen,
            "batch": f"{train.batch_size} images",
            "image size": f"{model.min_size} to {model.max_size} px",
            "learning rate": f"{train.learning_rate:g}, {train.warmup_iterations} iterations of warm-up",
            "optimizer": f"{train.optimizer}, weight decay {train.weight_decay:g}",
        },
    }


def _format_value(value: Any) -> str:
    """Return a value of the training log as text. Lists and nested values become one line."""
    if isinstance(value, dict):
        return ", ".join(f"{display_name(str(name))} {_format_value(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_format_value(part) for part in value)
    return format_count(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _stage_row(stage: run_records.StageUsage) -> dict[str, str]:
    return {
        "name": display_name(stage.name),
        "jobs": str(stage.jobs),
        "seconds": f"{stage.seconds:.1f}",
        "longest": f"{stage.longest_s:.1f}",
        "memory": DASH if stage.memory_mb is None else f"{stage.memory_mb:.0f}",
    }
