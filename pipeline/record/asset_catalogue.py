# SPDX-License-Identifier: Apache-2.0
"""The catalogue of assets: the category, source, author and license of everything that an image can show.

The section `assets` lists the assets that our code builds, `custom` lists the meshes of the user
(docs/howto/custom_meshes.md).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.common.errors import CaristeError
from pipeline.record.base_types import Category
from pipeline.record.objects import SignedAxis

CATALOGUE = Path(__file__).parents[2] / "assets" / "catalogue.yaml"

# The axis that points up in a file, by its format. FBX and USD files name their up axis, and Blender turns it to z.
UP_AXIS_BY_FORMAT = {".glb": "y", ".gltf": "y", ".obj": "y", ".blend": "z", ".fbx": "z"}
UP_AXIS_BY_FORMAT |= dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), "z")


class CatalogueError(CaristeError):
    """A catalogue or an asset that cannot be used; the message names the asset and the key."""


NonEmptyText = Annotated[str, Field(min_length=1)]
AssetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=40)]
Placement = Literal["free", "row", "beside", "rack"]


class Asset(BaseModel):
    """An asset that our code builds. Assets without a category are never labeled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Category | None
    source: NonEmptyText
    author: NonEmptyText
    licence: NonEmptyText

    def provenance_entry(self) -> dict[str, str | None]:
        """Return what provenance files store: category, source, author, `licence`, and the file of a custom asset."""
        return self.model_dump(include={*Asset.model_fields, "file"})


class CustomAsset(Asset):
    """A mesh file of the user. `file` is relative to the folder of the catalogue.

    `up` and `forward` (towards the forks, the face, the front) are axes of the file. Without `up`, the format decides.
    `stands` lists where a pallet truck may stand: anywhere on the floor ("free"), in a row of several, beside a
    look-alike, at or in a rack. By default it may stand at all of these places.
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
        if isinstance(given, dict) and given.get("category") == "pallet_truck":
            return {"stands": ("free", "row", "beside", "rack")} | given
        return given

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        suffix = Path(self.file).suffix.lower()
        if suffix not in UP_AXIS_BY_FORMAT:
            raise ValueError(
                f"file: cannot read {suffix or 'a file without a suffix'}; "
                f"supported formats: {', '.join(UP_AXIS_BY_FORMAT)}"
            )
        if Path(self.file).is_absolute() or ".." in Path(self.file).parts:
            raise ValueError(f"file: {self.file} must lie in the folder of the catalogue")
        if self.forward[1] == self.up_axis:
            raise ValueError(f"forward: {self.forward} is the axis that points up; choose a horizontal axis")
        if self.category != "pallet_truck" and self.stands != ("free",):
            raise ValueError(
                "stands: only pallet trucks have this key; remove it, other objects stand free on the floor"
            )
        return self

    @property
    def up_axis(self) -> Literal["y", "z"]:
        return self.up or UP_AXIS_BY_FORMAT[Path(self.file).suffix.lower()]


CustomAssets = Annotated[dict[AssetName, CustomAsset], BeforeValidator(lambda given: {} if given is None else given)]


class Catalogue(BaseModel):
    """The content of the catalogue file. An empty section `custom` is the same as none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assets: dict[str, Asset]
    custom: CustomAssets = {}

    @model_validator(mode="after")
    def _check_unique_names(self) -> Self:
        if taken := sorted(self.assets.keys() & self.custom.keys()):
            raise ValueError(f"custom.{taken[0]}: a built-in asset has this name; choose another name")
        return self

    def entries_of(self, names: Iterable[str]) -> dict[str, Asset]:
        """Return the entries of these assets, sorted by name.

        Raises:
            CatalogueError: the catalogue lacks some of the names.
        """
        known = {**self.assets, **self.custom}
        requested = sorted(names)
        if missing := [name for name in requested if name not in known]:
            raise CatalogueError(
                f"the catalogue of assets has no entry for {', '.join(missing)}; add source, author and license"
            )
        return {name: known[name] for name in requested}


def read_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue.

    Raises:
        CatalogueError: the file is not YAML, or a key is missing or unknown; one line per wrong key.
    """
    try:
        content = yaml.safe_load(path.read_text())
        if isinstance(content, dict) and "own" in content:
            raise CatalogueError(f"{path}: own: this section is called custom now")
        return Catalogue.model_validate(content)
    except ValidationError as error:
        raise CatalogueError("\n".join(f"{path}: {_error_message(details)}" for details in error.errors())) from None
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path}: not YAML: {error}") from None


def _error_message(details: dict) -> str:
    """Return "key: message" of one of pydantic's errors."""
    key, message = ".".join(map(str, details["loc"])), details["msg"].removeprefix("Value error, ")
    if details["loc"][-1:] == ("licence",) and details["type"] == "missing":
        message = "missing: name the license of the asset, for example 'own work' or CC-BY-4.0"
    return f"{key}: {message}" if key else message
