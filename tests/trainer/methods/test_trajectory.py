"""trajectory: what is shown, what is guessed, its loss by a naive loop, resume and export."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run, weights
from trainer.config.config import RunConfig
from trainer.encoders.nets import make_encoder
from trainer.encoders.patches import as_maps
from trainer.methods.registry import make_method
from trainer.methods.trajectory import (
    SHARP,
    latents_at,
    next_patch_loss,
    patches_of,
    show_only,
    with_patches,
)
from trainer.pretrain.augment import whole_views
from trainer.pretrain.batches import make_batch
from trainer.pretrain.paths import SEEN, ScanPaths, draw_glimpses

NAN = math.nan


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_loss_is_twice_the_mean_cosine_by_a_naive_loop() -> None:
    guesses, latents = torch.randn(5, 7, generator=draws()), torch.randn(5, 7, generator=draws(1))
    there = torch.tensor([True, False, True, True, False])
    kept = [i for i in range(5) if there[i]]
    columns = []
    for c in range(7):
        values = [float(latents[i, c]) for i in kept]
        mean = sum(values) / 3
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / 3)
        columns.append([(v - mean) / (deviation + 1e-4) for v in values])
    total = 0.0
    for row, i in enumerate(kept):
        truth = [column[row] for column in columns]
        dot = sum(float(g) * t for g, t in zip(guesses[i], truth, strict=True))
        total += dot / math.hypot(*guesses[i].tolist()) / math.hypot(*truth)
    ours = next_patch_loss(guesses, latents, there)
    assert float(ours) == pytest.approx(-2 * total / 3, abs=1e-5)


def test_images_without_a_next_fixation_count_for_nothing() -> None:
    guesses = torch.randn(3, 4, generator=draws()).requires_grad_()
    latents = torch.randn(3, 4, generator=draws(1))
    loss = next_patch_loss(guesses, latents, torch.tensor([True, False, True]))
    loss.backward()
    assert guesses.grad is not None
    assert (guesses.grad[1] == 0).all()
    nobody = next_patch_loss(guesses, latents, torch.zeros(3).bool())
    assert float(nobody.detach()) == 0
    nobody.backward()
    assert guesses.grad.isfinite().all()


def test_only_discs_about_what_was_seen_are_shown() -> None:
    views = torch.rand(2, 1, 16, 16, generator=draws())
    seen = torch.tensor([[[-0.5, 0.5], [NAN, NAN]], [[NAN, NAN], [NAN, NAN]]])
    shown = show_only(views, seen)
    for y in range(16):
        for x in range(16):
            far = math.hypot((2 * x + 1) / 16 - 1 + 0.5, (2 * y + 1) / 16 - 1 - 0.5)
            expected = views[0, 0, y, x] if far <= SHARP else views[0].mean()
            assert float(shown[0, 0, y, x]) == pytest.approx(float(expected))
    torch.testing.assert_close(shown[1], views[1].mean().expand(1, 16, 16))


def test_latents_are_those_of_the_patch_at_a_point() -> None:
    maps = torch.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4).float()
    point = torch.tensor([[0.25, -0.75], [NAN, NAN]])  # the middle of column 2, row 0
    found = latents_at(maps, point)
    assert torch.equal(found[0], maps[0, :, 0, 2])
    assert (found[1] == 0).all()
    tokens = torch.cat([torch.zeros(2, 5, 3), maps.flatten(2).transpose(1, 2)], 1)
    net = torch.nn.Module()
    net.num_prefix_tokens = 5  # the class token and four registers
    assert torch.equal(as_maps(net, tokens), maps)


@pytest.mark.parametrize(
    ("name", "shape"), [("resnet10", (1, 256, 2, 2)), ("vit_mini_8", (1, 128, 4, 4))]
)
def test_patches_come_from_the_pass_that_gives_the_features(name: str, shape: tuple) -> None:
    encoder, _ = make_encoder(name, size=32)
    encoder.eval()
    views = torch.randn(1, 3, 32, 32, generator=draws())
    with torch.no_grad():
        features, maps = with_patches(encoder, views)
        assert torch.equal(features, encoder(views))
    assert maps.shape == shape
    assert not patches_of(encoder)._forward_hooks


def glimpses(path: list[tuple[float, float]], order: str = "gaze", count: int = 1, seed: int = 0):
    """Return glimpses of whole views, 16 pixels wide, of images with one path."""
    paths = ScanPaths.of([[torch.tensor(path)]] * count)
    affine = whole_views(torch.full((count, 2), 16.0), 16).affine
    return draw_glimpses(paths, torch.arange(count), affine, 16, order, draws(seed))


PATH = [(2.0, 2.0), (14.0, 2.0), (2.5, 2.0), (14.0, 14.0), (2.0, 14.0)]


def test_the_next_fixation_is_the_first_outside_of_what_was_seen() -> None:
    expected = torch.tensor(PATH) / 8 - 1
    cuts = set()
    for seed in range(20):
        made = glimpses(PATH, seed=seed)[0]
        seen = int(made[:-1].isfinite().all(1).sum())
        cuts.add(seen)
        torch.testing.assert_close(made[:seen], expected[:seen])
        following = {1: 1, 2: 3, 3: 3, 4: 4}[seen]  # the third is back at the first
        torch.testing.assert_close(made[-1], expected[following])
    assert cuts == {1, 2, 3, 4}


def test_controls_keep_how_many_are_seen_but_neither_order_nor_places() -> None:
    path = torch.rand(30, 2, generator=draws(3)) * 16
    places = {tuple(p) for p in (path / 8 - 1).mul(1000).round().tolist()}
    found = {}
    for order in ("gaze", "shuffled", "blocks"):
        made = glimpses(path.tolist(), order, count=40)
        points = made[made.isfinite().all(2)]
        found[order] = made
        known = [tuple(p) in places for p in points.mul(1000).round().tolist()]
        assert all(known) if order != "blocks" else not any(known)
        assert (points.abs() <= 1).all()
    first = [found[order][:, 0] for order in ("gaze", "shuffled")]
    assert len(first[0].unique(dim=0)) == 1
    assert len(first[1].unique(dim=0)) > 10
    assert found["gaze"].shape == (40, SEEN + 1, 2)


def test_images_without_gaze_or_with_one_fixation_have_none_next() -> None:
    one = [torch.tensor([[8.0, 8.0]])]
    paths = ScanPaths.of([[], one, [torch.tensor(PATH)], [torch.empty(0, 2)]])
    assert paths.images_with == 2
    affine = whole_views(torch.full((4, 2), 16.0), 16).affine
    made = draw_glimpses(paths, torch.arange(4), affine, 16, "gaze", draws())
    assert made[:, -1].isfinite().all(1).tolist() == [False, False, True, False]


@pytest.mark.usefixtures("tiny_encoder")
def test_fixations_follow_the_crop_turn_and_mirror_of_their_view(tmp_path: Path) -> None:
    config = replace(CONFIG, method="trajectory", pairs="none")
    job = job_in(tmp_path / "job", config)
    side = job.images.side
    dot = torch.tensor([side * 0.55, side * 0.45])
    pixels = torch.zeros(10, side, side, dtype=torch.uint8)
    pixels[:, int(dot[1]) - 1 : int(dot[1]) + 2, int(dot[0]) - 1 : int(dot[0]) + 2] = 255
    paths = ScanPaths.of([[torch.stack([dot, dot + 6, dot - 6])]] * 10)
    job = replace(job, images=replace(job.images, pixels=pixels), paths=paths)
    met = 0
    for step in range(4):
        batch = make_batch(job, step)
        assert batch.pairs.glimpses is not None
        for view, place in zip(batch.view_1[:, 0], batch.pairs.glimpses[:, 0], strict=True):
            if not place.isfinite().all() or (place.abs() > 0.8).any() or view.max() < 0.3:
                continue
            row, column = divmod(int(view.argmax()), view.shape[1])
            centre = torch.tensor([2 * column + 1, 2 * row + 1]) / len(view) - 1
            if torch.dist(centre, place) < 0.25:
                met += 1
            else:  # then the dot itself is out of the view, and another fixation came first
                assert view.max() < 0.99
    assert met >= 8


def path_job(folder: Path, **changes):
    config = replace(CONFIG, method="trajectory", pairs="none", **changes)
    side = 20
    paths = ScanPaths.of(
        [[torch.rand(12, 2, generator=draws(k)) * side] if k % 4 else [] for k in range(10)]
    )
    return job_in(folder, config, paths=paths)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_stopped_and_continued_gives_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    straight, _ = run(path_job(tmp_path / "straight"))
    broken = path_job(tmp_path / "broken")
    run(broken, StopAfter(3))
    last, _ = run(broken)
    assert (last.step, last.finished) == (8, True)
    for name, value in weights(straight).items():
        assert torch.equal(value, weights(last)[name]), name
    other, _ = run(path_job(tmp_path / "other", path_order="shuffled"))
    assert any(not torch.equal(v, weights(other)[k]) for k, v in weights(straight).items())


@pytest.mark.usefixtures("tiny_encoder")
def test_without_weight_the_encoder_is_byols_but_for_batch_statistics(tmp_path: Path) -> None:
    config = replace(CONFIG, method="byol", pairs="none", norm="group")
    byol, _ = run(job_in(tmp_path / "byol", config))
    none, _ = run(path_job(tmp_path / "none", path_weight=0.0, norm="group"))
    for name, value in byol.method.encoder.state_dict().items():
        torch.testing.assert_close(value, none.method.encoder.state_dict()[name])


@pytest.mark.parametrize("name", ["resnet10", "vit_mini_8"])
def test_its_encoder_is_exported_as_any_and_needs_no_gaze(tmp_path: Path, name: str) -> None:
    method = make_method(RunConfig(method="trajectory", encoder=name, size=32))
    state = {k: v.contiguous() for k, v in method.encoder.state_dict().items()}
    save_file(state, tmp_path / "encoder.safetensors")
    net, _ = make_encoder(name, size=32)
    net.load_state_dict(load_file(tmp_path / "encoder.safetensors"), strict=True)
    assert net(torch.zeros(2, 3, 32, 32)).isfinite().all()
