"""Views: what each step of a recipe does, and that they follow from seed and step alone."""

import pytest
import torch

from trainer.config.recipes import RECIPES, ViewRanges
from trainer.pretrain.augment import ViewDraw, apply_views, draw_views
from trainer.process.seeds import Stream, generator_for

PLAIN = ViewRanges(flip=0, blur=0)


def boxes(*sizes: tuple[int, int]) -> torch.Tensor:
    return torch.tensor(sizes, dtype=torch.float32)


def view_of(
    ranges: ViewRanges, images: torch.Tensor, box, size: int, seed: int = 0
) -> torch.Tensor:
    generator = generator_for(seed, Stream.VIEW_1, 0)
    draw = draw_views(ranges, box, images.shape[-1], size, True, generator)
    return apply_views(images, draw, size)


def ramp(side: int) -> torch.Tensor:
    return torch.arange(side * side, dtype=torch.uint8).reshape(1, 1, side, side)


def test_without_any_change_the_view_is_the_image() -> None:
    image = ramp(16)
    view = view_of(PLAIN, image, boxes((16, 16)), 16)
    torch.testing.assert_close(view, image / 255, atol=1e-5, rtol=0)


def test_a_mirrored_view_is_the_image_mirrored() -> None:
    image = ramp(16)
    view = view_of(ViewRanges(flip=1, blur=0), image, boxes((16, 16)), 16)
    torch.testing.assert_close(view, image.flip(3) / 255, atol=1e-5, rtol=0)


def test_mirroring_can_be_forbidden() -> None:
    image = ramp(16)
    draw = draw_views(
        ViewRanges(flip=1, blur=0), boxes((16, 16)), 16, 16, False, torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(apply_views(image, draw, 16), image / 255, atol=1e-5, rtol=0)


def test_a_crop_never_leaves_the_box_of_its_image() -> None:
    images = torch.zeros(64, 1, 48, 48, dtype=torch.uint8)
    images[:, :, :48, :20] = 200  # the image is 20 × 48, the rest is padding
    ranges = ViewRanges(area=(0.3, 1.0), ratio=(3 / 4, 4 / 3), flip=0.5, blur=0)
    view = view_of(ranges, images, boxes((20, 48)).repeat(64, 1), 24)
    # Half a pixel may reach over the edge by interpolation.
    assert float(view[:, :, 1:-1, 1:-1].min()) > 0.99 * 200 / 255


def test_crops_differ_from_image_to_image() -> None:
    images = ramp(48).expand(8, 1, 48, 48)
    view = view_of(ViewRanges(area=(0.3, 0.6)), images, boxes((48, 48)).repeat(8, 1), 24)
    assert len({v.numpy().tobytes() for v in view}) == 8


def test_a_quarter_turn_turns_the_image() -> None:
    image = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    image[0, 0, :8, :] = 255  # a bar at the top
    draw = draw_views(PLAIN, boxes((32, 32)), 32, 32, True, torch.Generator())
    turned = ViewDraw(
        torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]]),
        draw.brightness, draw.contrast, draw.sigma, draw.solarise,
    )  # fmt: skip
    view = apply_views(image, turned, 32)
    assert float(view[0, 0, :, :7].mean()) > 0.99  # view x runs along the image's y
    assert float(view[0, 0, :, 9:].mean()) < 0.01


def test_blur_keeps_the_mean_and_only_touches_the_chosen() -> None:
    images = torch.zeros(2, 1, 32, 32, dtype=torch.uint8)
    images[:, :, 16, 16] = 255
    draw = draw_views(PLAIN, boxes((32, 32), (32, 32)), 32, 32, True, torch.Generator())
    sigma = torch.tensor([0.0, 1.5])
    view = apply_views(
        images, ViewDraw(draw.affine, draw.brightness, draw.contrast, sigma, draw.solarise), 32
    )
    assert float(view[0].max()) == pytest.approx(1)
    assert float(view[1].sum()) == pytest.approx(1, abs=1e-4)
    assert float(view[1].max()) == pytest.approx(1 / (2 * torch.pi * 1.5**2), rel=0.05)


def test_brightness_and_contrast_act_as_written() -> None:
    image = torch.tensor([[51, 102], [102, 153]], dtype=torch.uint8)[None, None]
    ones = torch.ones(1)
    identity = torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]])
    no = torch.zeros(1).bool()
    contrast = apply_views(image, ViewDraw(identity, ones, ones * 0.5, ones * 0, no), 2)
    assert contrast.flatten().tolist() == pytest.approx([0.3, 0.4, 0.4, 0.5])
    bright = apply_views(image, ViewDraw(identity, ones * 2, ones, ones * 0, no), 2)
    assert bright.flatten().tolist() == pytest.approx([0.4, 0.8, 0.8, 1.0])


def test_solarise_inverts_what_is_bright() -> None:
    image = torch.tensor([[51, 255], [0, 204]], dtype=torch.uint8)[None, None]
    view = view_of(ViewRanges(flip=0, blur=0, solarise=1), image, boxes((2, 2)), 2)
    assert view.flatten().tolist() == pytest.approx([0.2, 0, 0, 0.2], abs=1e-6)


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_gives_the_same_views_for_the_same_seed_only(name: str) -> None:
    images = torch.randint(0, 255, (4, 1, 48, 48), dtype=torch.uint8)
    box = boxes((48, 40)).repeat(4, 1)
    views = [view_of(RECIPES[name].views, images, box, 224, seed) for seed in (1, 1, 2)]
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])
    assert views[0].shape == (4, 1, 224, 224)
    assert float(views[0].min()) >= 0
    assert float(views[0].max()) <= 1 + 1e-5


def test_recipes_for_x_ray_never_solarise() -> None:
    assert RECIPES["radiograph"].views.solarise == 0


def stripes(side: int, axis: int) -> torch.Tensor:
    """Return an image of stripes one pixel wide, black and white."""
    line = (torch.arange(side) % 2 * 255).to(torch.uint8)
    image = line.expand(side, side)
    return (image if axis == 3 else image.T)[None, None].contiguous()


@pytest.mark.parametrize("axis", [2, 3])
def test_stripes_finer_than_a_shrunk_view_become_grey_not_a_pattern(axis: int) -> None:
    view = view_of(PLAIN, stripes(192, axis), boxes((192, 192)), 128)
    assert float(view[..., 4:-4, 4:-4].std()) < 0.06  # of 0.5; bilinear alone keeps 0.25
    assert float(view.mean()) == pytest.approx(0.5, abs=0.01)


def test_what_a_shrunk_view_can_show_it_shows_as_an_antialiased_resize_does() -> None:
    rng = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 255, (2, 1, 24, 24), generator=rng).float()
    image = torch.nn.functional.interpolate(coarse, size=(192, 192), mode="bicubic").clamp(0, 255)
    image = image.to(torch.uint8)
    view = view_of(PLAIN, image, boxes((192, 192)).repeat(2, 1), 128)
    right = torch.nn.functional.interpolate(
        image.float() / 255, size=(128, 128), mode="bilinear", antialias=True
    )
    assert float((view - right).abs().max()) < 0.02


def test_a_view_that_shrinks_nothing_is_not_smoothed() -> None:
    image = torch.randint(0, 255, (1, 1, 24, 24), dtype=torch.uint8)
    view = view_of(PLAIN, image, boxes((24, 24)), 24)
    torch.testing.assert_close(view, image / 255, atol=1e-5, rtol=0)


def test_smoothing_stays_within_the_image_and_keeps_its_rim() -> None:
    images = torch.zeros(1, 1, 96, 96, dtype=torch.uint8)
    images[:, :, :80, :96] = 200  # the rest is padding
    view = view_of(PLAIN, images, boxes((96, 80)), 32)
    # Half a pixel may reach over the edge by interpolation.
    assert float(view[:, :, 1:-1, 1:-1].min()) > 0.99 * 200 / 255
    assert float(view.max()) < 1.01 * 200 / 255


def test_a_whole_batch_is_smoothed_image_by_image() -> None:
    images = torch.randint(0, 255, (3, 1, 96, 96), dtype=torch.uint8)
    box = boxes((96, 96), (96, 40), (30, 30))
    together = view_of(PLAIN, images, box, 32)
    for i in range(3):
        alone = view_of(PLAIN, images[i : i + 1], box[i : i + 1], 32)
        torch.testing.assert_close(together[i : i + 1], alone)
