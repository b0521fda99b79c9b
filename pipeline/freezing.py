# SPDX-License-Identifier: Apache-2.0
"""Freezing: no gradient, eval mode that lasts, not in the optimiser.

Gradients alone are not enough: in train mode a batch normalisation without gradients still moves its running
statistics. What is frozen is read from `requires_grad` alone, so there is no second list that could disagree with it.
"""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze(module: nn.Module) -> None:
    """Take every parameter below `module` out of training. Its owner's `train()` must call `keep_eval`."""
    module.requires_grad_(False).eval()


def freeze_norms(module: nn.Module) -> None:
    """Freeze all batch normalisations below `module`: batches of a few pictures make poor statistics."""
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            freeze(part)


def keep_eval(module: nn.Module) -> None:
    """Put every frozen part below `module` (all its parameters without gradient) into eval mode; for `train()`."""
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            for below in part.modules():
                below.training = False  # not eval(), which would call the owner's train() again


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that an optimiser may have."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def count(parameters: list[nn.Parameter]) -> int:
    """Return how many numbers the parameters hold."""
    return sum(parameter.numel() for parameter in parameters)
