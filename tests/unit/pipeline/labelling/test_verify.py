# SPDX-License-Identifier: Apache-2.0
"""An unchanged data set has no problems; every damage is found and named with its file."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.common import json_files
from pipeline.common.file_hash import sha256_of
from pipeline.config import config
from pipeline.config.stages import LabelConfig
from pipeline.labelling import verify
from pipeline.record import asset_catalogue, provenance
from pipeline.record.scene import GENERATOR_VERSION, Measurements, RenderedScene, image_file_name
from tests.helpers import records
from tests.helpers.commands import run_cariste
from tests.helpers.search import examples

G = GENERATOR_VERSION
SETTINGS = LabelConfig.from_config(config.validate({"data": {"images": 4, "shard_size": 2, "seed": 0}}))
SPLITS = {"train": [0, 1], "val": [2], "test": [3]}
NOT_HASHED = ("shard.json", ".snakemake_timestamp")
OCCURRING = ("carton", "hand_pallet_truck")


def write_shard(folder: Path, indices: list[int]) -> None:
    """Write a shard as rendering does. The content of the images does not matter here."""
    for index in indices:
        for name in (f"images/{index:06d}.png", f"instances/{index:06d}.png", f"silhouettes/{index:06d}.npz"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(f"{name} {'x' * 500}".encode())
    rendered = [RenderedScene(scene=records.record(index), measured=Measurements(instances=())) for index in indices]
    (folder / "scenes.jsonl").write_text("".join(f"{one.model_dump_json()}\n" for one in rendered))
    seal(folder, len(indices))


def seal(folder: Path, images: int, **changes: object) -> None:
    """Write the `shard.json` that fits the files."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_HASHED]
    catalogue = asset_catalogue.read_catalogue()
    assets = {name: asset.model_dump() for name, asset in catalogue.entries_of(OCCURRING).items()}
    facts = {
        "images": images,
        "versions": {"blender": "4.5"},
        "made_by": {"dataset_seed": 0, "generator_version": GENERATOR_VERSION, "assets": assets},
        "files": {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths},
    }
    (folder / "shard.json").write_text(json.dumps(facts | changes))


def write_annotations(data: Path) -> None:
    for split, indices in SPLITS.items():
        places = {index: f"shards/{index // 2:05d}" for index in indices}
        images = [
            {"id": index + 1, **{key: f"{place}/{folder}/{image_file_name(index)}" for key, folder in FOLDERS.items()}}
            for index, place in places.items()
        ]
        document = {"images": images, "annotations": [], "categories": []}
        json_files.write_json(data / f"annotations/{split}.json", document)
    json_files.write_json(data / "annotations/audit.json", {})
    counts = {split: (len(indices), 0) for split, indices in SPLITS.items()}
    given = SETTINGS.model_dump(mode="json")
    recorded = provenance.describe_annotations(
        given, SETTINGS.data.shards, data / "shards", data / "annotations", counts
    )
    json_files.write_json(data / "annotations/provenance.json", recorded)


FOLDERS = {"file_name": "images", "instances": "instances"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A complete data set: two shards of two images, three splits, Snakemake's time stamps."""
    for number in range(2):
        write_shard(tmp_path / f"data/shards/{number:05d}", [2 * number, 2 * number + 1])
        (tmp_path / f"data/shards/{number:05d}/.snakemake_timestamp").touch()
    write_annotations(tmp_path / "data")
    return tmp_path / "data"


def findings(data: Path) -> list[verify.Finding]:
    shards = verify.check_shards(data / "shards", 1)
    found = [finding for shard in shards for finding in shard.findings]
    return [*found, *verify.check_annotations(data, shards), *verify.find_leftovers(data)]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_unchanged_data_set_has_no_problem(data, processes):
    done = run_cariste("verify", data, "--processes", processes)
    assert done.exit_code == 0, done.stdout
    assert done.stdout.startswith("2 shards, 14 files, 0.0 MB in ")
    assert done.stdout.endswith(": no problems\n")
    assert "verify: 2 of 2 shards" in done.stderr


def edit(path: Path, change: Callable[[dict], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def flip(path: Path, place: int = 40) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)


def rewrite_records(shard: Path, change: Callable[[dict], object]) -> None:
    """Change the records of a shard and update its hashes, so that the hashes are right and the content is wrong."""
    lines = [json.loads(line) for line in (shard / "scenes.jsonl").read_text().splitlines()]
    for line in lines:
        change(line["scene"])
    (shard / "scenes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    seal(shard, len(lines))


def unlicense(facts: dict) -> None:
    facts["made_by"]["assets"]["carton"]["licence"] = ""


S0, S1 = "shards/00000", "shards/00001"
DAMAGES = {
    "a changed image": (lambda d: flip(d / S1 / "images/000002.png"), f"{S1}/images/000002.png: changed"),
    "a changed silhouette": (lambda d: flip(d / S0 / "silhouettes/000001.npz"), f"{S0}/silhouettes/000001.npz: chan"),
    "a missing id map": (lambda d: (d / S0 / "instances/000001.png").unlink(), f"{S0}/instances/000001.png: missing"),
    "an extra file": (lambda d: (d / S0 / "images/cat.png").touch(), f"{S0}/images/cat.png: extra"),
    "no scenes.jsonl": (lambda d: (d / S0 / "scenes.jsonl").unlink(), f"{S0}/scenes.jsonl: missing"),
    "no shard.json": (lambda d: (d / S0 / "shard.json").unlink(), f"{S0}/shard.json: .*No such file"),
    "half a shard.json": (lambda d: (d / S0 / "shard.json").write_text('{"pict'), f"{S0}/shard.json: .*invalid json"),
    "an older shard.json": (
        lambda d: edit(d / S0 / "shard.json", lambda facts: facts.pop("files")),
        f"{S0}/shard.json: .*files: field required",
    ),
    "half a record": (
        lambda d: (d / S0 / "scenes.jsonl").write_text('{"scene": {'),
        f"{S0}/scenes.jsonl: not a list of rendered scenes",
    ),
    "a number of images": (
        lambda d: edit(d / S0 / "shard.json", lambda facts: facts.update(images=3)),
        rf"{S0}/scenes.jsonl: holds the images \[0, 1\], shard.json says 3",
    ),
    "another index": (
        lambda d: rewrite_records(d / S0, lambda scene: scene.update(index=scene["index"] + 7)),
        f"{S0}/scenes.jsonl: its records and the files of the shard do not agree about images/000000.png",
    ),
    "another seed": (
        lambda d: rewrite_records(d / S0, lambda scene: scene.update(dataset_seed=9)),
        rf"{S0}/scenes.jsonl: \(seed, generator version\) is \[\(9, {G}\)\], made_by in shard.json says \(0, {G}\)",
    ),
    "annotations of another seed": (
        lambda d: edit(d / "annotations/provenance.json", lambda recorded: recorded.update(seed=9)),
        rf"{S0}: \(seed, generator version\) is \[\(0, {G}\)\], the annotations say \(9, {G}\)",
    ),
    "a shard from elsewhere": (
        lambda d: rewrite_records(d / S0, lambda scene: scene.update(layout="chaos")),
        f"{S0}: not the shard that the annotations were made from",
    ),
    "an asset without a license": (
        lambda d: edit(d / S0 / "shard.json", unlicense),
        f"{S0}/scenes.jsonl: assets without a license in shard.json: carton;",
    ),
    "a missing shard": (lambda d: shutil.rmtree(d / S1), f"{S1}: missing, but the annotations are made from it"),
    "an extra shard": (lambda d: write_shard(d / "shards/00002", [4, 5]), "shards/00002: extra: the annotations"),
    "a shard twice": (lambda d: shutil.copytree(d / S0, d / "shards/00007"), "shards: images 0, 1 are in more than"),
    "something among the shards": (lambda d: (d / "shards/notes.txt").touch(), "shards/notes.txt: extra: not a shard"),
    "no annotations": (lambda d: shutil.rmtree(d / "annotations"), "annotations/provenance.json: .*No such file"),
    "a changed COCO file": (lambda d: flip(d / "annotations/val.json"), "annotations/val.json: changed"),
    "a missing COCO file": (lambda d: (d / "annotations/val.json").unlink(), "annotations/val.json: missing"),
    "a changed audit": (lambda d: flip(d / "annotations/audit.json"), "annotations/audit.json: changed"),
    "an extra COCO file": (lambda d: (d / "annotations/mine.json").touch(), "annotations/mine.json: extra"),
    "half a COCO file": (
        lambda d: (d / "annotations/val.json").write_text('{"images": ['),
        "annotations/val.json: not a COCO file of the stage label",
    ),
    "an image left out": (
        lambda d: edit(d / "annotations/val.json", lambda document: document["images"].clear()),
        f"{S1}/images/000002.png: in no COCO file",
    ),
    "an image that is not there": (
        lambda d: edit(d / "annotations/val.json", lambda doc: doc["images"][0].update(file_name=f"{S1}/images/9.png")),
        f"{S1}/images/9.png: named by a COCO file, but not in the shard",
    ),
    "an image in two splits": (
        lambda d: shutil.copy(d / "annotations/val.json", d / "annotations/test.json"),
        f"{S1}/instances/000002.png: named 2 times",
    ),
    "a number of annotations": (
        lambda d: edit(d / "annotations/val.json", lambda document: document["annotations"].append({})),
        "annotations/val.json: has 1 images and 1 annotations, provenance.json says 1 and 0",
    ),
    "an asset of the set without a license": (
        lambda d: edit(d / "annotations/provenance.json", lambda recorded: recorded["assets"]["carton"].pop("licence")),
        "annotations/provenance.json: assets without a license: carton",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_named(data, damage):
    spoil, named = DAMAGES[damage]
    spoil(data)
    found = [finding for finding in findings(data) if not finding.harmless]
    assert any(re.match(named, str(finding)) for finding in found), "\n".join(map(str, found))


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_flipped_bit_anywhere_is_found(data, tmp_path, draw):
    names = [name.relative_to(data) for name in sorted(data.rglob("*")) if name.is_file() and name.name[0] != "."]
    name = draw.draw(st.sampled_from([name for name in names if name.name not in ("shard.json", "provenance.json")]))
    path = data / name
    whole = path.read_bytes()
    flip(path, draw.draw(st.integers(0, len(whole) - 1)))
    try:
        assert [finding for finding in findings(data) if finding.path == name.as_posix()]
    finally:
        path.write_bytes(whole)


def test_all_problems_are_listed_at_once_and_the_exit_code_is_1(data):
    flip(data / S0 / "images/000000.png")
    (data / S1 / "images/000003.png").unlink()
    done = run_cariste("verify", data)
    assert done.exit_code == 1
    first, second, last = done.stdout.splitlines()
    again = "and run snakemake dataset again"
    assert first == f"{S0}/images/000000.png: changed: its sha256 is not the one in shard.json; delete {S0} {again}"
    assert second == f"{S1}/images/000003.png: missing; delete {S1} {again}"
    assert last.endswith(": 2 problems")


def test_leftovers_of_a_killed_job_are_named_and_harmless(data):
    (data / "shards/.00003.growing/images").mkdir(parents=True)
    (data / "scenes").mkdir()
    (data / "scenes/00003.jsonl.part").touch()
    (data / ".annotations.4711").mkdir()
    done = run_cariste("verify", data)
    assert done.exit_code == 0
    for place in ("shards/.00003.growing", "scenes/00003.jsonl.part", ".annotations.4711"):
        assert f"note: {place}: incomplete" in done.stdout


def test_a_shard_rendered_by_hand_is_noted_and_harmless(data):
    seal(data / S0, 2, made_by=None)
    write_annotations(data)
    done = run_cariste("verify", data)
    assert done.exit_code == 0, done.stdout
    assert f"note: {S0}/shard.json: made_by is null" in done.stdout


def test_a_folder_that_is_not_a_data_set_is_an_error(tmp_path):
    done = run_cariste("verify", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{tmp_path}: not a data set" in done.stderr
