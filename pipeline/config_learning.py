# SPDX-License-Identifier: Apache-2.0
"""What is learned and how: model, training, augmentation."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config_values import Count, Fraction, Range, Section


class ModelSection(Section):
    """Mask R-CNN and where its weights come from."""

    weights: Annotated[str, Field(min_length=1)] = Field(
        "bundled",
        description="bundled: EfficientNet-Lite0 from its package; coco: torchvision's Mask R-CNN ResNet-50-FPN; "
        "none: random; or the path of a model.pt of ours",
    )
    weights_file: str | None = Field(None, description="for weights: coco, the file to use instead of the download")
    freeze_backbone: bool = True
    fpn_channels: Annotated[int, Field(ge=16, le=512)] = 128
    min_size: Annotated[int, Field(ge=32)] = Field(288, description="the shorter side is resized to this, in pixels")
    max_size: Annotated[int, Field(ge=32)] = 512
    rpn_proposals_train: Annotated[int, Field(ge=1)] = 900
    rpn_proposals_test: Annotated[int, Field(ge=1)] = 200
    sampled_boxes: Annotated[int, Field(ge=4)] = Field(128, description="boxes per picture that train the heads")
    score_threshold: Fraction = 0.05
    nms_iou: Fraction = Field(0.4, description="of two boxes of a class that overlap more, the better scored stays")
    detections: Annotated[int, Field(ge=1)] = 100


class AugmentSection(Section):
    """What happens to a picture at training time; probabilities and strengths."""

    flip: Fraction = 0.5
    scale: Range = Field((0.8, 1.5), description="random zoom: below 1 shrinks, above 1 crops")
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.3
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.3
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    white_balance: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="red and blue are multiplied by up to 1 + this, or divided by it"
    )
    vignette: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="light lost in the corners, at most")
    blur: Fraction = Field(0.2, description="probability of a Gaussian blur")
    motion_blur: Fraction = Field(0.1, description="probability of a blur along a line of 2 to 7 pixels")
    sharpen: Fraction = Field(0.3, description="probability of sharpening as cameras do it")
    noise: Fraction = Field(0.3, description="probability of sensor noise: shot and read")
    jpeg: Fraction = Field(0.3, description="probability of JPEG artefacts, quality 50 to 95")


class RateFactors(Section):
    """What the learning rate is multiplied by, group by group."""

    heads: Annotated[float, Field(gt=0)] = Field(1.0, description="proposals, box head, mask head")
    fpn: Annotated[float, Field(gt=0)] = 1.0
    backbone: Annotated[float, Field(gt=0)] = Field(1.0, description="of what model.freeze leaves to train")


class CocoSet(Section):
    """A COCO file and the folder that its file names start from; absolute, or from where Snakemake runs."""

    annotations: Annotated[str, Field(min_length=1)]
    images: Annotated[str, Field(min_length=1)]


class ValidationSection(Section):
    """Score the model while it trains, keep the best weights, stop when it gets no better."""

    every: Annotated[int, Field(ge=1)] = Field(100, description="iterations from one look to the next")
    on: CocoSet | None = Field(None, description="a COCO set of your own; null: the rendered val split")
    metric: Literal["box_AP", "box_AP50", "box_AP75", "mask_AP", "mask_AP50", "mask_AP75"] = "box_AP50"
    patience: Count = Field(0, description="stop after so many looks without a gain; 0 never stops")


class TrainSection(Section):
    """The fine-tuning loop."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    processes: Annotated[int, Field(ge=1)] = Field(1, description="that share every batch: one for each GPU")
    iterations: Annotated[int, Field(ge=1)] = 460
    batch_size: Annotated[int, Field(ge=1)] = Field(2, description="pictures of one step, over all processes")
    accumulate: Annotated[int, Field(ge=1)] = Field(
        1, description="take each process's share of a batch in so many parts, one after the other: less memory"
    )
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 7e-4
    rate_factors: RateFactors = RateFactors()
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
    workers: Count = Field(1, description="processes that read pictures; 0 reads in the loop")
    threads: Annotated[int, Field(ge=1)] = Field(2, description="processor threads of the training step")
    augment: AugmentSection = AugmentSection()
