# SPDX-License-Identifier: Apache-2.0
# One training run: a model, its predictions, metrics and a page.

PROCESSES = cfg.train.processes
# Everything after -- belongs to the command; torchrun would take --log for an option of its own.
TORCHRUN = f"torch.distributed.run --standalone --nproc-per-node {PROCESSES} -m -- " if PROCESSES > 1 else ""
# Real sets that are trained or validated on: each COCO file with the folder of its images.
REAL_SETS = [*cfg.train.sources.values()]
if cfg.train.validation and cfg.train.validation.dataset:
    REAL_SETS.append(cfg.train.validation.dataset)


# The checkpoint is no output: Snakemake removes outputs before a job, and a killed run resumes from it.
rule train_model:
    input:
        annotations=f"{DATA}/annotations/train.json",
        val=f"{DATA}/annotations/val.json",
        images=SHARDS,
        real=[path for real in REAL_SETS for path in (real.annotations, real.images)],
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
        gpu=gpus_for(cfg.train.device, PROCESSES),
    params:
        stage="train",
        config=TrainConfig.from_config(cfg).as_text(),
        checkpoint=f"{RUN}/checkpoint",
        threads=lambda wildcards, threads: max(1, threads // PROCESSES),
    shell:
        f"stage {{params.stage:q}} {{log:q}} python -m {TORCHRUN}pipeline train --config {{params.config:q}}"
        f" --annotations {{input.annotations:q}} --val {{input.val:q}} --images {DATA} --out {{output.model:q}}"
        " --log {output.log:q} --checkpoint {params.checkpoint} --threads {params.threads}"


rule predict:
    input:
        model=f"{RUN}/model.pt",
        annotations=f"{DATA}/annotations/{{split}}.json",
        images=SHARDS,
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
        gpu=gpus_for(cfg.train.device),
    shell:
        "stage 'predict {wildcards.split}' {log:q} python -m pipeline predict --model {input.model:q}"
        f" --annotations {{input.annotations:q}} --images {DATA} --predictions {{output:q}}"
        f" --device {cfg.train.device} --threads {{threads}}"


rule evaluate:
    input:
        annotations=expand(f"{DATA}/annotations/{{split}}.json", split=SPLITS[1:]),
        images=SHARDS,
        predictions=expand(f"{RUN}/predictions/{{split}}.json", split=SPLITS[1:]),
    output:
        metrics=f"{RUN}/metrics.json",
        page=report(f"{RUN}/evaluation.html", category="Report"),
    log:
        f"{RUN}/logs/evaluate.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime="1h",
        gpu=0,
    params:
        sets=lambda wildcards, input: " ".join(
            f"--split {split} --annotations {annotations} --predictions {predictions}"
            for split, annotations, predictions in zip(SPLITS[1:], input.annotations, input.predictions)
        ),
    shell:
        f"stage evaluate {{log:q}} python -m pipeline evaluate {{params.sets}} --images {DATA}"
        " --out {output.metrics:q} --page {output.page:q}"


# Paths here and not `rules.X.output`: with those, Snakemake hashes the whole list of shards once for each shard.
rule report:
    input:
        annotations=ANNOTATIONS,
        images=SHARDS,
        predictions=expand(f"{RUN}/predictions/{{split}}.json", split=SPLITS[1:]),
        training=f"{RUN}/training.jsonl",
        metrics=f"{RUN}/metrics.json",
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
        config=ReportConfig.from_config(cfg).as_text(),
    shell:
        "stage report {log:q} python -m pipeline report --config {params.config:q}"
        f" --data {DATA} --run {RUN} --out {{output:q}}"
