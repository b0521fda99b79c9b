# SPDX-License-Identifier: Apache-2.0
"""Station `label`: rendered shards become COCO annotations.

`python -m pipeline.label --config FILE.yaml --data results/data/NAME` reads the shards that the config names and writes
`annotations/{train,val,test}.json`. The files depend on shards and config alone: the same bytes on every run.
"""

import argparse
import math
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask
from PIL import Image
from pydantic import ValidationError

from pipeline import coco, config
from pipeline.progress import track
from pipeline.scene import MeasuredInstance, RenderedScene, Scene, Thing, picture_name, read_rendered, shard_name

CATEGORIES = ({"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck"})
CATEGORY_IDS = {category["name"]: category["id"] for category in CATEGORIES}
SPLITS = ("train", "val", "test")
LICENCE = "Rendered by Cariste; the licences of the assets in the pictures stand in its folder assets/."


class LabelError(Exception):
    """A shard that cannot be labelled; the message names the shard, the picture, the instance and the reason."""


def split_of(index: int, split: config.Split) -> str:
    """Return the split of a picture: its place in every `train + val + test` pictures in a row decides."""
    place = index % (split.train + split.val + split.test)
    return "train" if place < split.train else "val" if place < split.train + split.val else "test"


def label_picture(rendered: RenderedScene, ids: np.ndarray, rules: config.LabelSection) -> list[dict[str, Any]]:
    """Return the COCO annotations of one picture in the order of instance ids, still without `id`.

    `ids` is its map, uint16 (height, width): pixel = instance id, 0 = nothing.

    Raises:
        LabelError: map and record disagree about size, instances or their visible pixels.
    """
    _check_size(rendered, ids)
    pixels = np.bincount(ids.ravel())
    things = _labelled_things(rendered)
    measured = {instance.instance_id: instance for instance in rendered.measured.instances}
    _check_instances(pixels, things, measured)
    by_column = np.asfortranarray(ids)
    annotations = (
        _annotation(thing, measured[instance_id], by_column == instance_id, rules)
        for instance_id, thing in sorted(things.items())
        if _is_kept(measured[instance_id], rules)
    )
    return [{"image_id": rendered.scene.index + 1, **annotation} for annotation in annotations]


def _check_size(rendered: RenderedScene, ids: np.ndarray) -> None:
    wanted = rendered.scene.render
    if ids.shape != (wanted.height, wanted.width):
        height, width = ids.shape
        raise LabelError(f"the id map is {width}x{height}, the record says {wanted.width}x{wanted.height}")


def _labelled_things(rendered: RenderedScene) -> dict[int, Thing]:
    """Return the objects that have an instance id, by it."""
    things = [thing for thing in rendered.scene.objects if thing.instance_id]
    repeated = [str(number) for number, count in Counter(thing.instance_id for thing in things).items() if count > 1]
    if repeated:
        raise LabelError(f"instance {', '.join(repeated)}: the record gives this id to more than one object")
    for thing in things:
        if thing.category is None:
            raise LabelError(f"instance {thing.instance_id}: {thing.name} has an id and no category")
    return {thing.instance_id: thing for thing in things}


def _check_instances(pixels: np.ndarray, things: dict[int, Thing], measured: dict[int, MeasuredInstance]) -> None:
    """Check that the id map (`pixels`: how many of each id), the objects and the measurements are of one picture."""
    strangers = set(np.flatnonzero(pixels).tolist()) - {0} - things.keys()
    if strangers:
        number = min(strangers)
        raise LabelError(f"instance {number}: {pixels[number]} pixels of the id map, and not in the record")
    if measured.keys() != things.keys():
        number = min(measured.keys() ^ things.keys())
        fault = "measured, and not among the objects" if number in measured else "an object, and not measured"
        raise LabelError(f"instance {number}: {fault}")
    for number, instance in sorted(measured.items()):
        found = int(pixels[number]) if number < len(pixels) else 0
        if found != instance.visible_pixels:
            raise LabelError(
                f"instance {number}: {found} pixels in the id map, {instance.visible_pixels} visible ones in the record"
            )


def _visible_fraction(instance: MeasuredInstance) -> float:
    # The two counts come from different samples: an object in plain view may show a pixel more than the whole has.
    return instance.visible_pixels / max(instance.whole_pixels, instance.visible_pixels)


def _is_kept(instance: MeasuredInstance, rules: config.LabelSection) -> bool:
    enough_pixels = instance.visible_pixels >= max(rules.min_pixels, 1)
    return enough_pixels and _visible_fraction(instance) >= rules.min_visible_fraction


def _is_crowd(instance: MeasuredInstance, rules: config.LabelSection) -> bool:
    too_small = instance.visible_pixels < rules.crowd_pixels
    return too_small or _visible_fraction(instance) < rules.crowd_visible_fraction


def _annotation(
    thing: Thing, instance: MeasuredInstance, mask: np.ndarray, rules: config.LabelSection
) -> dict[str, Any]:
    segmentation = coco.encode(mask)
    return {
        "category_id": CATEGORY_IDS[thing.category],
        "segmentation": segmentation,
        "area": int(coco_mask.area(segmentation)),
        "bbox": [int(side) for side in coco_mask.toBbox(segmentation)],
        "iscrowd": int(_is_crowd(instance, rules)),
        "visible_fraction": round(_visible_fraction(instance), 4),
        "truncated": instance.truncated,
        "distance_m": round(instance.distance_m, 3),
        "asset": thing.asset,
        "instance_id": thing.instance_id,
    }


def describe_image(rendered: RenderedScene, shard: str) -> dict[str, Any]:
    """Return a picture's entry in `images`; its files are named relative to the folder of the data set."""
    scene = rendered.scene
    name = picture_name(scene.index)
    return {
        "id": scene.index + 1,
        "file_name": f"shards/{shard}/images/{name}",
        "instances": f"shards/{shard}/instances/{name}",
        "width": scene.render.width,
        "height": scene.render.height,
        "index": scene.index,
        "rig": scene.camera.rig,
        "layout": scene.layout,
        "light": {
            "lamps": len(scene.lamps),
            "power_w": round(math.fsum(lamp.power_w for lamp in scene.lamps), 3),
            "exposure_ev": scene.render.exposure_ev,
        },
    }


def label_shard(number: int, shards: Path, settings: config.Config) -> list[tuple[dict, list[dict]]]:
    """Return (image, annotations) of every picture of a shard, in order.

    Raises:
        LabelError: the shard is missing, is not what the config describes, or holds a picture that cannot be labelled.
    """
    shard = shards / shard_name(number)
    labelled = []
    for rendered in _records(shard, number, settings.data):
        name = picture_name(rendered.scene.index)
        try:
            image = describe_image(rendered, shard.name)
            _check_picture(shard / "images" / name, image["width"], image["height"])
            annotations = label_picture(rendered, _read_ids(shard / "instances" / name), settings.label)
        except LabelError as error:
            raise LabelError(f"shard {shard}, picture {rendered.scene.index}: {error}; render it again") from None
        labelled.append((image, annotations))
    return labelled


def _records(shard: Path, number: int, data: config.Data) -> list[RenderedScene]:
    """Read the shard's records and check that they are the ones that the config names."""
    try:
        records = read_rendered(shard / "scenes.jsonl")
    except FileNotFoundError as error:
        raise LabelError(f"shard {shard}: {error.filename} is missing; render the shard first") from None
    except ValidationError as error:
        raise LabelError(f"shard {shard}: scenes.jsonl is not a list of rendered scenes: {error}") from None
    _check_records([record.scene for record in records], number, data, shard)
    return records


def _check_records(scenes: list[Scene], number: int, data: config.Data, shard: Path) -> None:
    indices = [scene.index for scene in scenes]
    first = number * data.shard_size
    wanted = list(range(first, first + data.pictures_in_shard(number)))
    if indices != wanted:
        held = f"{len(indices)} pictures from {indices[0]} to {indices[-1]}" if indices else "no pictures"
        raise LabelError(
            f"shard {shard}: holds {held}, the config asks for {len(wanted)} from {wanted[0]} to {wanted[-1]}; "
            "render it again"
        )
    for scene in scenes:
        if (scene.dataset_seed, scene.generator_version) != (data.seed, config.GENERATOR_VERSION):
            raise LabelError(
                f"shard {shard}, picture {scene.index}: made with seed {scene.dataset_seed} by generator "
                f"{scene.generator_version}, wanted seed {data.seed}, generator {config.GENERATOR_VERSION}; "
                "render it again"
            )


def _check_picture(path: Path, width: int, height: int) -> None:
    """Check that a picture is a whole 8-bit RGB PNG of this size: by its checksums, 15 times as fast as decoding."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            mode, size = picture.mode, picture.size
            picture.verify()
    except FileNotFoundError:
        raise LabelError(f"{path} is missing") from None
    except (OSError, SyntaxError) as error:
        raise LabelError(f"{path} is corrupt ({error})") from None
    if mode != "RGB" or size != (width, height):
        raise LabelError(f"{path} is {mode} {size[0]}x{size[1]}, the record says RGB {width}x{height}")


def _read_ids(path: Path) -> np.ndarray:
    """Read an id map, uint16 (height, width)."""
    if not path.exists():
        raise LabelError(f"{path} is missing")
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if ids is None:
        raise LabelError(f"{path} is corrupt")
    if ids.dtype != np.uint16 or ids.ndim != 2:
        raise LabelError(f"{path} is no 16-bit grey picture but {ids.dtype} of shape {ids.shape}")
    return ids


def label_shards(shards: Path, settings: config.Config, processes: int = 1) -> Iterator[tuple[dict, list[dict]]]:
    """Yield (image, annotations) of all pictures in order of their index; the order of the work changes nothing."""
    numbers = range(settings.data.shards)
    work = partial(label_shard, shards=shards, settings=settings)
    if processes == 1:
        for number in numbers:
            yield from work(number)
        return
    with ProcessPoolExecutor(processes) as pool:
        for labelled in pool.map(work, numbers):
            yield from labelled


def collect(pictures: Iterator[tuple[dict, list[dict]]], data: config.Data) -> dict[str, dict[str, Any]]:
    """Sort labelled pictures into one COCO document per split and number the annotations of each from 1."""
    documents = {split: _empty_document(split, data) for split in SPLITS}
    for image, annotations in pictures:
        document = documents[split_of(image["index"], data.split)]
        document["images"].append(image)
        for annotation in annotations:
            document["annotations"].append({"id": len(document["annotations"]) + 1, **annotation})
    return documents


def _empty_document(split: str, data: config.Data) -> dict[str, Any]:
    info = {
        "name": data.name,
        "split": split,
        "seed": data.seed,
        "generator_version": config.GENERATOR_VERSION,
        "licence": LICENCE,
    }
    return {"info": info, "images": [], "annotations": [], "categories": list(CATEGORIES)}


def write_annotations(documents: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write one file per split. The folder is filled aside and put in place at once: all of the files, or none."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    replaced = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    aside.mkdir(parents=True)
    try:
        for split, document in documents.items():
            coco.write(aside / f"{split}.json", document)
        if folder.exists():
            folder.rename(replaced)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.label", description=__doc__)
    parser.add_argument("--config", required=True, help="YAML file, or its text")
    parser.add_argument("--data", required=True, type=Path, help="folder of the data set; holds shards/")
    parser.add_argument("--processes", type=int, default=1, help="shards read at a time")
    arguments = parser.parse_args()
    try:
        settings = config.read(arguments.config)
        pictures = label_shards(arguments.data / "shards", settings, arguments.processes)
        documents = collect(track(pictures, settings.data.pictures, "label"), settings.data)
    except (config.ConfigError, LabelError) as error:
        print(error, file=sys.stderr)
        return 1
    write_annotations(documents, arguments.data / "annotations")
    for split, document in documents.items():
        print(f"{split}: {len(document['images'])} pictures, {len(document['annotations'])} annotations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
