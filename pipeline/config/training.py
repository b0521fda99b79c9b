# SPDX-License-Identifier: Apache-2.0
"""The sections `model` and `train`: what is trained and how, with augmentation and validation."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.common.plain_values import AS_NUMBER, AS_TEXT, AS_WHOLE_NUMBER
from pipeline.config.backbone_names import check_backbone, weights_problem
from pipeline.config.field_types import (
    CocoSetSection,
    Count,
    FloatRange,
    Fraction,
    Name,
    PositiveCount,
    PositiveNumber,
    Section,
    Switch,
    UserPath,
    none_as_empty,
    within_limits,
)
from pipeline.config.freezing import FreezePolicy, UnfreezeStep


class ModelSection(Section):
    """Mask R-CNN, and the weights that its training starts from.

    Without a network, set `backbone: tf_efficientnet_lite0` and `weights: bundled`: these weights are installed with
    Cariste. The default is larger and better, and downloads 170 MB once.
    """

    backbone: Annotated[str, Field(min_length=1), AS_TEXT, AfterValidator(check_backbone)] = Field(
        "maskrcnn_resnet50_fpn",
        description="torchvision's detectors maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2; resnet18, resnet34, "
        "resnet50, resnet101, vgg16, alexnet, googlenet, efficientnet_b0, mobilenet_v3_large; or the name of a timm "
        "model that gives features, such as tf_efficientnet_lite0 or timm/convnext_pico",
    )
    weights: UserPath = Field(
        "coco",
        description="coco: torchvision's detector, trained on COCO, a download, only for its two backbones; "
        "bundled: installed with Cariste, needs no network, for tf_efficientnet_lite0, _lite1 and _lite2; "
        "imagenet: the published classifier of the backbone, a download; none: random; or the path of a model.pt or a "
        "checkpoint of Cariste, or of a state dict of torchvision or timm (.pth, .safetensors)",
    )
    weights_file: UserPath | None = Field(
        None, description="for weights: coco, a local file to use instead of the download"
    )
    freeze: FreezePolicy = Field(
        "backbone",
        description="what is not trained: backbone (without its FPN), heads_only (everything but the heads), none, "
        "the number of stages of the backbone, {all_but_last: number of layers}, or a list of names and patterns",
    )
    unfreeze: list[UnfreezeStep] = Field([], description="what of it is trained later in the run, and from when on")
    fpn_channels: Annotated[int, Field(ge=16, le=512), AS_WHOLE_NUMBER] = Field(
        256, description="channels of the feature pyramid; 256 for weights: coco"
    )
    box_hidden: PositiveCount | None = Field(
        None, description="channels of an extra layer before the box predictor, which then starts random; 256 is usual"
    )
    box_dropout: Annotated[float, Field(ge=0, lt=1), AS_NUMBER] = Field(
        0.0, description="dropout probability before the box predictor; 0.5 is usual"
    )
    mask_channels: Annotated[int, Field(ge=8, le=512), AS_WHOLE_NUMBER] | None = Field(
        None, description="channels of the mask head; null: as many as fpn_channels"
    )
    mask_layers: Annotated[int, Field(ge=1, le=8), AS_WHOLE_NUMBER] = Field(
        4, description="convolutions of the mask head"
    )
    min_size: Annotated[int, Field(ge=32), AS_WHOLE_NUMBER] = Field(
        540, description="the shorter side of every image is resized to this, in pixels"
    )
    max_size: Annotated[int, Field(ge=32), AS_WHOLE_NUMBER] = Field(
        960, description="limit of the longer side, in pixels"
    )
    rpn_proposals_train: PositiveCount = Field(2000, description="region proposals that are kept per image in training")
    rpn_proposals_test: PositiveCount = Field(1000, description="region proposals that are kept per image in inference")
    sampled_boxes: Annotated[int, Field(ge=4), AS_WHOLE_NUMBER] = Field(
        512, description="boxes per image that train the heads"
    )
    score_threshold: Fraction = Field(0.05, description="detections with a lower confidence are dropped")
    nms_iou: Fraction = Field(
        0.5, description="of two boxes of a class with a larger IoU, only the one with the higher confidence stays"
    )
    detections: PositiveCount = Field(100, description="detections per image, at most")

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if problem := weights_problem(self.backbone, self.weights):
            raise ValueError(problem)
        if self.weights_file and self.weights != "coco":
            raise ValueError(f"weights_file is for weights: coco, not for weights: {self.weights}")
        return self


class AugmentSection(Section):
    """Random changes of every training image."""

    flip: Fraction = Field(0.5, description="probability of a horizontal flip")
    scale: Annotated[FloatRange, within_limits(0.1, 10)] = Field(
        (0.8, 1.5), description="random zoom: below 1 shrinks, above 1 crops; large-scale jitter is [0.1, 2]"
    )
    copy_paste: Fraction = Field(
        0, description="probability that some objects of another image, with their masks, are pasted into the image"
    )
    brightness: Fraction = Field(0.3, description="factor from 1 - value to 1 + value")
    contrast: Fraction = Field(0.3, description="factor from 1 - value to 1 + value")
    saturation: Fraction = Field(0.4, description="factor from 1 - value to 1 + value")
    hue: Annotated[float, Field(ge=0, le=0.5), AS_NUMBER] = Field(
        0.04, description="largest shift, as a part of the color circle"
    )
    blur: Fraction = Field(0.2, description="probability of a Gaussian blur")
    white_balance: Fraction = Field(0.1, description="red and blue are multiplied or divided by up to 1 + value")
    vignette: Fraction = Field(0.3, description="largest loss of light in the corners")
    motion_blur: Fraction = Field(0.1, description="probability of a blur along a line of 2 to 7 pixels")
    noise: Fraction = Field(0.3, description="probability of sensor noise: shot noise and read noise")
    sharpen: Fraction = Field(0.3, description="probability of a sharpening like that of cameras")
    jpeg: Fraction = Field(0.3, description="probability of JPEG artifacts, quality 50 to 95")


class SourceSection(CocoSetSection):
    """A set of real images to train on, beside the rendered ones."""

    share: Annotated[
        float, Field(gt=0, le=1, description="share of this set among all images that are drawn"), AS_NUMBER
    ]


def _check_share_sum(sources: dict[str, SourceSection]) -> dict[str, SourceSection]:
    total = sum(source.share for source in sources.values())
    if total > 1 + 1e-9:
        raise ValueError(f"the shares add up to {total:g}, more than 1; the rendered set gets the rest")
    return sources


def _check_auto_or_count(value: Any) -> Any:
    """Check with a single message; the union type alone would give one message for each of its types."""
    if value != "auto" and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError("must be auto or a whole number, 0 or more")
    return value


Workers = Annotated[
    int | Literal["auto"], BeforeValidator(_check_auto_or_count, json_schema_input_type=Count | Literal["auto"])
]


class RateFactorsSection(Section):
    """Factors on the learning rate, for each group of parameters."""

    heads: PositiveNumber = Field(1.0, description="of region proposals, box head and mask head")
    fpn: PositiveNumber = Field(1.0, description="of the feature pyramid")
    backbone: PositiveNumber | None = Field(
        None,
        description="of the part of the backbone that model.freeze leaves trainable; null: 1 for weights: none, 0.1 "
        "for pretrained weights, which forget real images if they learn rendered ones faster",
    )


class ValidationSection(Section):
    """Score the model during training, keep the best weights, and stop when the score no longer improves."""

    every: PositiveCount = Field(100, description="iterations between two validation rounds")
    dataset: CocoSetSection | None = Field(
        None, description="a COCO set to validate on; null: the validation split of the rendered set"
    )
    metric: Literal["box_AP", "box_AP50", "box_AP75", "mask_AP", "mask_AP50", "mask_AP75"] = Field(
        "box_AP50", description="the score"
    )
    patience: Count = Field(0, description="stop after this number of rounds without a better score; 0: never stop")


class TrainSection(Section):
    """The training loop."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto",
        description="auto: a GPU if there is one, else the CPU; a device that is named and missing is an error. On a "
        "cluster, name cuda: for auto, no GPU is requested",
    )
    processes: PositiveCount = Field(1, description="processes that share every batch: one for each GPU")
    iterations: PositiveCount = Field(12_000, description="number of training steps")
    batch_size: PositiveCount = Field(8, description="images per step, over all processes")
    accumulate: PositiveCount = Field(
        1, description="split the batch of a process into this number of parts, one after the other: takes less memory"
    )
    optimizer: Literal["adamw", "adam", "sgd"] = "sgd"
    learning_rate: PositiveNumber = Field(0.005, description="after the warm-up; for adamw about 0.0007")
    rate_factors: RateFactorsSection = RateFactorsSection()
    momentum: Fraction = Field(0.9, description="for optimizer: sgd")
    weight_decay: Annotated[float, Field(ge=0), AS_NUMBER] = Field(
        0.0001, description="not for norms and biases; for adamw about 0.01"
    )
    warmup_iterations: Count = Field(500, description="iterations in which the learning rate rises linearly")
    schedule: Literal["cosine", "steps"] = Field("cosine", description="of the learning rate after the warm-up")
    rate_drops: tuple[Fraction, ...] = Field(
        (0.7, 0.9), description="for schedule: steps, the parts of the run after which the rate is divided by 10"
    )
    gradient_clip: PositiveNumber = Field(10.0, description="largest norm of the gradient")
    ema_decay: Annotated[float, Field(ge=0, lt=1), AS_NUMBER] = Field(
        0.0, description="decay of a moving average of the weights, which is scored and saved instead of them; 0: off"
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", description="of backbone and heads; proposals, box decoding and losses stay in fp32"
    )
    channels_last: Switch = Field(False, description="memory format of the weights; faster convolutions on many GPUs")
    validation: ValidationSection | None = Field(
        None, description="validation rounds during training; null: train to the end and keep the last weights"
    )
    checkpoint_every: PositiveCount = Field(
        500, description="iterations between two checkpoints, from which a killed run resumes"
    )
    tensorboard: Switch = Field(False, description="also write the log for TensorBoard")
    workers: Workers = Field(
        "auto",
        description="processes that read images; auto: the cores that the training step leaves free; 0: the training "
        "process reads them itself",
    )
    threads: PositiveCount = Field(8, description="CPU threads of the training step")
    sources: Annotated[dict[Name, SourceSection], AfterValidator(_check_share_sum), BeforeValidator(none_as_empty)] = (
        Field({}, description="sets of real images to train on too, by a name of your choice")
    )
    repeat_threshold: Fraction = Field(
        0,
        description="categories in a smaller share of the images of a set are drawn more often, as in LVIS; 0: never",
    )
    augment: AugmentSection = AugmentSection()

    @model_validator(mode="after")
    def _check_batch_size(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size = {self.batch_size} cannot be shared evenly by {self.processes} processes; choose a "
                f"multiple of {self.processes}"
            )
        return self
