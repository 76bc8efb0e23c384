"""Images hang upright where their file tells which way is up, and say where it does not."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from app.hanging.lightbox import Hung, LightBox
from app.hanging.upright import Edges, Upright, edges_of, shown_orientation, upright_of
from app.images.decoding.read_dicom import read_dicom
from app.images.dicom.elements import Elements
from app.images.dicom.orientation import orientation_of
from app.images.store import LoadedImage
from tests import ROOT
from tests.app.hanging.pictures import breast, picture

HANDED = ROOT.parent / "shared" / "cases" / "images"
SIZE = (600.0, 600.0)
AXES = ("AP", "LR", "HF")
ALL_WAYS = [
    (row, column)
    for rows, columns in itertools.permutations(AXES, 2)
    for row in rows
    for column in columns
]


def told(modality: str = "DX", **elements: object) -> tuple[tuple[str, str] | None, list[str]]:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    read = Elements(dataset)
    return orientation_of(read, modality), [note.code for note in read.notes]


def hung(orientation, **attributes: object) -> tuple[Upright, tuple[str, str] | None]:
    """Return how an image hangs, and what then lies to the right and below."""
    image = picture(orientation=orientation, **attributes)
    turn = upright_of(image)
    return turn, shown_orientation(orientation, turn) if orientation else None


def test_letters_and_cosines_are_read() -> None:
    assert told(PatientOrientation=["P", "FL"]) == (("P", "FL"), [])
    assert told(PatientOrientation=["L", "F"], ImageOrientationPatient=[1, 0, 0, 0, 1, 0]) == (
        ("L", "F"), [],
    )  # fmt: skip
    assert told("CT", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]) == (("L", "P"), [])
    slanted = [0, 1, 0, -0.5, 0, -0.866]
    assert told("MG", ImageOrientationPatient=slanted) == (("P", "FR"), [])


@pytest.mark.parametrize("wrong", [["X", "F"], ["L", "R"], ["LR", "F"], ["L"], ["A", "PF"]])
def test_letters_that_say_no_orientation_are_left_out_and_said(wrong: list[str]) -> None:
    assert told(PatientOrientation=wrong) == (None, ["element-left-out", "orientation-unknown"])
    assert told("CT", PatientOrientation=wrong) == (None, ["element-left-out"])


def test_a_radiograph_that_tells_nothing_is_noted() -> None:
    assert told() == (None, ["orientation-unknown"])
    assert told("CT") == (None, [])


@pytest.mark.parametrize(
    ("side", "view", "right", "below"),
    [("R", "MLO", "P", "F"), ("L", "MLO", "A", "F"), ("R", "CC", "P", "L"), ("L", "CC", "A", "R"),
     ("L", "FB", "A", "R"), ("R", "SIO", "P", "F")],
)  # fmt: skip
def test_a_breast_hangs_the_same_however_it_is_stored(side, view, right, below) -> None:
    axes = {frozenset(pair) for pair in AXES if {right, below} & set(pair)}
    for way in ALL_WAYS:
        if {frozenset(p) for p in AXES if set(p) & set(way)} != axes:
            continue
        turn, shown = hung(way, laterality=side, view=view, modality="MG")
        assert (turn.source, shown) == ("told", (right, below)), way


@pytest.mark.parametrize("way", [w for w in ALL_WAYS if not set("AP") & set(w)])
def test_a_chest_hangs_as_if_the_patient_faced_the_reader(way) -> None:
    turn, shown = hung(way, body_part="CHEST", modality="DX")
    assert (turn.source, shown) == ("told", ("L", "F"))


@pytest.mark.parametrize("way", [w for w in ALL_WAYS if not set("LR") & set(w)])
def test_an_image_from_the_side_hangs_feet_down_and_is_never_mirrored(way) -> None:
    turn, shown = hung(way, body_part="CHEST", modality="DX")
    assert shown is not None
    assert (turn.source, shown[1]) == ("told", "F")
    assert (turn.flipped_horizontally, turn.flipped_vertically) == (False, False)


def test_a_mirrored_leg_is_mirrored_back() -> None:
    assert hung(("R", "F"), modality="CR") == (
        Upright(flipped_horizontally=True, source="told"), ("L", "F"),
    )  # fmt: skip


def test_a_hand_may_hang_fingers_up_but_no_mirror_image() -> None:
    assert hung(("R", "H"), body_part="HAND")[0] == Upright(source="told")
    assert hung(("L", "H"), body_part="HAND")[0] == Upright(
        flipped_horizontally=True, source="told"
    )


def test_what_may_be_a_hand_is_not_turned_and_says_that_nobody_knows() -> None:
    turn, _ = hung(("R", "H"))
    assert (turn.source, turn.rotation_deg) == ("unknown", 0)
    assert "unknown" in turn.words
    assert hung(("L", "F"))[0].words == ""
    assert hung(None)[0] == Upright()


def test_a_cross_section_hangs_seen_from_the_feet() -> None:
    for way in (("R", "P"), ("L", "A"), ("P", "L"), ("L", "P")):
        assert hung(way, modality="CT")[1] == ("L", "P")
    assert hung(("R", "A"), modality="CT")[0] == Upright(source="told")  # lay prone
    assert hung(("R", "P"), modality="CR")[0] == Upright()  # a kneecap from below, say


def test_by_light_alone_up_and_down_stay_unknown() -> None:
    turn = upright_of(breast("R", "MLO", wall="left").image)
    assert (turn.flipped_horizontally, turn.source) == (True, "light")
    assert turn.words
    spot = picture(laterality="R", view="CC", modality="MG", view_modifiers=("S",))
    assert upright_of(spot) == Upright()


@pytest.mark.parametrize("hanging", ["one-up", "two-up", "mammo", "prior"])
def test_it_hangs_upright_in_every_hanging_and_reset_goes_back_to_it(hanging: str) -> None:
    stored = np.zeros((300, 400), np.uint16)
    stored[-20:, :20] = 4000  # where feet and back would be, were it upright: lower left
    image = picture(stored=stored, orientation=("R", "H"), body_part="CHEST")
    box = LightBox(0)
    box.hang([Hung(0, image)], hanging, SIZE, 1.0)
    view = box.views[0]
    for _ in range(2):
        assert view.viewport.rotation_deg == 180
        x, y = view.viewport.transform().map((5.0, 295.0))
        left, top, width, height = view.viewport.tile_view
        assert x > left + width / 2
        assert y < top + height / 2
        box.act("rotate_right", 1.0, None)
        box.act("flip_vertically", 1.0, None)
        box.act("reset", 1.0, None)


def test_the_letters_at_the_edges_follow_every_turn_of_the_reader() -> None:
    box = LightBox(0)
    told = ("R", "F")
    box.hang([Hung(0, picture(orientation=told, body_part="LEG"))], "one-up", SIZE, 1.0)
    view = box.views[0]
    assert edges_of(told, view.viewport) == Edges("R", "H", "L", "F")
    box.act("rotate_right", 1.0, None)
    assert edges_of(told, view.viewport) == Edges("F", "R", "H", "L")
    box.act("flip_horizontally", 1.0, None)
    assert edges_of(told, view.viewport) == Edges("H", "R", "F", "L")


def _handed(name: str) -> LoadedImage:
    stored, attributes, _ = read_dicom(Path(HANDED / f"{name}.dcm"), b"k" * 32)
    return LoadedImage(name, stored, attributes)


@pytest.mark.skipif(not HANDED.is_dir(), reason="the handed files are not here")
def test_both_handed_obliques_hang_upright() -> None:
    down, up = (_handed(n) for n in ("m04_R_MLO_stored_upside_down", "m05_R_MLO_upright"))
    assert upright_of(up) == Upright(source="told")
    assert upright_of(down) == Upright(flipped_vertically=True, source="told")
    box = LightBox(0)
    box.hang([Hung(0, down), Hung(1, up)], "two-up", SIZE, 1.0)
    first, second = (box.views[i].grey(1.0) for i in (0, 1))
    assert np.abs(first.astype(int) - second).mean() < 8
