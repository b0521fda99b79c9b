# SPDX-License-Identifier: Apache-2.0
"""Print the bytes that the workers of a loader share with nobody, after 15 and after 145 batches.

Arguments: a config, a COCO file whose images lie beside it, and the number of its annotations.
"""

import sys
from pathlib import Path

import psutil

from pipeline.coco import reader
from pipeline.config import config
from pipeline.data.dataset import TrainingDataset
from pipeline.data.loader import BatchLoader


def main() -> None:
    settings, annotations = config.read_config(sys.argv[1]).train, Path(sys.argv[2])
    annotated = reader.read_coco(annotations)
    dataset = TrainingDataset(annotated, annotations.parent, settings.augment, 0)
    for number, _ in enumerate(BatchLoader(dataset, settings, seed=0), 1):
        if number in (15, 145):
            print(sum(worker.memory_full_info().uss for worker in psutil.Process().children(recursive=True)))
    # The annotations are still in memory, and shared with the workers.
    assert len(annotated.annotations) == int(sys.argv[3])


if __name__ == "__main__":
    main()
