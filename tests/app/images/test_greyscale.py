"""The display table against a slow reference, one value at a time, written from DICOM PS3.3."""

import math
from dataclasses import replace

import numpy as np
import pytest

from app.errors import ImageUnreadable
from app.images.attributes import DisplayAttributes, LookUpTable, Window
from app.images.breast_background import air_value
from app.images.greyscale import default_window, display_lut, presets

BASE = DisplayAttributes(4, 4, "MONOCHROME2", 12, 16, False, 0, 4095)
MODALITY = LookUpTable(-100, 10, tuple(i * 1023 // 299 for i in range(300)))
VOI = LookUpTable(500, 12, tuple(int(4095 * (i / 1999) ** 2) for i in range(2000)), "curved")


def slow(attributes: DisplayAttributes, window: Window, inverted: bool, value: int) -> int:
    """C.11.1 Modality, C.11.2 VOI, C.11.6 presentation; `value` as pydicom gives it."""
    low, high = attributes.padding_value, attributes.padding_limit
    if low is not None and min(low, high or low) <= value <= max(low, high or low):
        return 0
    if attributes.modality_lut is not None:
        x = float(entry(attributes.modality_lut, value))
    else:
        x = value * attributes.rescale_slope + attributes.rescale_intercept
    if window.lut is not None:
        table = attributes.voi_luts[window.lut]
        y = entry(table, math.floor(x + 0.5)) * (255 / (2**table.bits - 1))
    else:
        y = voi(attributes.voi_function, x, window.center, window.width)
    grey = math.floor(y + 0.5)
    turned = attributes.photometric == "MONOCHROME1"
    if attributes.presentation_shape is not None:  # C.11.6: it decides where it is given
        turned = attributes.presentation_shape == "INVERSE"
    return 255 - grey if turned != inverted else grey


def entry(table: LookUpTable, value: int) -> int:
    return table.entries[min(max(value - table.first, 0), len(table.entries) - 1)]


def voi(function: str, x: float, c: float, w: float) -> float:
    if function == "SIGMOID":
        return 255 / (1 + math.exp(-4 * (x - c) / w))
    if function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0
        return 255 if x > c + w / 2 else ((x - c) / w + 0.5) * 255
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    return 255 if x > c - 0.5 + (w - 1) / 2 else ((x - (c - 0.5)) / (w - 1) + 0.5) * 255


CASES = {
    "window": (BASE, Window(2000, 1500)),
    "window of one": (BASE, Window(2000, 1)),
    "MONOCHROME1": (replace(BASE, photometric="MONOCHROME1"), Window(2000, 1500)),
    "INVERSE": (replace(BASE, presentation_shape="INVERSE"), Window(2000, 1500)),
    "MONOCHROME1 and INVERSE": (
        replace(BASE, photometric="MONOCHROME1", presentation_shape="INVERSE"),
        Window(2000, 1500),
    ),
    "MONOCHROME1 and IDENTITY": (
        replace(BASE, photometric="MONOCHROME1", presentation_shape="IDENTITY"),
        Window(2000, 1500),
    ),
    "sigmoid": (replace(BASE, voi_function="SIGMOID"), Window(2000, 700)),
    "exact": (replace(BASE, voi_function="LINEAR_EXACT"), Window(2000.5, 700.25)),
    "rescale": (replace(BASE, rescale_slope=0.684, rescale_intercept=-300.0), Window(600, 900)),
    "signed": (replace(BASE, bits_stored=16, signed=True), Window(-50, 400)),
    "signed, 12 bits": (replace(BASE, signed=True), Window(-50, 400)),
    "modality LUT": (replace(BASE, signed=True, modality_lut=MODALITY), Window(400, 500)),
    "VOI LUT": (replace(BASE, voi_luts=(VOI,)), Window(1500, 2000, "", 0)),
    "VOI LUT after rescale": (
        replace(BASE, voi_luts=(VOI,), rescale_slope=0.5),
        Window(1500, 2000, "", 0),
    ),
    "padding": (replace(BASE, padding_value=0), Window(100, 150)),
    "padding range": (
        replace(BASE, photometric="MONOCHROME1", padding_value=4095, padding_limit=4000),
        Window(2000, 5000),
    ),
    "8 bits": (replace(BASE, bits_stored=8, bits_allocated=8), Window(100, 80)),
    "14 bits": (replace(BASE, bits_stored=14), Window(9000, 12000)),
}


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_stored_value_has_the_grey_of_the_slow_reference(case: str, inverted: bool) -> None:
    attributes, window = CASES[case]
    bits = attributes.bits_stored
    low = -(2 ** (bits - 1)) if attributes.signed else 0
    kind = {8: np.uint8, 16: np.int16 if attributes.signed else np.uint16}[
        attributes.bits_allocated
    ]
    values = np.arange(low, low + 2**bits, dtype=np.int64)
    shown = display_lut(attributes, window, inverted).apply(values.astype(kind)[None, :])
    expected = [slow(attributes, window, inverted, int(v)) for v in values]
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown[0], expected)


def test_padding_is_black_under_every_inversion() -> None:
    attributes = replace(BASE, photometric="MONOCHROME1", padding_value=4095)
    stored = np.array([[4095, 4094]], np.uint16)
    for inverted in (False, True):
        shown = display_lut(attributes, Window(2048, 4096), inverted).apply(stored)
        assert shown[0, 0] == 0
    assert shown[0, 1] > 250


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_air_stays_black_under_every_window_and_inversion(photometric: str) -> None:
    stored = np.full((40, 30), 4095 if photometric == "MONOCHROME1" else 0, np.uint16)
    stored[10:30, :20] = np.arange(400, dtype=np.uint16).reshape(20, 20) * 5 + 1000
    attributes = replace(BASE, photometric=photometric, modality="MG")
    attributes = replace(attributes, air_value=air_value(stored, attributes))
    assert attributes.air_value == stored[0, 0]
    for window in (Window(2000, 1500), Window(100, 4000), Window(4000, 8000)):
        for inverted in (False, True):
            shown = display_lut(attributes, window, inverted).apply(stored)
            assert (shown[stored == stored[0, 0]] == 0).all()
    assert shown[10, 0] > 0


def test_only_a_mammogram_with_one_value_of_air_has_any() -> None:
    stored = np.zeros((40, 30), np.uint16)
    stored[10:30, :20] = 1000
    chest = replace(BASE, modality="DX")
    assert air_value(stored, chest) is None
    breast = replace(BASE, modality="MG")
    assert air_value(stored, replace(breast, padding_value=0)) is None
    noisy = stored + np.random.default_rng(0).integers(0, 60, stored.shape).astype(np.uint16)
    assert air_value(noisy, breast) is None
    assert air_value(np.full((9, 9), 7, np.uint16), breast) is None


def test_bits_above_those_stored_are_no_part_of_the_value() -> None:
    lut = display_lut(BASE, Window(2048, 4096))
    with_overlay = np.array([[0x1234, 0xF234]], np.uint16)
    assert (lut.apply(with_overlay) == lut.apply(np.array([[0x234, 0x234]], np.uint16))).all()


def test_the_files_own_presets_come_first_and_the_whole_range_last() -> None:
    attributes = replace(BASE, voi_luts=(VOI,), windows=(Window(5, 6, "soft"),), stored_low=10)
    names = [window.name for window in presets(attributes)]
    assert names == ["curved", "soft", "Whole range"]
    assert default_window(attributes).lut == 0
    assert default_window(replace(attributes, voi_luts=())).name == "soft"


def test_without_a_window_the_percentiles_are_black_and_white() -> None:
    attributes = replace(BASE, stored_low=300, stored_high=900, rescale_slope=2.0)
    shown = display_lut(attributes).apply(np.array([[299, 300, 600, 900, 901]], np.uint16))[0]
    assert shown.tolist() == [0, 0, 128, 255, 255]


def test_a_constant_image_is_black() -> None:
    attributes = replace(BASE, stored_low=7, stored_high=7)
    for slope in (1.0, 0.001):
        lut = display_lut(replace(attributes, rescale_slope=slope))
        assert lut.apply(np.full((2, 2), 7, np.uint16)).tolist() == [[0, 0], [0, 0]]


def test_a_view_that_is_not_contiguous_is_shown_like_its_copy() -> None:
    stored = np.random.default_rng(0).integers(0, 4096, (9, 8)).astype(np.uint16)
    lut = display_lut(BASE, Window(2048, 4096))
    assert (lut.apply(stored[:, ::2]) == lut.apply(stored[:, ::2].copy())).all()


def test_attributes_survive_display_json_whole() -> None:
    attributes = replace(
        BASE,
        windows=(Window(1, 2, "a"), Window(3.5, 4)),
        voi_luts=(VOI,),
        modality_lut=MODALITY,
        padding_value=-5,
        laterality="L",
    )
    assert DisplayAttributes.from_json(attributes.to_json()) == attributes


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"version": 1}', '{"version": 99}'])
def test_a_damaged_or_newer_display_json_is_named(text: str) -> None:
    with pytest.raises(ImageUnreadable, match=r"display\.json"):
        DisplayAttributes.from_json(text)
