# SPDX-License-Identifier: Apache-2.0
"""The section `study`: which backbones and freezing policies are compared, each with the same budget and seeds."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from pipeline.config.field_types import AS_TEXT, Count, Name, PositiveCount, Section

# Between the parts of a variant's name. Backbones and policies must not contain it.
NAME_SEPARATOR = "--"
MODEL_POLICY_KEYS, TRAIN_POLICY_KEYS = ("freeze", "unfreeze"), ("rate_factors",)  # what a policy can set


class StudyBackboneSection(Section):
    """A backbone of the study. A single text is the same as `{weights: text}`."""

    weights: Annotated[str, Field(min_length=1, description="model.weights for this backbone"), AS_TEXT]
    policies: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="the policies to train it with; null: all"
    )

    @model_validator(mode="before")
    @classmethod
    def _expand_weights(cls, value: Any) -> Any:
        return {"weights": value} if isinstance(value, str) else value


class StudySection(Section):
    """One training for every backbone, policy and seed. Everything else is as in `model` and `train`."""

    name: Name = Field("freezing", description="the results are in results/studies/NAME")
    backbones: Annotated[dict[Name, StudyBackboneSection], Field(min_length=1)] = Field(
        {"tf_efficientnet_lite0": StudyBackboneSection(weights="bundled")},
        description="model.backbone → model.weights, or {weights: .., policies: [..]} if not all policies make sense "
        "for it",
    )
    policies: Annotated[dict[Name, Any], Field(min_length=1)] = Field(
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
            raise ValueError(f"seeds: {self.seeds}: give each seed only once")
        for name in (*self.backbones, *self.policies):
            if NAME_SEPARATOR in name:
                raise ValueError(f"{name}: a name here must not contain {NAME_SEPARATOR!r}")
        for name, policy in self.policies.items():
            if unknown := set(_policy_values(policy)) - {*MODEL_POLICY_KEYS, *TRAIN_POLICY_KEYS}:
                known = ", ".join((*MODEL_POLICY_KEYS, *TRAIN_POLICY_KEYS))
                raise ValueError(f"policies.{name}: {', '.join(sorted(unknown))}: only {known} can differ")
        for name, backbone in self.backbones.items():
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
