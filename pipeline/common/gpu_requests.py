# SPDX-License-Identifier: Apache-2.0
"""How many GPUs a job asks Snakemake for. Snakemake itself reads this, so nothing heavy is imported."""

from pathlib import Path

NVIDIA_DRIVER = Path("/dev/nvidiactl")


def requested_gpus(device: str, on_cluster: bool) -> int:
    """Return 1 if a job on this device needs a GPU for itself, otherwise 0.

    A GPU that is named needs one. `auto` needs one if the jobs run on this machine and it has an NVIDIA driver, so that
    not all jobs use its GPU at once. On a cluster, `auto` asks for none: whether the nodes have GPUs is not known here,
    and a job that asks for one where there is none would wait forever.
    """
    if device == "auto":
        return int(not on_cluster and NVIDIA_DRIVER.exists())
    return int(device != "cpu")
