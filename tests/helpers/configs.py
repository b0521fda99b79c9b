# SPDX-License-Identifier: Apache-2.0
"""Small configs for tests. The defaults of the config are those of a serious run, which a test cannot afford."""

from typing import TypeVar

from pipeline.config.field_types import Section

AnyConfig = TypeVar("AnyConfig", bound=Section)

# A backbone that needs no download, and sizes at which it trains in a second on one core.
SMALL_MODEL = {
    "backbone": "tf_efficientnet_lite0",
    "weights": "bundled",
    "fpn_channels": 16,
    "min_size": 96,
    "max_size": 96,
    "rpn_proposals_train": 40,
    "rpn_proposals_test": 20,
    "sampled_boxes": 8,
    "nms_iou": 0.4,
}
SHORT_TRAINING = {
    "device": "cpu",
    "iterations": 2,
    "batch_size": 2,
    "optimizer": "adamw",
    "learning_rate": 0.0007,
    "weight_decay": 0.01,
    "warmup_iterations": 0,
    "checkpoint_every": 100,
    "workers": 0,
    "threads": 1,
}
SMALL_IMAGES = {"width": 384, "height": 288}  # for the section `camera`


def with_values(settings: AnyConfig, section: str, **values) -> AnyConfig:
    """Return the config with other values in one section. The values are not checked."""
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})
