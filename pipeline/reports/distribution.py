# SPDX-License-Identifier: Apache-2.0
"""Describe a data set and compare it with other COCO sets, as JSON and as a page (`cariste distribution`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.coco import reader
from pipeline.coco.categories import (
    NO_MAPPING,
    CategoryMapping,
    Classes,
    check_categories_exist,
    part_for,
    with_class_names,
)
from pipeline.common import json_files
from pipeline.common.atomic_write import atomic_file
from pipeline.config.config import ConfigError
from pipeline.reports import distribution_page
from pipeline.reports.dataset_comparison import (
    Comparison,
    Coverage,
    DistributionDifference,
    compare_datasets,
    describe_difference,
)
from pipeline.reports.dataset_statistics import (
    PER_IMAGE,
    STATISTICS,
    DatasetStatistics,
    Statistic,
    StatisticValues,
    measure_dataset,
    summarize,
)

DIGITS = 5
# Stands for PER_IMAGE in JSON.
PER_IMAGE_KEY = "images"


class ComparedSet(NamedTuple):
    """A COCO file, the folder of its images, and which of its categories are which classes."""

    annotations: Path
    images_dir: Path
    mapping: CategoryMapping = NO_MAPPING


def write_distribution(
    name: str,
    annotations: Sequence[Path],
    images_dir: Path,
    others: Mapping[str, ComparedSet],
    out: Path,
    page: Path,
    threads: int = 1,
    mapping: CategoryMapping = NO_MAPPING,
) -> None:
    """Describe a data set, compare it with `others`, and write the JSON `out` and the HTML `page`.

    `others`: the sets by name. `threads`: number of images that are read at the same time. `mapping`: of the categories
    of all sets; `others` may have more of their own.

    Raises:
        ConfigError: another set has the name of this one.
        CocoError: a file or an image cannot be used, or a set has none of the classes of this one.
    """
    if name in others:
        raise ConfigError(f"compare: {name}: the data set itself has this name; choose another one")
    files = [reader.read_coco(path, images_dir) for path in annotations]
    read = {other: reader.read_coco(each.annotations, each.images_dir) for other, each in others.items()}
    check_categories_exist(mapping, [*files, *read.values()])
    files = [with_class_names(file, part_for(mapping, file)) for file in files]
    class_names = list(dict.fromkeys(category.name for file in files for category in file.categories))
    classes = Classes(class_names, name, "not compared") if class_names else None
    compared = {
        other: with_class_names(with_class_names(file, part_for(mapping, file)), others[other].mapping, classes)
        for other, file in read.items()
    }
    ours = measure_dataset(name, files, images_dir, threads)
    comparisons = [
        compare_datasets(ours, measure_dataset(other, [file], others[other].images_dir, threads))
        for other, file in compared.items()
    ]
    with atomic_file(out) as temporary:  # both files appear, or none
        temporary.write_bytes(json_files.json_bytes(distribution_json(ours, comparisons)))
        distribution_page.write(page, ours, comparisons)


def distribution_json(ours: DatasetStatistics, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return the content of `distribution.json` (docs/reference/data_set.md)."""
    return {
        "statistics": {name: _statistic_entry(statistic) for name, statistic in STATISTICS.items()},
        "datasets": [_dataset_entry(each) for each in (ours, *(comparison.real for comparison in comparisons))],
        "comparisons": [
            {
                "name": each.real.name,
                "differences": [_difference_entry(difference, each.real.name) for difference in each.differences],
                "coverage": [_coverage_entry(coverage) for coverage in each.coverages],
            }
            for each in comparisons
        ],
    }


def _statistic_entry(statistic: Statistic) -> dict[str, Any]:
    edges = None if statistic.bin_edges is None else [_round(edge) for edge in statistic.bin_edges]
    return {"title": statistic.title, "unit": statistic.unit, "histogram_edges": edges}


def _dataset_entry(dataset: DatasetStatistics) -> dict[str, Any]:
    summaries: dict[str, dict[str, Any]] = {}
    for (statistic, class_name), values in dataset.statistics.items():
        summaries.setdefault(statistic, {})[_class_key(class_name)] = _value_summary(statistic, values)
    shares = {key: dataset.attribute_shares(key) for key in dataset.attribute_counts}
    return {
        "name": dataset.name,
        "images": dataset.image_count,
        "empty_images": dataset.empty_images,
        "objects": dataset.object_counts,
        "values": summaries,
        "shares": {key: {kind: _round(share) for kind, share in kinds.items()} for key, kinds in shares.items()},
    }


def _value_summary(statistic: str, values: StatisticValues) -> dict[str, Any]:
    summary, edges = summarize(statistic, values), STATISTICS[statistic].bin_edges
    entry = {"count": summary.count, "mean": _round(summary.mean)}
    if summary.percentiles is None:
        return entry
    return entry | {
        "percentiles": {str(percentile): _round(value) for percentile, value in summary.percentiles.items()},
        "histogram": np.histogram(np.clip(values.values, edges[0], edges[-1]), edges)[0].tolist(),
    }


def _difference_entry(difference: DistributionDifference, real_name: str) -> dict[str, Any]:
    return {
        "statistic": difference.statistic,
        "class": _class_key(difference.class_name),
        "distance": _round(difference.distance.value),
        "chance": _round(difference.chance_level),
        "threshold": _round(difference.distance.threshold),
        "ours_above": _round(difference.distance.above_ours),
        "real_above": _round(difference.distance.above_real),
        "description": describe_difference(difference, real_name),
    }


def _coverage_entry(coverage: Coverage) -> dict[str, Any]:
    return {
        "statistic": coverage.statistic,
        "class": _class_key(coverage.class_name),
        "ours_5_95": [_round(end) for end in coverage.ours],
        "real_5_95": [_round(end) for end in coverage.real],
        "real_inside": _round(coverage.real_inside),
        "ours_below": _round(coverage.ours_below),
        "ours_above": _round(coverage.ours_above),
        "covered": coverage.is_complete,
    }


def _class_key(class_name: str) -> str:
    return PER_IMAGE_KEY if class_name == PER_IMAGE else class_name


def _round(value: float) -> float:
    return round(float(value), DIGITS)
