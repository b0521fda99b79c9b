# SPDX-License-Identifier: Apache-2.0
# The freezing study: the same budget for every backbone, freezing policy and seed that `study` names.
#
#   snakemake -j1 freeze_study --configfile configs/quickstart.yaml configs/study.yaml

# What the models of a study are scored on: name -> COCO file, folder of its images, what to declare as input for them,
# its categories of other names.
STUDY_SETS = {"test": (f"{DATA}/annotations/test.json", DATA, SHARDS, {})} | {
    name: (real.annotations, real.images, [real.images], real.categories) for name, real in cfg.compare.items()
}


def variant_config(wildcards):
    changed = with_changes(cfg, cfg.study.changes(wildcards.variant))
    return TrainConfig.from_config(changed).as_text()


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
        stage="train {variant}",
        config=variant_config,
        checkpoint=f"{STUDY}/runs/{{variant}}/checkpoint",
        threads=lambda wildcards, threads: max(1, threads // PROCESSES),


rule study_evaluate:
    input:
        model=rules.study_train.output.model,
        annotations=lambda wildcards: STUDY_SETS[wildcards.set][0],
        images=lambda wildcards: STUDY_SETS[wildcards.set][2],
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
        gpu=gpus_for(cfg.train.device),
    params:
        images=lambda wildcards: STUDY_SETS[wildcards.set][1],
        categories=lambda wildcards: [
            part for names in STUDY_SETS[wildcards.set][3].items() for part in ("--category", "=".join(names))
        ],
    shell:
        "stage 'evaluate {wildcards.variant} on {wildcards.set}' {log:q} python -m pipeline evaluate"
        " --model {input.model:q} --annotations {input.annotations:q} --images {params.images:q} --out {output:q}"
        " {params.categories:q}"
        f" --device {cfg.train.device} --threads {{threads}}"


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
        config=StudyConfig.from_config(cfg).as_text(),
    shell:
        f"stage study {{log:q}} python -m pipeline study --config {{params.config:q}} --runs {STUDY}/runs --out {STUDY}"
