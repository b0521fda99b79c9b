# SPDX-License-Identifier: Apache-2.0
"""The catalogue of assets: the category, source, author and license of everything that an image can show.

The section `assets` lists the assets that our code builds, `custom` lists the meshes of the user
(docs/howto/custom_meshes.md).
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.common.errors import CaristeError
from pipeline.common.plain_values import AS_NUMBER, AS_TEXT, AS_WHOLE_NUMBER
from pipeline.common.text_files import TextFileError
from pipeline.common.validation_messages import MISSING, WrongKey, at_most_ten, dotted, wrong_keys
from pipeline.common.yaml_files import read_yaml
from pipeline.record.base_types import Category
from pipeline.record.mesh_formats import UP_AXIS_BY_FORMAT, format_problem
from pipeline.record.objects import SignedAxis

CATALOGUE = Path(__file__).parents[2] / "assets" / "catalogue.yaml"


class CatalogueError(CaristeError):
    """A catalogue or an asset that cannot be used; the message names the asset and the key."""


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,39}", name):
        raise ValueError("a name has up to 40 lower-case letters from a to z, digits and _, and does not begin with _")
    return name


NonEmptyText = Annotated[str, Field(min_length=1), AS_TEXT]
AssetName = Annotated[str, AfterValidator(_check_name)]
Placement = Literal["free", "row", "beside", "rack"]
FileInAssets = Annotated[NonEmptyText, AfterValidator(lambda path: path.replace("\\", "/"))]
WINDOWS_DRIVE = re.compile(r"[A-Za-z]:/")
MIN_TRIANGLES = 100


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
    look-alike, at or in a rack. By default it may stand at all of these places. `files` lists other files that the mesh
    needs, `max_triangles` limits its triangles.
    """

    file: FileInAssets
    files: tuple[FileInAssets, ...] = ()
    max_triangles: Annotated[int, Field(ge=MIN_TRIANGLES), AS_WHOLE_NUMBER] | None = None
    metres_per_unit: Annotated[float, Field(gt=0), AS_NUMBER] = 1.0
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
        if problem := format_problem(self.file):
            raise ValueError(f"file: {problem}")
        for file in (self.file, *self.files):
            if Path(file).is_absolute() or ".." in Path(file).parts or WINDOWS_DRIVE.match(file):
                key = "file" if file == self.file else "files"
                raise ValueError(f"{key}: {file} must lie in the folder of the catalogue")
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
        document = read_yaml(path)
    except TextFileError as error:
        raise CatalogueError(str(error)) from None
    if isinstance(document.values, dict) and "own" in document.values:
        raise CatalogueError(f"{path}: own: this section is called custom now")
    try:
        return Catalogue.model_validate(document.values)
    except ValidationError as error:
        wrong = wrong_keys(error, Catalogue)
    raise CatalogueError(at_most_ten([f"{document.place(path, key.path)}: {_line(key)}" for key in wrong]))


def _line(key: WrongKey) -> str:
    if key.path[-1:] == ("licence",) and key.message == MISSING:
        return f"{dotted(key.path)}: missing: name the license of the asset, for example 'own work' or CC-BY-4.0"
    return str(key)
