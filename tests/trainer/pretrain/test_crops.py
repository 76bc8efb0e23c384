"""Crops that keep what was looked at, and crops about what the encoder answers to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.config.recipes import RECIPES, ViewRanges
from trainer.data.cache import ImageCache
from trainer.data.cohort import FixationList, Member, ReadingGaze
from trainer.methods.registry import make_method
from trainer.pretrain.augment import draw_views
from trainer.pretrain.crops import activation_boxes, gaze_boxes

CROPS = ViewRanges(area=(0.1, 0.9), ratio=(3 / 4, 4 / 3), flip=0, blur=0)


def corners(draw, side: int) -> torch.Tensor:
    """Return x0, y0, x1, y1 of unturned crops in array pixels."""
    a = draw.affine
    x, y, w, h = a[:, 0, 2], a[:, 1, 2], a[:, 0, 0], a[:, 1, 1]
    return torch.stack([x - w, y - h, x + w, y + h], 1).add(1).mul(side / 2)


def drawn(**options) -> torch.Tensor:
    boxes = torch.tensor([[80.0, 96.0]]).repeat(500, 1)
    draws = torch.Generator().manual_seed(0)
    return corners(draw_views(CROPS, boxes, 96, 64, True, draws, **options), 96)


def test_a_crop_keeps_what_was_looked_at_or_lies_in_it() -> None:
    kept = torch.tensor([[30.0, 40.0, 55.0, 70.0]]).repeat(500, 1)
    made = drawn(keeping=kept)
    for low, high in ((0, 2), (1, 3)):
        around = (made[:, low] <= kept[:, low] + 1e-3) & (made[:, high] >= kept[:, high] - 1e-3)
        inside = (made[:, low] >= kept[:, low] - 1e-3) & (made[:, high] <= kept[:, high] + 1e-3)
        assert (around | inside).all()
    assert made.min() > -1e-3
    assert (made[:, 2] <= 80 + 1e-3).all()
    free = drawn()
    assert not torch.equal(made, free)
    torch.testing.assert_close(drawn(keeping=torch.full((500, 4), torch.nan)), free)


def test_contrastive_crops_have_their_centre_in_the_box_where_the_image_allows() -> None:
    box = torch.tensor([[50.0, 60.0, 60.0, 80.0]]).repeat(500, 1)
    made, free = drawn(centred_in=box), drawn()
    centre = (made[:, :2] + made[:, 2:]) / 2
    small = ((made[:, 2:] - made[:, :2]) < 36).all(1)
    assert small.sum() > 20
    assert ((centre[small] >= box[0, :2] - 1e-3) & (centre[small] <= box[0, 2:] + 1e-3)).all()
    assert made.min() > -1e-3
    torch.testing.assert_close(made[:, 2:] - made[:, :2], free[:, 2:] - free[:, :2])


def test_the_box_of_gaze_holds_the_middle_of_dwell_time() -> None:
    points = np.array([[10.0, 20.0], [20.0, 40.0], [30.0, 60.0], [90.0, 190.0], [np.nan, 0.0]])
    dwell = np.array([400, 400, 400, 1, 9000])
    fixations = FixationList(np.arange(5), dwell, points)
    reading = ReadingGaze("r", "R1", np.zeros(0, np.int64), np.zeros((0, 2)), fixations)
    read = Member("i", "", "g", None, None, 100, 200, Path(), (reading,))
    unread = Member("j", "", "g", None, None, 100, 200, Path())
    images = ImageCache(torch.zeros(2, 64, 64, dtype=torch.uint8), torch.tensor([[32.0, 64.0]] * 2))
    boxes = gaze_boxes([read, unread], images)
    torch.testing.assert_close(boxes[0], torch.tensor([10.0, 20.0, 30.0, 60.0]) * 0.32)
    assert boxes[1].isnan().all()


@pytest.mark.usefixtures("tiny_encoder")
def test_activation_marks_what_stands_out(tmp_path: Path) -> None:
    job = job_in(tmp_path, replace(CONFIG, crop="ccrop", size=32))
    pixels = torch.zeros_like(job.images.pixels)
    pixels[:, 8:20, 28:40] = 255
    job = replace(job, images=ImageCache(pixels, job.images.boxes))
    method = make_method(job.config).train()
    with torch.no_grad():
        method.encoder.conv1.weight.abs_()
        method.encoder.layer1.weight.abs_()
    before = {k: v.clone() for k, v in method.state_dict().items()}
    x_0, y_0, x_1, y_1 = activation_boxes(method, job)[0].tolist()
    assert 14 < x_0 < 34 < x_1 <= 48  # it stands out at x 28 to 40, y 8 to 20
    assert y_0 < 14 < y_1 < 34
    assert method.training
    assert all(torch.equal(v, before[k]) for k, v in method.state_dict().items())


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"method": "mocov2", "queue": 7, "accumulate": 3}, id="queue, halfway"),
        pytest.param({"method": "mocov3", "precision": "bf16", "optimiser": "lars"}, id="mocov3"),
        pytest.param({"method": "simclr", "optimiser": "sgd", "clip_grad": 1.0}, id="simclr"),
        pytest.param({"method": "simsiam", "crop": "ccrop", "workers": 3}, id="ccrop"),
        pytest.param({"method": "byol", "accumulate": 2, "workers": 0}, id="accumulate"),
    ],
)
def test_each_method_goes_on_bit_for_bit_from_any_step(tmp_path: Path, changes: dict) -> None:
    config = replace(CONFIG, projector_hidden=32, predictor_hidden=32, **changes)
    config = replace(config, recipe="knee")
    low = {"precision": torch.bfloat16} if changes.get("precision") else {}
    straight, _ = run(job_in(tmp_path / "straight", config, **low))
    job = job_in(tmp_path / "broken", config, **low)
    for steps in (3, 1, 1):
        run(job, StopAfter(steps))
        torch.manual_seed(99)
    last, _ = run(job)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name


@pytest.mark.usefixtures("tiny_encoder")
def test_threads_change_nothing(tmp_path: Path) -> None:
    made = [
        weights(run(job_in(tmp_path / str(n), replace(CONFIG, workers=n)))[0]) for n in (0, 1, 4)
    ]
    for other in made[1:]:
        assert all(torch.equal(v, other[k]) for k, v in made[0].items())


def test_recipes_are_the_released_ones() -> None:
    assert RECIPES["mammo"].views.area is None
    assert RECIPES["dental"].views.flip == 0
    assert RECIPES["knee"].views.solarise == 0.2
