# SPDX-License-Identifier: Apache-2.0
"""Types that every part of a scene record is built from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Vec2 = tuple[float, float]
Vec3 = tuple[float, float, float]
UnitFloat = Annotated[float, Field(ge=0, le=1)]
Rgb = tuple[UnitFloat, UnitFloat, UnitFloat]  # linear Rec. 709
Category = Literal["pedestrian", "pallet_truck"]  # the labeled categories


class RecordModel(BaseModel):
    """Base class of all record classes: immutable, and unknown keys are an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
