# SPDX-License-Identifier: Apache-2.0
"""Commands that train, use, score and convert a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import options
from pipeline.cli.given_paths import Role, recorder

if TYPE_CHECKING:
    from pipeline.inference.evaluate import Evaluation


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(
        "predict",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste predict --model results/runs/quickstart/model.pt --out found photo.jpg folder",
    )(predict)
    app.command(
        "evaluate",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste evaluate --model results/runs/quickstart/model.pt --annotations mine.json "
        "--images my_images --out metrics.json",
    )(evaluate)
    app.command(
        "export",
        rich_help_panel=options.EVERYDAY,
        epilog="Example: cariste export --model results/runs/quickstart/model.pt --out model.onnx --size 640 480",
    )(export)
    app.command(
        "train",
        rich_help_panel=options.STAGES,
        epilog="Example: cariste train --config configs/quickstart.yaml --images results/data/quickstart "
        "--annotations results/data/quickstart/annotations/train.json --out model.pt --log training.jsonl",
    )(train)
    app.command(
        "benchmark-training",
        rich_help_panel=options.PLANNING,
        epilog="Example: cariste benchmark-training --config configs/quickstart.yaml --instances 10 --instances 50",
    )(benchmark_training)


def train(
    config: options.Config,
    annotations: Annotated[Path, options.input_file("--annotations", help="COCO file with masks.")],
    images: options.Images,
    out: Annotated[Path, options.output_file("--out", help="Model file to write.")],
    log: Annotated[Path, options.output_file("--log", help="Training log to write, JSON lines.")],
    val: Annotated[
        Path | None,
        options.input_file("--val", help="COCO file for train.validation; its images are in --images too."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        options.output_folder(
            "--checkpoint",
            help="Folder of the checkpoints that a killed run resumes from. Default: checkpoint, beside --out.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, max=options.MAX_THREADS, help="Instead of train.threads of the config."),
    ] = None,
) -> None:
    """Train a model on a COCO file. The same command resumes a run that was killed."""
    import os

    from pipeline.cli.train_stage import run_train_stage
    from pipeline.config.stages import TrainConfig, read_stage_config

    _start_log("train", quiet=os.environ.get("RANK", "0") != "0")
    settings = read_stage_config(TrainConfig, config)
    run_train_stage(settings, annotations, images, out, log, checkpoint, val, threads)


def predict(
    model: options.Model,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGES", help="Images, or folders of images.", callback=recorder(Role.IMAGES)),
    ] = None,
    out: Annotated[
        Path | None, options.output_folder("--out", help="Folder for the results and the drawn copies of IMAGES.")
    ] = None,
    draw_threshold: Annotated[
        float,
        typer.Option(
            "--draw-threshold", min=0, max=1, help="Lowest confidence that is drawn.", callback=options.finite
        ),
    ] = 0.5,
    annotations: Annotated[
        Path | None, options.input_file("--annotations", help="COCO file that names the images, not IMAGES.")
    ] = None,
    images: Annotated[
        Path | None, options.input_folder("--images", help="Folder that the file names in it are relative to.")
    ] = None,
    predictions: Annotated[
        Path | None, options.output_file("--predictions", help="COCO results to write for --annotations.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Search the folders of IMAGES with the folders in them.")
    ] = False,
    category: options.Categories = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
) -> None:
    """Find pedestrians and pallet trucks in images.

    Give IMAGES and --out: writes COCO results and copies with masks drawn. Or give --annotations, --images and
    --predictions: writes COCO results for the images of a COCO file. If some images cannot be read, they are named, the
    others are predicted, and the exit code is 1.
    """
    of_images, of_coco_file = (inputs, out), (annotations, images, predictions)
    for_images = all(of_images) and not any(of_coco_file)
    if not for_images and (any(of_images) or not all(of_coco_file)):
        raise typer.BadParameter("give IMAGES and --out, or --annotations, --images and --predictions")
    if for_images and category:
        raise typer.BadParameter("--category is for the categories of a COCO file, with --annotations")
    from pipeline.coco.categories import parse_mapping
    from pipeline.common.devices import require_device, use_threads
    from pipeline.inference import predict as prediction

    _start_log("predict")
    mapping = parse_mapping(category or [])
    use_threads(threads)
    require_device(device)
    if for_images:
        all_read = prediction.predict_folder(model, inputs, out, device, draw_threshold, recursive)
    else:
        all_read = prediction.predict_coco_file(model, annotations, images, predictions, device, mapping)
    if not all_read:
        raise typer.Exit(1)


def evaluate(
    out: Annotated[Path, options.output_file("--out", help="JSON with the metrics to write.")],
    annotations: Annotated[list[Path], options.input_file("--annotations", help="COCO file with the ground truth.")],
    model: Annotated[Path | None, options.input_file("--model", help="Model file to score.")] = None,
    images: Annotated[
        Path | None,
        options.input_folder(
            "--images", help="Folder of the images. With --predictions it adds brightness, and images to the page."
        ),
    ] = None,
    predictions: Annotated[
        list[Path] | None, options.input_file("--predictions", help="COCO results to score, instead of --model.")
    ] = None,
    page: Annotated[
        Path | None, options.output_file("--page", help="HTML page to write: curves, errors, what is missed.")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            help="Name of a split. Repeat it with --annotations and --predictions to score several splits.",
            callback=options.distinct,
        ),
    ] = None,
    category: options.Categories = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
) -> None:
    """Score a model, or predictions, on any COCO file: AP, recall, precision and false alarms, with intervals.

    Only categories that the file declares count. If annotations have no `segmentation`, only boxes are scored.
    Regions with `iscrowd` are ignored.
    """
    results = predictions or []
    if bool(results) == bool(model and images) or (results and model):
        raise typer.BadParameter("give --model with --images, or --predictions")
    _require_equal_counts(annotations, results, split or [])
    from pipeline.coco.categories import parse_mapping
    from pipeline.common import json_files
    from pipeline.common.devices import require_device, use_threads
    from pipeline.inference import evaluate as evaluation

    _start_log("evaluate")
    mapping = parse_mapping(category or [])
    use_threads(threads)
    require_device(device)
    names = split or [str(annotations[0])]
    if results:
        sets = zip(names, annotations, results, strict=True)
        scored = {
            name: evaluation.evaluate_predictions(name, truth, found, images, mapping) for name, truth, found in sets
        }
    else:
        scored = {names[0]: evaluation.evaluate_model(model, annotations[0], images, device, mapping)}
    metrics = {name: each.metrics for name, each in scored.items()}
    json_files.write_json(out, metrics if split else metrics[names[0]])
    if page:
        _write_evaluation_page(page, scored)


def _write_evaluation_page(page: Path, scored: dict[str, "Evaluation"]) -> None:
    """Write the page of the scored sets, by name, with the worst errors of each."""
    from pipeline.reports import error_images, evaluation_page

    errors = {
        (f"{name}. {heading}" if len(scored) > 1 else heading): drawn
        for name, each in scored.items()
        for heading, drawn in error_images.worst_errors(
            each.ground_truth, each.files, each.detections, each.thresholds()
        ).items()
    }
    evaluations = [evaluation_page.Evaluation(name, each.metrics) for name, each in scored.items()]
    evaluation_page.write(page, evaluations, errors)


def _require_equal_counts(annotations: list[Path], predictions: list[Path], splits: list[str]) -> None:
    """Raise BadParameter unless every split has a file of annotations and a file of predictions."""
    several = splits or len(annotations) > 1
    if len(annotations) != (len(predictions) or 1) or (several and len(splits) != len(predictions)):
        raise typer.BadParameter("give one --annotations and one --predictions for each --split")


def export(
    model: options.Model,
    out: Annotated[Path, options.output_file("--out", help="NAME.onnx or NAME.torchscript.pt.")],
    size: Annotated[
        tuple[int, int],
        typer.Option(
            "--size", metavar="WIDTH HEIGHT", help="Size of the images, in pixels.", callback=options.image_size
        ),
    ] = (640, 480),
) -> None:
    """Convert a model to ONNX or TorchScript, and check that it finds the same as before."""
    from pipeline.inference import export as exporting
    from pipeline.models import detectors

    exporting.file_format(out)
    typer.echo(exporting.export(detectors.load(model), out, *size))


def benchmark_training(
    config: options.Config,
    instances: Annotated[
        list[int] | None, typer.Option("--instances", min=1, max=1000, help="Instances in each image. Repeat for more.")
    ] = None,
    width: Annotated[int, options.side("--width", help="Width of the images, in pixels.")] = 640,
    height: Annotated[int, options.side("--height", help="Height of the images, in pixels.")] = 480,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=1024, help="Images of a step.")] = 2,
    steps: Annotated[int, typer.Option("--steps", min=1, max=100_000, help="Steps that are counted.")] = 3,
    threads: Annotated[
        int, typer.Option("--threads", min=1, max=options.MAX_THREADS, help="Processor threads of torch.")
    ] = 1,
) -> None:
    """Compare a training step with torchvision's own: time and memory, in one run."""
    from pipeline.benchmarks import training

    training.run_benchmark(config, instances or [10, 50], (width, height), batch_size, steps, threads)


def _start_log(command: str, quiet: bool = False) -> None:
    """Log to stderr, with the name of the command. `quiet`: only errors, for all processes but the first."""
    import logging

    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, format=f"{command}: %(message)s")
