# SPDX-License-Identifier: Apache-2.0
"""What all parts of a scene record are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Vec2 = tuple[float, float]
Vec3 = tuple[float, float, float]
UnitFloat = Annotated[float, Field(ge=0, le=1)]
Rgb = tuple[UnitFloat, UnitFloat, UnitFloat]


class RecordModel(BaseModel):
    """Base of all record parts: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
