# SPDX-License-Identifier: Apache-2.0
"""The rendering benchmark on a few tiny images."""

import re

import pytest

from tests.helpers.commands import run_cariste
from tests.helpers.paths import CONFIGS


@pytest.mark.slow
def test_the_time_of_each_step_and_a_plan_are_printed():
    sizes = (
        "--width",
        "64",
        "--height",
        "48",
        "--samples",
        "1",
        "--image-count",
        "2",
        "--jobs",
        "2",
        "--plan-images",
        "50000",
    )
    run = run_cariste("benchmark", "--config", CONFIGS / "ci.yaml", *sizes)
    assert run.exit_code == 0, run.stderr
    assert "One image of 64x48, 1 samples, on CPU" in run.stdout
    steps = dict(re.findall(r"^ +([a-z() A-Z]+?) +([\d.]+) s +[\d.]+%", run.stdout, re.MULTILINE))
    assert {"scene record", "build", "sync", "sample (Cycles)", "save", "decode", "verify", "rest"} < steps.keys()
    around = float(steps.pop("all but Cycles"))
    whole = float(re.search(r"all +([\d.]+) s", run.stdout)[1])
    assert sum(map(float, steps.values())) == pytest.approx(whole, abs=0.01)
    assert around == pytest.approx(whole - float(steps["sample (Cycles)"]), abs=0.002)
    assert re.search(r"2 at once +[\d,]+ images per hour +[\d.]+ times one job's", run.stdout)
    assert re.search(r"50,000 images in shards of 3 +[\d,.]+ core hours", run.stdout)


def test_an_image_that_cannot_be_rendered_says_why():
    run = run_cariste("benchmark", "--config", '{"render": {"device": "metal"}}', "--image-count", 1)
    assert run.exit_code == 2
    assert "render.device = metal: Cycles finds no such GPU here" in run.stderr
