# SPDX-License-Identifier: Apache-2.0
from typing import get_args

import pytest

from pipeline import catalogue, things


def test_every_asset_of_a_record_is_in_the_catalogue_with_its_category():
    in_records = {
        asset: kind.model_fields["category"].default
        for kind in get_args(get_args(things.Thing)[0])
        for asset in get_args(kind.model_fields["asset"].annotation)
    }
    assert {name: asset.category for name, asset in catalogue.read().assets.items()} == in_records


def test_an_asset_without_a_licence_is_refused(tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text("assets: {cone: {category: null, source: mine, author: me}}")
    with pytest.raises(catalogue.CatalogueError, match=r"assets\.cone\.licence: field required"):
        catalogue.read(path)
