"""When a run reports: each due step on the CPU, a few times a second on a card that would wait."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.trainer.pretrain.test_loop import job_in
from trainer.methods.base import StepOutput
from trainer.pretrain import observer
from trainer.pretrain.clock import StepClock
from trainer.pretrain.observer import Observer
from trainer.pretrain.signals import StepSignals

pytestmark = pytest.mark.usefixtures("tiny_encoder")


def due(job, monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> list[int]:
    """Return the steps at which a report is due; one step ends at each of the seconds."""
    clock = iter(seconds)
    monkeypatch.setattr(observer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(observer, "clock_of", lambda _: StepClock())
    method = SimpleNamespace(settles_after=lambda _: 0)
    watching = Observer(job, method, 0, {}, lambda _: None)
    found = [step for step in range(1, len(seconds) + 1) if watching._report_due(step)]
    watching.close()
    return found


def test_a_card_is_asked_five_times_a_second_and_at_the_end(tmp_path: Path, monkeypatch) -> None:
    seconds = [0.0, 0.01, 0.02, 0.19, 0.21, 0.22, 0.43, 0.44]
    card = job_in(tmp_path / "card", device=torch.device("cuda"))
    assert card.steps == 8
    assert due(card, monkeypatch, seconds) == [1, 5, 7, 8]
    assert due(job_in(tmp_path / "cpu"), monkeypatch, seconds) == list(range(1, 9))


def test_the_end_of_an_epoch_reads_nothing_from_the_device(tmp_path: Path, monkeypatch) -> None:
    signals, read = StepSignals(job_in(tmp_path), {}, StepClock()), []
    for name in ("__float__", "item", "tolist"):
        plain = getattr(torch.Tensor, name)
        monkeypatch.setattr(
            torch.Tensor, name, lambda t, n=name, p=plain: (read.append(n), p(t))[1]
        )
    mask, projections = torch.eye(4).bool(), torch.rand(4, 8)
    for epoch in range(3):
        for loss in (1.0 + epoch, 2.0 + epoch):
            signals.add(StepOutput(torch.tensor(loss), projections, mask), 0.1)
        signals.end_epoch()
    assert not read
    assert signals.epoch_losses == [1.5, 2.5, 3.5]
    assert read
    assert signals.saved()["epoch_losses"] == [1.5, 2.5, 3.5]
    assert signals.summary(0)[:2] == (1.5, 3.5)
