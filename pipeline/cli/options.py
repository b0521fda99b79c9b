# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    str,
    typer.Option(
        "--config", metavar="FILE", help="Config: a YAML file. Or JSON text with all keys that the stage needs."
    ),
]
DataFolder = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the data set.")]
Images = Annotated[
    Path, typer.Option("--images", metavar="DIR", help="Folder that the file names in the COCO file are relative to.")
]
Model = Annotated[Path, typer.Option("--model", metavar="FILE", help="Model file (model.pt) that `train` wrote.")]
Device = Annotated[
    str, typer.Option("--device", help="auto (a GPU if there is one), cpu, cuda or mps. A missing GPU is an error.")
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads. Default: all.")]
Processes = Annotated[int, typer.Option("--processes", min=1, help="Shards that are read at the same time.")]
CustomMeshes = Annotated[
    list[Path] | None,
    typer.Option(
        "--custom-mesh",
        metavar="FILE",
        help="A mesh of yours: JSON that `python -m blender measure` wrote. Repeat for more.",
    ),
]

EVERYDAY, STAGES, PLANNING = "Everyday", "Stages of the pipeline (Snakemake calls these)", "Planning and checking"
