"""A worker is given up for its own work or for standing still, not because others are busy."""

import os

import pytest

from app import patience
from app.patience import Patience


@pytest.mark.parametrize(
    ("waited_s", "worked_s", "is_over"),
    [(50, 50, False), (61, 3, False), (590, 30, False), (62, 61, True), (601, 0, True)],
)
def test_a_worker_on_a_busy_computer_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, waited_s: float, worked_s: float, is_over: bool
) -> None:
    now, work = [0.0], [7.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Patience, "_work_s", lambda _self: work[0])
    one = Patience(1, 60.0)
    now[0], work[0] = waited_s, 7.0 + worked_s
    assert one.is_over is is_over


def test_work_is_that_of_the_process_and_one_that_is_gone_did_none() -> None:
    assert Patience(os.getpid(), 1.0)._work_s() > 0.0
    assert Patience(2**22 + 1, 1.0)._work_s() == 0.0
    assert not Patience(None, 1.0).is_over
