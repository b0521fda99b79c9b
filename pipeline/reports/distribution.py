# SPDX-License-Identifier: Apache-2.0
"""What a data set holds, as JSON and as a page, beside the same figures of other COCO sets.

`python -m pipeline.reports.distribution --name D --annotations A.json [B.json ...] --images DIR --out distribution.json
--page distribution.html [--compare NAME ANNOTATIONS IMAGES] ...`
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coco import reader
from pipeline.common import json_files
from pipeline.config.config import ConfigError
from pipeline.reports import distribution_page
from pipeline.reports.dataset_statistics import (
    STATISTICS,
    DatasetStatistics,
    Statistic,
    StatisticValues,
    measure_dataset,
)
from pipeline.reports.ks_distance import (
    Comparison,
    Coverage,
    DistributionDifference,
    compare_datasets,
    describe_difference,
)

PERCENTILES = (5, 25, 50, 75, 95)
DIGITS = 5


def distribution_json(ours: DatasetStatistics, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Return the content of `distribution.json` (docs/dataset.md)."""
    return {
        "quantities": {name: _described(quantity) for name, quantity in STATISTICS.items()},
        "sets": [_set(each) for each in (ours, *(comparison.real for comparison in comparisons))],
        "compared": [
            {
                "name": each.real.name,
                "gaps": [_gap(gap, each.real.name) for gap in each.gaps],
                "coverage": [_coverage(coverage) for coverage in each.coverages],
            }
            for each in comparisons
        ],
    }


def _described(quantity: Statistic) -> dict[str, Any]:
    edges = None if quantity.edges is None else [_rounded(edge) for edge in quantity.edges]
    return {"title": quantity.title, "unit": quantity.unit, "histogram_edges": edges}


def _set(measured: DatasetStatistics) -> dict[str, Any]:
    figures: dict[str, dict[str, Any]] = {}
    for (quantity, kind), values in measured.values.items():
        figures.setdefault(quantity, {})[kind or "images"] = _figures(STATISTICS[quantity], values)
    return {
        "name": measured.name,
        "images": measured.images,
        "empty": measured.empty,
        "objects": measured.objects,
        "figures": figures,
        "shares": {
            key: {kind: _rounded(share) for kind, share in measured.shares(key).items()} for key in measured.kinds
        },
    }


def _figures(quantity: Statistic, values: StatisticValues) -> dict[str, Any]:
    figures = values.figures
    mean = {"count": len(figures), "mean": _rounded(figures.mean())}
    if quantity.edges is None:
        return mean
    clipped = np.clip(figures, quantity.edges[0], quantity.edges[-1])
    return mean | {
        "percentiles": {str(each): _rounded(np.percentile(figures, each)) for each in PERCENTILES},
        "histogram": np.histogram(clipped, quantity.edges)[0].tolist(),
    }


def _gap(gap: DistributionDifference, name: str) -> dict[str, Any]:
    return {
        "quantity": gap.quantity,
        "of": gap.kind or "images",
        "distance": _rounded(gap.distance.size),
        "chance": _rounded(gap.chance),
        "threshold": _rounded(gap.distance.threshold),
        "ours_above": _rounded(gap.distance.above_ours),
        "real_above": _rounded(gap.distance.above_real),
        "in_words": describe_difference(gap, name),
    }


def _coverage(each: Coverage) -> dict[str, Any]:
    return {
        "quantity": each.quantity,
        "of": each.kind or "images",
        "ours_5_95": [_rounded(end) for end in each.ours],
        "real_5_95": [_rounded(end) for end in each.real],
        "real_inside": _rounded(each.inside),
        "ours_below": _rounded(each.below),
        "ours_above": _rounded(each.above),
        "covered": each.whole,
    }


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


def write_distribution(
    name: str,
    annotations: Sequence[Path],
    images_dir: Path,
    others: Mapping[str, tuple[Path, Path]],
    out: Path,
    page: Path,
    threads: int = 1,
) -> None:
    """Describe a set, compare it with `others`, and write the JSON `out` and the HTML `page`.

    `others`: name -> (COCO file, folder of its images). `threads`: images that are read at the same time.

    Raises:
        ConfigError: another set has the name of this one.
        CocoError: a file or an image cannot be used.
    """
    if name in others:
        raise ConfigError(f"compare: {name}: the data set itself has this name; choose another one")
    ours = measure_dataset(name, [reader.read_coco(path) for path in annotations], images_dir, threads)
    comparisons = [
        compare_datasets(ours, measure_dataset(other, [reader.read_coco(file)], folder, threads))
        for other, (file, folder) in others.items()
    ]
    json_files.write_json(out, distribution_json(ours, comparisons))
    distribution_page.write(page, ours, comparisons)
