# SPDX-License-Identifier: Apache-2.0
"""Whether tensors from a file can be the weights of a model."""

from collections.abc import Mapping

import torch
from torch import Tensor

MAX_LISTED = 3
FAILED_TRAINING = "the training that wrote it has failed; use another file, such as an earlier checkpoint"


def type_problem(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """Return which tensor is not a plain array of numbers of the kind of the tensor in `expected`."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            return f"{name} is no tensor"
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or tensor.is_complex():
            return f"tensor {name} is sparse, quantized, complex or without values; save it as plain floats"
        if name in expected and tensor.is_floating_point() != expected[name].is_floating_point():
            return f"tensor {name} is {_dtype(tensor)}, not {_dtype(expected[name])}"
    return None


def converted_types(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the types of floating-point tensors that are not float32, which become float32."""
    return sorted({_dtype(each) for each in tensors.values() if each.is_floating_point()} - {"float32"})


def value_problem(tensors: Mapping[str, Tensor]) -> str | None:
    """Return which tensor has values with which a network finds nothing: NaN, infinite, or a negative variance."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            continue
        values = tensor.float()  # types of 8 bits cannot be compared
        if wrong := tensor.numel() - int(torch.isfinite(values).sum()):
            return f"{wrong} of {tensor.numel()} values of tensor {name} are NaN or infinite: {FAILED_TRAINING}"
        if name.endswith("running_var") and bool((values < 0).any()):
            return f"tensor {name} has a negative variance: {FAILED_TRAINING}"
    return None


def shape_problems(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """Return the first tensors that are missing, unknown, or of another shape than those of a model, and how many."""
    problems = [f"lacks {name}" for name in expected if name not in tensors]
    problems += [f"has {name}, which the model does not have" for name in tensors if name not in expected]
    problems += [
        f"{name} is {tuple(tensor.shape)}, the model's {tuple(expected[name].shape)}"
        for name, tensor in tensors.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    if not problems:
        return None
    more = f"; and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
    return "; ".join(problems[:MAX_LISTED]) + more


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
