# SPDX-License-Identifier: Apache-2.0
"""CSV tables whose rows have different keys."""

from pipeline.common import csv_tables


def test_columns_are_in_order_of_first_appearance_and_missing_values_are_empty(tmp_path):
    csv_tables.write(tmp_path / "t.csv", [{"a": 1, "b": "x, y"}, {"c": None, "a": 2}])
    assert (tmp_path / "t.csv").read_text() == 'a,b,c\n1,"x, y",\n2,,\n'
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]
