# SPDX-License-Identifier: Apache-2.0
"""What is learned and how: model, training, augmentation."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.config.field_types import CocoSetSection, Count, FloatRange, Fraction, Name, Section, within_limits
from pipeline.config.freezing import FreezePolicy, UnfreezeStep


class ModelSection(Section):
    """Mask R-CNN and where its weights come from."""

    backbone: Annotated[str, Field(min_length=1)] = Field(
        "tf_efficientnet_lite0",
        description="resnet18, resnet34, resnet50, resnet101, vgg16, alexnet, googlenet, efficientnet_b0, "
        "mobilenet_v3_large; torchvision's detectors maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2; "
        "or a model of timm that gives features, by its name or as timm/<name>",
    )
    weights: Annotated[str, Field(min_length=1)] = Field(
        "bundled",
        description="bundled: EfficientNet-Lite0, Lite1 or Lite2 from its package; coco: torchvision's Mask R-CNN "
        "ResNet-50-FPN, v1 or v2 by the backbone; imagenet: the backbone's published classifier; none: random; or the "
        "path of a model.pt of ours or of a state dict of torchvision or timm (.pth, .safetensors)",
    )
    weights_file: str | None = Field(None, description="for weights: coco, the file to use instead of the download")
    freeze: FreezePolicy = Field(
        "backbone",
        description="what is not trained: backbone (its body), heads_only (all but the heads), none, a number "
        "of stages of the body, {all_but_last: N} layers, or a list of names and patterns",
    )
    unfreeze: list[UnfreezeStep] = Field([], description="what of it is trained later in the run, and from when on")
    fpn_channels: Annotated[int, Field(ge=16, le=512)] = 128
    box_hidden: Annotated[int, Field(ge=1)] | None = Field(
        None, description="width of one more layer before the box predictor, which then starts random; 256 is usual"
    )
    box_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="share of what the box predictor gets that is set to zero in training; 0.5 is usual"
    )
    mask_channels: Annotated[int, Field(ge=8, le=512)] | None = Field(
        None, description="width of the mask head; null: that of the pyramid (fpn_channels)"
    )
    mask_layers: Annotated[int, Field(ge=1, le=8)] = Field(4, description="convolutions of the mask head")
    min_size: Annotated[int, Field(ge=32)] = Field(288, description="the shorter side is resized to this, in pixels")
    max_size: Annotated[int, Field(ge=32)] = 512
    rpn_proposals_train: Annotated[int, Field(ge=1)] = 900
    rpn_proposals_test: Annotated[int, Field(ge=1)] = 200
    sampled_boxes: Annotated[int, Field(ge=4)] = Field(128, description="boxes per image that train the heads")
    score_threshold: Fraction = 0.05
    nms_iou: Fraction = Field(0.4, description="of two boxes of a class that overlap more, the better scored stays")
    detections: Annotated[int, Field(ge=1)] = 100


class AugmentSection(Section):
    """What happens to an image at training time; probabilities and strengths."""

    flip: Fraction = Field(0.5, description="probability of a mirrored image, left to right")
    scale: Annotated[FloatRange, within_limits(0.1, 10)] = Field(
        (0.8, 1.5), description="random zoom: below 1 shrinks, above 1 crops; large-scale jitter is [0.1, 2]"
    )
    copy_paste: Fraction = Field(
        0, description="probability that some objects of another image, with masks, are pasted into an image"
    )
    brightness: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="factor from 1 - this to 1 + this")
    contrast: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="factor from 1 - this to 1 + this")
    saturation: Annotated[float, Field(ge=0, le=1)] = Field(0.4, description="factor from 1 - this to 1 + this")
    hue: Annotated[float, Field(ge=0, le=0.5)] = Field(0.04, description="turned by up to this part of the circle")
    blur: Fraction = Field(0.2, description="probability of a Gaussian blur")
    white_balance: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="red and blue are multiplied by up to 1 + this, or divided by it"
    )
    vignette: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="light lost in the corners, at most")
    motion_blur: Fraction = Field(0.1, description="probability of a blur along a line of 2 to 7 pixels")
    noise: Fraction = Field(0.3, description="probability of sensor noise: shot and read")
    sharpen: Fraction = Field(0.3, description="probability of sharpening as cameras do it")
    jpeg: Fraction = Field(0.3, description="probability of JPEG artefacts, quality 50 to 95")


class SourceSection(CocoSetSection):
    """Real images to train on beside the rendered ones (docs/howto/your_images.md)."""

    share: Annotated[float, Field(gt=0, le=1, description="share of all images drawn")]


def _room_for_all(sources: dict[str, SourceSection]) -> dict[str, SourceSection]:
    total = sum(source.share for source in sources.values())
    if total > 1 + 1e-9:
        raise ValueError(f"the shares add up to {total:g}, more than 1; the rendered set takes what they leave")
    return sources


def _auto_or_count(value: Any) -> Any:
    """Refuse in one line what a union would refuse once for each of its kinds."""
    if value != "auto" and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError("must be auto or a whole number, 0 or more")
    return value


Workers = Annotated[
    int | Literal["auto"], BeforeValidator(_auto_or_count, json_schema_input_type=Count | Literal["auto"])
]


class RateFactorsSection(Section):
    """What the learning rate is multiplied by, group by group."""

    heads: Annotated[float, Field(gt=0)] = Field(1.0, description="proposals, box head, mask head")
    fpn: Annotated[float, Field(gt=0)] = 1.0
    backbone: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="of what model.freeze leaves to train; null: 0.1 of a pretrained one, which forgets real images "
        "if it learns rendered ones faster (docs/results.md), 1 of one with weights: none",
    )


class ValidationSection(Section):
    """Score the model while it trains, keep the best weights, stop when it gets no better."""

    every: Annotated[int, Field(ge=1)] = Field(100, description="iterations from one look to the next")
    dataset: CocoSetSection | None = Field(None, description="a COCO set of your own; null: the rendered val split")
    metric: Literal["box_AP", "box_AP50", "box_AP75", "mask_AP", "mask_AP50", "mask_AP75"] = "box_AP50"
    patience: Count = Field(0, description="stop after so many looks without a gain; 0 never stops")


class TrainSection(Section):
    """The fine-tuning loop."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    processes: Annotated[int, Field(ge=1)] = Field(1, description="that share every batch: one for each GPU")
    iterations: Annotated[int, Field(ge=1)] = 460
    batch_size: Annotated[int, Field(ge=1)] = Field(2, description="images of one step, over all processes")
    accumulate: Annotated[int, Field(ge=1)] = Field(
        1, description="take each process's share of a batch in so many parts, one after the other: less memory"
    )
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 7e-4
    rate_factors: RateFactorsSection = RateFactorsSection()
    momentum: Fraction = Field(0.9, description="for optimizer: sgd")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="not of norms and biases")
    warmup_iterations: Count = 50
    schedule: Literal["cosine", "steps"] = "cosine"
    steps: tuple[Fraction, ...] = Field(
        (0.7, 0.9), description="for schedule: steps: after these shares of all iterations the rate is a tenth"
    )
    gradient_clip: Annotated[float, Field(gt=0)] = Field(10.0, description="longest gradient, as a norm over all")
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="average of the weights over the steps, scored and saved instead of the last ones; 0: off"
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", description="of backbone and heads; proposals, box decoding and losses stay in fp32"
    )
    channels_last: bool = Field(False, description="memory format of the weights; faster convolutions on many GPUs")
    validation: ValidationSection | None = Field(
        None, description="keep the best weights, stop early; null: train to the end and keep the last"
    )
    checkpoint_every: Annotated[int, Field(ge=1)] = Field(
        100, description="iterations; what a killed run or one that met a NaN goes back to"
    )
    tensorboard: bool = Field(False, description="also write the log for TensorBoard")
    workers: Workers = Field(
        "auto", description="processes that read images; auto: the cores that the step leaves; 0 reads in the loop"
    )
    threads: Annotated[int, Field(ge=1)] = Field(2, description="processor threads of the training step")
    sources: Annotated[dict[Name, SourceSection], AfterValidator(_room_for_all)] = Field(
        {}, description="sets of real images to mix in, by name"
    )
    repeat_threshold: Fraction = Field(
        0, description="classes in a smaller share of a set's images are drawn more often (LVIS); 0 = never"
    )
    augment: AugmentSection = AugmentSection()
