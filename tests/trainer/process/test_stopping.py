"""Asking a run to stop: by a line on a pipe, by a signal."""

import os
import signal

import pytest

from tests import PATIENCE_S
from trainer.process.stopping import StopRequest


def test_the_line_stop_on_a_pipe_stops_even_in_pieces() -> None:
    stop = StopRequest()
    reader, writer = os.pipe()
    thread = stop.listen(reader)
    for piece in (b"hello\nst", b"op\r", b"\n"):
        assert not stop()
        os.write(writer, piece)
    os.close(writer)
    thread.join(PATIENCE_S)
    os.close(reader)
    assert stop()


def test_the_end_of_the_pipe_is_no_wish_to_stop() -> None:
    stop = StopRequest()
    reader, writer = os.pipe()
    thread = stop.listen(reader)
    os.write(writer, b"stop it\n")
    os.close(writer)
    thread.join(PATIENCE_S)
    os.close(reader)
    assert not stop()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_and_a_second_one_breaks_off(name: str) -> None:
    stop, number = StopRequest(), getattr(signal, name)
    before = signal.getsignal(number)
    with stop.on_signals():
        signal.raise_signal(number)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_lost_terminal_stops_unless_nohup_said_otherwise() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler, stops in ((signal.SIG_DFL, True), (signal.SIG_IGN, False)):
            signal.signal(signal.SIGHUP, handler)
            stop = StopRequest()
            with stop.on_signals():
                signal.raise_signal(signal.SIGHUP)
            assert stop() is stops
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has no SIGUSR1")
def test_notice_of_a_time_limit_stops_and_breaks_nothing_off() -> None:
    stop = StopRequest()
    with stop.on_signals():
        signal.raise_signal(signal.SIGUSR1)
        assert stop()
        for number in (signal.SIGUSR1, signal.SIGTERM):  # given again, then the limit itself
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
