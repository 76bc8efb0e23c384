"""A whole run on a study that was made directly: from readings to encoder and report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from sqlalchemy import select, update

from migrations.study.folder import Study
from migrations.study.names import short_name
from migrations.study.schema import Image, Reading, SimilarityRun, TrainingRun
from tests.trainer.tiny_study import make_study
from trainer.config.config import RunConfig
from trainer.errors import (
    CheckpointError,
    CohortError,
    ConfigError,
    ImageCacheError,
    RunBusy,
    RunFolderError,
)
from trainer.pretrain.checkpoint import Identity, checkpoints
from trainer.process.events import Metrics, Notice, RunFinished, RunStopped, StageStarted
from trainer.report.write import write_report
from trainer.runs.run import run_training
from trainer.runs.stages import Run
from trainer.runs.study_runs import open_run
from trainer.runs.study_source import StudySource

pytestmark = pytest.mark.usefixtures("tiny_encoder")

CONFIG = RunConfig(
    size=16, batch=4, epochs=3, positive_rate=0.4, drop=0.25, device="cpu", onnx=False
)


@pytest.fixture
def study(tmp_path: Path):
    study = make_study(tmp_path / "study")
    yield study
    study.close()


class StopAfter:
    def __init__(self, asked: int) -> None:
        self.left = asked

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def source_of(study: Study, write_report=write_report) -> StudySource:
    return StudySource(study, write_report=write_report)


def train(
    study: Study, config: RunConfig = CONFIG, stop=lambda: False, write=write_report, **options
):
    events: list = []
    ended = run_training(Run(source_of(study, write), config, events.append, stop, **options))
    return ended, events


def rows_of(study: Study, table=TrainingRun) -> list:
    with study.database.read() as session:
        rows = session.scalars(select(table).order_by(table.id)).all()
        session.expunge_all()
    return list(rows)


def stop_in_training(study: Study, **options):
    """Stop a run two steps into its training, whatever is asked before."""
    steps: list = []

    def emit(event) -> None:
        if isinstance(event, Metrics):
            steps.append(event)

    run = Run(source_of(study), CONFIG, emit, lambda: len(steps) >= 2, **options)
    return run_training(run)


def test_a_run_goes_from_readings_to_an_encoder_and_a_report(study: Study) -> None:
    ended, events = train(study)
    assert isinstance(ended, RunFinished)
    stages = list(dict.fromkeys(e.stage for e in events if isinstance(e, StageStarted)))
    assert stages == ["cohort", "similarity", "images", "train", "export", "report"]
    assert list(ended.seconds) == stages
    folder = Path(ended.run_folder)
    assert folder.parent == study.runs
    assert len(load_file(ended.encoder)) > 0
    assert ended.report is not None, [e.message for e in events if isinstance(e, Notice)]
    assert "html" in Path(ended.report).read_text(encoding="utf-8")[:200].lower()
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 6
    assert json.loads((folder / "config.json").read_text())["config"]["batch"] == 4
    assert "Training" in (folder / "log.txt").read_text()
    # 40 % of 28 pairs are 11 whole pairs.
    assert ended.positive_rate == pytest.approx(11 / 28)


def test_images_that_are_read_alike_become_pairs(study: Study) -> None:
    train(study, replace(CONFIG, measure="density"))
    (run,) = rows_of(study, SimilarityRun)
    with np.load(study.folder / run.matrix_path) as file:
        matrix = file["similarity"]
    alike = np.arange(8)[:, None] % 2 == np.arange(8)[None, :] % 2
    off_diagonal = ~np.eye(8, dtype=bool)
    assert matrix[alike & off_diagonal].min() > matrix[~alike].max()


def test_the_row_of_a_run_tells_its_story(study: Study) -> None:
    ended, _ = train(study)
    (row,) = rows_of(study)
    assert row.id == ended.run_id
    assert row.state == "finished"
    assert row.ended_utc is not None
    for path in (row.metrics_path, row.checkpoint_path, row.encoder_path, row.report_path):
        assert not Path(path).is_absolute()
        assert (study.folder / path).is_file()
    assert row.similarity_run_id == rows_of(study, SimilarityRun)[0].id
    assert row.details["positive_rate"] == ended.positive_rate
    assert set(row.details["seconds"]) == set(ended.seconds)


def test_similarity_and_images_are_not_made_twice(study: Study) -> None:
    train(study)
    _, events = train(study, replace(CONFIG, seed=1))
    assert len(rows_of(study, SimilarityRun)) == 1
    assert not [e for e in events if getattr(e, "event", "") == "progress" and e.stage == "images"]
    train(study, replace(CONFIG, measure_parameters={"canvas": 400}))
    assert len(rows_of(study, SimilarityRun)) == 2


def test_the_same_call_continues_what_was_stopped(study: Study) -> None:
    stopped = stop_in_training(study)
    assert isinstance(stopped, RunStopped)
    assert stopped.step == 2
    assert Path(stopped.checkpoint).is_file()
    assert rows_of(study)[0].state == "stopped"
    ended, events = train(study)
    assert ended.run_id == stopped.run_id
    assert [e.step for e in events if isinstance(e, Metrics)] == [3, 4, 5, 6]
    assert [r.state for r in rows_of(study)] == ["finished"]


def test_fresh_or_another_config_starts_a_run_of_its_own(study: Study) -> None:
    stopped = stop_in_training(study)
    fresh, _ = train(study, fresh=True)
    other, _ = train(study, replace(CONFIG, epochs=1))
    assert len({stopped.run_id, fresh.run_id, other.run_id}) == 3


def test_a_finished_run_is_not_continued(study: Study) -> None:
    one, _ = train(study, replace(CONFIG, epochs=1))
    two, _ = train(study, replace(CONFIG, epochs=1))
    assert one.run_id != two.run_id


def test_new_gaze_makes_another_cohort_and_so_another_run(study: Study) -> None:
    stopped = stop_in_training(study)
    from migrations.study.schema import Reading

    with study.database.write() as session:
        session.scalars(select(Reading)).first().practice = True
    ended, _ = train(study)
    assert ended.run_id != stopped.run_id


def test_a_named_folder_holds_the_run_and_refuses_another(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    stopped = stop_in_training(study, out=out)
    assert Path(stopped.run_folder) == out
    with pytest.raises(CheckpointError, match="seed: 9 here, 0 there"):
        train(study, replace(CONFIG, seed=9), out=out)
    with pytest.raises(CheckpointError, match="omit --fresh"):
        train(study, out=out, fresh=True)
    ended, _ = train(study, out=out)
    assert ended.run_id == stopped.run_id
    with pytest.raises(CheckpointError, match="finished run"):
        train(study, out=out)


def test_a_stop_before_training_leaves_no_run(study: Study) -> None:
    ended, _ = train(study, stop=lambda: True)
    assert ended == RunStopped(None, None, None, 0)
    assert rows_of(study) == []


def test_a_plain_run_needs_no_gaze(tmp_path: Path) -> None:
    study = make_study(tmp_path / "unread", images=4, read=0)
    ended, _ = train(study, replace(CONFIG, pairs="none", epochs=1))
    assert isinstance(ended, RunFinished)
    assert ended.positive_rate is None
    with pytest.raises(CohortError, match=r"only 0 of 4 images have gaze.*pairs none"):
        train(study)
    study.close()


def test_why_readings_do_not_count_is_told_where_too_few_are_left(tmp_path: Path) -> None:
    study = make_study(tmp_path / "practice", images=4, read=3)
    with study.database.write() as rows:
        rows.execute(update(Reading).values(practice=True))
    with pytest.raises(CohortError, match=r"only 0 of 4.* Left out: 3 readings: practice\. Read"):
        train(study)
    study.close()


def test_labels_make_pairs_without_gaze(tmp_path: Path) -> None:
    study = make_study(tmp_path / "unread", images=4, read=0)
    config = replace(CONFIG, pairs="label", epochs=1, drop=0.5)
    _, events = train(study, config)
    assert next(e for e in events if isinstance(e, Metrics)).positives_per_anchor == 2
    study.close()


def test_a_study_without_images_says_how_to_get_some(tmp_path: Path) -> None:
    study = make_study(tmp_path / "empty", images=1)
    with pytest.raises(CohortError, match=r"1 image to train on; at least 2.*import"):
        train(study)
    study.close()


def test_images_of_the_test_split_stay_out_unless_transductive(tmp_path: Path) -> None:
    study = make_study(tmp_path / "split", images=8, test_images=2)
    inductive, _ = train(study, replace(CONFIG, epochs=1))
    transductive, _ = train(study, replace(CONFIG, epochs=1, transductive=True))
    assert (inductive.images, transductive.images) == (6, 8)
    study.close()


def test_few_extra_pairs_are_warned_about(study: Study) -> None:
    _, events = train(study, replace(CONFIG, epochs=1))
    notices = [e.message for e in events if isinstance(e, Notice)]
    assert any("extra pairs are expected in a batch" in m for m in notices)
    _, events = train(study, replace(CONFIG, epochs=1, batch=8, positive_rate=0.45, drop=0.0))
    assert not any(isinstance(e, Notice) and "extra pairs" in e.message for e in events)


def test_a_failure_is_written_into_the_row(study: Study, monkeypatch) -> None:
    def wrong(*_, **_options):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr("trainer.pretrain.batches.apply_views", wrong)
    with pytest.raises(RuntimeError):
        train(study)
    (row,) = rows_of(study)
    assert row.state == "failed"
    assert "shape mismatch" in row.message


def test_a_report_that_fails_does_not_cost_the_encoder(study: Study) -> None:
    def wrong(*_, **__):
        raise ValueError("no ink")

    ended, events = train(study, replace(CONFIG, epochs=1), write=wrong)
    assert ended.report is None
    assert Path(ended.encoder).is_file()
    assert any("no ink" in e.message for e in events if isinstance(e, Notice))
    assert rows_of(study)[0].state == "finished"


def test_a_missing_picture_is_left_out_by_name_and_a_damaged_one_stops_the_run(
    study: Study,
) -> None:
    first, second = rows_of(study, Image)[:2]
    study.presentation(first.id).unlink()
    ended, events = train(study, replace(CONFIG, epochs=1))
    assert ended.images == 7
    assert any(short_name(first.id) in e.message for e in events if isinstance(e, Notice))
    study.presentation(second.id).write_bytes(b"no picture")
    with pytest.raises(ImageCacheError, match=f"Image {short_name(second.id)}.*damaged"):
        train(study)


def test_a_run_folder_at_work_is_left_to_the_process_at_work(study: Study) -> None:
    import psutil

    stopped = stop_in_training(study)
    parent = psutil.Process().parent()
    lock = Path(stopped.run_folder) / "running.json"
    lock.write_text(json.dumps({"pid": parent.pid, "created": parent.create_time()}))
    with pytest.raises(RunBusy, match=f"process {parent.pid}"):
        train(study)
    lock.write_text(json.dumps({"pid": parent.pid, "created": 0.0}))  # an old process of that id
    ended, _ = train(study)
    assert ended.run_id == stopped.run_id
    assert not lock.exists()


def test_cuda_that_is_not_there_is_said_before_anything_is_done(study: Study, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device"):
        train(study, replace(CONFIG, device="cuda"))
    assert checkpoints(study.runs) == []


def test_a_stop_while_the_report_is_written_leaves_a_finished_run(study: Study) -> None:
    stages: list[str] = []

    def emit(event) -> None:
        if isinstance(event, StageStarted):
            stages.append(event.stage)

    ended = run_training(Run(source_of(study), CONFIG, emit, lambda: "report" in stages))
    assert isinstance(ended, RunFinished)
    assert ended.report is None
    assert Path(ended.encoder).is_file()
    (row,) = rows_of(study)
    assert (row.state, row.report_path) == ("finished", None)


def test_a_stop_while_the_study_is_read_begins_no_run(study: Study) -> None:
    ended, _ = train(study, stop=lambda: True)
    assert ended == RunStopped(None, None, None, 0)
    assert rows_of(study) == rows_of(study, SimilarityRun) == []


def test_a_runs_folder_that_cannot_be_written_is_named(study: Study, monkeypatch) -> None:
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.mkdir", full)
    with pytest.raises(RunFolderError, match=r"is full: .*cannot be written\..*--out"):
        open_run(study, Identity(CONFIG, "cohort", "", 8), None, fresh=False, out=None)
