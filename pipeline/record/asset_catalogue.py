# SPDX-License-Identifier: Apache-2.0
"""The catalogue of assets: what each is labelled as, where it comes from and under which licence.

`assets` are those that our code builds, `own` the user's meshes (docs/assets.md).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.common.errors import CaristeError
from pipeline.record.objects import SignedAxis

CATALOGUE = Path(__file__).parents[2] / "assets" / "catalogue.yaml"

# The axis that points up in files of a format. FBX and USD say it themselves, and Blender turns them to z.
UP_AXIS_BY_FORMAT = {".glb": "y", ".gltf": "y", ".obj": "y", ".blend": "z", ".fbx": "z"}
UP_AXIS_BY_FORMAT |= dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), "z")


class CatalogueError(CaristeError):
    """A catalogue that cannot be used; the message names the asset and the key."""


NonEmptyText = Annotated[str, Field(min_length=1)]
AssetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=40)]
Placement = Literal["free", "row", "beside", "rack"]


class Asset(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Literal["pedestrian", "pallet_truck"] | None
    source: NonEmptyText
    author: NonEmptyText
    licence: NonEmptyText

    def provenance_entry(self) -> dict[str, str | None]:
        """Return what provenance says of it: category, source, author, licence, and the file if it has one."""
        return self.model_dump(include={*Asset.model_fields, "file"})


class CustomAsset(Asset):
    """A mesh file, relative to the folder of the catalogue.

    `up` and `forward` (forks, face, front) are axes of the file; without `up` it is what the format says. `stands`, of
    pallet trucks: anywhere on the floor, several in a row, beside a look-alike, before or in a rack.
    """

    file: NonEmptyText
    metres_per_unit: Annotated[float, Field(gt=0)] = 1.0
    up: Literal["y", "z"] | None = None
    forward: SignedAxis = "+x"
    stands: Annotated[tuple[Placement, ...], Field(min_length=1)] = ("free",)
    source: NonEmptyText = "a file of the user"
    author: NonEmptyText = "not stated"

    @model_validator(mode="before")
    @classmethod
    def _default_placements(cls, given: dict) -> dict:
        """A truck stands wherever trucks do, unless it is said."""
        if isinstance(given, dict) and given.get("category") == "pallet_truck":
            return {"stands": ("free", "row", "beside", "rack")} | given
        return given

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        suffix = Path(self.file).suffix.lower()
        if suffix not in UP_AXIS_BY_FORMAT:
            raise ValueError(
                f"file: cannot read {suffix or 'a file without suffix'}, only {', '.join(UP_AXIS_BY_FORMAT)}"
            )
        if Path(self.file).is_absolute() or ".." in Path(self.file).parts:
            raise ValueError(f"file: {self.file} must lie in the folder of the catalogue")
        if self.forward[1] == self.up_axis:
            raise ValueError(f"forward: {self.forward} is the axis that points up; choose one that is level")
        if self.category != "pallet_truck" and self.stands != ("free",):
            raise ValueError("stands: only pallet trucks choose; all else stands free on the floor: leave it out")
        return self

    @property
    def up_axis(self) -> Literal["y", "z"]:
        return self.up or UP_AXIS_BY_FORMAT[Path(self.file).suffix.lower()]


CustomAssets = Annotated[dict[AssetName, CustomAsset], BeforeValidator(lambda given: {} if given is None else given)]


class Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    assets: dict[str, Asset]
    custom: CustomAssets = {}

    @model_validator(mode="after")
    def _check_unique_names(self) -> Self:
        if taken := sorted(self.assets.keys() & self.custom.keys()):
            raise ValueError(f"custom.{taken[0]}: the name is taken by an asset that is built in; choose another one")
        return self

    def entries_of(self, names: Iterable[str]) -> dict[str, Asset]:
        """Return the entries of these assets, sorted by name.

        Raises:
            CatalogueError: names that the catalogue does not hold.
        """
        known = {**self.assets, **self.custom}
        requested = sorted(names)
        if missing := [name for name in requested if name not in known]:
            raise CatalogueError(f"not in the catalogue of assets: {', '.join(missing)}; add source, author, licence")
        return {name: known[name] for name in requested}


def read_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue.

    Raises:
        CatalogueError: one line per asset with a missing or unknown key (an asset without a licence, for one).
    """
    try:
        found = yaml.safe_load(path.read_text())
        if isinstance(found, dict) and "own" in found:
            raise CatalogueError(f"{path}: own: this section is called custom now")
        return Catalogue.model_validate(found)
    except ValidationError as error:
        raise CatalogueError("\n".join(f"{path}: {_error_message(one)}" for one in error.errors())) from None
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path}: no YAML: {error}") from None


def _error_message(error: dict) -> str:
    where, what = ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")
    if error["loc"][-1:] == ("licence",) and error["type"] == "missing":
        what = "missing: say under which licence it may be used, for example 'own work' or CC-BY-4.0"
    return f"{where}: {what}" if where else what
