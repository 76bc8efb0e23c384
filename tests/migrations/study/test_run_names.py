"""A run is called by its name, its folder or its id; a name that several have is not guessed."""

import pytest

from migrations.study.errors import AmbiguousName, UnknownName
from migrations.study.run_names import find_run
from migrations.study.schema import TrainingRun


def run(number: int, name: str) -> TrainingRun:
    return TrainingRun(
        id=f"id-{number}", name=name, metrics_path=f"runs/2026-{number}-{name}/metrics.jsonl"
    )


RUNS = [run(1, "plain"), run(2, "gaze"), run(3, "gaze")]


@pytest.mark.parametrize(
    ("word", "number"), [("plain", 1), ("2026-2-gaze", 2), ("id-3", 3), ("2026-1-plain", 1)]
)
def test_a_run_is_found_by_name_folder_and_id(word: str, number: int) -> None:
    assert find_run(RUNS, word).id == f"id-{number}"


def test_a_name_that_two_runs_have_is_refused_with_their_folders() -> None:
    with pytest.raises(AmbiguousName, match="2026-2-gaze, 2026-3-gaze"):
        find_run(RUNS, "gaze")


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="2026-1-plain, 2026-2-gaze"):
        find_run(RUNS, "gzae")
