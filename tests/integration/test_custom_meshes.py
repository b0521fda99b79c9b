# SPDX-License-Identifier: Apache-2.0
"""A mesh of the user in the whole pipeline, in a checkout of its own: from `assets/` to audited labels."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.record import provenance
from tests.helpers import snakemake_runs
from tests.helpers.paths import ROOT

# A low box with a post at its rear, in millimeters, z up: 1.5 m long, 0.6 m wide, 1.2 m high.
BOXES_MM = (((-750, 750), (-300, 300), (0, 250)), ((-750, -600), (-100, 100), (200, 1200)))
FACES = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))
ENTRY = {"file": "my_truck.obj", "category": "pallet_truck", "licence": "own work", "up": "z", "metres_per_unit": 0.001}
CONFIG = {
    "data": {"name": "custom", "images": 3, "shard_size": 3, "split": {"train": 1, "val": 1, "test": 1}},
    "layout": {"empty": 0},
    "trucks": {"count": 2, "custom_share": 1, "places": {"free": 1}},
    "people": {"count": 0},
    "goods": {"fill": 0.2},
    "camera": {"width": 128, "height": 96},
    "render": {"samples": 2, "verify_share": 1},
    "label": {"min_pixels": 1, "min_visible_fraction": 0},
}


def write_truck(path: Path) -> None:
    lines = ["mtllib paint.mtl", "usemtl paint"]
    for number, sides in enumerate(BOXES_MM):
        lines += [f"v {x} {y} {z}" for x in sides[0] for y in sides[1] for z in sides[2]]
        lines += ["f " + " ".join(str(corner + 8 * number) for corner in face) for face in FACES]
    path.write_text("\n".join(lines) + "\n")
    path.with_name("paint.mtl").write_text("newmtl paint\nKd 0.8 0.1 0.1\n")


def write_catalogue(checkout: Path, entry: dict) -> None:
    shipped = (ROOT / "assets/catalogue.yaml").read_text()
    (checkout / "assets/catalogue.yaml").write_text(f"{shipped}\n  my_truck: {json.dumps(entry)}\n")


def snakemake(checkout: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments, "--configfile", "custom.json"],
        capture_output=True,
        text=True,
        env=snakemake_runs.environment(checkout),
        cwd=checkout,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A checkout in which `snakemake dataset` has run with a custom truck."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "blender", "pipeline", "profiles", "rules"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "assets").mkdir()
    snakemake_runs.write_config(folder / "custom.json", **CONFIG)
    write_truck(folder / "assets/my_truck.obj")
    write_catalogue(folder, ENTRY)
    run = snakemake(folder, "dataset", "-j1")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_a_custom_mesh_appears_in_images_with_labels_that_pass_the_audit(checkout):
    data = checkout / "results/data/custom"
    annotations = [
        annotation
        for split in ("train", "val", "test")
        for annotation in json.loads((data / f"annotations/{split}.json").read_text())["annotations"]
    ]
    assert {(annotation["asset"], annotation["category_id"]) for annotation in annotations} == {("my_truck", 2)}
    assert sum(annotation["area"] > 50 for annotation in annotations) >= 2
    file = data / "annotations/provenance.json"
    recorded = provenance.read_provenance(file, provenance.AnnotationProvenance).assets["my_truck"]
    assert (recorded["licence"], recorded["file"]) == ("own work", "my_truck.obj")
    size_m = json.loads((checkout / "results/assets/my_truck.json").read_text())["parameters"]["size_m"]
    assert size_m == [1.5, 0.6, 1.2]
    assert "measure_asset" in snakemake_runs.rules_run(checkout)


def test_a_custom_mesh_has_a_preview(checkout):
    run = snakemake(checkout, "results/preview/my_truck.png", "-j1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (checkout / "results/preview/my_truck.png").stat().st_size > 20_000
    assert {"preview_records", "preview"} <= snakemake_runs.rules_run(checkout)


def test_only_the_content_of_the_file_and_how_it_is_read_trigger_a_rerun(checkout):
    def planned(*arguments: str) -> dict[str, int]:
        run = snakemake(checkout, "dataset", "-n", "--quiet", "rules", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return snakemake_runs.parse_job_counts(run.stdout + run.stderr)

    (checkout / "assets/my_truck.obj").touch()
    write_catalogue(checkout, ENTRY | {"licence": "CC0-1.0"})
    assert not planned()
    write_catalogue(checkout, ENTRY | {"forward": "-x"})
    assert planned().keys() >= {"measure_asset", "sample", "render", "label"}
    write_catalogue(checkout, ENTRY | {"max_triangles": 100})
    assert planned().keys() >= {"measure_asset", "sample", "render", "label"}
    write_catalogue(checkout, ENTRY)
    assert not planned()
    materials = checkout / "assets/paint.mtl"
    content = materials.read_text()
    materials.write_text(content.replace("0.8", "0.2"))
    assert planned().keys() >= {"measure_asset", "sample", "render", "label"}
    materials.write_text(content)
    assert not planned()


def test_a_wrong_entry_stops_the_run_before_anything_is_rendered(checkout):
    write_catalogue(checkout, {key: value for key, value in ENTRY.items() if key != "licence"})
    run = snakemake(checkout, "dataset", "-n")
    assert "custom.my_truck.licence: missing: name the license" in run.stdout + run.stderr
    write_catalogue(checkout, {key: value for key, value in ENTRY.items() if key != "metres_per_unit"})
    run = snakemake(checkout, "results/assets/my_truck.json", "-j1")
    assert run.returncode != 0
    assert "my_truck: it is 1500 x 600 x 1200 m" in run.stdout + run.stderr
    assert "set metres_per_unit: 0.001" in run.stdout + run.stderr
