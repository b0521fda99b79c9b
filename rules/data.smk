# SPDX-License-Identifier: Apache-2.0
# The data set: scene records, rendered shards, COCO annotations, and a page that describes them.


# A mesh of the user that this config can show: how large is it, and can that be right? What was assumed is printed too.
rule measure_asset:
    output:
        "results/assets/{asset}.json",
    log:
        "results/assets/{asset}.log",
    wildcard_constraints:
        asset="|".join(CUSTOM_MESHES) or "none",
    threads: 1
    resources:
        mem_mb=4000,
        runtime="30m",
        gpu=0,
    params:
        asset=lambda wildcards: CUSTOM_MESHES[wildcards.asset].model_dump_json(),
    shell:
        "stage 'measure {wildcards.asset}' {log:q} python -m blender measure --asset {params.asset:q} --out {output:q}"
        " && {{ grep '^measure: ' {log:q} >&2 || true; }}"


def custom_mesh_options(wildcards, input):
    return " ".join(f"--custom-mesh {shlex.quote(path)}" for path in input.custom)


# Everything that is in each image, before rendering.
rule sample:
    input:
        custom=expand("results/assets/{asset}.json", asset=CUSTOM_MESHES),
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
        config=SampleConfig.from_config(cfg).as_text(),
        first=lambda wildcards: int(wildcards.shard) * cfg.data.shard_size,
        images=lambda wildcards: cfg.data.images_in_shard(int(wildcards.shard)),
        generator=GENERATOR_VERSION,
        custom=custom_mesh_options,
    shell:
        "stage 'sample {wildcards.shard}' {log:q} python -m pipeline sample --config {params.config:q}"
        " --first {params.first} --count {params.images} {params.custom}"
        " --out {output.scenes:q} --provenance {output.provenance:q}"


# Images, id maps and silhouettes.
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
        gpu=gpus_for(cfg.render.device),
    shell:
        "stage 'render {wildcards.shard}' {log:q} python -m blender render --scenes {input.scenes:q}"
        f" --provenance {{input.provenance:q}} --out {{output:q}} --device {cfg.render.device} --threads {{threads}}"


# Checks every image, then writes COCO annotations by split.
rule label:
    input:
        SHARDS,
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
        config=LabelConfig.from_config(cfg).as_text(),
    shell:
        "stage label {log:q} python -m pipeline label --config {params.config:q}"
        f" --data {DATA} --processes {{threads}}"


# What the set holds, beside the real sets that `compare` names.
rule distribution:
    input:
        annotations=ANNOTATIONS,
        images=SHARDS,
        compared=[path for real in cfg.compare.values() for path in (real.annotations, real.images)],
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
        config=DistributionConfig.from_config(cfg).as_text(),
        annotations=" ".join(f"--annotations {path}" for path in ANNOTATIONS),
    shell:
        f"stage distribution {{log:q}} python -m pipeline distribution --name {cfg.data.name} --images {DATA}"
        " {params.annotations} --config {params.config:q} --out {output.json:q} --page {output.page:q}"
        " --threads {threads}"
