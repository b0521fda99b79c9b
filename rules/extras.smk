# SPDX-License-Identifier: Apache-2.0
# On demand: previews of assets, and other formats of the data set and the model.


# snakemake -j1 results/preview/hand_pallet_truck.png; catalogue.png shows all assets.
rule preview_records:
    input:
        custom=lambda wildcards: [
            f"results/assets/{name}.json" for name in CUSTOM_MESHES if wildcards.asset in (name, "catalogue")
        ],
    output:
        "results/preview/{asset}.jsonl",
    log:
        "results/preview/logs/{asset}-records.log",
    threads: 1
    resources:
        mem_mb=500,
        runtime="10m",
        gpu=0,
    params:
        custom=custom_mesh_options,
    shell:
        "stage 'records of '{wildcards.asset:q} {log:q} python -m pipeline preview-records --asset {wildcards.asset:q}"
        " {params.custom} --out {output:q}"


rule preview:
    input:
        rules.preview_records.output,
    output:
        "results/preview/{asset}.png",
    log:
        "results/preview/logs/{asset}.log",
    threads: 2
    resources:
        mem_mb=2000,
        runtime="30m",
        gpu=0,
    shell:
        "stage 'preview '{wildcards.asset:q} {log:q} python -m blender preview --record {input:q} --out {output:q}"
        " --threads {threads}"


# For Ultralytics.
rule yolo:
    input:
        annotations=ANNOTATIONS,
        images=SHARDS,
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
        f"stage yolo {{log:q}} python -m pipeline yolo --data {DATA} --out {{output:q}}"


# For a robot that has onnxruntime and no torch.
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
        "stage export {log:q} python -m pipeline export --model {input:q} --out {output:q}"
