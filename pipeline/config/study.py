# SPDX-License-Identifier: Apache-2.0
"""What `snakemake freeze_study` compares: backbones and freezing policies, the same budget for each, several seeds."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from pipeline.config.field_types import Name, Section

# Between the parts of a variant's name; a Name has no two of them in a row.
NAME_SEPARATOR = "--"
MODEL_POLICY_KEYS, TRAIN_POLICY_KEYS = ("freeze", "unfreeze"), ("rate_factors",)  # what a policy can set


class StudyBackboneSection(Section):
    """Where a backbone's weights come from, and the policies it is trained with: all if null."""

    weights: Annotated[str, Field(min_length=1)]
    policies: Annotated[list[Name], Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _weights_alone(cls, value: Any) -> Any:
        return {"weights": value} if isinstance(value, str) else value


class StudySection(Section):
    """Every backbone with its policies and every seed; all else is as `model` and `train` say."""

    name: Name = "freezing"
    backbones: Annotated[dict[Name, StudyBackboneSection], Field(min_length=1)] = Field(
        {"tf_efficientnet_lite0": StudyBackboneSection(weights="bundled")},
        description="model.backbone -> model.weights, or {weights: .., policies: [..]} if not all policies make sense "
        "for it",
    )
    policies: Annotated[dict[Name, Any], Field(min_length=1)] = Field(
        {"heads_only": "heads_only", "backbone": "backbone", "first_3_stages": 3, "none": "none"},
        description="name in tables and plots -> model.freeze, or {freeze: .., unfreeze: [..], rate_factors: {..}} for "
        "a schedule and rates of its own",
    )
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1)
    iterations: Annotated[int, Field(ge=1)] | None = Field(
        None, description="of each training; train.iterations if null"
    )

    @model_validator(mode="after")
    def _distinct(self) -> "StudySection":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: {self.seeds}: each seed once")
        for name in (*self.backbones, *self.policies):
            if NAME_SEPARATOR in name:
                raise ValueError(f"{name}: a name here must not hold {NAME_SEPARATOR!r}")
        for name, policy in self.policies.items():
            if unknown := set(_in_full(policy)) - {*MODEL_POLICY_KEYS, *TRAIN_POLICY_KEYS}:
                known = ", ".join((*MODEL_POLICY_KEYS, *TRAIN_POLICY_KEYS))
                raise ValueError(f"policies.{name}: {', '.join(sorted(unknown))}: only {known} can differ")
        for name, backbone in self.backbones.items():
            if unknown := set(backbone.policies or ()) - set(self.policies):
                raise ValueError(f"backbones.{name}.policies: {', '.join(sorted(unknown))}: not among study.policies")
        return self

    def variants(self) -> list[str]:
        """Return the names of all trainings: backbone, policy and seed."""
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
        """Return what a variant's config says otherwise than the file, section by section."""
        backbone, policy, seed = self.parts(variant)
        keys = _in_full(self.policies[policy])
        model = {"backbone": backbone, "weights": self.backbones[backbone].weights}
        train = {"iterations": self.iterations} if self.iterations else {}
        return {
            "run": {"seed": seed},
            "model": model | {key: value for key, value in keys.items() if key in MODEL_POLICY_KEYS},
            "train": train | {key: value for key, value in keys.items() if key in TRAIN_POLICY_KEYS},
        }


def _in_full(policy: Any) -> dict[str, Any]:
    """Return a policy as the keys of `model` and `train` that it sets."""
    return policy if isinstance(policy, dict) and "freeze" in policy else {"freeze": policy}
