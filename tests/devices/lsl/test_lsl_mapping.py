"""What the user writes of streams that do not describe themselves."""

import json

import numpy as np
import pytest

from devices.errors import StreamLayoutError
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import gaze_norm
from devices.lsl.channels import layout_of
from devices.lsl.layouts import Channel
from devices.lsl.mapping import MAPPING_VARIABLE, mapping_for, mapping_path, read_mappings

GEOMETRY = ScreenGeometry(1000, 500, 530.0, 300.0, device_pixel_ratio=2.0)
TOML = """
[[stream]]
name = "Own"
unit = "pixels"
y = "up"
[stream.channels]
left_x = 1
left_y = "ly"
left_valid = 3
left_pupil_mm = "p"
device_time_us = 0

[[stream]]
name = "source-7"
unit = "percent"
channels = { x = 0, y = 1, confidence = 2 }

[[stream]]
name = "Unit only"
unit = "percent"
"""
CHANNELS = [Channel(label) for label in ("t", "lx", "ly", "ok", "p")]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(TOML)
    return path


def test_channels_are_taken_by_number_and_label_with_unit_and_direction(file) -> None:
    layout = mapping_for("Own", "whatever", file).layout(CHANNELS, GEOMETRY, file)
    samples = layout.samples(np.array([[5.0, 500.0, 250.0, 1.0, 3.5], [6.0, 500.0, 250.0, 0, 3.5]]))
    assert np.allclose(gaze_norm(samples, "left")[0], (0.25, 0.75))
    assert np.isnan(gaze_norm(samples, "left")[1]).all(), "flagged as lost"
    assert np.isnan(gaze_norm(samples, "right")).all()
    assert samples["left_pupil_mm"][0] == 3.5
    assert layout.device_time == (0, 1.0)


def test_a_stream_is_found_by_its_source_id_and_one_point_serves_both_eyes(file) -> None:
    mapping = mapping_for("another name", "source-7", file)
    layout = mapping.layout([Channel("")] * 3, None, file)
    samples = layout.samples(np.array([[25.0, 50.0, 0.9], [25.0, 50.0, 0.1]]))
    assert np.allclose(gaze_norm(samples, "right")[0], (0.25, 0.5))
    assert np.isnan(gaze_norm(samples)[1]).all(), "too little confidence"
    assert mapping_for("Nobody", "nothing", file) is None


def test_a_unit_alone_corrects_what_the_stream_says(file) -> None:
    mapping = mapping_for("Unit only", "", file)
    channels = [Channel("left_x", unit="normalized"), Channel("left_y", unit="normalized")]
    layout = layout_of("Unit only", channels, unit=mapping.unit)
    assert np.allclose(gaze_norm(layout.samples(np.array([[25.0, 50.0]]))), (0.25, 0.5))


def test_gazepoint_calls_0_to_1_percent() -> None:
    labels = ["LPOGX", "LPOGY", "LPOGV", "RPOGX", "RPOGY", "RPOGV"]
    layout = layout_of("Gazepoint", [Channel(label, unit="percent") for label in labels])
    values = np.tile([0.25, 0.5, 1.0, 0.75, 0.5, 0.0], (50, 1))
    samples = layout.samples(values)
    assert np.allclose(gaze_norm(samples, "left"), (0.25, 0.5))
    assert np.isnan(gaze_norm(samples, "right")).all()
    assert layout.contradiction(gaze_norm(samples)) is None
    true_percent = layout.samples(values * [100, 100, 1, 100, 100, 1])
    assert "mapping file" in layout.contradiction(gaze_norm(true_percent))


def test_json_is_read_as_well(tmp_path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"stream": [{"name": "J", "channels": {"x": 0, "y": 1}}]}))
    assert read_mappings(path)[0].channels == {"x": 0, "y": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("what", "cannot be read"),
        ("a = 1", "has no"),
        ("[[stream]]\nunit = 'pixels'", "needs a name"),
        ("[[stream]]\nname = 'A'\nunit = 'inch'", r'stream "A": unit is .inch.; it must be one of'),
        ("[[stream]]\nname = 'A'\ny = 'left'", "it must be down or up"),
        ("[[stream]]\nname = 'A'\ncolour = 1", "colour is not a known key"),
        (
            "[[stream]]\nname = 'A'\nchannels = {left_z = 1}",
            "left_z is not a channel. Known channels: left_x",
        ),
    ],
)
def test_a_file_that_cannot_be_understood_names_the_word(tmp_path, text, message) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(StreamLayoutError, match=message):
        read_mappings(path)


def test_a_channel_that_is_not_there_or_gaze_that_is_not_given_is_told(tmp_path) -> None:
    path = tmp_path / "map.toml"
    path.write_text("[[stream]]\nname = 'A'\nchannels = {x = 9, y = 1}")
    with pytest.raises(StreamLayoutError, match=r"x = 9 is not one of its 5 channels \(t, lx"):
        read_mappings(path)[0].layout(CHANNELS, None, path)
    path.write_text("[[stream]]\nname = 'A'\nchannels = {left_pupil_mm = 1}")
    with pytest.raises(StreamLayoutError, match="gaze is missing"):
        read_mappings(path)[0].layout(CHANNELS, None, path)


def test_the_file_lies_in_the_users_folder_unless_named(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(MAPPING_VARIABLE, raising=False)
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))
    assert mapping_path() == tmp_path / "lsl-mapping.toml"
    monkeypatch.setenv(MAPPING_VARIABLE, "other.toml")
    assert mapping_path().name == "other.toml"
