# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from blender.vehicles.masts import Mast, fork_carriage, mast_channel, mast_fork


def limits(solids) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([solid.vertices for solid in solids])
    return points.min(axis=0), points.max(axis=0)


def test_a_mast_fills_its_limits_and_is_open_in_the_middle():
    low, high = limits(Mast((0.1, 0.27), 0.31, (0.08, 2.2)).solids())
    np.testing.assert_allclose(low, (0.1, -0.31, 0.08), atol=1e-3)
    np.testing.assert_allclose(high, (0.27, 0.31, 2.2), atol=1e-3)
    upright = mast_channel((0.1, 0.25), 0.31, 0.06, (0.08, 2.2), 0)
    assert upright.vertices[:, 1].min() == pytest.approx(0.25)
    assert len(upright.vertices) == 16  # a C-section, not a bar


@pytest.mark.parametrize("lift", [0.03, 0.4])
def test_a_fork_has_a_flat_lower_side_and_a_thin_tip(lift):
    points = mast_fork((0.5, 1.6), 0.26, lift, 0.11).vertices
    assert points[:, 0].min() == 0.5
    assert points[:, 0].max() == 1.6
    np.testing.assert_allclose(np.unique(points[:, 1].round(4)), (0.205, 0.315))
    assert points[:, 2].min() == pytest.approx(lift)
    tip = points[points[:, 0] > 1.59]
    assert np.ptp(tip[:, 2]) < 0.02
    assert points[points[:, 0] > 0.6][:, 2].max() == pytest.approx(lift + 0.04)


def test_a_carriage_has_a_backrest_only_if_it_has_a_height():
    bare, barred = (fork_carriage((0.4, 0.45), 0.5, 0.05, backrest) for backrest in (0.0, 1.2))
    assert limits(bare)[1][2] < 0.6
    assert limits(barred)[1][2] == pytest.approx(1.2, abs=0.02)
    assert len(barred) > len(bare) + 5
