# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN's mask loss from one id map per image, where torchvision's wants a mask of its size per instance.

Visible masks do not overlap, so a map of ids holds them all. What the loss wants of a mask is its 28 x 28 samples
inside a positive box: they are taken from the part of the map that the box covers, where it equals the wanted id.
"""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.ops import roi_align

Target = dict[str, Tensor]
TARGET_KEYS = {"boxes", "labels", "ids", "mask_ids"}


def mask_targets_in_boxes(ids: Tensor, size: tuple[int, int], boxes: Tensor, mask_ids: Tensor, side: int) -> Tensor:
    """Return float32 (n, side, side): the share of each cell of n boxes that belongs to the wanted instances.

    The same as torchvision's `project_masks_on_boxes` of the masks `ids == mask_id`, resized to `size` as its
    transform does. Neither the masks nor the resized map are made: only the boxes' parts of it, one by one.

    `ids`: integers (height, width), the map as the data set gives it. `size`: (height, width) of the image that the
    network saw. `boxes`: float (n, 4), x1, y1, x2, y2 in that image. `mask_ids`: (n,), which id each box wants.
    """
    rows, columns = (_nearest(before, after, ids.device) for before, after in zip(ids.shape, size, strict=True))
    boxes = boxes.float()
    # Samples may read a pixel beyond the box, and a box narrower than a pixel is widened to one. No part is empty.
    last = boxes.new_tensor([size[1] - 1, size[0] - 1])
    corners = torch.cat((boxes[:, :2].floor().clamp(min=0).minimum(last), boxes[:, 2:].ceil().clamp(min=0) + 2), dim=1)
    # Moved by whole pixels, a box loses no precision.
    moved = boxes - corners[:, [0, 1, 0, 1]]
    targets = boxes.new_empty((len(boxes), side, side))
    for place, (left, top, right, bottom) in enumerate(corners.long().tolist()):
        part = ids[rows[top:bottom, None], columns[None, left:right]] == mask_ids[place]
        targets[place] = roi_align(part[None, None].float(), [moved[place, None]], side)[0, 0]
    return targets


def _nearest(before: int, after: int, device: torch.device) -> Tensor:
    """Return which of `before` pixels in a row each of `after` pixels shows: torch's own nearest neighbours."""
    places = torch.arange(before, dtype=torch.float32, device=device)
    return functional.interpolate(places[None, None], size=after)[0, 0].long()


def roi_heads_arguments(heads: RoIHeads) -> tuple:
    """Return what `heads` were made of, in the order in which `RoIHeads` takes it."""
    return (
        heads.box_roi_pool,
        heads.box_head,
        heads.box_predictor,
        heads.proposal_matcher.high_threshold,
        heads.proposal_matcher.low_threshold,
        heads.fg_bg_sampler.batch_size_per_image,
        heads.fg_bg_sampler.positive_fraction,
        heads.box_coder.weights,
        heads.score_thresh,
        heads.nms_thresh,
        heads.detections_per_img,
        heads.mask_roi_pool,
        heads.mask_head,
        heads.mask_predictor,
    )


class IdMapHeads(RoIHeads):
    """torchvision's heads, trained with id maps. Their modules, their names and their inference are unchanged.

    A target has, besides `boxes` and `labels`, `ids`: integers (height, width) of the image before it is resized, and
    `mask_ids` (n,): which id is each box's, 0 = a box without a mask, which the mask loss leaves out.
    """

    def __init__(self, heads: RoIHeads) -> None:
        """Take over the modules and settings of `heads`."""
        super().__init__(*roi_heads_arguments(heads))

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[Target] | None = None,
    ) -> tuple[list[Target], dict[str, Tensor]]:
        """As `RoIHeads.forward`: detections or, in training, the three losses of the heads."""
        if not self.training:
            return super().forward(features, proposals, image_shapes)
        proposals, matched, labels, regression_targets = self.select_training_samples(proposals, targets)
        pooled = self.box_roi_pool(features, proposals, image_shapes)
        class_logits, box_regression = self.box_predictor(self.box_head(pooled))
        classifier, box_reg = fastrcnn_loss(class_logits, box_regression, labels, regression_targets)
        # One 0 more, for images without boxes, where torchvision matches all to box 0.
        mask_ids = [
            functional.pad(target["mask_ids"], (0, 1))[match] for target, match in zip(targets, matched, strict=True)
        ]
        maps = [target["ids"] for target in targets]
        mask = self.mask_loss(features, proposals, image_shapes, labels, maps, mask_ids)
        return [], {"loss_classifier": classifier, "loss_box_reg": box_reg, "loss_mask": mask}

    def check_targets(self, targets: list[Target] | None) -> None:
        """Raise ValueError if a target lacks what training needs; `select_training_samples` asks."""
        for target in targets or [{}]:
            if missing := TARGET_KEYS - target.keys():
                raise ValueError(f"a target lacks {', '.join(sorted(missing))}")

    def mask_loss(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        labels: list[Tensor],
        maps: list[Tensor],
        mask_ids: list[Tensor],
    ) -> Tensor:
        """Return the mean binary cross-entropy over the positive boxes whose instances have masks; 0 if none has.

        By image and proposal, `labels`: the class, 0 = background; `mask_ids`: the id of the matching box.
        """
        taught = [(label > 0) & (wanted > 0) for label, wanted in zip(labels, mask_ids, strict=True)]
        boxes, classes, mask_ids = (
            [values[chosen] for values, chosen in zip(each, taught, strict=True)]
            for each in (proposals, labels, mask_ids)
        )
        logits = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
        if len(logits) == 0:
            return logits.sum() * 0  # still with a way back, for those who wait for every gradient
        side = logits.shape[-1]
        images = zip(maps, image_shapes, boxes, mask_ids, strict=True)
        targets = torch.cat([mask_targets_in_boxes(*image, side) for image in images])
        rows = torch.arange(len(logits), device=logits.device)
        # In float32 whatever the heads' precision: sums of small differences.
        return functional.binary_cross_entropy_with_logits(logits[rows, torch.cat(classes)].float(), targets)
