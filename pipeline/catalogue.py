# SPDX-License-Identifier: Apache-2.0
"""The catalogue of assets: what each is labelled as, where it comes from and under which licence."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

CATALOGUE = Path(__file__).parents[1] / "assets" / "catalogue.yaml"


class CatalogueError(Exception):
    """A catalogue that cannot be used; the message names the asset and the key."""


class Asset(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Literal["pedestrian", "pallet_truck"] | None
    source: str
    author: str
    licence: str


class Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    assets: dict[str, Asset]


def read(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue.

    Raises:
        CatalogueError: one line per asset with a missing or unknown key (an asset without a licence, for one).
    """
    try:
        return Catalogue.model_validate(yaml.safe_load(path.read_text()))
    except ValidationError as error:
        lines = (f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors())
        raise CatalogueError("\n".join(lines)) from None
