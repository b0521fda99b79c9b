# SPDX-License-Identifier: Apache-2.0
"""What happens to every tensor if weights are copied into a model, and whether the weights fit."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from pipeline.models.weights import parameter_names
from pipeline.models.weights.state_dicts import WeightsError

# Tensors of the predictors → rows for each class.
CLASS_ROWS = {
    "roi_heads.box_predictor.cls_score.weight": 1,
    "roi_heads.box_predictor.cls_score.bias": 1,
    "roi_heads.box_predictor.bbox_pred.weight": 4,
    "roi_heads.box_predictor.bbox_pred.bias": 4,
    "roi_heads.mask_predictor.mask_fcn_logits.weight": 1,
    "roi_heads.mask_predictor.mask_fcn_logits.bias": 1,
}
# A file must have all tensors of such a part, or none.
ALL_OR_NOTHING_PREFIXES = (parameter_names.BACKBONE_PREFIX, "backbone.fpn.", "rpn.")
# For these, the config may have other widths than the file.
CONFIGURABLE_PREFIX = "roi_heads."
# A counter that has no effect after training; many files leave it out.
BATCH_COUNTER = "num_batches_tracked"
MAX_LISTED = 5


@dataclass(frozen=True)
class WeightsLoadReport:
    """What happens to every tensor.

    Attributes:
        source: names the weights, for messages.
        loaded: tensors that are copied.
        random: tensors of the model that are not in the file.
        reshaped: tensors in both with different shapes; they start random too.
        unused: tensors of the file that are not in the model.
        shared_classes: classes whose predictor rows are copied.
        fresh_classes: classes whose predictor rows start random.
        misfits: reasons why these are the weights of another model.
    """

    source: str
    loaded: tuple[str, ...]
    random: tuple[str, ...]
    reshaped: tuple[str, ...]
    unused: tuple[str, ...]
    shared_classes: tuple[str, ...]
    fresh_classes: tuple[str, ...]
    misfits: tuple[str, ...]

    @property
    def fresh_layers(self) -> tuple[str, ...]:
        """The layers that start random, in the order of the model."""
        return tuple(dict.fromkeys(_layer(name) for name in self.random))

    def refuse_misfits(self) -> None:
        """Raise WeightsError if these are the weights of another model, or if none of them would be used."""
        if self.misfits:
            shown = "; ".join(self.misfits[:MAX_LISTED])
            more = f"; and {len(self.misfits) - MAX_LISTED} more" if len(self.misfits) > MAX_LISTED else ""
            raise WeightsError(f"weights {self.source}: of another model than the config's: {shown}{more}")
        if not self.loaded:
            file_names, model_names = (", ".join(names[:3]) for names in (self.unused, self.random))
            raise WeightsError(
                f"weights {self.source}: none of its tensors would be used: their names are {file_names}, …; "
                f"those of the model are {model_names}, …"
            )

    def lines(self) -> list[str]:
        """Return a line for each tensor: what happens to it, and its name."""
        outcomes = (("loaded", self.loaded), ("random", self.random), ("unused", self.unused))
        lines = [f"{outcome:8} {name}" for outcome, names in outcomes for name in names]
        return [*lines, *(f"random   rows of {name} in the predictors" for name in self.fresh_classes)]

    def __str__(self) -> str:
        counts = f"{len(self.loaded)} tensors loaded, {len(self.random)} left random, {len(self.unused)} unused"
        layers = Counter(".".join(layer.split(".")[:2]) for layer in self.fresh_layers)
        parts = {
            "predictor rows taken over": ", ".join(self.shared_classes) or "none",
            "fresh layers": ", ".join(f"{part} ({count})" for part, count in layers.items()) or "none",
        }
        if self.fresh_classes:
            parts["fresh predictor rows"] = ", ".join(self.fresh_classes)
        if self.reshaped:
            parts["not used, because the config gives them another shape"] = ", ".join(self.reshaped)
        return f"weights {self.source}: {counts}; " + "; ".join(f"{key}: {value}" for key, value in parts.items())


def build_load_report(
    source: str,
    tensors: dict[str, Tensor],
    source_classes: Sequence[str],
    model_state: dict[str, Tensor],
    classes: Sequence[str],
) -> WeightsLoadReport:
    """Return what will happen to every tensor.

    Args:
        source: names the weights, for messages.
        tensors: of the file, by our names. `model_state`: of the model.
        source_classes: the class of each predictor row in the file. `classes`: in the model.
    """
    loaded, reshaped, misfits = [], [], []
    for name, tensor in tensors.items():
        if name not in model_state:
            continue
        problem = _shape_mismatch(name, tensor, model_state[name], source_classes)
        if not problem:
            loaded.append(name)
        elif name.startswith(CONFIGURABLE_PREFIX):
            reshaped.append(name)
        else:
            misfits.append(f"{name} {problem}")
    # A predictor is copied as a whole or not at all.
    half_loaded = {name.replace(".weight", ".bias") for name in reshaped if name in CLASS_ROWS} & set(loaded)
    loaded = [name for name in loaded if name not in half_loaded]
    reshaped += sorted(half_loaded)
    loaded_names = set(loaded)
    random = tuple(name for name in model_state if name not in loaded_names and not name.endswith(BATCH_COUNTER))
    unused = tuple(name for name in tensors if name not in model_state)
    misfits += _missing_tensors(loaded, random, tensors, model_state)
    misfits += _unexpected_tensors(unused, tensors, model_state)
    return WeightsLoadReport(
        source,
        tuple(loaded),
        random,
        tuple(reshaped),
        unused,
        tuple(name for name in classes if name in source_classes),
        tuple(name for name in classes if name not in source_classes) if loaded_names & CLASS_ROWS.keys() else (),
        tuple(misfits),
    )


def _shape_mismatch(name: str, tensor: Tensor, target: Tensor, source_classes: Sequence[str]) -> str:
    """Return why a tensor cannot be copied, or "". Predictors are copied row by row, so only their columns must fit."""
    rows = CLASS_ROWS.get(name)
    if rows is None:
        fits = tensor.shape == target.shape
    else:
        fits = len(tensor) == rows * len(source_classes) and tensor.shape[1:] == target.shape[1:]
    return "" if fits else f"is {tuple(tensor.shape)} in the file, {tuple(target.shape)} in the model"


def _missing_tensors(
    loaded: Iterable[str], random: Iterable[str], tensors: dict[str, Tensor], model_state: dict[str, Tensor]
) -> list[str]:
    """Return a reason for each tensor that the file lacks in a part of which it has others."""
    started = [prefix for prefix in ALL_OR_NOTHING_PREFIXES if any(name.startswith(prefix) for name in loaded)]
    missing = (name for name in random if name.startswith(tuple(started)) and name not in tensors)
    return [f"{name} is {tuple(model_state[name].shape)} in the model, not in the file" for name in missing]


def _unexpected_tensors(unused: Iterable[str], tensors: dict[str, Tensor], model_state: dict[str, Tensor]) -> list[str]:
    """Return a reason for each tensor of the file that belongs to a part of the model, but is not in the model."""
    backbone_names = {
        name.removeprefix(parameter_names.BACKBONE_PREFIX)
        for name in model_state
        if name.startswith(parameter_names.BACKBONE_PREFIX)
    }
    unexpected = (
        name
        for name in unused
        if not name.endswith(BATCH_COUNTER)
        and (name.startswith(ALL_OR_NOTHING_PREFIXES) or parameter_names.in_backbone_module(name, backbone_names))
    )
    return [f"{name} is {tuple(tensors[name].shape)} in the file, not in the model" for name in unexpected]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
