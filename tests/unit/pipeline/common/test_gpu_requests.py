# SPDX-License-Identifier: Apache-2.0
"""What Snakemake reserves for a job on each device."""

import pytest

from pipeline.common import gpu_requests


@pytest.mark.parametrize(
    ("device", "on_cluster", "has_driver", "expected"),
    [
        ("cpu", False, True, 0),
        ("cuda", False, False, 1),
        ("optix", True, False, 1),
        ("auto", False, True, 1),
        ("auto", False, False, 0),
        ("auto", True, True, 0),
    ],
)
def test_a_job_asks_for_a_gpu_that_is_named_or_that_this_machine_has(
    tmp_path, monkeypatch, device, on_cluster, has_driver, expected
):
    driver = tmp_path / "nvidiactl"
    if has_driver:
        driver.touch()
    monkeypatch.setattr(gpu_requests, "NVIDIA_DRIVER", driver)
    assert gpu_requests.requested_gpus(device, on_cluster) == expected
