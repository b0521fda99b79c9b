# SPDX-License-Identifier: Apache-2.0
"""What a data set holds, as JSON and as a page, beside the same figures of other COCO sets.

`python -m pipeline.reports.distribution --name D --annotations A.json [B.json ...] --images DIR --out distribution.json
--page distribution.html [--compare NAME ANNOTATIONS IMAGES] ...`
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coco import reader
from pipeline.common import json_files
from pipeline.config.config import ConfigError, read_config
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.reports.distribution", description=__doc__)
    parser.add_argument("--name", default="this set", help="what to call the set")
    parser.add_argument("--annotations", required=True, nargs="+", type=Path, help="its COCO files")
    parser.add_argument("--images", required=True, type=Path, help="folder that their file names start from")
    parser.add_argument(
        "--compare", action="append", default=[], nargs=3, metavar=("NAME", "ANNOTATIONS", "IMAGES"), help="another set"
    )
    parser.add_argument(
        "--config", default="{}", help="YAML file, or its text: the sets of its section `compare_datasets`"
    )
    parser.add_argument("--out", required=True, type=Path, help="JSON to write")
    parser.add_argument("--page", required=True, type=Path, help="page to write")
    parser.add_argument("--threads", type=int, default=1, help="images read at a time")
    arguments = parser.parse_args()
    try:
        chosen = read_config(arguments.config).compare
        others = [*((name, each.annotations, each.images) for name, each in chosen.items()), *arguments.compare]
        _require_distinct([arguments.name, *(name for name, _, _ in others)])
        ours = measure_dataset(arguments.name, _read(*arguments.annotations), arguments.images, arguments.threads)
        comparisons = [
            compare_datasets(ours, measure_dataset(name, _read(annotations), Path(images), arguments.threads))
            for name, annotations, images in others
        ]
    except (ConfigError, reader.CocoError) as error:
        print(error, file=sys.stderr)
        return 1
    json_files.write_json(arguments.out, distribution_json(ours, comparisons))
    distribution_page.write(arguments.page, ours, comparisons)
    return 0


def _require_distinct(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise ConfigError(f"compare: two sets have the same name, the data set included: {', '.join(names)}")


def _read(*paths: str | Path) -> list[reader.CocoFile]:
    return [reader.read_coco(path) for path in paths]


if __name__ == "__main__":
    sys.exit(main())
