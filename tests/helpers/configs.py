# SPDX-License-Identifier: Apache-2.0
"""Configs with other values, for tests."""

from typing import TypeVar

from pipeline.config.field_types import Section

AnyConfig = TypeVar("AnyConfig", bound=Section)


def with_values(settings: AnyConfig, section: str, **values) -> AnyConfig:
    """Return the config with other values in one section. The values are not checked."""
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})
