# SPDX-License-Identifier: Apache-2.0
"""Validation during training: the best weights are kept, and training stops when the score no longer improves."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.cli.train_stage import run_train_stage
from pipeline.coco import reader
from pipeline.common import image_files
from pipeline.config.stages import TrainConfig
from pipeline.inference import coco_score, evaluate
from pipeline.models import detectors
from pipeline.reports.run_records import read_training


def with_validation(settings: TrainConfig, train_values: dict, **values) -> TrainConfig:
    whole = settings.model_dump(mode="json")
    section = whole["train"] | train_values | {"validation": values}
    return TrainConfig.model_validate(whole | {"train": section})


def run(settings, data, folder, val=None):
    out, log = folder / "model.pt", folder / "training.jsonl"
    run_train_stage(settings, data.annotations, data.images, out, log, val=val)
    return out, [json.loads(line) for line in log.open()][1:]


def test_the_best_weights_are_saved_and_training_stops(make_data, tiny_settings, tmp_path, monkeypatch):
    """The scores are given: the second round is the best, and after two more rounds training stops."""
    scores = iter([0.1, 0.4, 0.2, 0.3, 0.9])
    looked_at = []

    def score(self, network):
        assert not network.training
        looked_at.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return next(scores)

    monkeypatch.setattr(coco_score.CocoScore, "__call__", score)
    data = make_data()
    settings = with_validation(tiny_settings, {"iterations": 9}, every=1, patience=2)
    out, lines = run(settings, data, tmp_path, val=data.annotations)
    assert [line["box_AP50"] for line in lines] == [0.1, 0.4, 0.2, 0.3]
    loaded = detectors.load(out)
    assert loaded.facts["validation"] == {"metric": "box_AP50", "best": 0.4, "iteration": 2}
    assert loaded.facts["iterations"] == 4
    saved = loaded.model.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in looked_at[1].items())
    assert any(not torch.equal(saved[name], tensor) for name, tensor in looked_at[3].items())


def test_the_score_is_that_of_evaluate_and_validation_does_not_change_the_training(make_data, tiny_settings, tmp_path):
    data = make_data()
    own = {"annotations": str(data.annotations), "images": str(data.images)}
    plain = {"iterations": 6, "learning_rate": 0.002}
    looked, lines = run(with_validation(tiny_settings, plain, every=2, dataset=own), data, tmp_path / "a")
    assert [line["iteration"] for line in lines if "box_AP50" in line] == [2, 4, 6]
    best = detectors.load(looked).facts["validation"]
    assert best["best"] == max(line.get("box_AP50", 0) for line in lines)
    score = evaluate.evaluate_model(looked, data.annotations, data.images, "cpu").metrics["box"]["AP50"]
    assert score == pytest.approx(best["best"])
    section = tiny_settings.train.model_copy(update=plain)
    _, unlooked = run(tiny_settings.model_copy(update={"train": section}), data, tmp_path / "b")
    assert [line["loss"] for line in lines] == [line["loss"] for line in unlooked]


def test_the_average_is_what_is_scored_and_saved(make_data, tiny_settings, tmp_path):
    data = make_data()
    section = tiny_settings.train.model_copy(update={"iterations": 4, "ema_decay": 0.9, "learning_rate": 0.01})
    averaged, _ = run(tiny_settings.model_copy(update={"train": section}), data, tmp_path / "a")
    section = section.model_copy(update={"ema_decay": 0.0})
    last, _ = run(tiny_settings.model_copy(update={"train": section}), data, tmp_path / "b")
    one, two = detectors.load(averaged).model.state_dict(), detectors.load(last).model.state_dict()
    assert not torch.equal(one["rpn.head.cls_logits.weight"], two["rpn.head.cls_logits.weight"])
    frozen = [name for name in one if name.startswith("backbone.body.")]
    assert all(torch.equal(one[name], two[name]) for name in frozen)


@pytest.mark.parametrize("metric", ["box_AP50", "mask_AP"])
def test_a_set_without_what_the_metric_needs_is_refused(make_data, tiny_settings, tmp_path, metric):
    data = make_data()
    document = json.loads(data.annotations.read_text())
    poor = tmp_path / "poor.json"
    for annotation in document["annotations"]:
        del annotation["segmentation"]
    if metric == "box_AP50":
        document["annotations"] = []
    poor.write_text(json.dumps(document))
    settings = with_validation(tiny_settings, {}, metric=metric)
    with pytest.raises(coco_score.ValidationSetError, match=rf"poor\.json.*train\.validation\.metric = '{metric}'"):
        run(settings, data, tmp_path, val=poor)


def test_a_damaged_image_is_named_before_the_training_begins(make_data, tiny_settings, tmp_path):
    data = make_data()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8))
    noise.save(tmp_path / "noise.jpg")
    (data.images / "images/000002.png").write_bytes((tmp_path / "noise.jpg").read_bytes()[:-500])
    own = {"annotations": str(data.annotations), "images": str(data.images)}
    section = with_validation(tiny_settings, {}, dataset=own).train.validation
    with pytest.raises(image_files.ImageFileError, match=r"^train\.validation\.dataset: .*000002\.png: not a readable"):
        coco_score.score_from_config(
            section, tiny_settings.model, data.images, None, reader.read_coco(data.annotations).categories
        )


def test_the_rendered_split_must_be_given(make_data, tiny_settings, tmp_path):
    with pytest.raises(coco_score.ValidationSetError, match="--val"):
        run(with_validation(tiny_settings, {}), make_data(), tmp_path)


def test_channels_last_and_parts_of_a_batch_train_the_same_model(make_data, tiny_settings, tmp_path):
    data = make_data()
    logs = []
    for name, values in {"plain": {}, "last": {"channels_last": True}, "bf16": {"precision": "bf16"}}.items():
        section = tiny_settings.train.model_copy(update=values)
        out, _ = run(tiny_settings.model_copy(update={"train": section}), data, tmp_path / name)
        weights = torch.load(out, weights_only=True)["weights"]
        assert all(tensor.is_contiguous() for tensor in weights.values())
        assert {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()} == {torch.float32}
        logs.append(read_training(tmp_path / name / "training.jsonl").columns["loss"])
    assert logs[1] == pytest.approx(logs[0], rel=1e-3)
    assert logs[2] == pytest.approx(logs[0], rel=0.05)


def test_classes_that_were_not_trained_on_do_not_count(make_data, tiny_settings, tmp_path):
    data = make_data()
    taught = reader.read_coco(data.annotations)
    places = (data.annotations, data.images)
    score = coco_score.CocoScore("box_AP", *places, taught.categories[:1], tiny_settings.model)
    assert score.unknown_classes == {"pallet_truck"}
