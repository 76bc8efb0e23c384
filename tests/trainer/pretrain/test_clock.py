"""Speed and data wait of a device that runs behind the host, of steps, looks and checkpoints."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from tests.trainer.pretrain.test_loop import CONFIG, job_in, run
from trainer.methods.base import StepOutput
from trainer.pretrain import loop, observer, run_state
from trainer.pretrain.clock import Device, StepClock
from trainer.pretrain.monitors import FeatureMonitors
from trainer.pretrain.signals import StepSignals
from trainer.process.events import Metrics


@dataclass
class Card:
    """A card that works through what it is handed, behind a host that does not wait for it."""

    host_s: float = 0.0
    done_s: float = field(default=0.0)

    def work(self, seconds: float) -> None:
        self.done_s = max(self.done_s, self.host_s) + seconds

    def finish(self) -> None:
        self.host_s = max(self.host_s, self.done_s)

    def mark(self) -> "At":
        self.work(0)
        return At(self.done_s)

    def clock(self) -> StepClock:
        return StepClock(Device(self.mark, self.finish), lambda: self.host_s)


@dataclass
class At:
    s: float

    def elapsed_time(self, end_event: "At") -> float:
        return 1e3 * (end_event.s - self.s)


def test_speed_and_wait_are_those_of_the_device_not_of_the_host() -> None:
    card = Card()
    clock = card.clock()
    for _ in range(10):
        with clock.waiting():
            card.host_s += 0.008  # the thread that makes views is that much late
        card.host_s += 0.002  # handing the step over
        card.work(0.080)
    card.finish()  # where the loss is read
    taken_s, waited_s = clock.read()
    assert taken_s == pytest.approx(0.810)  # all but the first views came while the card worked
    assert waited_s == pytest.approx(0.008)
    assert clock.read() == (0, 0)


def test_a_device_that_waits_for_views_says_so() -> None:
    card = Card()
    clock = card.clock()
    for _ in range(4):
        with clock.waiting():
            card.host_s += 0.030
        card.work(0.010)
    card.finish()
    taken_s, waited_s = clock.read()
    assert taken_s == pytest.approx(0.130)
    # Each wait but the first began while the card was still at work.
    assert waited_s == pytest.approx(0.030 + 3 * 0.020)


def test_looks_and_checkpoints_are_no_part_of_a_step() -> None:
    card = Card()
    clock = card.clock()
    card.work(0.080)
    with clock.left_out():
        card.host_s += 5
    card.work(0.080)
    card.finish()
    assert clock.read()[0] == pytest.approx(0.160)


def test_the_host_alone_is_timed_by_its_own_clock() -> None:
    now = [0.0]
    clock = StepClock(now=lambda: now[0])
    with clock.waiting():
        now[0] += 1
    now[0] += 3
    assert clock.read() == (4, 1)


def test_the_time_in_which_the_loss_is_awaited_counts(tmp_path: Path, monkeypatch) -> None:
    card, job = Card(), job_in(tmp_path)
    plain = StepSignals.require_finite

    def awaited(self: StepSignals, step: int) -> float:
        card.finish()
        return plain(self, step)

    monkeypatch.setattr(StepSignals, "require_finite", awaited)
    clock = card.clock()
    signals = StepSignals(job, {}, clock)
    mask = torch.eye(4, dtype=torch.bool)
    with clock.waiting():
        card.host_s += 0.008
    card.work(0.080)
    signals.add(StepOutput(torch.tensor(1.0), torch.randn(4, 8), mask), 0.1)
    said = signals.report(1, None, None)
    assert said is not None
    assert said.images_per_s == pytest.approx(4 / 0.088)
    assert said.data_wait == pytest.approx(0.008 / 0.088)


@pytest.mark.usefixtures("tiny_encoder")
def test_a_run_times_neither_its_looks_nor_its_checkpoints(tmp_path: Path, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(observer, "clock_of", lambda _: StepClock(now=lambda: now[0]))

    def takes(where, name: str, seconds: float) -> None:
        plain = getattr(where, name)

        def work(*args):
            now[0] += seconds
            return plain(*args)

        monkeypatch.setattr(where, name, work)

    takes(FeatureMonitors, "look", 100)
    takes(run_state, "save_checkpoint", 1000)
    takes(loop, "take_step", 1)
    _, events = run(job_in(tmp_path, replace(CONFIG, checkpoint_every=1, knn_every=1)))
    assert [e.images_per_s for e in events if isinstance(e, Metrics)] == [4.0] * 8
