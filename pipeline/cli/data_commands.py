# SPDX-License-Identifier: Apache-2.0
"""Commands that make, check, describe and convert a data set."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import options
from pipeline.cli.checked_command import refuse
from pipeline.cli.given_paths import GivenPath, Role, overwriting, recorder


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(
        "verify",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste verify results/data/quickstart",
    )(verify)
    app.command(
        "distribution",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste distribution --name mine --annotations mine.json --images my_images "
        "--compare warehouse real.json real_images --out distribution.json --page distribution.html",
    )(distribution)
    app.command(
        "yolo",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste yolo --data results/data/quickstart --out yolo",
    )(yolo)
    app.command(
        "benchmark",
        rich_help_panel=options.PLANNING,
        epilog="Example: cariste benchmark --config configs/quickstart.yaml --image-count 6 --jobs 1 --jobs 2 "
        "--plan-images 100000",
    )(benchmark)
    app.command(
        "sample",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste sample --config configs/quickstart.yaml --count 10 --out scenes.jsonl",
    )(sample)
    app.command(
        "preview-records",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste preview-records --asset hand_pallet_truck --out truck.jsonl",
    )(preview_records)
    app.command(
        "label",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste label --config configs/quickstart.yaml --data results/data/quickstart",
    )(label)


def sample(
    config: options.Config,
    count: Annotated[int, typer.Option("--count", min=1, max=options.MAX_IMAGES, help="Number of images.")],
    out: Annotated[Path, options.output_file("--out", help="Scene records to write, one JSON line per image.")],
    first: Annotated[int, typer.Option("--first", min=0, max=10**9, help="Index of the first image.")] = 0,
    custom_mesh: options.CustomMeshes = None,
    provenance: Annotated[
        Path | None,
        options.output_file("--provenance", help="Also write the provenance of the records: config, version, assets."),
    ] = None,
) -> None:
    """Sample scene records, which describe everything that is in each image. Nothing is rendered."""
    from pipeline.config.stages import SampleConfig, read_stage_config
    from pipeline.scenes import sample as scenes

    settings = read_stage_config(SampleConfig, config)
    scenes.sample_to_file(settings, range(first, first + count), custom_mesh or (), out, provenance)


def preview_records(
    asset: Annotated[
        str, typer.Option("--asset", help="Name of an asset in assets/catalogue.yaml, or `catalogue` for all of them.")
    ],
    out: Annotated[Path, options.output_file("--out", help="Scene records to write, for `python -m blender preview`.")],
    custom_mesh: options.CustomMeshes = None,
) -> None:
    """Write scene records that show one asset, or all of them. `make preview ASSET=NAME` also renders them."""
    from pipeline.scenes import asset_previews

    asset_previews.write_preview_records(asset, custom_mesh or (), out)


def label(
    config: options.Config,
    data: options.DataFolder,
    processes: options.Processes = 1,
) -> None:
    """Audit the rendered images and write their COCO annotations. Images that fail are left out and named."""
    from pipeline.config.stages import LabelConfig, read_stage_config
    from pipeline.labelling.label import label_dataset

    settings = read_stage_config(LabelConfig, config)
    counts = label_dataset(data, settings, processes)
    for split, (images, entries) in counts.items():
        typer.echo(f"{split}: {images} images, {entries} annotations")
    if quarantined := settings.data.images - sum(images for images, _ in counts.values()):
        noun = "image" if quarantined == 1 else "images"
        typer.echo(f"{quarantined} {noun} failed the audit: in no split, named in {data}/annotations/audit.json")


def verify(
    data: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the data set.", callback=recorder(Role.INPUT_FOLDER))
    ],
    processes: options.Processes = 1,
) -> None:
    """Check every file of a data set against its hash, and name what changed, is missing or does not belong there."""
    from pipeline.labelling.verify import verify_dataset

    if not verify_dataset(data, processes):
        raise typer.Exit(1)


def distribution(
    annotations: Annotated[
        list[Path], options.input_file("--annotations", help="COCO file of the set. Repeat for more splits.")
    ],
    images: options.Images,
    out: Annotated[Path, options.output_file("--out", help="JSON to write.")],
    page: Annotated[Path, options.output_file("--page", help="HTML page to write.")],
    name: Annotated[str, typer.Option("--name", help="What to call the set.")] = "this set",
    compare: Annotated[
        tuple[str, Path, Path] | None,
        typer.Option(
            "--compare",
            metavar="NAME FILE DIR",
            help="Another set: its name, COCO file and images.",
            callback=recorder(Role.INPUT),
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Config whose section `compare` names more sets.",
            callback=recorder(Role.CONFIG),
        ),
    ] = None,
    category: options.Categories = None,
    threads: Annotated[
        int,
        typer.Option("--threads", min=1, max=options.MAX_THREADS, help="Images that are read at the same time."),
    ] = 1,
) -> None:
    """Describe what a data set holds, and how it differs from others: sizes, counts, brightness."""
    from pipeline.coco.categories import CategoryMapping, parse_mapping
    from pipeline.config.stages import DistributionConfig, read_stage_config
    from pipeline.reports.distribution import ComparedSet, write_distribution

    named = read_stage_config(DistributionConfig, config).compare if config else {}
    others = {
        other: ComparedSet(
            Path(real.annotations),
            Path(real.images),
            CategoryMapping(real.categories, f"compare.{other}.categories"),
        )
        for other, real in named.items()
    }
    if compare:
        if compare[0] in others:
            raise typer.BadParameter(f"--compare: {compare[0]} is already in the config's section `compare`")
        others[compare[0]] = ComparedSet(*compare[1:])
    outputs = [GivenPath("--out", str(out), Role.OUTPUT_FILE), GivenPath("--page", str(page), Role.OUTPUT_FILE)]
    read = [GivenPath(f"the set {other}", str(files[0]), Role.INPUT_FILE) for other, files in others.items()]
    refuse(overwriting([*outputs, *read]))
    write_distribution(name, annotations, images, others, out, page, threads, parse_mapping(category or []))


def yolo(
    data: options.DataFolder,
    out: Annotated[Path, options.output_folder("--out", help="Folder to make.")],
    copy: Annotated[bool, typer.Option("--copy", help="Copy the images. Default: hard links, which take no space.")] = (
        False
    ),
) -> None:
    """Convert a data set to the format of Ultralytics YOLO segmentation."""
    import os
    import shutil

    from pipeline.coco import yolo_export

    for split, (images, instances) in yolo_export.convert(data, out, shutil.copyfile if copy else os.link).items():
        typer.echo(f"{split}: {images} images, {instances} instances")


def benchmark(
    config: options.Config,
    image_count: Annotated[
        int,
        typer.Option("--image-count", min=1, max=10_000, help="Images that each job renders."),
    ] = 6,
    jobs: Annotated[
        list[int] | None,
        typer.Option("--jobs", min=1, max=options.MAX_PROCESSES, help="A number of jobs to measure. Repeat for more."),
    ] = None,
    plan_images: Annotated[
        int | None,
        typer.Option(
            "--plan-images", min=1, max=10**9, help="Number of images to plan for. Default: that of the config."
        ),
    ] = None,
    width: Annotated[int | None, options.side("--width", help="In pixels, instead of that of the config.")] = None,
    height: Annotated[int | None, options.side("--height", help="In pixels, instead of that of the config.")] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=1, max=65536, help="Cycles samples, instead of those of the config.")
    ] = (None),
) -> None:
    """Measure how long rendering and labeling take on this machine, to plan a large data set."""
    from pipeline.benchmarks import rendering

    settings = rendering.benchmark_config(config, image_count, width, height, samples)
    rendering.run_benchmark(settings, config, jobs or [1, 2], plan_images)
