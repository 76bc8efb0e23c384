"""A file of MicEye or McGIP is the same to the station's import and to the trainer's `--gaze`."""

import json
import tempfile
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.interchange.foreign_reading import SourceFile, SourceReading
from app.interchange.formats.mcgip import read_mcgip
from app.interchange.formats.miceye import read_miceye as read_by_station
from app.interchange.options import ImportOptions
from devices.gaze.errors import GazeFileError
from trainer.similarity.sources import GazeList, read_json_folder
from trainer.similarity.sources import read_miceye as read_by_trainer

ORDINARY = "C:/a/first.png;1;[[5, 6], [7, 8]];[];(-1, -1)\n"
SIDE = 800
NOBODY = "no gaze"

Accepted = list[tuple[str, list[list[float]] | str]]
"""Images without folder and suffix, with their points, or that they were shown without gaze."""


def same(accepted: list[tuple[str, Any]]) -> Accepted:
    """Return what was accepted in order, lost samples as text, so that it can be compared."""
    return sorted((name, repr(points)) for name, points in accepted)


def plain_name(image: str) -> str:
    """Return the name of an image up to its first full stop, without folders of any system."""
    return PureWindowsPath(image).name.split(".")[0].strip()


def points_of(reading: SourceReading) -> list[list[float]]:
    """Return the points of a reading without the zoom, which the station keeps as views."""
    places = list(reading.place(SIDE, SIDE))
    zoom = np.ones(len(reading.points_canvas))
    for place in places:
        zoom[place.first :] = place.scale_x
    return (reading.points_canvas / zoom[:, None]).tolist()


def of_station_file(file: SourceFile) -> list[tuple[str, Any]]:
    return [(plain_name(r.image), points_of(r)) for r in file.readings]


def of_list(found: GazeList) -> list[tuple[str, Any]]:
    return [
        (plain_name(found.ids[owner]), gaze.points_image.tolist())
        for owner, gaze in zip(found.owners, found.gazes, strict=True)
    ]


def of_station(path: Path) -> Accepted | str:
    """Return what the station's import takes from a csv, or why it refuses the file."""
    try:
        file = read_by_station(path, ImportOptions(image_height=SIDE))
    except GazeFileError as error:
        return str(error)
    whole = [r for r in file.readings if r.details["version"] == 1]
    for reading in whole:  # version 1 is placed by the image height, which is SIDE here
        assert [p.scale_x for p in reading.place(SIDE, SIDE)] == [1.0]
    dropped = file.counts.dropped["no gaze in the line"]
    return same([*of_station_file(file), *[(NOBODY, [])] * dropped])


def of_trainer(path: Path) -> Accepted | str:
    """Return the same of the trainer, to which an image without gaze is one alike to none."""
    try:
        found = read_by_trainer(path, (SIDE, SIDE), lambda done, total: None)
    except GazeFileError as error:
        return str(error)
    return same([(name if points else NOBODY, points) for name, points in of_list(found)])


@pytest.mark.parametrize(
    ("line", "points"),
    [
        pytest.param(
            "C:/a/x.png;1;[[1, 2], [3, 4]];[];(-1, -1)\n", [[1, 2], [3, 4]],
            id="as MicEye writes it",
        ),
        pytest.param("no line of MicEye's\n", None, id="no line of MicEye's"),
        pytest.param(
            "C:/a;b/x.png;1;[[1, 2], [3, 4]];[];(-1, -1)\n", [[1, 2], [3, 4]],
            id="semicolon in the path",
        ),
        pytest.param(
            "C:/a;[b];c/x.png;1;[[1, 2]]\n", [[1, 2]],
            id="semicolons and brackets in the path, three fields",
        ),
        pytest.param("x.png;1;[[1, 2], [3, 4]]\n", [[1, 2], [3, 4]], id="three fields only"),
        pytest.param("x.png;1;[[1, 2]];;\n", [[1, 2]], id="fields left empty"),
        pytest.param("x.png;1;[];[];(-1, -1)\n", [], id="no gaze"),
        pytest.param(
            "x.png;1;[[1, 2], [None, None], [3, None]];[];(-1, -1)\n",
            [[1, 2], [np.nan] * 2, [np.nan] * 2], id="lost samples",
        ),
        pytest.param("x.png;1;((1, 2), (3, 4));[];(-1, -1)\n", [[1, 2], [3, 4]], id="tuples"),
        pytest.param(
            "x.png;1;[[[2, 4], 2.0], [[3, 6], 1]];[];(-1, -1)\n", [[1, 2], [3, 6]], id="version 2"
        ),
        pytest.param("x.png;1;[[[2, 4], 0]];[];(-1, -1)\n", None, id="scale 0"),
        pytest.param("x.png;1;[[[2, 4], -1]];[];(-1, -1)\n", None, id="scale below 0"),
        pytest.param("x.png;1;[[[2, 4], 'a']];[];(-1, -1)\n", None, id="scale in words"),
        pytest.param("x.png;1;[[[2, 4], 2], [1, 2]];[];(-1, -1)\n", None, id="both versions"),
        pytest.param("x.png;1;[[1, 2], [3]];[];(-1, -1)\n", None, id="half a pair"),
        pytest.param("x.png;1;[['1', '2']];[];(-1, -1)\n", None, id="numbers as text"),
        pytest.param("x.png;1;[[1, 1e999]];[];(-1, -1)\n", None, id="beyond all numbers"),
        pytest.param("x.png;1;[1, 2];[];(-1, -1)\n", None, id="not pairs"),
        pytest.param("x.png;1;{};[];(-1, -1)\n", None, id="not a list"),
        pytest.param("x.png;1;{};[]\n", None, id="not a list, boxes that could be one"),
        pytest.param("x.png;1;[[1, 2]];[(1, 2)];(-1, -1)\n", None, id="a box of two numbers"),
        pytest.param("x.png;1;[[1, 2]];[];(5,)\n", None, id="half a key point"),
        pytest.param("x.png;1;[[1, 2], [3, 4\n", None, id="cut off"),
        pytest.param(";1;[[1, 2]];[];(-1, -1)\n", None, id="no path"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_station_and_trainer_read_the_same_from_a_miceye_csv(
    line: str, points: list[list[float]] | None, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "gaze.csv"
    path.write_bytes((ORDINARY + line).encode(encoding))
    found = of_trainer(path)
    assert found == of_station(path)
    if points is None:
        assert f"{path}, line 2: " in found
    else:
        plain = [[float(v) for v in pair] for pair in points]
        image = "x" if points else NOBODY
        assert found == same([("first", [[5.0, 6.0], [7.0, 8.0]]), (image, plain)])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            "C:/胸片/x.png;1;[[1, 2]];[];(-1, -1)\n".encode("gbk"), id="Chinese code page"
        ),
        pytest.param(b"", id="empty"),
        pytest.param(b"\n \n", id="blank lines"),
    ],
)
def test_a_csv_without_a_line_that_can_be_read_is_refused_by_both(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "gaze.csv"
    path.write_bytes(content)
    assert of_trainer(path) == of_station(path)
    assert str(path) in of_trainer(path)


_NUMBER = st.one_of(
    st.integers(-9, 2000),
    st.floats(-9, 2000, allow_nan=False).map(lambda v: round(v, 3)),
    st.none(),
    st.sampled_from([True, "7", 1e300, 10**400]),
)
_GAZE = st.one_of(
    st.lists(st.tuples(_NUMBER, _NUMBER).map(list), max_size=4),
    st.lists(st.tuples(st.tuples(_NUMBER, _NUMBER).map(list), _NUMBER).map(list), max_size=4),
    st.lists(st.lists(_NUMBER, max_size=3), max_size=3),
    _NUMBER,
)
_FIELD = st.sampled_from(
    ["", "[]", "[(1, 2, 3, 4)]", "[(1, 2, 3, 4, 2.0)]", "[(1, 2)]", "(-1, -1)", "(3, 4)", "x", "[1"]
)
_LINE = st.tuples(
    st.sampled_from(["a.png", "C:\\x;y\\b.png", "/d;[e]/c.png", "", " f .png"]),
    st.sampled_from(["1", "-1", "", "mass"]),
    st.one_of(_GAZE.map(repr), st.text("[](),; 12.", max_size=12)),
    st.lists(_FIELD, max_size=3),
).map(lambda parts: ";".join([parts[0], parts[1], parts[2], *parts[3]]))


@settings(max_examples=300, deadline=None)
@given(st.lists(_LINE, max_size=3))
def test_any_miceye_csv_is_accepted_by_both_with_the_same_points_or_refused_by_both(
    made: list[str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gaze.csv"
        path.write_text("\n".join(made) + "\n", encoding="utf-8")
        assert of_trainer(path) == of_station(path)


def mcgip_of_station(folder: Path) -> Accepted | str:
    """Return what the import takes from each JSON file of a folder, or why it refuses the first."""
    found: list[tuple[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            file = read_mcgip(path, ImportOptions(image_height=0))
        except GazeFileError as error:
            return str(error)
        own = [(path.stem, points) for _, points in of_station_file(file)]
        found += own or [(path.stem, [])] * ("no-gaze" in [each.code for each in file.notes])
    return same(found)


def mcgip_of_trainer(folder: Path) -> Accepted | str:
    """Return what the trainer takes from the folder."""
    try:
        return same(of_list(read_json_folder(folder, (SIDE, SIDE), lambda done, total: None)))
    except GazeFileError as error:
        return str(error)


@pytest.mark.parametrize(
    ("entry", "points"),
    [
        pytest.param({"gaze": [[1, 2], [3, 4]], "img": "x.png", "case": "x", "gt": 2},
                     [[1, 2], [3, 4]], id="as the released code writes it"),
        pytest.param({"gaze": [[1, 2]]}, [[1, 2]], id="no name of an image: that of the file"),
        pytest.param({"gaze": [[1, 2]], "img": "x.png", "gt": None}, [[1, 2]], id="class is null"),
        pytest.param({"gaze": [], "img": "x.png"}, [], id="no gaze"),
        pytest.param({"gaze": [[1, 2], [None, None], [None, 3]], "img": "x.png"},
                     [[1, 2], [np.nan] * 2, [np.nan] * 2], id="nulls"),
        pytest.param({"gaze": [[1, float("nan")]], "img": "x.png"}, [[np.nan] * 2], id="NaN"),
        pytest.param({"gaze": [[1, float("inf")]], "img": "x.png"}, None, id="infinity"),
        pytest.param({"gaze": [1, 2, 3, 4], "img": "x.png"}, None, id="not pairs"),
        pytest.param({"gaze": [[1, 2, 3, 4]], "img": "x.png"}, None, id="two pairs in one"),
        pytest.param({"gaze": [["1", "2"]], "img": "x.png"}, None, id="numbers as text"),
        pytest.param({"gaze": [[[1, 2], 1.0]], "img": "x.png"}, None, id="MicEye's scales"),
        pytest.param({"gaze": None, "img": "x.png"}, None, id="gaze is null"),
        pytest.param({"gaze": [[1, 2]], "img": {}}, None, id="the image is not a name"),
        pytest.param({"gaze": [[1, 2]], "img": "x.png", "foveate": [1]}, None, id="our part"),
        pytest.param({"img": "x.png"}, None, id="no key gaze"),
        pytest.param([[1, 2]], None, id="a bare list"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_station_and_trainer_read_the_same_from_mcgips_json(
    entry: object, points: list[list[float]] | None, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_bytes(json.dumps(entry).encode(encoding))
    (tmp_path / "y.json").write_text(json.dumps({"gaze": [[5, 6]], "img": "y.png"}))
    (tmp_path / "z.json").write_text(json.dumps({"foveate_similarity": 1, "ids": []}))
    found = mcgip_of_trainer(tmp_path)
    assert found == mcgip_of_station(tmp_path)
    if points is None:
        assert str(tmp_path / "x.json") in found
    else:
        plain = [[float(v) for v in pair] for pair in points]
        assert found == same([("x", plain), ("y", [[5.0, 6.0]])])


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"gaze": [[1, 2]'])
def test_json_that_is_none_is_refused_by_both(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    assert mcgip_of_trainer(tmp_path) == mcgip_of_station(tmp_path)
    assert "x.json cannot be read as JSON" in mcgip_of_trainer(tmp_path)


_JSON_NUMBER = st.one_of(
    st.integers(-9, 2000), st.floats(-9, 2000), st.none(), st.sampled_from([True, "7", 10**400])
)
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "gaze": st.lists(st.lists(_JSON_NUMBER, min_size=1, max_size=3), max_size=4),
        "img": st.one_of(st.sampled_from(["x.png", "C:\\a\\x.png", ""]), st.none(), st.integers()),
        "case": st.sampled_from(["x", None, 3]),
        "gt": st.sampled_from([0, "mass", None]),
    },
)


@settings(max_examples=200, deadline=None)
@given(_ENTRY)
def test_any_json_is_accepted_by_both_with_the_same_points_or_refused_by_both(
    entry: dict[str, object],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.json").write_text(json.dumps(entry))
        assert mcgip_of_trainer(Path(folder)) == mcgip_of_station(Path(folder))
