"""From file to grey: what archives hold beside what the standard says, each as it is meant."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from app.hanging.image_view import ImageView
from app.images.attributes import DisplayAttributes
from app.images.decoding.read_dicom import read_dicom
from app.images.dicom.elements import Elements
from app.images.greyscale import by_hand, default_window, display_lut, presets, window_shown
from app.images.store import LoadedImage
from tests.app.images.conformance import reference
from tests.app.images.conformance.made_files import Made, Table, curve, values, write

CURVE = curve(4096, 12)
WINDOW = {"center": 2048.0, "width": 4096.0}


def shown(made: Made, folder: Path) -> tuple[np.ndarray, DisplayAttributes]:
    stored, attributes, _ = read_dicom(write(made, folder / "x.dcm"), b"k" * 32)
    assert np.array_equal(stored, values(made))
    return display_lut(attributes).apply(stored), attributes


def codes(attributes: DisplayAttributes) -> list[str]:
    return [note.code for note in attributes.notes]


KINDS = {
    "VOI LUT, 16 bits said, 12 used": (Made(voi=Table(0, CURVE, 16)), ["lut-bits"]),
    "VOI LUT, 8 bits said, 12 used": (Made(voi=Table(0, CURVE, 8)), ["lut-bits"]),
    "VOI LUT, 8 bits, one a word": (Made(voi=Table(0, curve(4096, 8), 8, "words")), []),
    "VOI LUT, 8 bits, two a word": (Made(voi=Table(0, curve(4096, 8), 8, "bytes")), []),
    "VOI LUT, an odd number of bytes": (Made(voi=Table(0, curve(4095, 8), 8, "bytes")), []),
    "VOI LUT, two a word, big endian": (
        Made(voi=Table(0, curve(4096, 8), 8, "bytes"), order="big"), [],
    ),
    "VOI LUT as words, big endian": (Made(voi=Table(0, CURVE, 12), order="big"), []),
    "VOI LUT as numbers, big endian": (Made(voi=Table(0, CURVE, 12, "numbers"), order="big"), []),
    "Modality LUT, big endian": (
        Made(modality=Table(0, CURVE, 16), center=2048, width=4096, order="big"), [],
    ),
    "VOI LUT of 65,536 entries": (
        Made(bits=16, voi=Table(0, curve(65536, 16), 16, "words")), [],
    ),
    "VOI LUT of 40,000 entries, said as a signed number": (
        Made(bits=16, voi=Table(100, curve(40000, 14), 14, sign="SS")), [],
    ),
    "VOI LUT that begins below zero, said as an unsigned number": (
        Made(slope=1, intercept=-1024, voi=Table(-1000, CURVE, 12, sign="US")), [],
    ),
    "VOI LUT that begins above 32,767, said as a signed number": (
        Made(bits=16, voi=Table(40000, curve(9000, 12), 12, sign="SS")), [],
    ),
    "Modality LUT of signed pixels, said as an unsigned number": (
        Made(signed=True, modality=Table(-2048, CURVE, 16, sign="US"), center=2048, width=4096), [],
    ),
    "angiogram, LOG": (
        Made(modality=Table(0, CURVE, 16), intensity="LOG", **WINDOW), ["xa-modality-left-out"],
    ),
    "angiogram, DISP": (
        Made(modality=Table(0, CURVE, 16), intensity="DISP", **WINDOW), ["xa-modality-left-out"],
    ),
    "angiogram, LIN": (Made(modality=Table(0, CURVE, 16), intensity="LIN", **WINDOW), []),
    "value in the upper bits": (Made(high_bit=15, **WINDOW), []),
    "value in the middle bits, big endian": (Made(high_bit=13, order="big", **WINDOW), []),
    "signed value in the upper bits": (
        Made(high_bit=15, signed=True, center=0, width=4096), [],
    ),
    "sign not extended": (Made(signed=True, extended=False, center=0, width=4096), []),
    "window narrower than 1": (
        Made(bits=16, slope=0.0000056, intercept=0, center=0.107, width=0.2147), ["window-exact"],
    ),
    "sigmoid narrower than 1": (
        Made(slope=0.0001, intercept=0, center=0.2, width=0.1, function="SIGMOID"), [],
    ),
    "exact window narrower than 1": (
        Made(slope=0.0001, intercept=0, center=0.2, width=0.3, function="LINEAR_EXACT"), [],
    ),
    "padding of signed pixels, said as unsigned": (
        Made(bits=16, signed=True, padding=-2000, padding_sign="US", center=0, width=65535), [],
    ),
    "padding range of signed pixels, said as unsigned": (
        Made(bits=16, signed=True, padding=-32768, limit=-2000, padding_sign="US",
             center=0, width=65535), [],
    ),
    "padding of unsigned pixels, said as signed": (
        Made(bits=16, padding=65535, limit=60000, padding_sign="SS", center=30000, width=60000), [],
    ),
    "IDENTITY over MONOCHROME1": (
        Made(photometric="MONOCHROME1", shape="IDENTITY", **WINDOW), [],
    ),
    "INVERSE over MONOCHROME2": (Made(shape="INVERSE", **WINDOW), []),
    "INVERSE and MONOCHROME1": (Made(photometric="MONOCHROME1", shape="INVERSE", **WINDOW), []),
}  # fmt: skip
NAMED = [replace(made, name=kind) for kind, (made, _) in KINDS.items()]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_the_grey_of_the_formula(kind: str, tmp_path: Path) -> None:
    made, notes = KINDS[kind]
    grey, attributes = shown(made, tmp_path)
    expected = reference.grey(made)
    assert expected is not None
    assert np.abs(grey - expected).max() <= 1.0
    assert codes(attributes) == notes
    assert grey.max() - grey.min() > 100


@pytest.mark.parametrize("slope", [None, 1, 0.5, 0.0001, 1e-9, -1, -0.0001, 5000.0])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_without_a_window_the_whole_range_is_seen_whatever_the_slope(
    slope: float | None, photometric: str, tmp_path: Path
) -> None:
    made = Made(slope=slope, intercept=None if slope is None else -3.5, photometric=photometric)
    grey, _ = shown(made, tmp_path)
    falls = (photometric == "MONOCHROME1") != ((slope or 1) < 0)
    order = grey.ravel()[np.argsort(values(made).ravel())].astype(int)
    steps = -np.diff(order) if falls else np.diff(order)
    assert (steps >= 0).all()
    assert len(np.unique(grey)) == 256


def data_set(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def edited(folder: Path, made: Made, **elements: object) -> DisplayAttributes:
    """Return what is kept of a made file after some of its elements were replaced, raw."""
    path = write(made, folder / "x.dcm")
    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return read_dicom(path, b"k" * 32)[1]


@pytest.mark.filterwarnings("ignore")
def test_a_decimal_comma_costs_its_element_only(tmp_path: Path) -> None:
    path = write(Made(center=2048.5, width=4096), tmp_path / "x.dcm")
    path.write_bytes(path.read_bytes().replace(b"2048.5", b"2048,5"))
    attributes = read_dicom(path, b"k" * 32)[1]
    assert attributes.windows == ()
    assert [note.text for note in attributes.notes] == [
        "WindowCenter cannot be read and was left out"
    ]


@pytest.mark.filterwarnings("ignore")
def test_a_slope_that_is_none_is_one_and_said(tmp_path: Path) -> None:
    attributes = edited(tmp_path, Made(slope=2, intercept=5), RescaleSlope=0)
    assert (attributes.rescale_slope, codes(attributes)) == (1.0, ["slope-left-out"])


def test_luts_without_entries_are_left_out_and_short_ones_kept(tmp_path: Path) -> None:
    empty, short = Dataset(), Dataset()
    short.add_new(0x00283002, "US", [256, 0, 12])
    short.add_new(0x00283006, "US", [0, 1000, 4095])
    headless = data_set(LUTExplanation="x")
    attributes = edited(tmp_path, Made(), VOILUTSequence=[empty, short, headless])
    assert [table.entries for table in attributes.voi_luts] == [(0, 1000, 4095)]
    assert codes(attributes) == ["lut-left-out", "lut-short"]


def test_windows_without_a_width_are_left_out_and_said(tmp_path: Path) -> None:
    attributes = edited(tmp_path, Made(), WindowCenter=[5, 6, 7], WindowWidth=[0, 10, -3])
    assert [(w.center, w.width) for w in attributes.windows] == [(6.0, 10.0)]
    assert codes(attributes) == ["window-left-out"]


@pytest.mark.parametrize("value", ["1e40", "nan", "inf"])
@pytest.mark.filterwarnings("ignore")
def test_a_number_beyond_all_measure_is_none(value: str) -> None:
    read = Elements(data_set(WindowCenter=value))
    assert read.numbers("WindowCenter") == []
    assert [note.code for note in read.notes] == ["element-left-out"]


def view_of(attributes: DisplayAttributes) -> ImageView:
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    return ImageView(LoadedImage("x", stored, attributes), (0.0, 0.0, 64.0, 64.0), 0)


FRACTIONS = DisplayAttributes(
    64, 64, "MONOCHROME2", 12, 16, False, 0, 4095, rescale_slope=0.001,
)  # fmt: skip


def test_a_drag_over_values_with_fractions_narrows_and_stays_in_step() -> None:
    view = view_of(FRACTIONS)
    before = view.grey(1.0).astype(int)
    view.window_by(-1.0, 0.0)
    assert np.abs(view.grey(1.0) - before).max() <= 2
    view.window_by(-700.0, 0.0)
    assert view.window.width == pytest.approx(4.095 * 99 / 800)
    assert 200 <= len(np.unique(view.grey(1.0))) <= 256


def test_a_drag_that_starts_from_a_files_window_does_not_jump() -> None:
    from app.images.attributes import Window

    attributes = replace(FRACTIONS, windows=(Window(2.0, 3.0, "soft"),))
    view = view_of(attributes)
    before = view.grey(1.0).astype(int)
    view.window_by(0.001, 0.0)
    assert np.abs(view.grey(1.0) - before).max() <= 1


@pytest.mark.parametrize("slope", [1.0, 0.001])
def test_a_view_is_drawn_again_as_it_was_from_centre_and_width_alone(slope: float) -> None:
    from app.images.attributes import Window

    attributes = replace(
        FRACTIONS, rescale_slope=slope, windows=(Window(2.0, 3.0, "soft"),),
    )  # fmt: skip
    view = view_of(attributes)
    seen = [view.window]
    for dx, dy in ((5.0, -3.0), (-300.0, 40.0)):
        view.window_by(dx, dy)
        seen.append(view.window)
    for window in (*presets(attributes), *seen):
        again = window_shown(attributes, window.center, window.width)
        tables = [display_lut(attributes, w).table for w in (window, again)]
        assert np.array_equal(*tables)


def test_eight_bits_are_first_shown_as_they_are_and_the_range_is_offered() -> None:
    attributes = DisplayAttributes(4, 4, "MONOCHROME2", 8, 8, False, 100, 120)
    assert [w.name for w in presets(attributes)] == ["As stored", "Whole range"]
    every = np.arange(256, dtype=np.uint8)[None]
    assert np.array_equal(display_lut(attributes).apply(every), every)
    assert by_hand(attributes, default_window(attributes)).function is None
    six = replace(attributes, bits_stored=6)
    assert display_lut(six).apply(np.array([[0, 63]], np.uint8)).tolist() == [[0, 255]]
    signed = replace(attributes, signed=True)
    assert display_lut(signed).apply(np.array([[-128, 127]], np.int8)).tolist() == [[0, 255]]


def test_eight_bits_with_a_slope_or_a_window_are_not_grey_already() -> None:
    from app.images.attributes import Window

    attributes = DisplayAttributes(4, 4, "MONOCHROME2", 8, 8, False, 100, 120)
    sloped = replace(attributes, rescale_slope=2.0)
    assert [w.name for w in presets(sloped)] == ["Whole range"]
    soft = replace(attributes, windows=(Window(5, 6, "soft"),))
    assert [w.name for w in presets(soft)] == ["soft", "As stored", "Whole range"]
