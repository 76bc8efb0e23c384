"""The windows that the trainer shows stored values by are those of the station."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.images.attributes import DisplayAttributes, LookUpTable, Window
from app.images.files import write_image
from app.images.greyscale import display_lut, window_shown
from trainer.data.cache import Source, open_cache
from trainer.data.cohort import Member
from trainer.data.display import read_display
from trainer.data.readings import FixationList, ReadingGaze
from trainer.data.stored_cache import StoredSource, open_stored
from trainer.data.windows import ShownWindow
from trainer.pretrain.window_draws import shown, stored_views

CPU, ONE = torch.device("cpu"), torch.tensor([0])
PLAIN = DisplayAttributes(
    rows=48, columns=40, photometric="MONOCHROME2", bits_stored=12, bits_allocated=16, signed=False,
    stored_low=10, stored_high=4000,
)  # fmt: skip
WAYS = {
    "whole range": PLAIN,
    "window": replace(PLAIN, windows=(Window(1200.0, 900.0), Window(300.0, 77.0))),
    "exact": replace(PLAIN, windows=(Window(1200, 900),), voi_function="LINEAR_EXACT"),
    "sigmoid": replace(PLAIN, windows=(Window(1200, 900),), voi_function="SIGMOID"),
    "a function of its own": replace(PLAIN, windows=(Window(1200, 900, function="SIGMOID"),)),
    "step": replace(PLAIN, windows=(Window(1200, 1),)),
    "inverse": replace(PLAIN, photometric="MONOCHROME1"),
    "shape before photometric": replace(
        PLAIN, photometric="MONOCHROME1", presentation_shape="IDENTITY"
    ),
    "slope and intercept": replace(
        PLAIN, rescale_slope=2.0, rescale_intercept=-1024, windows=(Window(40, 400),)
    ),
    "fractions": replace(PLAIN, rescale_slope=0.01),
    "a table of the modality": replace(
        PLAIN, modality_lut=LookUpTable(0, 12, tuple(range(4095, -1, -1)))
    ),
    "signed": replace(PLAIN, signed=True, stored_low=-1000, stored_high=1900),
    "padding": replace(PLAIN, padding_value=0, padding_limit=600),
    "padding under an inverse": replace(
        PLAIN, padding_value=3000, padding_limit=4095, photometric="MONOCHROME1"
    ),
    "air": replace(PLAIN, air_value=777),
    "one value": replace(PLAIN, stored_low=5, stored_high=5),
}


def values_of(attributes: DisplayAttributes, seed: int = 0) -> np.ndarray:
    low, high = attributes.pixels.limits
    drawn = np.random.default_rng(seed).integers(
        low, high + 1, (attributes.rows, attributes.columns)
    )
    drawn[:4] = 777  # air
    return drawn.astype(attributes.dtype)


def views_of(folder: Path, stored: np.ndarray, attributes: DisplayAttributes, *windows, size=32):
    """Return an image as the cache of pictures has it, and as the trainer's windows show it."""
    write_image(folder, stored, attributes)
    height, width = stored.shape
    pictures = open_cache(
        folder, [Source("i", "0" * 64, width, height, folder / "presentation.png")], size
    )
    source = StoredSource("0" * 64, folder / "stored.npy")
    cache = open_stored(pictures, [source])
    assert cache.reasons == ("",)
    nothing = np.zeros(0, np.int64), np.zeros((0, 2))
    fixations = FixationList(nothing[0], nothing[0], nothing[1])
    noted = tuple(ShownWindow(center, span, 1) for center, span in windows)
    readings = (ReadingGaze("r", "R1", *nothing, fixations, windows=noted),)
    member = Member("i", "0" * 64, "g", None, None, width, height, folder / "presentation.png",
                    readings, source.path)  # fmt: skip
    draw = stored_views(cache, [member], [source], 0.0).draw(ONE, torch.Generator())
    eight = pictures.batch(ONE, CPU).float() / 255
    return eight[0, 0], shown(cache.batch(ONE, CPU), draw)[0, 0]


@pytest.mark.parametrize("way", WAYS)
def test_an_image_has_the_window_of_its_picture(tmp_path: Path, way: str) -> None:
    """As large as the cache's arrays, so that no pixel is a mean: half a grey of 8 bits apart."""
    eight, deep = views_of(tmp_path, values_of(WAYS[way]), WAYS[way])
    torch.testing.assert_close(deep, eight, atol=0.51 / 255, rtol=0)


@pytest.mark.parametrize("way", ["whole range", "inverse", "slope and intercept", "signed"])
def test_shrunk_it_is_the_picture_to_one_grey_where_8_bits_cut_nothing(tmp_path, way: str) -> None:
    attributes = replace(WAYS[way], rows=301, columns=217, windows=())
    stored = values_of(attributes)
    ends = {"stored_low": int(stored.min()), "stored_high": int(stored.max())}
    eight, deep = views_of(tmp_path, stored, replace(attributes, **ends))
    assert float((deep - eight).abs().max()) <= 1 / 255
    assert float(deep.std()) > 0.02


@pytest.mark.parametrize("noted", [(1200.0, 900.0), (300.0, 77.0), (2500.0, 33.0), (0.5, 4096.0)])
@pytest.mark.parametrize("way", ["window", "sigmoid", "fractions", "inverse", "padding", "signed"])
def test_a_noted_window_shows_what_the_station_showed(tmp_path, way: str, noted) -> None:
    attributes = WAYS[way]
    if way == "fractions":
        noted = (noted[0] / 100, noted[1] / 100)
    stored = values_of(attributes)
    _, deep = views_of(tmp_path, stored, attributes, noted)
    table = display_lut(attributes, window_shown(attributes, *noted))
    station = torch.from_numpy(table.apply(stored)).float() / 255
    torch.testing.assert_close(deep[:48, :40], station, atol=0.51 / 255, rtol=0)


def test_the_files_of_the_station_are_all_that_is_read(tmp_path: Path) -> None:
    write_image(tmp_path, values_of(PLAIN), PLAIN)
    assert read_display(tmp_path / "display.json").frames == 1
