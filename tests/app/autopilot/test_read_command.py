"""`python main.py read --autopilot` as its user runs it: in a process of its own, and killed."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

import main as command
from app.autopilot.readers import autopilot_reader
from app.errors import AppError
from app.images.importing.importer import import_paths
from app.recording.recovery import close_interrupted
from migrations.study.folder import Study
from migrations.study.schema import Reader, Reading, new_id
from migrations.study.settings import StudySettings
from tests import PATIENCE_S, ROOT

AT_MOST_LOST_S = 0.250 + 0.050
STALL_S = 0.200
"""What a busy test machine may add: the station is starved, not its database."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = Study.create(tmp_path / "study", StudySettings(name="Trial"))
    ramp = np.linspace(2000, 40000, 300 * 240).reshape(300, 240)
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"p{i}.png"), np.roll(ramp, 20 * i).astype(np.uint16))
    import_paths(study, sorted(tmp_path.glob("*.png")))
    study.close()
    return study.folder


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("QT_QPA_PLATFORM", None)  # a bare server
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    line = [sys.executable, "main.py", "read", "--study", str(folder)]
    line += ["--device", "simulated", "--autopilot", *words]
    out = subprocess.PIPE
    return subprocess.Popen(line, cwd=ROOT, env=environment, text=True, stdout=out, stderr=out)


def ask(folder: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "foveate.sqlite", timeout=5)) as stranger:
        return stranger.execute(query).fetchall()


def wait_for(process: subprocess.Popen[str], folder: Path, query: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ask(folder, query):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"in vain: {query}"
        time.sleep(0.02)


def kill_after(process: subprocess.Popen[str], seconds: float) -> datetime:
    time.sleep(seconds)
    instant = datetime.now(UTC)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    return instant


def lost_s(folder: Path, killed: datetime) -> float:
    ((zero_utc, speed, last_us),) = ask(
        folder,
        "select s.zero_utc, s.clock_speed, max(c.last_us) from session s "
        "join recording r on r.session_id = s.id join gaze_chunk c on c.recording_id = r.id "
        "group by s.id order by s.id desc limit 1",
    )
    last = datetime.fromisoformat(zero_utc) + timedelta(seconds=last_us / speed / 1e6)
    return (killed - last).total_seconds()


def kill_and_look(folder: Path, seconds: float, speed: str) -> str:
    """Kill a session in mid-reading, look at what is left; return the reading that was open."""
    process = start(folder, "--speed", speed)
    wait_for(process, folder, "select 1 from reading where state = 'open'")
    killed = kill_after(process, seconds)
    assert command.main(["db", "check", "--study", str(folder)]) == 0
    assert lost_s(folder, killed) <= AT_MOST_LOST_S + STALL_S
    ((reading_id,),) = ask(folder, "select id from reading where state = 'open'")
    return reading_id


def test_a_killed_session_is_whole_and_the_next_one_goes_on_with_it(folder: Path) -> None:
    cut_off = kill_and_look(folder, 0.8, "10")
    done = start(folder, "--speed", "30", "--cases", "1")
    said, _ = done.communicate(timeout=PATIENCE_S)
    assert done.returncode == 0
    assert "1 readings interrupted by a crash are shown again" in said
    assert "resumed     1" in said
    study = Study.open(folder)
    with study.database.read() as session:
        reading = session.get_one(Reading, cut_off)
        assert reading.state == "interrupted"
        assert reading.details["gap_s"] > 0
        assert reading.ended_us
        (again,) = session.query(Reading).filter(Reading.resumes_id == cut_off)
        assert (again.state, again.reader_id) == ("finished", reading.reader_id)
        assert session.query(Reading).count() == 2
        (reader,) = session.query(Reader)
        assert (reader.pseudonym, reader.details["autopilot"]) == ("AUTO-1", True)
        assert reader.consent_utc
    assert study.database.check() == []
    study.close()


@pytest.mark.slow
@pytest.mark.parametrize("speed", ["1", "12"])
def test_killed_at_random_instants_at_most_a_chunk_is_lost(folder: Path, speed: str) -> None:
    drawn = random.Random(4)
    for _ in range(4):
        kill_and_look(folder, drawn.uniform(0.05, 1.5), speed)
        study = Study.open(folder)
        assert len(close_interrupted(study.database)) == 1
        study.close()


@pytest.mark.slow
def test_a_polite_stop_saves_and_exits_3(folder: Path) -> None:
    process = start(folder, "--speed", "6")
    wait_for(process, folder, "select 1 from reading where state = 'open'")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3, said
    assert "what was recorded is saved" in said
    assert ask(folder, "select state from reading") == [("interrupted",)]
    assert ask(folder, "select count(*) from session where ended_utc is null") == [(0,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--autopilot"], "--study"),
        (["--study", "s", "--autopilot", "--cases", "0"], "at least 1"),
        (["--study", "s", "--autopilot", "--speed", "fast"], "a number above 0"),
        (["--study", "s", "--autopilot", "--speed", "4", "--device", "lsl:x"], "simulated reader"),
        (["--study", "s", "--cases", "2"], "works with --autopilot"),
    ],
)
def test_wrong_arguments_exit_2(
    words: list[str], said: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "study.toml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        command.main(["read", *words])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_study_without_cases_or_no_study_is_said_in_a_line(study, tmp_path, capsys, qapp) -> None:
    words = ["read", "--autopilot", "--study"]
    assert command.main([*words, str(study.folder)]) == 1
    assert "has no cases. Import some" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        command.main([*words, str(tmp_path)])
    assert caught.value.code == 2
    assert "is not a Foveate study" in capsys.readouterr().err


def test_the_autopilot_never_reads_as_a_person(folder: Path) -> None:
    study = Study.open(folder)
    with study.database.write() as session:
        session.add(Reader(id=new_id(), pseudonym="R1", details={}))
    with pytest.raises(AppError, match="is a person's pseudonym"):
        autopilot_reader(study, "R1")
    assert autopilot_reader(study) == "AUTO-1"
    assert autopilot_reader(study) == "AUTO-1"  # who has everything left to read
    assert autopilot_reader(study, "SIM") == "SIM"
    study.close()
