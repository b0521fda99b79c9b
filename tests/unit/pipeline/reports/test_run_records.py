# SPDX-License-Identifier: Apache-2.0
"""Reading the records of a run: sums over jobs and shards, and errors that name the file."""

import json

import pytest

from pipeline.reports import run_records

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
LOSSES = dict.fromkeys(run_records.LOSS_COLUMNS, 0.5)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def benchmark(path, seconds, memory):
    return write(path, f"{HEADER}{seconds}\t0:00:01\t{memory}\t0\t0\t0\t0\t0\t0\t0\n")


def shard_text(seconds, **changes):
    record = {"images": 2, "device": "CPU", "versions": {"blender": "4.5.15 LTS"}, "seconds": seconds}
    return json.dumps(record | changes)


def test_stages_are_summed_in_the_order_of_the_pipeline(tmp_path):
    benchmark(tmp_path / "run/train.tsv", 60.5, "1200.0")
    benchmark(tmp_path / "run/export.tsv", 1, "10")
    benchmark(tmp_path / "data/render/00000.tsv", 10, "500.5")
    benchmark(tmp_path / "data/render/00001.tsv", 20, "700.0")
    benchmark(tmp_path / "data/sample.tsv", 0.2, "NA")
    stages = run_records.read_stages(tmp_path / "data", tmp_path / "run", shards=["00000", "00001"])
    assert stages == [
        run_records.StageUsage("sample", 1, 0.2, 0.2, None),
        run_records.StageUsage("render", 2, 30, 20, 700.0),
        run_records.StageUsage("train", 1, 60.5, 60.5, 1200.0),
        run_records.StageUsage("export", 1, 1, 1, 10),
    ]


def test_shards_of_an_earlier_larger_data_set_do_not_count(tmp_path):
    for name in ("00000", "00001"):
        benchmark(tmp_path / f"render/{name}.tsv", 10, "500")
    (stage,) = run_records.read_stages(tmp_path, shards=["00000"])
    assert (stage.jobs, stage.seconds) == (1, 10)


def test_a_file_that_is_not_a_benchmark_is_named(tmp_path):
    write(tmp_path / "train.tsv", "seconds\n12\n")
    with pytest.raises(run_records.RunRecordError, match=r"train\.tsv: not a Snakemake benchmark"):
        run_records.read_stages(tmp_path, shards=[])


def test_shards_are_summed_and_the_rest_of_the_time_is_a_step_of_its_own(tmp_path):
    seconds = {"build": 1.0, "sample": 7.0, "total": 10.0}
    paths = [
        write(tmp_path / "0/shard.json", shard_text(seconds)),
        write(tmp_path / "1/shard.json", shard_text(seconds)),
    ]
    rendering = run_records.read_rendering(paths)
    assert rendering.images == 4
    assert rendering.seconds == {"build": 2.0, "sample": 14.0, "rest": 4.0}
    assert rendering.non_sampling_share == pytest.approx(0.3)
    assert rendering.versions == {"device": "CPU", "blender": "4.5.15 LTS"}


def test_shards_of_two_machines_show_both(tmp_path):
    seconds = {"sample": 1.0, "total": 1.0}
    first = write(tmp_path / "0/shard.json", shard_text(seconds))
    second = write(tmp_path / "1/shard.json", shard_text(seconds, device="CUDA: NVIDIA L4"))
    assert run_records.read_rendering([first, second]).versions["device"] == "CPU, CUDA: NVIDIA L4"


@pytest.mark.parametrize("text", [shard_text({"build": 1.0, "total": 1.0}), "[]", "{", '{"images": 2}'])
def test_a_broken_shard_record_is_named(tmp_path, text):
    path = write(tmp_path / "00000/shard.json", text)
    with pytest.raises(run_records.RunRecordError, match=r"00000/shard\.json: not"):
        run_records.read_rendering([path])


def training_lines(*iterations):
    return [json.dumps({"iteration": each, "learning_rate": 0.1, "seconds": 1.0} | LOSSES) for each in iterations]


def test_the_training_log_with_and_without_facts(tmp_path):
    plain = write(tmp_path / "plain.jsonl", "\n".join(training_lines(1, 2)))
    described = write(tmp_path / "described.jsonl", "\n".join(['{"device": "cpu"}', *training_lines(1, 2)]))
    assert run_records.read_training(plain).facts == {}
    assert run_records.read_training(described).facts == {"device": "cpu"}
    for path in (plain, described):
        assert run_records.read_training(path).columns["iteration"] == [1, 2]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"device": "cpu"}'], "holds no iteration"),
        ([], "holds no iteration"),
        ([*training_lines(1), '{"iteration": 2'], "line 2: not JSON"),
        (['{"iteration": 1, "loss": 2}'], "lines without loss_classifier"),
    ],
)
def test_a_broken_training_log_is_named(tmp_path, lines, message):
    path = write(tmp_path / "training.jsonl", "\n".join(lines))
    with pytest.raises(run_records.RunRecordError, match=rf"training\.jsonl: {message}"):
        run_records.read_training(path)


def test_this_process_and_machine_are_described():
    assert run_records.software_versions()["numpy"].startswith("1.26")
    assert int(run_records.machine_info()["Cores"]) >= 1
