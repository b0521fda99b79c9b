# SPDX-License-Identifier: Apache-2.0
"""The page of a tiny data set and training run that this test writes as the stages before the report do."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.coco import reader
from pipeline.common import image_files, json_files
from pipeline.common.vocabulary import SPLITS
from pipeline.config.config import validate
from pipeline.config.stages import ReportConfig
from pipeline.reports import run_records, run_report
from pipeline.viz.formatting import DASH
from tests.helpers.commands import run_cariste

CONFIG = {
    "data": {"name": "tiny", "images": 12, "shard_size": 6, "split": {"train": 9, "val": 1, "test": 2}},
    "camera": {"width": 64, "height": 48},
}
CATEGORIES = [{"id": 1, "name": "pedestrian"}, {"id": 2, "name": "pallet_truck"}]
BENCHMARK = "s\th:m:s\tmax_rss\n{}\t0:00:01\t{}\n"
SPLIT_OF = ("train",) * 8 + ("val",) * 2 + ("test",) * 2

AUDIT = {"silhouettes": True, "images": 12, "instances": 31, "hidden": 4, "outside": 3, "verified": 2}
AUDIT |= {"keypoints": 130, "visible_pixels": 14400, "boundary_pixels": 36, "largest_excess_px": 1, "quarantined": []}


def image_entry(index: int) -> dict:
    folder = f"shards/{index // 6:05d}"
    return {
        "id": index + 1,
        "index": index,
        "file_name": f"{folder}/images/{index:06d}.png",
        "instances": f"{folder}/instances/{index:06d}.png",
        "width": 64,
        "height": 48,
        "rig": "ceiling" if index == 3 else ("robot", "handheld")[index % 2],
        "layout": "aisle",
        "light": {"lamps": 2},
    }


def annotation_entry(number: int, index: int, category_id: int) -> dict:
    mask = np.zeros((48, 64), np.uint8)
    x = 4 if category_id == 1 else 36
    mask[10:40, x : x + 20] = 1
    return {
        "id": number,
        "image_id": index + 1,
        "category_id": category_id,
        "segmentation": reader.encode_mask(mask),
        "bbox": [x, 10, 20, 30],
        "area": 600,
        "iscrowd": 0,
        "visible_fraction": 0.9,
        "truncated": False,
        "distance_m": 3.5 + index,
        "asset": "person",
        "instance_id": category_id,
    }


def write_data(data: Path, with_objects: bool = True) -> None:
    generator = np.random.default_rng(0)
    documents = {name: {"images": [], "annotations": [], "categories": CATEGORIES} for name in SPLITS}
    for index, split in enumerate(SPLIT_OF):
        entry, document = image_entry(index), documents[split]
        document["images"].append(entry)
        (data / entry["file_name"]).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(data / entry["file_name"]), generator.integers(0, 255, (48, 64, 3), np.uint8))
        for category_id in (1, 2) if with_objects else ():
            document["annotations"].append(annotation_entry(len(document["annotations"]) + 1, index, category_id))
    for split, document in documents.items():
        json_files.write_json(data / f"annotations/{split}.json", document)
    json_files.write_json(data / "annotations/audit.json", AUDIT)
    seconds = {"build": 2.0, "sync": 1.0, "sample": 6.0, "save": 0.5, "decode": 0.5, "total": 10.0}
    for shard in ("00000", "00001"):
        versions = {"blender": "4.5.15 LTS"}
        record = {"images": 6, "device": "CPU", "versions": versions, "seconds": seconds}
        (data / f"shards/{shard}/shard.json").write_text(json.dumps(record))
        (data / "benchmarks/render").mkdir(parents=True, exist_ok=True)
        (data / f"benchmarks/render/{shard}.tsv").write_text(BENCHMARK.format(30, 650))


def write_run(run: Path, iterations: int = 40, with_objects: bool = True) -> None:
    (run / "benchmarks").mkdir(parents=True)
    (run / "benchmarks/train.tsv").write_text(BENCHMARK.format(60, 1234))
    lines = [{"device": "cpu", "trainable_parameters": 3312411}]
    for iteration in range(1, iterations + 1):
        losses = dict.fromkeys(run_records.LOSS_COLUMNS, 1 / iteration)
        lines.append({"iteration": iteration, **losses, "learning_rate": 0.02, "seconds": 0.9})
    (run / "training.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    truth = {"image_id": 11, "category_id": 2}
    mask = annotation_entry(1, 10, 2)["segmentation"]
    found = [{**truth, "bbox": [36, 10, 20, 30], "score": 0.83, "segmentation": mask}] if with_objects else []
    json_files.write_json(run / "predictions/test.json", found)
    json_files.write_json(run / "metrics.json", metrics(0.71, 0.62))


def metrics(pedestrian: float | None, pallet_truck: float | None) -> dict:
    def figures(value: float | None) -> dict:
        return {"AP": value, "AP50": value, "AP75": value}

    by_class = {"pedestrian": figures(pedestrian), "pallet_truck": figures(pallet_truck)}
    kinds = {kind: {**figures(pedestrian), **by_class} for kind in ("box", "mask")}
    return {split: {**kinds, "images": 2} for split in ("val", "test")}


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Path:
    """A folder with `data` and `run`; to be read only."""
    folder = tmp_path_factory.mktemp("results")
    write_data(folder / "data")
    write_run(folder / "run")
    return folder


@pytest.fixture
def results(written, tmp_path) -> Path:
    """A copy to break."""
    return shutil.copytree(written, tmp_path / "results")


@pytest.fixture(scope="session")
def page(written, tmp_path_factory) -> str:
    return make(written, tmp_path_factory.mktemp("page") / "report.html")


def tiny() -> ReportConfig:
    return ReportConfig.from_config(validate(CONFIG))


def make(results: Path, out: Path | None = None) -> str:
    out = out or results / "run/report.html"
    run_report.write_report(tiny(), results / "data", results / "run", out, "configs/tiny.yaml")
    return out.read_text()


class Outline(HTMLParser):
    """Collects ids and attributes and checks that every element that is opened is closed."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_holds_every_section_and_its_links_lead_there(page):
    outline = Outline(page)
    sections = {"images", "labels", "audit", "training", "precision", "predictions", "run"}
    assert sections <= set(outline.ids)
    links = {value.removeprefix("#") for tag, name, value in outline.attributes if (tag, name) == ("a", "href")}
    assert links == sections
    assert outline.open == []


def test_the_page_needs_no_other_file(page):
    assert not re.search(r"https?://|<link|<script|@import|@font-face", page)
    outline = Outline(page)
    sources = [value for _, name, value in outline.attributes if name in ("src", "srcset", "poster", "data")]
    assert sources
    assert all(value.startswith("data:image/jpeg;base64,") for value in sources)
    assert set(re.findall(r"url\((.)", page)) == {"#"}
    assert len(page) < 5_000_000


def test_the_page_has_a_dark_mode_and_a_viewport_for_phones(page):
    assert "prefers-color-scheme: dark" in page
    assert '<meta name="viewport"' in page
    used, defined = set(re.findall(r"var\((--[\w-]+)\)", page)), set(re.findall(r"(--[\w-]+):", page))
    assert used <= defined


def test_the_key_figures(page):
    values = re.findall(r'class="figure-value">([^<]+)', page)
    # Two shards of 30 s and 60 s of training.
    assert values == ["0.71", "0.62", "12", "24", "2.0"]


def test_images_of_every_rig_and_comparisons_of_the_test_split_are_shown(page):
    captions = re.findall(r"<figcaption>(\d{6}, [^<]+)", page)
    assert len(captions) == 8
    assert {caption.split(", ")[1] for caption in captions} == {"robot", "handheld", "ceiling"}
    assert page.count(", ground truth:</b> 1 pedestrian, 1 pallet truck") == 2
    assert re.findall(r"Predicted:</b> ([^<]+)", page) == ["1 pallet truck", "nothing"]
    assert page.count("<img ") == 8 + 2 * 2


def test_the_result_of_the_audit(page):
    assert "In all 12 labeled\nimages the masks lie inside these silhouettes or at most 1 px beside them" in page
    assert "31, of them 4 hidden by others and 3 outside the frame" in page
    assert "14\u202f400, of them 0.25% beside the silhouette" in page
    assert "2 objects; they differ by boundary pixels only" in page
    assert "130, all of them on visible pixels of their person" in page
    assert "No image failed the audit." in page


def quarantined_entry(index: int, drawings: list[str]) -> dict:
    return {"index": index, "shard": "00000", "reasons": ["instance 1: reason", "instance 2: x"], "drawings": drawings}


def test_images_that_failed_the_audit_are_counted_and_shown_with_their_reason(results):
    (results / "data/audit").mkdir()
    cv2.imwrite(str(results / "data/audit/000002-1.png"), np.zeros((40, 60, 3), np.uint8))
    entries = [quarantined_entry(2, ["audit/000002-1.png"]), quarantined_entry(5, ["audit/deleted.png"])]
    json_files.write_json(results / "data/annotations/audit.json", AUDIT | {"quarantined": entries})
    page = make(results)
    assert "2 images failed the audit" in page
    assert page.count(", shard 00000:</b> instance 1: reason (and 1 more)") == 2
    assert page.count("<img ") == 8 + 2 * 2 + 1
    assert page.count("The drawing was deleted.") == 1
    Outline(page)


def test_of_many_images_that_failed_the_audit_the_first_are_shown(results):
    entries = [quarantined_entry(index, []) for index in range(25)]
    json_files.write_json(results / "data/annotations/audit.json", AUDIT | {"quarantined": entries})
    page = make(results)
    assert "25 images failed the audit" in page
    assert "the first 10 are shown here" in page
    assert page.count(", shard 00000:</b>") == 10


def test_an_audit_that_was_switched_off_is_reported(results):
    json_files.write_json(results / "data/annotations/audit.json", AUDIT | {"silhouettes": False})
    assert "<code>label.audit</code> is off" in make(results)


@pytest.mark.parametrize("content", [{"images": 12}, AUDIT | {"more": 1}, []])
def test_a_file_that_is_not_an_audit_is_named(results, content):
    json_files.write_json(results / "data/annotations/audit.json", content)
    with pytest.raises(run_records.RunRecordError, match=r"audit\.json: not a file of the stage label"):
        make(results)


def test_every_chart_is_drawn(page):
    charts = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(charts) == 6 + len(run_report.TRAINING_CHARTS) + 3
    assert all(chart.count("<path") > 3 and chart.count("<text") > 3 for chart in charts)
    ids = Outline(page).ids
    assert len(ids) == len(set(ids))


def test_versions_times_and_config_are_shown(page):
    for fact in ("4.5.15 LTS", "torchvision", "snakemake", "3\u202f312\u202f411", "shard_size: 6"):
        assert fact in page
    assert re.search(r'<th scope="row">render</th><td>2</td><td>60.0</td>\s*<td>30.0</td><td>650</td>', page)
    assert "40% of the rendering time is not spent in Cycles sampling" in page


def test_the_same_inputs_give_the_same_page(results, page):
    assert make(results) == page
    assert sorted(path.name for path in (results / "run").glob("*report*")) == ["report.html"]


def test_null_is_shown_as_a_dash(results):
    json_files.write_json(
        results / "run/metrics.json", metrics(0.5, None) | {"val": metrics(None, None)["val"] | {"mask": None}}
    )
    page = make(results)
    assert re.findall(r'class="figure-value">([^<]+)', page)[1] == DASH
    assert page.count(f"<td>{DASH}</td>") == 18 + 6
    assert "None" not in page


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("data/annotations/val.json", "dataset"),
        ("data/annotations/audit.json", "dataset"),
        ("data/shards/00001/shard.json", "dataset"),
        ("data/benchmarks", "dataset"),
        ("run/training.jsonl", "train"),
        ("run/metrics.json", "train"),
        ("run/predictions/test.json", "train"),
        ("run/benchmarks", "train"),
    ],
)
def test_a_missing_input_is_named_with_the_command_that_makes_it(results, name, target):
    path = results / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(run_report.ReportError) as error:
        make(results)
    assert re.fullmatch(
        rf"{re.escape(str(path))}\S*: no such file; `snakemake -j4 {target} --configfile configs/tiny\.yaml` makes it",
        str(error.value),
    )
    assert not (results / "run/report.html").exists()


def test_a_former_page_stays_if_the_new_one_cannot_be_written(results):
    (results / "run/report.html").write_text("yesterday's")
    (results / "data" / image_entry(0)["file_name"]).unlink()
    with pytest.raises(image_files.ImageFileError, match=r"000000\.png: no such file"):
        make(results)
    assert (results / "run/report.html").read_text() == "yesterday's"


def test_a_missing_metric_is_named(results):
    short = metrics(0.5, 0.5)
    del short["test"]["box"]["pallet_truck"]
    json_files.write_json(results / "run/metrics.json", short)
    with pytest.raises(run_report.ReportError, match=r"metrics\.json: no test\.box\.pallet_truck\.AP50"):
        make(results)


def test_annotations_without_measurements_are_named(results):
    path = results / "data/annotations/train.json"
    document = json.loads(path.read_text())
    del document["annotations"][4]["distance_m"]
    json_files.write_json(path, document)
    with pytest.raises(run_report.ReportError, match=r"train\.json: annotation 5 has no distance_m"):
        make(results)


def test_images_without_objects_and_a_single_iteration_still_make_a_page(tmp_path):
    write_data(tmp_path / "data", with_objects=False)
    write_run(tmp_path / "run", iterations=1, with_objects=False)
    json_files.write_json(tmp_path / "run/metrics.json", metrics(None, None))
    page = make(tmp_path)
    assert page.count("<svg") == 6 + len(run_report.TRAINING_CHARTS) + 3
    assert "aisle: nothing" in page


def test_the_command_writes_the_page_and_names_a_missing_input(results):
    config = results / "tiny.yaml"
    config.write_text(json.dumps(CONFIG))
    folders = ("--data", results / "data", "--run", results / "run")
    command = ("report", "--config", config, *folders, "--out", results / "page.html")
    assert run_cariste(*command).exit_code == 0
    assert "</html>" in (results / "page.html").read_text()
    (results / "run/metrics.json").unlink()
    failed = run_cariste(*command)
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"{results / 'run/metrics.json'}: no such file; ")
    assert "Traceback" not in failed.stderr
