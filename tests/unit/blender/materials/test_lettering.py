# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.materials.lettering import text_triangles
from blender.materials.markings import BRANDS, side_faces


@pytest.mark.parametrize("text", [*BRANDS, "A 12", "FRAGILE"])
def test_words_are_centred_and_capitals_are_one_high(text, asset_cache):
    corners, faces = text_triangles(text)
    assert corners[:, 0].min() == pytest.approx(-corners[:, 0].max())
    np.testing.assert_allclose((corners[:, 1].min(), corners[:, 1].max()), (-0.5, 0.5), atol=0.03)
    assert len(faces) < 14 * len(text)
    assert not bpy.data.curves
    assert not bpy.data.meshes


def test_letters_look_towards_the_reader_and_differ():
    corners, faces = text_triangles("EO")
    first, second, third = (corners[[face[k] for face in faces]] for k in range(3))
    areas = np.cross(second - first, third - first) / 2
    assert (areas > 0).all()
    ring = areas.sum() - np.cross(*_edges("E")).sum() / 2
    assert 0.1 < ring < 0.6  # the hole of an O stays open


def _edges(text: str) -> tuple[np.ndarray, np.ndarray]:
    corners, faces = text_triangles(text)
    triangles = corners[np.array(faces)]
    return triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]


def test_a_word_lies_on_its_face_within_its_length():
    face = side_faces((1.0, 2.0, 0.5))[0]
    (word,) = face.text("HELIO", (0.1, 0.05), 0.2, 3)
    assert word.slot == 3
    assert np.ptp(word.vertices[:, 1]) <= (0.8 * 5 - 0.2) * 0.2 + 1e-9
    np.testing.assert_allclose(word.vertices[:, 0], 0.5 + 0.0015)
    assert np.ptp(word.vertices[:, 2]) == pytest.approx(0.2, rel=0.05)
