# SPDX-License-Identifier: Apache-2.0
"""Station 7: write the page: what was rendered, learned, scored and run, in one HTML file that needs nothing else.

`python -m pipeline.reports.run_report --config C --data results/data/D --run results/runs/R
--out results/runs/R/report.html`
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.coco import reader
from pipeline.common.errors import CaristeError
from pipeline.common.vocabulary import SPLITS
from pipeline.config.freezing import describe_freeze
from pipeline.config.stages import ReportConfig
from pipeline.record.scene import GENERATOR_VERSION, shard_folder_name
from pipeline.reports import example_images, run_records
from pipeline.viz import charts, html_pages
from pipeline.viz.overlays import class_color

EXAMPLE_IMAGES = 12
COMPARISON_IMAGES = 8
MIN_SCORE_SHOWN = 0.5
DASH = "–"

MIN_HEIGHT_PX = 4
FRACTION_BINS = np.linspace(0, 1, 21)
TRAINING_CHARTS = {
    "loss": ("Total loss", "loss"),
    "loss_classifier": ("Class of a box", "classifier loss"),
    "loss_box_reg": ("Place of a box", "box loss"),
    "loss_mask": ("Mask", "mask loss"),
    "loss_objectness": ("Object or not (proposals)", "objectness loss"),
    "loss_rpn_box_reg": ("Place of a proposal", "proposal box loss"),
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

    def figure(self, *keys: str, digits: int = 3) -> str:
        """Return the figure at these keys, a dash for null.

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


def write_report(config: ReportConfig, data: Path, run: Path, out: Path, config_source: str = "") -> None:
    """Write the page aside, then put it in its place.

    Raises:
        ReportError: an input is missing or is not what its station writes.
        CocoError: an annotation, prediction or image that cannot be used.
    """
    _require_inputs(config, data, run, config_source)
    html_pages.write_page(out, "report.html.j2", _facts(config, data, run))


def _require_inputs(config: ReportConfig, data: Path, run: Path, config_source: str) -> None:
    """Raise one ReportError that names every missing input and the command that makes it."""
    # The Snakefile may hand the config over as text; only a file can be named in a command.
    configfile = f" --configfile {config_source}" if Path(config_source).suffix in (".yaml", ".yml") else ""
    wanted = [
        *((data, f"annotations/{name}.json", "dataset") for name in (*SPLITS, "audit")),
        *((data, f"shards/{shard}/shard.json", "dataset") for shard in _shards(config)),
        (data, "benchmarks/**/*.tsv", "dataset"),
        *((run, name, "train") for name in ("training.jsonl", "metrics.json", "predictions/test.json")),
        (run, "benchmarks/**/*.tsv", "train"),
    ]
    missing = [
        f"{folder / pattern}: no such file; `snakemake -j4 {target}{configfile}` makes it"
        for folder, pattern, target in wanted
        if not any(folder.glob(pattern))
    ]
    if missing:
        raise ReportError("\n".join(missing))


def _shards(config: ReportConfig) -> list[str]:
    """Return the names of the config's shards; a data set that was larger once may hold others."""
    return [shard_folder_name(number) for number in range(-(-config.data.images // config.data.shard_size))]


def _facts(config: ReportConfig, data: Path, run: Path) -> dict[str, Any]:
    """Read every input and return what the template shows."""
    files = {split: _read_annotations(data / f"annotations/{split}.json") for split in SPLITS}
    classes = {category.id: category.name for category in files["train"].categories}
    metrics = Metrics(run / "metrics.json", run_records.read_json(run / "metrics.json"))
    shards = _shards(config)
    stages = run_records.read_stages(data / "benchmarks", run / "benchmarks", shards=shards)
    rendering = run_records.read_rendering([data / "shards" / name / "shard.json" for name in shards])
    training = run_records.read_training(run / "training.jsonl")
    predictions = reader.read_results(run / "predictions/test.json", files["test"])
    splits = {split: _split_counts(file, classes) for split, file in files.items()}
    return {
        "config": config,
        "config_yaml": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False),
        "classes": list(classes.values()),
        "class_colors": [class_color(number) for number in range(len(classes))],
        "splits": splits,
        "audit": run_records.read_audit(data / "annotations/audit.json"),
        "images": sum(split["images"] for split in splits.values()),
        "headline": _headline(metrics, classes, splits, stages),
        "samples": list(example_images.labelled_examples(files["train"], data, EXAMPLE_IMAGES)),
        "pairs": list(
            example_images.prediction_comparisons(files["test"], predictions, data, COMPARISON_IMAGES, MIN_SCORE_SHOWN)
        ),
        "score_shown": MIN_SCORE_SHOWN,
        "precision": [_precision(metrics, split, splits[split]) for split in SPLITS[1:]],
        "training": _training_facts(training, config),
        "stages": [_stage_row(stage) for stage in stages],
        "overhead": f"{rendering.overhead:.0%}",
        "machine": run_records.machine_info(),
        "rendering": {"generator": str(GENERATOR_VERSION), **rendering.facts},
        "software": run_records.software_versions(),
        "charts": _label_charts(files.values(), classes, config)
        | {
            "training": {
                title: charts.line_chart(
                    training.columns["iteration"], training.columns[name], label, smooth=name in SMOOTHED_CURVES
                )
                for name, (title, label) in TRAINING_CHARTS.items()
            },
            "stages": charts.bar_chart(
                {stage.name: stage.seconds for stage in stages}, "seconds, summed over the jobs"
            ),
            "memory": charts.bar_chart(
                {stage.name: stage.memory_mb for stage in stages if stage.memory_mb is not None},
                "MB, resident, largest job",
            ),
            "rendering": charts.bar_chart(
                {step: seconds / rendering.images for step, seconds in rendering.seconds.items()},
                "seconds per image",
            ),
        },
    }


def _read_annotations(path: Path) -> reader.CocoFile:
    """Read annotations that `pipeline.labelling.label` wrote: with what rendering measured."""
    file = reader.read_coco(path)
    wanted = [("image", file.images, {"rig", "layout"})]
    wanted += [("annotation", file.annotations, {"visible_fraction", "distance_m"})]
    for kind, entries, keys in wanted:
        for entry in entries:
            if missing := keys - entry.model_extra.keys():
                raise ReportError(
                    f"{path}: {kind} {entry.id} has no {', '.join(sorted(missing))}; label the shards again"
                )
    return file


def _split_counts(file: reader.CocoFile, classes: dict[int, str]) -> dict[str, Any]:
    """Return how many images a split has, annotations of each class, ignored ones, and images without any."""
    counts = Counter(each.category_id for each in file.annotations if not each.iscrowd)
    return {
        "images": len(file.images),
        "counts": {name: counts[number] for number, name in classes.items()},
        "crowd": sum(each.iscrowd for each in file.annotations),
        "empty": sum(not there for there in file.annotations_by_image().values()),
    }


def _headline(
    metrics: Metrics, classes: dict[int, str], splits: dict[str, dict], stages: list[run_records.StageUsage]
) -> list[dict[str, str]]:
    """Return the figures at the top of the page: value, label and the class whose colour they have."""
    precision = [
        {
            "value": metrics.figure("test", "box", name, "AP50", digits=2),
            "label": f"box AP50, {charts.display_name(name)}, test",
            "kind": f"class-{number}",
        }
        for number, name in enumerate(classes.values())
    ]
    annotations = sum(sum(split["counts"].values()) for split in splits.values())
    minutes = sum(stage.seconds for stage in stages) / 60
    return [
        *precision,
        {"value": str(sum(split["images"] for split in splits.values())), "label": "images", "kind": ""},
        {"value": str(annotations), "label": "annotations with masks", "kind": ""},
        {"value": f"{minutes:.1f}", "label": "minutes for the whole road, all jobs summed", "kind": ""},
    ]


def _precision(metrics: Metrics, split: str, counts: dict[str, Any]) -> dict[str, Any]:
    """Return the table of one split: box and mask, over all and by class."""
    rows = {"all": (), **{name: (name,) for name in counts["counts"]}}
    objects = counts["counts"] | {"all": sum(counts["counts"].values())}
    groups = [
        {
            "kind": kind,
            "rows": [
                {
                    "name": charts.display_name(name),
                    "objects": objects[name],
                    "cells": [metrics.figure(split, kind, *keys, figure) for figure in ("AP", "AP50", "AP75")],
                }
                for name, keys in rows.items()
            ],
        }
        for kind in ("box", "mask")
    ]
    return {"split": split, "images": counts["images"], "groups": groups}


def _label_charts(files: Iterable[reader.CocoFile], classes: dict[int, str], config: ReportConfig) -> dict[str, str]:
    """Draw what the annotations of all splits hold, `iscrowd` left out."""
    images = [image for file in files for image in file.images]
    taught = [each for file in files for each in file.annotations if not each.iscrowd]

    def by_class(value: Callable[[reader.Annotation], float]) -> dict[str, list[float]]:
        return {name: [value(each) for each in taught if each.category_id == key] for key, name in classes.items()}

    counts = Counter((each.image_id, each.category_id) for each in taught)
    heights = np.geomspace(MIN_HEIGHT_PX, max(config.camera.height, 2 * MIN_HEIGHT_PX), 21)
    visible = by_class(lambda each: each.model_extra["visible_fraction"])
    distances = by_class(lambda each: each.model_extra["distance_m"])
    farthest = max((max(each, default=0) for each in distances.values()), default=0)
    return {
        "height": charts.histogram_by_class(
            by_class(lambda each: each.bbox[3]), "box height in pixels", heights, log=True
        ),
        "visible": charts.histogram_by_class(visible, "share of the object that is seen", FRACTION_BINS),
        "distance": charts.histogram_by_class(distances, "distance in metres", np.linspace(0, max(farthest, 1), 21)),
        "counts": charts.count_bars(
            {name: [counts[image.id, key] for image in images] for key, name in classes.items()}
        ),
        "rigs": charts.shares(_kinds(images, "rig"), config.camera.rigs, "camera rig"),
        "layouts": charts.shares(_kinds(images, "layout"), config.layout.kinds, "layout"),
    }


def _kinds(images: Iterable[reader.CocoImage], key: str) -> Counter[str]:
    return Counter(image.model_extra[key] for image in images)


def _training_facts(training: run_records.TrainingCurves, config: ReportConfig) -> dict[str, Any]:
    iterations = len(training.columns["iteration"])
    return {
        "iterations": iterations,
        "window": charts.smoothing_window(iterations),
        "facts": {charts.display_name(name): _plain(value) for name, value in training.facts.items()},
        "settings": {
            "network": f"Mask R-CNN, {config.model.backbone}",
            "weights to begin with": config.model.weights,
            "frozen": describe_freeze(config.model.freeze)
            + (", some of it not to the end" if config.model.unfreeze else ""),
            "batch": f"{config.train.batch_size} images",
            "image size": f"{config.model.min_size} to {config.model.max_size} px",
            "learning rate": f"{config.train.learning_rate:g}, {config.train.warmup_iterations} iterations of warm-up",
            "optimiser": f"{config.train.optimizer}, weight decay {config.train.weight_decay:g}",
        },
    }


def _plain(value: Any) -> str:
    """Return a fact as text: lists and nested facts in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{charts.display_name(str(name))} {_plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(part) for part in value)
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def _stage_row(stage: run_records.StageUsage) -> dict[str, str]:
    memory = DASH if stage.memory_mb is None else f"{stage.memory_mb:.0f}"
    return {
        "name": charts.display_name(stage.name),
        "jobs": str(stage.jobs),
        "seconds": f"{stage.seconds:.1f}",
        "longest": f"{stage.longest_s:.1f}",
        "memory": memory,
    }
