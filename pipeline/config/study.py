# SPDX-License-Identifier: Apache-2.0
"""The section `study`: which backbones and freezing policies are compared, each with the same budget and seeds."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.common.validation_messages import wrong_keys
from pipeline.config.backbone_names import check_backbone, weights_problem
from pipeline.config.field_types import Count, Name, PositiveCount, Section, UserPath
from pipeline.config.freezing import FreezePolicy, UnfreezeStep
from pipeline.config.training import RateFactorsSection

# Between the parts of a variant's name. Backbones and policies must not contain it.
NAME_SEPARATOR = "--"
MODEL_POLICY_KEYS, TRAIN_POLICY_KEYS = ("freeze", "unfreeze"), ("rate_factors",)  # what a policy can set


class StudyBackboneSection(Section):
    """A backbone of the study. A single text is the same as `{weights: text}`."""

    weights: UserPath = Field(description="model.weights for this backbone")
    policies: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="the policies to train it with; null: all"
    )

    @model_validator(mode="before")
    @classmethod
    def _expand_weights(cls, value: Any) -> Any:
        return {"weights": value} if isinstance(value, str) else value


class PolicySection(Section):
    """A freezing policy with a schedule or with its own learning rates."""

    freeze: FreezePolicy
    unfreeze: list[UnfreezeStep] = Field([])
    rate_factors: RateFactorsSection = RateFactorsSection()


def _check_policy(policy: Any) -> Any:
    """Return the policy as it was given.

    Raises:
        ValueError: `freeze` or another key would be refused in `model` or `train`.
    """
    try:
        PolicySection.model_validate(_policy_values(policy))
    except ValidationError as error:
        wrong = wrong_keys(error, PolicySection)[0]
        raise ValueError(wrong.message if wrong.path == ("freeze",) else str(wrong)) from None
    return policy


class StudySection(Section):
    """One training for every backbone, policy and seed. Everything else is as in `model` and `train`."""

    name: Name = Field("freezing", description="the results are in results/studies/NAME")
    backbones: Annotated[
        dict[Annotated[Name, AfterValidator(check_backbone)], StudyBackboneSection], Field(min_length=1)
    ] = Field(
        {"tf_efficientnet_lite0": StudyBackboneSection(weights="bundled")},
        description="model.backbone → model.weights, or {weights: .., policies: [..]} if not all policies make sense "
        "for it",
    )
    policies: Annotated[dict[Name, Annotated[Any, AfterValidator(_check_policy)]], Field(min_length=1)] = Field(
        {"heads_only": "heads_only", "backbone": "backbone", "first_3_stages": 3, "none": "none"},
        description="name in tables and plots → model.freeze, or {freeze: .., unfreeze: [..], rate_factors: {..}} for "
        "a policy with a schedule or with its own learning rates",
    )
    seeds: Annotated[tuple[Count, ...], Field(min_length=1)] = Field(
        (0, 1), description="every backbone and policy is trained once with each seed"
    )
    iterations: PositiveCount | None = Field(None, description="of each training; null: as many as train.iterations")

    @model_validator(mode="after")
    def _check_names(self) -> "StudySection":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: {list(self.seeds)}: give each seed only once")
        for name in (*self.backbones, *self.policies):
            if NAME_SEPARATOR in name:
                raise ValueError(f"{name}: a name here must not contain {NAME_SEPARATOR!r}")
        for name, backbone in self.backbones.items():
            if problem := weights_problem(name, backbone.weights):
                raise ValueError(f"backbones.{name}: {problem}")
            if unknown := set(backbone.policies or ()) - set(self.policies):
                raise ValueError(f"backbones.{name}.policies: {', '.join(sorted(unknown))}: not among study.policies")
        return self

    def variants(self) -> list[str]:
        """Return the names of all trainings. A name holds the backbone, the policy and the seed."""
        return [
            NAME_SEPARATOR.join((backbone, policy, str(seed)))
            for backbone in self.backbones
            for policy in self.backbones[backbone].policies or self.policies
            for seed in self.seeds
        ]

    def parts(self, variant: str) -> tuple[str, str, int]:
        """Return backbone, policy and seed of a variant."""
        backbone, policy, seed = variant.split(NAME_SEPARATOR)
        return backbone, policy, int(seed)

    def changes(self, variant: str) -> dict[str, dict[str, Any]]:
        """Return the values in which the config of a variant differs from the file: section → key → value."""
        backbone, policy, seed = self.parts(variant)
        values = _policy_values(self.policies[policy])
        model = {"backbone": backbone, "weights": self.backbones[backbone].weights}
        train = {"iterations": self.iterations} if self.iterations else {}
        return {
            "run": {"seed": seed},
            "model": model | {key: value for key, value in values.items() if key in MODEL_POLICY_KEYS},
            "train": train | {key: value for key, value in values.items() if key in TRAIN_POLICY_KEYS},
        }


def _policy_values(policy: Any) -> dict[str, Any]:
    """Return the keys of `model` and `train` that a policy sets, with their values."""
    return policy if isinstance(policy, dict) and "freeze" in policy else {"freeze": policy}
