"""What a sender in another process sent is what the study holds, sample by sample."""

from pathlib import Path

import pytest

from bench.lsl_senders import FAULTS, Fault, hold, is_sent


def test_a_silent_sender_sends_nothing_meanwhile() -> None:
    fault = Fault("silence", silent_at_s=1.0, silent_for_s=0.5)
    sent = [k for k in range(20) if is_sent(fault, k, 10.0)]
    assert sent == [*range(10), *range(15, 20)]


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS[1:4], ids=lambda fault: fault.name)
def test_each_sample_of_a_faulty_sender_is_recorded_once_with_its_value_at_its_instant(
    fault: Fault, tmp_path: Path
) -> None:
    held = hold(fault, 250.0, 4.0, tmp_path / "study")
    assert (held.missing, held.doubled, held.altered) == (0, 0, 0)
    assert held.recorded == held.sent == 1000
    assert held.error_ms < 15


@pytest.mark.slow
def test_a_sender_that_falls_silent_loses_nothing_of_what_it_sent_and_the_gap_is_told(
    tmp_path: Path,
) -> None:
    silence = Fault("silence of 2 s", silent_at_s=1.5, silent_for_s=2.0)
    held = hold(silence, 120.0, 5.0, tmp_path / "study")
    assert (held.missing, held.doubled, held.altered) == (0, 0, 0)
    assert held.recorded == held.sent == 360
    assert {"lost", "gap"} & set(held.said)
