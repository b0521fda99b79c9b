# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as triangles, alone and on a face."""

import bpy
import numpy as np
import pytest

from blender.materials.lettering import text_triangles
from blender.materials.markings import BRANDS, side_faces


@pytest.mark.parametrize("text", [*BRANDS, "A 12", "FRAGILE"])
def test_text_is_centered_and_capitals_are_one_high(text, asset_cache):
    corners, faces = text_triangles(text)
    assert corners[:, 0].min() == pytest.approx(-corners[:, 0].max())
    np.testing.assert_allclose((corners[:, 1].min(), corners[:, 1].max()), (-0.5, 0.5), atol=0.03)
    assert len(faces) < 14 * len(text)
    assert not bpy.data.curves
    assert not bpy.data.meshes


def test_triangles_face_the_reader_and_holes_stay_open():
    corners, faces = text_triangles("EO")
    first, second, third = (corners[[face[k] for face in faces]] for k in range(3))
    areas = np.cross(second - first, third - first) / 2
    assert (areas > 0).all()
    area_of_o = areas.sum() - np.cross(*_edges("E")).sum() / 2
    # A filled O would be larger.
    assert 0.1 < area_of_o < 0.6


def _edges(text: str) -> tuple[np.ndarray, np.ndarray]:
    corners, faces = text_triangles(text)
    triangles = corners[np.array(faces)]
    return triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]


def test_text_on_a_face_lies_in_its_plane_and_keeps_to_its_length():
    face = side_faces((1.0, 2.0, 0.5))[0]
    (solid,) = face.text("HELIO", (0.1, 0.05), 0.2, 3)
    assert solid.slot == 3
    assert np.ptp(solid.vertices[:, 1]) <= (0.8 * 5 - 0.2) * 0.2 + 1e-9
    np.testing.assert_allclose(solid.vertices[:, 0], 0.5 + 0.0015)
    assert np.ptp(solid.vertices[:, 2]) == pytest.approx(0.2, rel=0.05)
