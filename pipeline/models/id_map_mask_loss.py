# SPDX-License-Identifier: Apache-2.0
"""The mask loss of Mask R-CNN, computed from one id map per image.

torchvision's loss needs a mask of the size of the image for each instance. Visible masks do not overlap, so one map of
ids holds all of them. The loss only uses 28 x 28 samples of a mask inside of a positive box. They are taken from the
part of the map inside of the box, where it has the id of the instance.
"""

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.ops import roi_align

Target = dict[str, Tensor]
TARGET_KEYS = {"boxes", "labels", "ids", "mask_ids"}


def mask_targets_in_boxes(ids: Tensor, size: tuple[int, int], boxes: Tensor, mask_ids: Tensor, side: int) -> Tensor:
    """Return the mask targets of n boxes, float32 (n, side, side): the share of each cell that its instance covers.

    The result is that of torchvision's `project_masks_on_boxes` for the masks `ids == mask_id`, resized to `size` as
    torchvision's transform does. Neither the masks nor the resized map are built, only the part inside of each box.

    Args:
        ids: integers (height, width), the map from the data set.
        size: (height, width) of the resized image.
        boxes: float (n, 4), x1, y1, x2, y2 in the resized image.
        mask_ids: (n,), the id of the instance of each box.
        side: cells per side.
    """
    rows, columns = (
        _nearest_indices(source, target, ids.device) for source, target in zip(ids.shape, size, strict=True)
    )
    boxes = boxes.float()
    # A sample may read one pixel beyond the box, and a box narrower than a pixel is widened to one. No part is empty.
    last = boxes.new_tensor([size[1] - 1, size[0] - 1])
    corners = torch.cat((boxes[:, :2].floor().clamp(min=0).minimum(last), boxes[:, 2:].ceil().clamp(min=0) + 2), dim=1)
    # Moving a box by whole pixels does not change its fractions.
    moved = boxes - corners[:, [0, 1, 0, 1]]
    targets = boxes.new_empty((len(boxes), side, side))
    for index, (left, top, right, bottom) in enumerate(corners.long().tolist()):
        part_mask = ids[rows[top:bottom, None], columns[None, left:right]] == mask_ids[index]
        targets[index] = roi_align(part_mask[None, None].float(), [moved[index, None]], side)[0, 0]
    return targets


def _nearest_indices(source_size: int, target_size: int, device: torch.device) -> Tensor:
    """Return which source pixel each target pixel shows, if a row is resized by torch with nearest neighbors."""
    positions = torch.arange(source_size, dtype=torch.float32, device=device)
    return functional.interpolate(positions[None, None], size=target_size)[0, 0].long()


def roi_heads_arguments(heads: RoIHeads) -> tuple:
    """Return the arguments of `RoIHeads` that build `heads` again."""
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
    """torchvision's heads, trained with id maps. Modules, names of parameters and inference are unchanged.

    A target has `boxes`, `labels`, `ids` and `mask_ids`. `ids`: integers (height, width) of the image before resizing.
    `mask_ids`: (n,), the id of each box in the map; 0 is a box without a mask, which the mask loss leaves out.
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
        """Return detections or, in training, the three losses of the heads; see `RoIHeads.forward`."""
        if not self.training:
            return super().forward(features, proposals, image_shapes)
        proposals, matched, labels, regression_targets = self.select_training_samples(proposals, targets)
        pooled = self.box_roi_pool(features, proposals, image_shapes)
        class_logits, box_regression = self.box_predictor(self.box_head(pooled))
        classifier, box_reg = fastrcnn_loss(class_logits, box_regression, labels, regression_targets)
        # The additional 0 is for images without boxes: there, torchvision matches everything to box 0.
        mask_ids = [
            functional.pad(target["mask_ids"], (0, 1))[matched_box]
            for target, matched_box in zip(targets, matched, strict=True)
        ]
        id_maps = [target["ids"] for target in targets]
        mask = self.mask_loss(features, proposals, image_shapes, labels, id_maps, mask_ids)
        return [], {"loss_classifier": classifier, "loss_box_reg": box_reg, "loss_mask": mask}

    def check_targets(self, targets: list[Target] | None) -> None:
        """Raise ValueError if a target lacks a key. `select_training_samples` calls this."""
        for target in targets or [{}]:
            if missing := TARGET_KEYS - target.keys():
                raise ValueError(f"a target lacks {', '.join(sorted(missing))}")

    def mask_loss(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        labels: list[Tensor],
        id_maps: list[Tensor],
        mask_ids: list[Tensor],
    ) -> Tensor:
        """Return the mean binary cross-entropy over the positive boxes whose instances have masks; 0 if there are none.

        `labels` and `mask_ids` have a tensor for each image, with a value for each proposal: the class (0 is
        background), and the id of the matched box.
        """
        has_mask = [(label > 0) & (mask_id > 0) for label, mask_id in zip(labels, mask_ids, strict=True)]
        boxes, classes, mask_ids = (
            [values[selected] for values, selected in zip(per_image, has_mask, strict=True)]
            for per_image in (proposals, labels, mask_ids)
        )
        logits = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
        if len(logits) == 0:
            return logits.sum() * 0  # keeps the graph connected, so that data parallelism sees every gradient
        side = logits.shape[-1]
        per_image = zip(id_maps, image_shapes, boxes, mask_ids, strict=True)
        targets = torch.cat([mask_targets_in_boxes(*arguments, side) for arguments in per_image])
        rows = torch.arange(len(logits), device=logits.device)
        # In float32 for every precision of the heads, because the loss sums small differences.
        return functional.binary_cross_entropy_with_logits(logits[rows, torch.cat(classes)].float(), targets)
