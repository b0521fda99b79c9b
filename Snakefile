# SPDX-License-Identifier: Apache-2.0
# The road from a config to a page, read from top to bottom: one rule per station.
#
#   snakemake -j4 train                                      everything, for configs/quickstart.yaml
#   snakemake -j4 dataset --configfile configs/full.yaml     images and labels alone, for another config
import os
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

ROOT = workflow.basedir
sys.path.insert(0, ROOT)

from pipeline.config.config import GENERATOR_VERSION, ConfigError, parse_nested_yaml, validate, with_changes
from pipeline.record import asset_catalogue
from pipeline.scenes.assets import custom_meshes

# A config named on the command line stands alone; it does not inherit from the quickstart.
if not workflow.overwrite_configfiles:

    configfile: f"{ROOT}/configs/quickstart.yaml"


try:
    cfg = validate(parse_nested_yaml(config))
    OWN = custom_meshes.meshes_for_config(asset_catalogue.read_catalogue(), cfg)
except (ConfigError, asset_catalogue.CatalogueError) as error:
    raise WorkflowError(str(error)) from None

# Jobs run `python -m ...` with this interpreter, from any --directory, on any node. A prefix of one's own replaces
# Snakemake's, so it says again that a command which fails before `| tee` fails the job.
shell.prefix(f"set -euo pipefail; export PATH={os.path.dirname(sys.executable)}:$PATH PYTHONPATH={ROOT}; ")

# Locally, as many GPUs as a training has processes are shared by the jobs that need one; `--resources gpu=2` overrules.
if not workflow.remote_exec and workflow.global_resources is not None:
    workflow.global_resources.setdefault("gpu", cfg.train.processes)

DATA = f"results/data/{cfg.data.name}"
RUN = f"results/runs/{cfg.run.name}"
STUDY = f"results/studies/{cfg.study.name}"
SPLITS = ["train", "val", "test"]
ANNOTATIONS = expand(f"{DATA}/annotations/{{split}}.json", split=SPLITS)
SHARDS = [f"{number:05d}" for number in range(cfg.data.shards)]
RENDER_GPU = int(cfg.render.device not in ("cpu", "auto"))
TRAIN_GPU = int(cfg.train.device not in ("cpu", "auto"))
PROCESSES = cfg.train.processes
# After -- torchrun leaves options alone; it would take our --log for one of its own.
TORCHRUN = f"torch.distributed.run --standalone --nproc-per-node {PROCESSES} -m -- " if PROCESSES > 1 else ""
VALIDATED_ON = [cfg.train.validation.dataset.annotations] if cfg.train.validation and cfg.train.validation.dataset else []
# What a study's models are scored on: name -> annotations, folder of the images.
STUDY_SETS = {"test": (f"{DATA}/annotations/test.json", DATA)} | {
    name: (real.annotations, real.images) for name, real in cfg.compare.items()
}


wildcard_constraints:
    shard=r"\d{5}",
    split="train|val|test",


localrules:
    dataset,
    train,


rule train:
    default_target: True
    input:
        f"{RUN}/report.html",


rule dataset:
    input:
        ANNOTATIONS,
        f"{DATA}/distribution.html",


# Your own meshes, those of the catalogue that this config can show: how large is each, and can it be right?
rule measure_asset:
    output:
        "results/assets/{asset}.json",
    log:
        "results/assets/{asset}.log",
    wildcard_constraints:
        asset="|".join(OWN) or "none",
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
        gpu=0,
    params:
        asset=lambda wildcards: OWN[wildcards.asset].model_dump_json(),
    shell:
        "python -m blender measure --asset {params.asset:q} --out {output} 2>&1 | tee {log}"


rule sample:
    input:
        own=expand("results/assets/{asset}.json", asset=OWN),
    output:
        scenes=f"{DATA}/scenes/{{shard}}.jsonl",
        provenance=f"{DATA}/scenes/{{shard}}.json",
    log:
        f"{DATA}/logs/sample/{{shard}}.log",
    benchmark:
        f"{DATA}/benchmarks/sample/{{shard}}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime="1h",
        gpu=0,
    params:
        config=cfg.only(*cfg.image_keys),
        first=lambda wildcards: int(wildcards.shard) * cfg.data.shard_size,
        images=lambda wildcards: cfg.data.images_in_shard(int(wildcards.shard)),
        generator=GENERATOR_VERSION,
    shell:
        "python -m pipeline.scenes.sample --config {params.config:q} --first {params.first} --count {params.images}"
        " --own {input.own} --out {output.scenes} --provenance {output.provenance} 2>&1 | tee {log}"


rule render:
    input:
        scenes=rules.sample.output.scenes,
        provenance=rules.sample.output.provenance,
    output:
        directory(f"{DATA}/shards/{{shard}}"),
    log:
        f"{DATA}/logs/render/{{shard}}.log",
    benchmark:
        f"{DATA}/benchmarks/render/{{shard}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="4h",
        gpu=RENDER_GPU,
    shell:
        "python -m blender render --scenes {input.scenes} --provenance {input.provenance} --out {output}"
        f" --device {cfg.render.device} --threads {{threads}} 2>&1 | tee {{log}}"


# Not of the road: `snakemake -j1 results/preview/hand_pallet_truck.png`, or catalogue.png for all assets.
rule preview:
    input:
        own=lambda wildcards: [f"results/assets/{name}.json" for name in OWN if wildcards.asset in (name, "catalogue")],
    output:
        records="results/preview/{asset}.jsonl",
        sheet="results/preview/{asset}.png",
    log:
        "results/preview/{asset}.log",
    threads: 2
    resources:
        mem_mb=2000,
        runtime="30m",
        gpu=0,
    shell:
        "(python -m pipeline.scenes.asset_previews --asset {wildcards.asset} --own {input.own} --out {output.records}"
        " && python -m blender preview --record {output.records} --out {output.sheet} --threads {threads}) 2>&1 | tee {log}"


rule label:
    input:
        expand(f"{DATA}/shards/{{shard}}", shard=SHARDS),
    output:
        expand(f"{DATA}/annotations/{{name}}.json", name=[*SPLITS, "audit", "provenance"]),
    log:
        f"{DATA}/logs/label.log",
    benchmark:
        f"{DATA}/benchmarks/label.tsv"
    threads: 8
    resources:
        mem_mb=4000,
        runtime="4h",
        gpu=0,
    params:
        config=cfg.only("data", "label"),
    shell:
        f"python -m pipeline.labelling.label --config {{params.config:q}} --data {DATA} --processes {{threads}} 2>&1 | tee {{log}}"


rule distribution:
    input:
        annotations=ANNOTATIONS,
        real=[real.annotations for real in cfg.compare.values()],
    output:
        json=f"{DATA}/distribution.json",
        page=report(f"{DATA}/distribution.html", category="Data"),
    log:
        f"{DATA}/logs/distribution.log",
    benchmark:
        f"{DATA}/benchmarks/distribution.tsv"
    threads: 4
    resources:
        mem_mb=2000,
        runtime="1h",
        gpu=0,
    params:
        config=cfg.only("compare"),
    shell:
        f"python -m pipeline.reports.distribution --name {cfg.data.name} --annotations {{input.annotations}} --images {DATA}"
        " --config {params.config:q} --out {output.json} --page {output.page} --threads {threads} 2>&1 | tee {log}"


rule yolo:
    input:
        ANNOTATIONS,
    output:
        directory(f"{DATA}/yolo"),
    log:
        f"{DATA}/logs/yolo.log",
    benchmark:
        f"{DATA}/benchmarks/yolo.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="1h",
        gpu=0,
    shell:
        f"python -m pipeline.coco.yolo_export --data {DATA} --out {{output}} 2>&1 | tee {{log}}"


# The checkpoint is no output: Snakemake removes those before a job, and a killed run goes on from it.
rule train_model:
    input:
        annotations=f"{DATA}/annotations/train.json",
        mixed=[real.annotations for real in cfg.train.sources.values()],
        val=f"{DATA}/annotations/val.json",
        own=VALIDATED_ON,
    output:
        model=f"{RUN}/model.pt",
        log=f"{RUN}/training.jsonl",
        table=f"{RUN}/training.csv",
    log:
        f"{RUN}/logs/train.log",
    benchmark:
        f"{RUN}/benchmarks/train.tsv"
    threads: cfg.train.threads * PROCESSES
    resources:
        mem_mb=8000 * PROCESSES,
        runtime="24h",
        gpu=TRAIN_GPU * PROCESSES,
    params:
        config=cfg.only("run.seed", "model", "train"),
        checkpoint=f"{RUN}/checkpoint",
        threads=lambda wildcards, threads: max(1, threads // PROCESSES),
    shell:
        f"python -m {TORCHRUN}pipeline.training.train --config {{params.config:q}} --annotations {{input.annotations}}"
        f" --val {{input.val}} --images {DATA} --out {{output.model}} --log {{output.log}} --checkpoint {{params.checkpoint}}"
        " --threads {params.threads} 2>&1 | tee {log}"


# Not of the road: `snakemake -j1 export`, for a robot that has onnxruntime and no torch.
rule export:
    input:
        f"{RUN}/model.pt",
    output:
        f"{RUN}/model.onnx",
    log:
        f"{RUN}/logs/export.log",
    benchmark:
        f"{RUN}/benchmarks/export.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="1h",
        gpu=0,
    shell:
        "python -m pipeline.inference.export --model {input} --out {output} 2>&1 | tee {log}"


rule predict:
    input:
        model=f"{RUN}/model.pt",
        annotations=f"{DATA}/annotations/{{split}}.json",
    output:
        f"{RUN}/predictions/{{split}}.json",
    log:
        f"{RUN}/logs/predict-{{split}}.log",
    benchmark:
        f"{RUN}/benchmarks/predict-{{split}}.tsv"
    threads: cfg.train.threads
    resources:
        mem_mb=4000,
        runtime="2h",
        gpu=TRAIN_GPU,
    shell:
        f"python -m pipeline.inference.predict --model {{input.model}} --annotations {{input.annotations}} --images {DATA}"
        f" --predictions {{output}} --device {cfg.train.device} --threads {{threads}} 2>&1 | tee {{log}}"


rule evaluate:
    input:
        annotations=expand(f"{DATA}/annotations/{{split}}.json", split=["val", "test"]),
        predictions=expand(f"{RUN}/predictions/{{split}}.json", split=["val", "test"]),
    output:
        f"{RUN}/metrics.json",
    log:
        f"{RUN}/logs/evaluate.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="1h",
        gpu=0,
    shell:
        "python -m pipeline.inference.evaluate --split val {input.annotations[0]} {input.predictions[0]}"
        " --split test {input.annotations[1]} {input.predictions[1]} --out {output} 2>&1 | tee {log}"


rule report:
    input:
        annotations=ANNOTATIONS,
        predictions=rules.evaluate.input.predictions,
        training=rules.train_model.output.log,
        metrics=rules.evaluate.output,
    output:
        report(f"{RUN}/report.html", category="Report"),
    log:
        f"{RUN}/logs/report.log",
    benchmark:
        f"{RUN}/benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
        gpu=0,
    params:
        config=cfg.only(*type(cfg).model_fields),
    shell:
        f"python -m pipeline.reports.run_report --config {{params.config:q}} --data {DATA} --run {RUN}"
        " --out {output} 2>&1 | tee {log}"


# The same budget for every backbone, freezing policy and seed of `study`: what does freezing cost, what does it gain?
use rule train_model as study_train with:
    output:
        model=f"{STUDY}/runs/{{variant}}/model.pt",
        log=f"{STUDY}/runs/{{variant}}/training.jsonl",
        table=f"{STUDY}/runs/{{variant}}/training.csv",
    log:
        f"{STUDY}/logs/{{variant}}.log",
    benchmark:
        f"{STUDY}/runs/{{variant}}/train.tsv"
    params:
        config=lambda wildcards: with_changes(cfg, cfg.study.changes(wildcards.variant)).only("run.seed", "model", "train"),
        checkpoint=f"{STUDY}/runs/{{variant}}/checkpoint",
        threads=lambda wildcards, threads: max(1, threads // PROCESSES),


rule study_evaluate:
    input:
        model=rules.study_train.output.model,
        annotations=lambda wildcards: STUDY_SETS[wildcards.set][0],
    output:
        f"{STUDY}/runs/{{variant}}/{{set}}.json",
    log:
        f"{STUDY}/logs/{{variant}}-{{set}}.log",
    wildcard_constraints:
        set="|".join(STUDY_SETS),
    threads: cfg.train.threads
    resources:
        mem_mb=4000,
        runtime="2h",
        gpu=TRAIN_GPU,
    params:
        images=lambda wildcards: STUDY_SETS[wildcards.set][1],
    shell:
        "python -m pipeline.inference.evaluate --model {input.model} --annotations {input.annotations} --images {params.images:q}"
        f" --out {{output}} --device {cfg.train.device} --threads {{threads}} 2>&1 | tee {{log}}"


rule freeze_study:
    input:
        expand(f"{STUDY}/runs/{{variant}}/{{set}}.json", variant=cfg.study.variants(), set=STUDY_SETS),
        expand(f"{STUDY}/runs/{{variant}}/training.jsonl", variant=cfg.study.variants()),
    output:
        f"{STUDY}/study.csv",
        f"{STUDY}/study.json",
        report(f"{STUDY}/study.html", category="Study"),
    log:
        f"{STUDY}/logs/study.log",
    threads: 1
    resources:
        mem_mb=2000,
        runtime="30m",
        gpu=0,
    params:
        config=cfg.only("train", "study", "compare"),
    shell:
        f"python -m pipeline.reports.study --config {{params.config:q}} --runs {STUDY}/runs --out {STUDY} 2>&1 | tee {{log}}"
