"""Processes beside the first: what they say, and what they leave to it; tried without any."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.pretrain.test_loop import CONFIG, StopAfter, job_in, run
from tests.trainer.runs.test_folder_runs import write_images
from trainer.command import main
from trainer.errors import CheckpointError, SimilarityError
from trainer.pretrain.run_state import Checkpoints
from trainer.process import distributed
from trainer.process.events import Notice, RunFinished
from trainer.runs import run as runs
from trainer.runs.stages import Run


def words(folder: Path, *more: str) -> list[str]:
    write_images(folder / "images", 8)
    return [
        "--images", str(folder / "images"), "--pairs", "none", "--size", "32", "--batch", "4",
        "--epochs", "1", "--device", "cpu", "--out", str(folder / "run"), "--events", "json", *more,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "net", [("--encoder", "resnet18"), ("--encoder", "vit_s", "--method", "byol")]
)
def test_several_processes_on_cpu_are_refused_with_batch_norm(
    net: tuple[str, ...], tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "from_first", lambda value: value)
    assert main(words(tmp_path, *net)) == 2
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["message"]
    assert said.startswith(
        "2 processes on a CPU cannot share the statistics of batch normalisation"
    )
    assert "Set norm to group" in said
    assert not (tmp_path / "run").exists()


def test_where_the_first_process_fails_the_others_end_without_a_word(
    tmp_path: Path, monkeypatch
) -> None:
    handed: list = []
    monkeypatch.setattr(runs, "prepare", lambda _: (_ for _ in ()).throw(SimilarityError("bad")))
    monkeypatch.setattr(distributed, "from_first", lambda v: handed.append(v) or v)
    events: list = []
    given = Run(None, CONFIG, events.append, lambda: False)
    with pytest.raises(SimilarityError):
        runs.run_training(given)
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    monkeypatch.setattr(distributed, "from_first", lambda _: handed[0])
    assert isinstance(runs.run_training(given), RunFinished)  # exit code 0
    assert events == []


def test_warnings_of_another_process_reach_the_user_and_say_whose_they_are(monkeypatch) -> None:
    monkeypatch.setattr(distributed, "rank", lambda: 3)
    events: list = []
    pass_on = runs._notices_only(events.append)
    pass_on(Notice("40% of the time is spent waiting for views"))
    pass_on(runs._NOT_BEGUN)
    assert [e.message for e in events] == ["Process 3: 40% of the time is spent waiting for views"]


@pytest.mark.usefixtures("tiny_encoder")
def test_what_all_processes_find_alike_only_the_first_one_says(tmp_path: Path, monkeypatch) -> None:
    found = [("collapse", "all alike"), ("wait", "views are late")]
    monkeypatch.setattr("trainer.pretrain.observer.worries", lambda _: found)
    monkeypatch.setattr(distributed, "own_share", lambda batch: slice(0, batch))
    for number, told in ((0, ["all alike", "views are late"]), (1, ["views are late"])):
        monkeypatch.setattr(distributed, "rank", lambda number=number: number)
        job = job_in(tmp_path / str(number))
        if number:  # only the first writes checkpoints
            monkeypatch.setattr(Checkpoints, "save", lambda *_: tmp_path / "none")
            monkeypatch.setattr(Checkpoints, "keep_only", lambda *_: None)
        _, events = run(job)
        assert [e.message for e in events if isinstance(e, Notice)] == told


@pytest.mark.usefixtures("tiny_encoder")
def test_processes_that_find_different_checkpoints_do_not_go_on(
    tmp_path: Path, monkeypatch
) -> None:
    job = job_in(tmp_path, replace(CONFIG, epochs=8))
    run(job, StopAfter(3))
    monkeypatch.setattr(distributed, "from_first", lambda _: (2, []))
    with pytest.raises(CheckpointError, match=r"finds step 3 .* the first process finds step 2"):
        run(job)


def test_a_failure_says_which_process_it_was(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("RANK", "2")
    (tmp_path / "none.csv").write_text("no,column,of,ours\n")
    assert main([*words(tmp_path), "--labels", str(tmp_path / "none.csv")]) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["message"]
    assert said.startswith("Process 2: ")
