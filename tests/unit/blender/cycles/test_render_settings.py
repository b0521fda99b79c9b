# SPDX-License-Identifier: GPL-3.0-or-later
"""White balance, and the memory of a render job."""

import json
import subprocess
import sys

import bpy
import numpy as np
import pytest

from blender.cycles import exr_passes, render_settings
from blender.shards import build_scene
from pipeline.record.scene import AmbientLight
from tests.helpers import records
from tests.helpers.paths import ROOT


def luma_and_cast(folder, color_rgb, strength):
    """Render a gray hall under light of this color; return mean luma and mean red minus mean blue, 0 to 255."""
    lit = records.record(0, width=64, height=48)
    lamps = [lamp.model_copy(update={"color_rgb": color_rgb}) for lamp in lit.lamps]
    lit = lit.model_copy(update={"lamps": tuple(lamps), "ambient": AmbientLight(color_rgb=color_rgb, strength=0.2)})
    record = json.loads(lit.model_dump_json())
    built = build_scene.build_scene(record)
    render_settings.configure(record["render"], "cpu", 2)
    render_settings.render(folder / "passes.exr")
    if strength is not None:
        render_settings.balance_white(exr_passes.read_passes(folder / "passes.exr", set(built.roots)).color, strength)
    render_settings.save_image(folder / "image.png")
    red, green, blue = render_settings.load_image(folder / "image.png").reshape(-1, 3).mean(axis=0)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue, red - blue


def test_white_balance_removes_the_cast_and_keeps_the_brightness(tmp_path):
    luma, cast = luma_and_cast(tmp_path, (1.0, 0.7, 0.35), None)
    half_luma, half_cast = luma_and_cast(tmp_path, (1.0, 0.7, 0.35), 0.5)
    whole_luma, whole_cast = luma_and_cast(tmp_path, (1.0, 0.7, 0.35), 1.0)
    assert cast > 25
    assert 0.3 * cast < half_cast < 0.7 * cast
    assert abs(whole_cast) < 0.2 * cast
    assert (half_luma, whole_luma) == pytest.approx((luma, luma), rel=0.1)
    assert luma_and_cast(tmp_path, (1.0, 0.7, 0.35), 0.0) == pytest.approx((luma, cast), abs=0.01)


def test_the_correction_of_white_balance_is_limited(tmp_path):
    _, without = luma_and_cast(tmp_path, (1.0, 0.1, 0.02), None)
    _, cast = luma_and_cast(tmp_path, (1.0, 0.1, 0.02), 1.0)
    assert 0.15 * without < cast < without


def test_a_black_image_stays_black():
    render_settings.balance_white(np.zeros((4, 4, 3), np.float32), 1.0)
    white = bpy.context.scene.view_settings.curve_mapping.white_level
    assert np.isfinite(white).all()
    assert min(white) > 0


@pytest.mark.slow
def test_many_exposures_need_no_more_memory(tmp_path):
    record = records.record(0, width=32, height=24).model_dump_json()
    done = subprocess.run(
        [sys.executable, "-m", "tests.programs.exposure_memory", record, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    held = json.loads(done.stdout.splitlines()[-1])
    assert held[-1] - held[5] < 40  # with OpenColorIO's cache: 4 MB more for every exposure
