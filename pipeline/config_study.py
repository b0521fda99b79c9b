# SPDX-License-Identifier: Apache-2.0
"""What `snakemake freeze_study` compares: backbones and freezing policies, the same budget for each, several seeds."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from pipeline.config_values import Name, Section

# Between the parts of a variant's name; a Name has no two of them in a row.
JOINT = "--"


class StudySection(Section):
    """Every backbone with every policy and seed; all else is as `model` and `train` say."""

    name: Name = "freezing"
    backbones: Annotated[dict[Name, Annotated[str, Field(min_length=1)]], Field(min_length=1)] = Field(
        {"tf_efficientnet_lite0": "bundled"},
        description="model.backbone -> model.weights for it; a list takes the config's weights for all",
    )
    policies: Annotated[dict[Name, Any], Field(min_length=1)] = Field(
        {"heads_only": "heads_only", "backbone": "backbone", "first_3_stages": 3, "none": "none"},
        description="name in tables and plots -> model.freeze, or {freeze: .., unfreeze: [..]} for a schedule",
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
            if JOINT in name:
                raise ValueError(f"{name}: a name here must not hold {JOINT!r}")
        for name, policy in self.policies.items():
            if unknown := set(_freezing(policy)) - {"freeze", "unfreeze"}:
                raise ValueError(f"policies.{name}: {', '.join(sorted(unknown))}: only freeze and unfreeze can differ")
        return self

    def variants(self) -> list[str]:
        """Return the names of all trainings: backbone, policy and seed."""
        return [
            JOINT.join((backbone, policy, str(seed)))
            for backbone in self.backbones
            for policy in self.policies
            for seed in self.seeds
        ]

    def parts(self, variant: str) -> tuple[str, str, int]:
        """Return backbone, policy and seed of a variant."""
        backbone, policy, seed = variant.split(JOINT)
        return backbone, policy, int(seed)

    def changes(self, variant: str) -> dict[str, dict[str, Any]]:
        """Return what a variant's config says otherwise than the file, section by section."""
        backbone, policy, seed = self.parts(variant)
        changes: dict[str, dict[str, Any]] = {
            "run": {"seed": seed},
            "model": {"backbone": backbone, "weights": self.backbones[backbone], **_freezing(self.policies[policy])},
        }
        return changes | ({"train": {"iterations": self.iterations}} if self.iterations else {})


def _freezing(policy: Any) -> dict[str, Any]:
    """Return the keys of `model` that a policy sets."""
    return policy if isinstance(policy, dict) and "freeze" in policy else {"freeze": policy}
