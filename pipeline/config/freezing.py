# SPDX-License-Identifier: Apache-2.0
"""Which parts of the model are not trained (`model.freeze`), and which are trained later (`model.unfreeze`)."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, WrapValidator, model_validator

from pipeline.common.plain_values import AS_NUMBER, AS_TEXT, AS_WHOLE_NUMBER
from pipeline.common.validation_messages import suggestion
from pipeline.config.field_types import PositiveCount, PositiveNumber, Section

Patterns = Annotated[list[Annotated[str, Field(min_length=1), AS_TEXT]], Field(min_length=1)]
START_KEYS = ("epoch", "iteration", "run_fraction")


class AllButLast(Section):
    """Only this number of layers at the end of the model is trained. `cariste layers` counts them."""

    all_but_last: PositiveCount


def _check_with_one_message(value: Any, validate: Callable[[Any], Any]) -> Any:
    """Replace the message of each type of the union by a single one that lists what is allowed."""
    try:
        return validate(value)
    except ValidationError:
        near = suggestion(value, ["backbone", "heads_only", "none"]) if isinstance(value, str) else ""
        raise ValueError(
            "must be backbone, heads_only, none, a number of stages (0 or more), {all_but_last: layers (1 or more)}, "
            f"or a list of names and patterns such as [backbone.body.conv_stem, 'backbone.body.blocks.0*']{near}"
        ) from None


FreezePolicy = Annotated[
    Literal["backbone", "heads_only", "none"]
    # Strict, because otherwise `freeze: true` would mean one stage.
    | Annotated[int, Field(ge=0, strict=True), AS_WHOLE_NUMBER]
    | AllButLast
    | Patterns,
    WrapValidator(_check_with_one_message),
]


class UnfreezeStep(Section):
    """From one moment on, more is trained. The moment is given by one of `epoch`, `iteration` and `run_fraction`."""

    epoch: PositiveCount | None = Field(
        None, description="trained after this number of epochs: passes over all training images"
    )
    iteration: Annotated[int, Field(ge=2), AS_WHOLE_NUMBER] | None = Field(
        None, description="trained from this iteration on; the first iteration is 1"
    )
    run_fraction: Annotated[float, Field(gt=0, lt=1), AS_NUMBER] | None = Field(
        None, description="trained after this part of train.iterations"
    )
    parameters: Patterns | None = Field(None, description="names or patterns of what is trained from then on")
    keep_frozen: FreezePolicy | None = Field(
        None, description="instead of parameters: a policy like model.freeze that says what stays frozen from then on"
    )
    learning_rate_factor: PositiveNumber = Field(
        1.0, description="factor on the learning rate of these parameters, until the end of the run"
    )

    @model_validator(mode="after")
    def _check_keys(self) -> "UnfreezeStep":
        if sum(getattr(self, moment) is not None for moment in START_KEYS) != 1:
            raise ValueError(f"no single moment: give one of {', '.join(START_KEYS)}")
        if (self.parameters is None) == (self.keep_frozen is None):
            raise ValueError("give either parameters (trained from then on) or keep_frozen (all that stays frozen)")
        return self


def describe_freeze(freeze: FreezePolicy) -> str:
    """Return a policy in words, for a page or a table."""
    match freeze:
        case "none" | 0:
            return "nothing"
        case "backbone":
            return "the backbone's body"
        case "heads_only":
            return "all but the heads"
        case int():
            return f"stages 1 to {freeze} of the backbone's body"
        case AllButLast():
            return f"all but the last {freeze.all_but_last} layers"
        case patterns:
            return ", ".join(patterns)
