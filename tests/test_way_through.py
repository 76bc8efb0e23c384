"""From sample to encoder: every room on its real path, once, as the rows tell it afterwards."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torchvision
from safetensors.torch import load_file
from sqlalchemy import func, select

from app.demo.phantoms import Cohort, read_truth, write_cohort
from app.images.importing.importer import import_paths
from app.recording.session import ReadingSession
from app.recording.stimulus import Findings, stimulus_for
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import Affine, TileView
from devices.simulated import SimulatedTracker, Target
from migrations.study.folder import Study
from migrations.study.schema import Fixation, GazeChunk, Image, Reading, Recording, TrainingRun
from migrations.study.settings import StudySettings
from tests import ROOT
from tests.app.recording.reading_doubles import record_for

GEOMETRY = ScreenGeometry(1920, 1080, 510.0, 287.0)
CASES, SPEED, READ_S = 4, 20.0, 0.5

# The trainer must do its work where Qt is not installed: its import is refused outright.
TRAIN_WITHOUT_QT = """
import sys
class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "shiboken6", "app"):
            raise ModuleNotFoundError(f"{name} is not on a GPU box")
sys.meta_path.insert(0, NoQt())
import main
if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
"""


@pytest.fixture
def study(tmp_path: Path):
    study = Study.create(tmp_path / "study", StudySettings(name="Way", trial=True), durable=True)
    yield study
    study.close()


def _read_all(study: Study, cohort: Cohort) -> None:
    clock = HostClock(SPEED)
    tracker = SimulatedTracker(GEOMETRY, seed=1)
    session = ReadingSession.open(study, "R1", tracker, clock, GEOMETRY, consented=True)
    truth = read_truth(cohort.truth)
    while (case := session.next_case()) is not None:
        session.begin(case)
        with study.database.read() as rows:
            image = rows.get_one(Image, case.tiles[0].image_id)
            rows.expunge(image)
        scale = 1000 / image.rows
        view = TileView(
            clock.now_us(), "open", 0, image.id, image.columns, image.rows,
            Affine(a=scale, d=scale, tx=400, ty=40), (0, 0, 1920, 1080),
        )  # fmt: skip
        session.show(view)
        targets = tuple(Target(f.x, f.y, f.radius, f.weight) for f in truth[image.sha256])
        tracker.attend(stimulus_for(view, GEOMETRY, Findings(targets, "concentrated")))
        record_for(session.recorder, READ_S * SPEED)
        session.answer("finding")
        session.finish()
    assert session.settled()
    session.close()


def _train(study: Study, *options: str) -> tuple[int, list[dict[str, object]], str]:
    words = ["train", "--study", str(study.folder), "--events", "json", *options]
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_WITHOUT_QT, *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_cohort_goes_from_dicom_to_an_encoder(study: Study, tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "source", CASES, seed=2)
    results = import_paths(study, cohort.paths, labels=cohort.labels)
    assert [result.status for result in results] == ["accepted"] * CASES
    _read_all(study, cohort)
    _check_recorded(study)

    code, events, errors = _train(
        study, "--epochs", "2", "--size", "64", "--batch", "4", "--positive-rate", "0.5",
        "--set", "onnx=false",  # tests/trainer/runs/test_export.py writes one
    )  # fmt: skip
    assert code == 0, errors
    result = events[-1]
    assert result["event"] == "result"
    assert {e["event"] for e in events} >= {"stage", "progress", "metrics", "result"}
    assert 0 < float(str(result["positive_rate"])) <= 0.5

    net = torchvision.models.resnet18()
    del net.fc
    net.load_state_dict(load_file(study.folder / str(result["encoder"])), strict=True)
    report = (study.folder / str(result["report"])).read_text(encoding="utf-8")
    assert "not for diagnosis" in report
    assert "http://" not in report.replace("http://www.w3.org", "")
    with study.database.read() as session:
        assert session.scalars(select(TrainingRun.state)).all() == ["finished"]


def _check_recorded(study: Study) -> None:
    """The rows tell the whole story of each reading."""
    with study.database.read() as session:
        assert session.scalars(select(Reading.state)).all() == ["finished"] * CASES
        recording = session.scalars(select(Recording)).one()
        stored = session.scalar(select(func.sum(GazeChunk.count)))
        assert recording.state == "closed"
        assert stored == recording.sample_count > CASES * READ_S * SPEED * 200
        assert recording.lost_count == 0
        per_reading = session.execute(
            select(Fixation.reading_id, func.count()).group_by(Fixation.reading_id)
        ).all()
        assert len(per_reading) == CASES
        assert all(count >= 10 for _, count in per_reading)
    assert study.database.check() == []
