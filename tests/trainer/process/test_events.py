"""What a run says: JSON lines, progress with rate and time left, and the terminal."""

import io
import json
import math

from rich.console import Console

from trainer.process.events import (
    JsonReporter,
    Meter,
    Metrics,
    Notice,
    RunFailed,
    RunFinished,
    RunStopped,
    StageProgress,
    StageStarted,
)
from trainer.process.terminal import TerminalReporter, duration_text

METRICS = Metrics(3, 10, 1, 2, -1.5, 1e-3, 20.0, 0.05, math.nan, 1.5)
FINISHED = RunFinished(
    "id", "/runs/a", "/runs/a/encoder.safetensors", None, 8, 0.05, -0.1, -1.9, 0.8, {"train": 75.0}
)


def test_each_event_is_one_line_with_its_name_time_and_fields() -> None:
    stream = io.StringIO()
    report = JsonReporter(stream)
    for event in (StageStarted("cohort", "line\nbreak"), METRICS, Notice("careful"), FINISHED):
        report(event)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [r["event"] for r in rows] == ["stage", "metrics", "warning", "result"]
    assert all(r["time_utc"].endswith("Z") for r in rows)
    assert rows[0]["message"] == "line\nbreak"
    assert rows[1]["feature_spread"] is None  # JSON knows no NaN
    assert set(rows[1]) == {
        "event", "time_utc", "step", "steps", "epoch", "epochs", "loss", "learning_rate",
        "images_per_s", "data_wait", "feature_spread", "positives_per_anchor", "rank_me", "knn",
    }  # fmt: skip
    assert rows[3]["seconds"] == {"train": 75.0}


def test_a_reader_that_has_gone_away_does_not_stop_the_run() -> None:
    tried: list[str] = []

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            tried.append(text)
            raise BrokenPipeError

    reporter = JsonReporter(Gone())
    reporter(Notice("unheard"))
    assert len(tried) == 1


def test_progress_gives_rate_and_time_left_of_the_last_ten_seconds() -> None:
    said: list[StageProgress] = []
    clock = {"s": 0.0}
    meter = Meter(said.append, "images", "images", now=lambda: clock["s"])
    for second in range(31):
        clock["s"] = float(second)
        meter(second if second < 20 else 20 + (second - 20) * 4, 100)  # four times as fast from 20
    assert said[0].rate is None
    assert said[10].rate == 1.0
    assert said[30].rate == 4.0
    assert said[30].seconds_left == (100 - 60) / 4


def test_progress_is_not_said_more_than_five_times_a_second_but_always_at_the_end() -> None:
    said: list[StageProgress] = []
    clock = {"s": 0.0}
    meter = Meter(said.append, "images", "images", now=lambda: clock["s"])
    for done in range(1, 101):
        clock["s"] += 0.01
        meter(done, 100)
    assert len(said) <= 7
    assert said[-1].done == 100


def test_the_terminal_shows_every_kind_of_event() -> None:
    stream = io.StringIO()
    report = TerminalReporter(Console(file=stream, width=120))
    report(StageStarted("train", "Training a run"))
    report(StageProgress("train", 3, 10, "steps", 2.0, 3.5))
    report(METRICS)
    report(Notice("careful [with] brackets"))
    report(FINISHED)
    report.close()
    text = stream.getvalue()
    for words in ("Training a run", "careful [with] brackets", "5.0% of pairs", "1 min 15 s"):
        assert words in text


def test_the_terminal_says_where_a_stopped_run_left_off() -> None:
    stream = io.StringIO()
    report = TerminalReporter(Console(file=stream, width=200))
    report(RunStopped("id", "/runs/a", "/runs/a/checkpoint-7.pt", 7))
    report(RunStopped(None, None, None, 0))
    report(RunFailed("no such [file]"))
    text = stream.getvalue()
    assert "step 7" in text
    assert "/runs/a/checkpoint-7.pt" in text
    assert "before training began" in text
    assert "no such [file]" in text


def test_durations_are_said_as_people_say_them() -> None:
    assert [duration_text(s) for s in (0.2, 59.4, 61, 7300)] == [
        "0 s", "59 s", "1 min 1 s", "2 h 1 min",
    ]  # fmt: skip
