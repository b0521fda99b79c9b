# SPDX-License-Identifier: Apache-2.0
"""What becomes of every tensor when weights are copied into a model, and whether they fit it at all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor

from pipeline.models.weights import parameter_names
from pipeline.models.weights.state_dicts import WeightsError

# Predictor tensors and how many of their rows belong to one class.
CLASS_ROWS = {
    "roi_heads.box_predictor.cls_score.weight": 1,
    "roi_heads.box_predictor.cls_score.bias": 1,
    "roi_heads.box_predictor.bbox_pred.weight": 4,
    "roi_heads.box_predictor.bbox_pred.bias": 4,
    "roi_heads.mask_predictor.mask_fcn_logits.weight": 1,
    "roi_heads.mask_predictor.mask_fcn_logits.bias": 1,
}
# A file has the whole of such a part, or nothing of it.
ALL_OR_NOTHING_PREFIXES = (parameter_names.BACKBONE_PREFIX, "backbone.fpn.", "rpn.")
# Of these, the config may ask for other widths than the file has.
CONFIGURABLE_PREFIX = "roi_heads."
# Counts batches, and is of no use once the statistics are there; many files leave it out.
BATCH_COUNTER = "num_batches_tracked"
MAX_LISTED = 5


@dataclass(frozen=True)
class WeightsLoadReport:
    """What becomes of every tensor.

    `random`: of the model, not in the file. `reshaped`: in both, but the config wants another shape: random too.
    `unused`: of the file. `shared_classes`, `fresh_classes`: predictor rows that are taken over by name, or not.
    `misfits`: sentences that say why these weights are of another model.
    """

    label: str
    loaded: tuple[str, ...]
    random: tuple[str, ...]
    reshaped: tuple[str, ...]
    unused: tuple[str, ...]
    shared_classes: tuple[str, ...]
    fresh_classes: tuple[str, ...]
    misfits: tuple[str, ...]

    @property
    def fresh_layers(self) -> tuple[str, ...]:
        """Return the layers that start with random numbers, in the model's order."""
        return tuple(dict.fromkeys(_layer(name) for name in self.random))

    def refuse_misfits(self) -> None:
        """Raise WeightsError if these are the weights of another model, or if nothing of them would be used."""
        if self.misfits:
            shown = "; ".join(self.misfits[:MAX_LISTED])
            more = f"; and {len(self.misfits) - MAX_LISTED} more" if len(self.misfits) > MAX_LISTED else ""
            raise WeightsError(f"weights {self.label}: of another model than the config's: {shown}{more}")
        if not self.loaded:
            theirs, ours = (", ".join(names[:3]) for names in (self.unused, self.random))
            raise WeightsError(
                f"weights {self.label}: nothing of it would be used: its tensors are called {theirs}, …; "
                f"the model's {ours}, …"
            )

    def lines(self) -> list[str]:
        """Return one line per tensor: what became of it, and its name."""
        kinds = (("loaded", self.loaded), ("random", self.random), ("unused", self.unused))
        lines = [f"{kind:8} {name}" for kind, names in kinds for name in names]
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
            parts["not used, as the config shapes them otherwise"] = ", ".join(self.reshaped)
        return f"weights {self.label}: {counts}; " + "; ".join(f"{key}: {value}" for key, value in parts.items())


def build_load_report(
    label: str, tensors: dict[str, Tensor], theirs: Sequence[str], state: dict[str, Tensor], classes: Sequence[str]
) -> WeightsLoadReport:
    """Return what will become of every tensor.

    `tensors`: of the file, by our names; `theirs`: the names of its predictor rows; `state`, `classes`: the model's.
    """
    loaded, reshaped, misfits = [], [], []
    for name, tensor in tensors.items():
        if name not in state:
            continue
        problem = _problem(name, tensor, state[name], theirs)
        if not problem:
            loaded.append(name)
        elif name.startswith(CONFIGURABLE_PREFIX):
            reshaped.append(name)
        else:
            misfits.append(f"{name} {problem}")
    # A predictor is taken over whole or not at all.
    apart = {name.replace(".weight", ".bias") for name in reshaped if name in CLASS_ROWS} & set(loaded)
    loaded = [name for name in loaded if name not in apart]
    reshaped += sorted(apart)
    taken = set(loaded)
    random = tuple(name for name in state if name not in taken and not name.endswith(BATCH_COUNTER))
    unused = tuple(name for name in tensors if name not in state)
    misfits += _missing(loaded, random, tensors, state)
    misfits += _extra(unused, tensors, state)
    return WeightsLoadReport(
        label,
        tuple(loaded),
        random,
        tuple(reshaped),
        unused,
        tuple(name for name in classes if name in theirs),
        tuple(name for name in classes if name not in theirs) if taken & CLASS_ROWS.keys() else (),
        tuple(misfits),
    )


def _problem(name: str, tensor: Tensor, target: Tensor, theirs: Sequence[str]) -> str:
    """Return why a tensor cannot be taken over, or nothing. Predictors go row by row: only their columns must agree."""
    rows = CLASS_ROWS.get(name)
    if rows is None:
        fits = tensor.shape == target.shape
    else:
        fits = len(tensor) == rows * len(theirs) and tensor.shape[1:] == target.shape[1:]
    return "" if fits else f"is {tuple(tensor.shape)} in the file, {tuple(target.shape)} in the model"


def _missing(
    loaded: Iterable[str], random: Iterable[str], tensors: dict[str, Tensor], state: dict[str, Tensor]
) -> list[str]:
    begun = [part for part in ALL_OR_NOTHING_PREFIXES if any(name.startswith(part) for name in loaded)]
    missing = (name for name in random if name.startswith(tuple(begun)) and name not in tensors)
    return [f"{name} is {tuple(state[name].shape)} in the model, not in the file" for name in missing]


def _extra(unused: Iterable[str], tensors: dict[str, Tensor], state: dict[str, Tensor]) -> list[str]:
    body = {
        name.removeprefix(parameter_names.BACKBONE_PREFIX)
        for name in state
        if name.startswith(parameter_names.BACKBONE_PREFIX)
    }
    extra = (
        name
        for name in unused
        if not name.endswith(BATCH_COUNTER)
        and (name.startswith(ALL_OR_NOTHING_PREFIXES) or parameter_names.in_backbone_module(name, body))
    )
    return [f"{name} is {tuple(tensors[name].shape)} in the file, not in the model" for name in extra]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
