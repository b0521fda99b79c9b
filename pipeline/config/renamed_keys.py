# SPDX-License-Identifier: Apache-2.0
"""Keys of the config that have been renamed. The message about an old name gives the new one."""

# Old path -> new path. A `*` stands for a name that the user chose, or for the number of a list entry.
RENAMED_KEYS = {
    "data.pictures": "data.images",
    "render.proof_share": "render.verify_share",
    "people.own": "people.custom_share",
    "people.alone": "people.poses_alone",
    "trucks.own": "trucks.custom_share",
    "goods.own": "goods.custom_share",
    "model.unfreeze.*.what": "model.unfreeze.*.parameters",
    "model.unfreeze.*.leave": "model.unfreeze.*.keep_frozen",
    "train.steps": "train.rate_drops",
    "train.validation.on": "train.validation.dataset",
}


def new_name_of(location: tuple[str | int, ...]) -> str | None:
    """Return the new path of a key that has been renamed, None for other keys.

    `location`: the parts of the path as pydantic gives them, such as ("model", "unfreeze", 0, "what").
    """
    parts = [str(part) for part in location if part != "[key]"]
    for old, new in RENAMED_KEYS.items():
        pattern = old.split(".")
        if len(pattern) == len(parts) and all(known in ("*", part) for known, part in zip(pattern, parts, strict=True)):
            names = iter(part for known, part in zip(pattern, parts, strict=True) if known == "*")
            return ".".join(next(names) if part == "*" else part for part in new.split("."))
    return None
