"""Layouts of LSL gaze streams: the known senders, plain labels, units that contradict."""

import numpy as np
import pytest

from devices.errors import StreamLayoutError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.lsl.channels import layout_of
from devices.lsl.layouts import Channel

GEOMETRY = ScreenGeometry(1920, 1080, 530.0, 300.0, device_pixel_ratio=2.0)


def screen(label, eye, axis, unit="normalized", system=""):
    return Channel(label, eye, f"Screen{axis}", unit, system)


def tobii_pro():
    """App-TobiiPro: six channels, unit "screencoords" though 0 to 1."""
    return [
        channel
        for eye in ("left", "right")
        for channel in (
            screen(f"{eye}_x", eye, "X", "screencoords"),
            screen(f"{eye}_y", eye, "Y", "screencoords"),
            Channel(f"{eye}_pupil", eye, "pupilsize"),
        )
    ]


def titta_eye(eye, with_openness):
    def named(label, kind, unit):
        return Channel(f"{label}.{eye}_eye", eye, kind, unit)

    def flags(name):
        return [
            named(f"valid.{name}", "ValidFlag", "bool"),
            named(f"available.{name}", "AvailableFlag", "bool"),
        ]

    gaze = [
        named(f"{a}.position_on_display_area.gaze_point", f"Screen{a.upper()}", "normalized")
        for a in "xy"
    ]
    user = [
        named(f"{a}.position_in_user_coordinates.gaze_point", f"Intersection{a.upper()}", "mm")
        for a in "xyz"
    ]
    pupil = [named("diameter.pupil", "Diameter", "mm"), *flags("pupil")]
    origin = [
        named(f"{a}.position_in_user_coordinates.gaze_origin", f"Pupil{a.upper()}", "mm")
        for a in "xyz"
    ]
    box = [
        named(
            f"{a}.position_in_track_box_coordinates.gaze_origin", f"Pupil{a.upper()}", "normalized"
        )
        for a in "xyz"
    ]
    lids = [named("diameter.eye_openness", "EyeLidDistance", "mm"), *flags("eye_openness")]
    parts = [*gaze, *user, *flags("gaze_point"), *pupil, *origin, *box, *flags("gaze_origin")]
    return parts + (lids if with_openness else [])


def titta(with_openness=True):
    """Return both eyes, and last the device's time, which TittaLSL does not describe."""
    return [*titta_eye("left", with_openness), *titta_eye("right", with_openness), Channel("")]


def pupil_capture():
    """App-PupilLabs: 22 channels, norm_pos y bottom-up."""
    sides = ("right", "left")
    channels = [Channel("confidence", "both", "Confidence", "normalized")]
    channels += [screen(f"norm_pos_{a}", "both", a.upper(), "normalized", "surface") for a in "xy"]
    channels += [
        Channel(f"gaze_point_3d_{a}", "both", f"Direction{a.upper()}", "mm") for a in "xyz"
    ]
    for name in ("eye_center{}_3d", "gaze_normal{}"):
        channels += [
            Channel(f"{name.format(e)}_{a}", sides[e], f"Position{a.upper()}", "mm", "world")
            for e in (0, 1)
            for a in "xyz"
        ]
    channels += [Channel(f"diameter{e}_2d", sides[e], "Diameter", "pixels") for e in (0, 1)]
    return channels + [Channel(f"diameter{e}_3d", sides[e], "Diameter", "mm") for e in (0, 1)]


def one_sample(channels, values, geometry=None):
    return layout_of("test", channels, geometry).samples(np.array([values], np.float64))[0]


def test_app_tobiipro() -> None:
    sample = one_sample(tobii_pro(), [0.1, 0.2, 3.1, 0.3, 0.4, 3.2])
    assert sample["left_x_norm"] == pytest.approx(0.1)
    assert sample["right_y_norm"] == pytest.approx(0.4)
    assert sample["left_pupil_mm"] == pytest.approx(3.1)
    assert sample["right_pupil_mm"] == pytest.approx(3.2)
    lost = one_sample(tobii_pro(), [np.nan, np.nan, np.nan, 0.3, 0.4, 3.2])
    assert np.isnan(lost["left_x_norm"])
    assert lost["right_x_norm"] == pytest.approx(0.3)


def test_plain_x_and_y_serve_both_eyes() -> None:
    sample = one_sample([Channel("x"), Channel("y")], [0.6, 0.7])
    assert sample["left_x_norm"] == sample["right_x_norm"] == np.float32(0.6)
    assert sample["left_y_norm"] == sample["right_y_norm"] == np.float32(0.7)


@pytest.mark.parametrize(("with_openness", "count"), [(False, 37), (True, 43)])
def test_titta_lsl_and_its_flags(with_openness, count) -> None:
    channels = titta(with_openness)
    assert len(channels) == count
    at = {c.label: i for i, c in enumerate(channels)}
    values = np.ones(count)
    values[at["x.position_on_display_area.gaze_point.left_eye"]] = 0.25
    values[at["y.position_on_display_area.gaze_point.left_eye"]] = 0.75
    values[at["diameter.pupil.right_eye"]] = 4.5
    values[at["z.position_in_user_coordinates.gaze_origin.right_eye"]] = 640.0
    values[at["z.position_in_track_box_coordinates.gaze_origin.right_eye"]] = 0.5
    values[at["valid.gaze_point.right_eye"]] = 0
    values[at["valid.pupil.left_eye"]] = 0
    sample = one_sample(channels, values)
    assert sample["left_x_norm"] == 0.25
    assert sample["left_y_norm"] == 0.75
    assert np.isnan(sample["right_x_norm"])
    assert np.isnan(sample["left_pupil_mm"])
    assert sample["right_pupil_mm"] == 4.5
    assert sample["right_origin_z_mm"] == 640.0
    assert np.isnan(sample["left_openness_mm"]) != with_openness
    assert layout_of("t", channels).device_time == (count - 1, 1e6)


def test_pupil_capture_is_turned_top_down_and_doubtful_gaze_is_lost() -> None:
    channels = pupil_capture()
    assert len(channels) == 22
    values = np.full(22, 5.0)
    values[:3] = 0.9, 0.2, 0.9
    values[20:] = 3.0, 4.0
    sample = one_sample(channels, values)
    assert sample["left_x_norm"] == pytest.approx(0.2)
    assert sample["left_y_norm"] == pytest.approx(0.1)
    assert sample["right_pupil_mm"] == 3.0
    assert sample["left_pupil_mm"] == 4.0
    assert np.isnan(sample["left_origin_x_mm"]), "relative to the scene camera: not wanted"
    values[0] = 0.3
    assert np.isnan(one_sample(channels, values)["left_x_norm"])


def test_gaze_relative_to_a_scene_camera_is_told() -> None:
    channels = [screen(f"norm_pos_{a}", "both", a.upper(), "normalized", "world") for a in "xy"]
    assert "scene camera" in layout_of("pupil_capture", channels).note
    assert layout_of("pupil_capture", pupil_capture()).note == ""


def test_gazepoint_uses_validity_and_never_the_filtered_point() -> None:
    labels = ["FPOGX", "FPOGY", "FPOGV", "LPOGX", "LPOGY", "LPOGV", "RPOGX", "RPOGY", "RPOGV"]
    sample = one_sample([Channel(c) for c in labels], [0.9, 0.9, 1, 0.1, 0.2, 1, 0.3, 0.4, 0])
    assert sample["left_x_norm"] == pytest.approx(0.1)
    assert np.isnan(sample["right_x_norm"])
    with pytest.raises(StreamLayoutError):
        layout_of("filtered", [Channel("FPOGX"), Channel("FPOGY")])


def test_pixels_are_those_of_the_display() -> None:
    channels = [screen("left_x", "left", "X", "pixels"), screen("left_y", "left", "Y", "px")]
    sample = one_sample(channels, [1920.0, 540.0], GEOMETRY)
    assert sample["left_x_norm"] == pytest.approx(0.5)
    assert sample["left_y_norm"] == pytest.approx(0.25)
    with pytest.raises(StreamLayoutError, match="left_x"):
        layout_of("pixels", channels)


@pytest.mark.parametrize(
    ("unit", "value", "is_wrong"),
    [
        ("normalized", 0.5, False),
        ("normalized", 1.3, False),
        ("normalized", 960.0, True),
        ("", 960.0, True),
        ("screencoords", 0.5, False),
        ("percent", 55.0, False),
        ("percent", 0.55, True),
        ("pixels", 700.0, False),
        ("pixels", 0.7, True),
    ],
)
def test_units_are_held_against_what_is_sent(unit, value, is_wrong) -> None:
    layout = layout_of("s", [screen("x", "", "X", unit), screen("y", "", "Y", unit)], GEOMETRY)
    points = gaze_norm(layout.samples(np.full((40, 2), value)))
    found = layout.contradiction(points)
    assert (found is not None) == is_wrong
    if found is not None:
        assert f"{value:.4g}" in found
        assert '"s"' in found
    assert layout.contradiction(points[:5]) is None, "too little to judge"


@pytest.mark.parametrize(
    "channels",
    [
        [],
        [Channel(""), Channel("")],
        [Channel("heart rate"), Channel("gsr")],
        [Channel("left_x")],
        [Channel("accelerometer x"), Channel("accelerometer y")],
        [Channel("left_x", "left", "DirectionX"), Channel("left_y", "left", "DirectionY")],
        [screen("x", "both", "X", "mm"), screen("y", "both", "Y", "mm")],
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(channels) -> None:
    with pytest.raises(StreamLayoutError, match="My stream") as caught:
        layout_of("My stream", channels)
    assert "TittaLSL" in str(caught.value), "names a way out"
