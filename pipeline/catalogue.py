# SPDX-License-Identifier: Apache-2.0
"""The catalogue of assets: what each is labelled as, where it comes from and under which licence."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

CATALOGUE = Path(__file__).parents[1] / "assets" / "catalogue.yaml"


class CatalogueError(Exception):
    """A catalogue that cannot be used; the message names the asset and the key."""


Text = Annotated[str, Field(min_length=1)]


class Asset(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Literal["pedestrian", "pallet_truck"] | None
    source: Text
    author: Text
    licence: Text


class Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    assets: dict[str, Asset]

    def describe(self, names: Iterable[str]) -> dict[str, Asset]:
        """Return the entries of these assets, sorted by name.

        Raises:
            CatalogueError: names that the catalogue does not hold.
        """
        wanted = sorted(names)
        if missing := [name for name in wanted if name not in self.assets]:
            raise CatalogueError(f"not in the catalogue of assets: {', '.join(missing)}; add source, author, licence")
        return {name: self.assets[name] for name in wanted}


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
