"""A MicEye csv is the same to the station's import and to the trainer's `--gaze`."""

from pathlib import Path

import pytest

from app.errors import GazeFileError as StationRefuses
from app.interchange.formats.miceye import read_miceye as read_by_station
from app.interchange.options import ImportOptions
from trainer.errors import GazeFileError as TrainerRefuses
from trainer.similarity.sources import read_miceye as read_by_trainer

ORDINARY = "C:/a/first.png;1;[[5, 6], [7, 8]];[];(-1, -1)\n"
SIDE = 800

Accepted = list[tuple[str, list[list[float]]]]

parsed_twice = pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="station and trainer each have their own MicEye parser, and they accept different "
    "files; mended once one parser serves both",
)


def of_station(path: Path) -> Accepted | str:
    """Return images without suffix and their points, or that the file is refused."""
    try:
        readings = read_by_station(path, ImportOptions(image_height=SIDE)).readings
    except StationRefuses:
        return "refused"
    return sorted((Path(r.image).stem, r.points_canvas.tolist()) for r in readings)


def of_trainer(path: Path) -> Accepted | str:
    """Return the same of the trainer."""
    try:
        found = read_by_trainer(path, (SIDE, SIDE), lambda done, total: None)
    except TrainerRefuses:
        return "refused"
    return sorted(
        (found.ids[owner], gaze.points_image.tolist())
        for owner, gaze in zip(found.owners, found.gazes, strict=True)
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("C:/a/x.png;1;[[1, 2], [3, 4]];[];(-1, -1)\n", id="as MicEye writes it"),
        pytest.param("no line of MicEye's\n", id="no line of MicEye's"),
        pytest.param(
            "C:/a;b/x.png;1;[[1, 2], [3, 4]];[];(-1, -1)\n",
            id="semicolon in the path",
            marks=parsed_twice,
        ),
        pytest.param("x.png;1;[[1, 2], [3, 4]]\n", id="three fields only", marks=parsed_twice),
        pytest.param("x.png;1;[];[];(-1, -1)\n", id="no gaze", marks=parsed_twice),
    ],
)
def test_station_and_trainer_read_the_same_from_a_miceye_csv(line: str, tmp_path: Path) -> None:
    path = tmp_path / "gaze.csv"
    path.write_text(ORDINARY + line)
    assert of_trainer(path) == of_station(path)
