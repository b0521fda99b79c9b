# SPDX-License-Identifier: GPL-3.0-or-later
import json

import numpy as np
import OpenEXR
import pytest

from blender.cycles import exr_passes

HASHES = {"instance_00001": 0x7318739E, "instance_00002": 0x12345678, "rack": 0x3F800001}


def write(path, codes, dtype=np.float32, manifest=HASHES, cryptomatte=True):
    """Write an EXR file with the layout of Blender's files, one hash for each pixel."""
    pixels = np.array(codes, np.uint32).view(np.float32).astype(dtype)
    header = {
        "compression": OpenEXR.ZIPS_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "cycles.ViewLayer.synchronization_time": "00:00.25",
        "cycles.ViewLayer.render_time": "01:02.50",
    }
    if cryptomatte:
        header["cryptomatte/aa21542/manifest"] = json.dumps({name: f"{code:08x}" for name, code in manifest.items()})
    half = np.full(pixels.shape, 0.5, np.float32)
    planes = {
        f"Combined.{color}": (half * share).astype(np.float32) for color, share in zip("RGB", (1, 2, 3), strict=True)
    }
    if cryptomatte:
        planes |= {"CryptoAsset00.r": pixels, "CryptoAsset00.g": half}
    channels = {f"ViewLayer.{name}": OpenEXR.Channel(plane) for name, plane in planes.items()}
    OpenEXR.File(header, channels).write(str(path))


def test_ids_come_from_the_manifest_and_unlabeled_objects_are_zero(tmp_path):
    write(tmp_path / "a.exr", [[HASHES["instance_00001"], HASHES["rack"]], [0, HASHES["instance_00002"]]])
    read = exr_passes.read_passes(tmp_path / "a.exr", {1, 2})
    assert read.ids.dtype == np.uint16
    assert read.ids.tolist() == [[1, 0], [0, 2]]
    assert read.coverage.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert (read.depth_m, read.normals) == (None, None)
    assert read.color.tolist() == [[[0.5, 1.0, 1.5]] * 2] * 2
    assert (read.sync_s, read.path_trace_s) == (0.25, 62.5)


@pytest.mark.parametrize(("listed", "in_pixels"), [(0x802A56EB, 0x80AA56EB), (0x7FC00001, 0x7F400001)])
def test_hashes_that_are_no_normal_float_have_a_flipped_bit_in_pixels(tmp_path, listed, in_pixels):
    write(tmp_path / "a.exr", [[in_pixels]], manifest={"instance_00003": listed})
    assert exr_passes.read_passes(tmp_path / "a.exr", {3}).ids.tolist() == [[3]]


def test_an_instance_that_the_record_lacks_is_named(tmp_path):
    write(tmp_path / "a.exr", [[HASHES["instance_00002"]]])
    with pytest.raises(exr_passes.PassError, match="instance 2 is in the image and not in its record"):
        exr_passes.read_passes(tmp_path / "a.exr", {1})


def test_an_id_outside_the_manifest_is_named(tmp_path):
    write(tmp_path / "a.exr", [[0x41414141]])
    with pytest.raises(exr_passes.PassError, match="41414141 in 1 pixels is not in the manifest"):
        exr_passes.read_passes(tmp_path / "a.exr", {1})


def test_half_floats_are_refused(tmp_path):
    write(tmp_path / "a.exr", [[HASHES["rack"]]], dtype=np.float16)
    with pytest.raises(exr_passes.PassError, match="float16"):
        exr_passes.read_passes(tmp_path / "a.exr", {1})


def test_an_image_without_cryptomatte_is_refused(tmp_path):
    write(tmp_path / "a.exr", [[0]], cryptomatte=False)
    with pytest.raises(exr_passes.PassError, match=r"no CryptoAsset00\.r among the channels"):
        exr_passes.read_passes(tmp_path / "a.exr", {1})


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_the_message_for_an_incomplete_file_mentions_a_full_disk(tmp_path, share):
    write(tmp_path / "a.exr", np.zeros((40, 30), np.uint32))
    whole = (tmp_path / "a.exr").read_bytes()
    (tmp_path / "a.exr").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(exr_passes.PassError, match=r"a\.exr .*is the disk full\?"):
        exr_passes.read_passes(tmp_path / "a.exr", {1})
