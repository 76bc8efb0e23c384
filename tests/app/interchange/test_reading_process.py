"""Files are read in a process of their own: the same readings, refusals, and a bounded memory."""

from dataclasses import asdict

import numpy as np
import pytest

from app.interchange.foreign_reading import SourceAnnotation, SourceFixations, SourceReading
from app.interchange.importing import import_gaze
from app.interchange.notes import Note
from app.interchange.options import ImportOptions
from app.interchange.parsing import answer
from app.interchange.places import Place, Placement, listed
from app.interchange.reading_process import ReadingProcess
from app.interchange.wire import (
    options_as_dict,
    options_of,
    pack_reading,
    packed,
    unpack_reading,
    unpacked,
)
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import ScreenGeometry
from tests.app.interchange.gaze_files import lines

SCREEN = ScreenGeometry(1920, 1080, 500, 300)


def test_a_reading_crosses_the_pipe_as_it_is() -> None:
    points = np.array([[1.5, np.nan], [3.0, 4.0]])
    reading = SourceReading(
        image="a.png", points_canvas=points, time_us=np.array([1, 2]),
        place=listed([Placement(0, 2.0, 2.0, rect_canvas=(1, 2, 3, 4))]),
        eyes_canvas=(points, points + 1), pupils_mm=points, screen=SCREEN,
        fixations=SourceFixations(
            np.array([5]), np.array([6]), points[1:], Place(frames=((0, 1), (2, 3)))
        ),
        annotations=(SourceAnnotation("class", "x"),), lacks=("time",), details={"a": [1]},
        notes=(Note("mcs", "text"),), participant="Ann", own_id="7",
    )  # fmt: skip
    again = unpack_reading(*unpacked(pack_reading(reading)))
    for name in ("points_canvas", "time_us", "pupils_mm"):
        np.testing.assert_array_equal(getattr(again, name), getattr(reading, name))
    np.testing.assert_array_equal(again.eyes_canvas, reading.eyes_canvas)
    assert again.fixations is not None
    assert again.fixations.place == Place(frames=((0, 1), (2, 3)))
    for name in ("image", "place", "screen", "annotations", "lacks", "details", "notes",
                 "participant", "own_id"):  # fmt: skip
        assert getattr(again, name) == getattr(reading, name)


def test_options_cross_the_pipe_as_they_are() -> None:
    options = ImportOptions(screen=SCREEN, shown=(1, 2, 3, 4), missing="-1", columns={"x": "a"})
    message, _ = unpacked(packed({"options": options_as_dict(options)}, {}))
    assert options_of(message["options"]) == options


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), IndexError("secret")])
def test_whatever_a_parser_meets_is_a_refusal_without_a_traceback(
    tmp_path, monkeypatch, error
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("app.interchange.parsing.read_here", fail)
    request = packed({"format": "csv", "path": "a.csv", "options": asdict(ImportOptions())}, {})
    ((message, _),) = [unpacked(each) for each in answer(request)]
    assert message["kind"] == "refused"
    assert message["reason"].startswith("a.csv")
    assert "secret" not in message["reason"]


def test_one_process_reads_refuses_and_goes_on(study, tmp_path, matcher) -> None:
    good = lines(tmp_path / "P1.csv", "time_us,x,y", *(f"{8000 * k},30,40" for k in range(20)))
    bad = lines(tmp_path / "b2.csv", "time_us,x,y", *(f"{8000 * k},30,zwei" for k in range(20)))
    heard = []
    with ReadingProcess() as process:
        reports = list(
            import_gaze(study, "csv", [bad, good], ImportOptions(), matcher, read=process.read,
                        on_progress=heard.append)
        )  # fmt: skip
        refused, accepted = reports
        assert "'zwei' in column `y` is not a number" in refused.reason
        assert [r.samples for r in accepted.readings] == [20]
        assert (accepted.rows_read, accepted.rows_kept) == (20, 20)
        assert "20 of 20 rows" in heard[-1].text
        assert process._process is not None
        process._process.kill()
        process._process.join()
        with pytest.raises((GazeFileError, OSError)):
            process.read("csv", good, ImportOptions())
        process.close()
        assert len(list(process.read("csv", good, ImportOptions()).readings)) == 1
