# SPDX-License-Identifier: Apache-2.0
# From a config to a model and a page. This file checks the config and lists the targets; the rules are in rules/.
#
#   snakemake -j4 train                                      everything, for configs/quickstart.yaml
#   snakemake -j4 dataset --configfile configs/full.yaml     images and labels only, for another config
#
# measure_asset ─► sample ─► render ─► label ─► train_model ─► predict ─► evaluate ─► report
#                                        └─► distribution, yolo  └─► export
import logging
import os
import shlex
import sys
import time

from snakemake.utils import min_version

min_version("9.0")

ROOT = workflow.basedir
sys.path.insert(0, ROOT)

from pipeline.common.errors import CaristeError
from pipeline.common.gpu_requests import requested_gpus
from pipeline.common.vocabulary import SPLITS
from pipeline.config.config import with_changes
from pipeline.config.snakemake_config import read_snakemake_config
from pipeline.config.stages import (
    DistributionConfig,
    LabelConfig,
    ReportConfig,
    SampleConfig,
    StudyConfig,
    TrainConfig,
)
from pipeline.data.config_inputs import check_config_inputs
from pipeline.record import asset_catalogue
from pipeline.record.scene import GENERATOR_VERSION, shard_folder_name
from pipeline.scenes.assets import custom_meshes

# For make, the terminal shows the lines of our stages, and warnings and errors. `--quiet all` hides Snakemake's errors too.
if os.environ.get("CARISTE_QUIET"):
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.WARNING)

# A config that is named on the command line replaces the quickstart: it inherits nothing from it.
DEFAULT_CONFIG = f"{ROOT}/configs/quickstart.yaml"
if not workflow.overwrite_configfiles:

    configfile: DEFAULT_CONFIG


try:
    # Not Snakemake's `config`, which no longer knows what is text of --config and what is text in a file.
    cfg = read_snakemake_config(
        workflow.overwrite_configfiles or [DEFAULT_CONFIG], workflow.config_settings.config_args or []
    )
    CUSTOM_MESHES = custom_meshes.unmeasured_meshes_for_config(asset_catalogue.read_catalogue(), cfg)
    if workflow.is_main_process:
        check_config_inputs(cfg)
except CaristeError as error:
    print(error, file=sys.stderr)
    sys.exit(2)


def quoted(path):
    """Return a path for the shell, and for `format`, which `shell.prefix` is put through."""
    return shlex.quote(str(path)).replace("{", "{{").replace("}", "}}")


# Jobs run `python -m ...` with this interpreter, from any --directory and on any node. `stage NAME LOG COMMAND ...` runs
# a command with its whole output in the log, and prints one line when it is done. With a terminal, the progress of long
# stages is shown there too (pipeline/common/progress.py).
shell.prefix(
    f'set -euo pipefail; export PATH={quoted(os.path.dirname(sys.executable))}:"$PATH"'
    f" PYTHONPATH={quoted(ROOT)}; if [ -t 2 ]; then export CARISTE_TERMINAL=1; fi;"
    f" . {quoted(ROOT)}/rules/stage.sh; "
)

# Locally, as many GPUs as a training has processes are shared by the jobs that need one; `--resources gpu=2` overrules.
if not workflow.remote_exec and workflow.global_resources is not None:
    workflow.global_resources.setdefault("gpu", cfg.train.processes)


def gpus_for(device, processes=1):
    """Return a resource function. On a cluster, `auto` requests no GPU: configs for a cluster name the device."""
    return lambda wildcards: processes * requested_gpus(device, workflow.non_local_exec or workflow.remote_exec)


DATA = f"results/data/{cfg.data.name}"
RUN = f"results/runs/{cfg.run.name}"
STUDY = f"results/studies/{cfg.study.name}"
SHARDS = expand(f"{DATA}/shards/{{shard}}", shard=[shard_folder_name(number) for number in range(cfg.data.shards)])
ANNOTATIONS = expand(f"{DATA}/annotations/{{split}}.json", split=SPLITS)


wildcard_constraints:
    shard=r"\d{5}",
    split="|".join(SPLITS),


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


include: "rules/data.smk"
include: "rules/training.smk"
include: "rules/study.smk"
include: "rules/extras.smk"


STARTED = time.monotonic()


onsuccess:
    minutes, seconds = divmod(round(time.monotonic() - STARTED), 60)
    pages = [page for page in (f"{RUN}/report.html", f"{DATA}/distribution.html") if os.path.exists(page)]
    print(
        f"all done in {minutes} min {seconds} s{'; look at ' if pages else ''}{' and '.join(pages)}",
        file=sys.stderr,
    )
