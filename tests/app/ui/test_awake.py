"""Sleep and screen saver are held off while recording, by each system's own means."""

import ctypes
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from app.ui import awake
from app.ui.awake import KeepAwake
from tests import ROOT

HOLD = (
    "from PySide6.QtCore import QCoreApplication; application = QCoreApplication([]); "
    "from app.ui.awake import KeepAwake; keep = KeepAwake(); keep.hold(); print(keep.means); "
    "keep.release(); print(keep.means)"
)


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no D-Bus daemon here")
def test_a_desktops_screen_saver_is_inhibited_and_let_go(tmp_path: Path) -> None:
    out = subprocess.PIPE
    line = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    daemon = subprocess.Popen(line, stdout=out, text=True)
    assert daemon.stdout is not None
    bus = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": daemon.stdout.readline().strip()}
    saver = subprocess.Popen(
        [sys.executable, "-m", "tests.app.ui.screen_saver"],
        cwd=ROOT, env=bus, stdout=out, text=True,
    )  # fmt: skip
    assert saver.stdout is not None
    try:
        assert saver.stdout.readline() == "ready\n"
        told = subprocess.run(
            [sys.executable, "-c", HOLD], cwd=ROOT, env=bus, capture_output=True, text=True
        )
        assert "org.freedesktop.ScreenSaver" in told.stdout, told.stderr
        assert saver.stdout.readline() == "Inhibit Foveate Gaze is being recorded\n"
        assert saver.stdout.readline() == "let go\n"
        assert told.stdout.splitlines()[-1] == "()"
    finally:
        for process in (saver, daemon):
            process.kill()
            process.communicate()


def test_on_macos_caffeinate_runs_while_it_is_held(tmp_path: Path, monkeypatch) -> None:
    noted = tmp_path / "noted"
    program = tmp_path / "caffeinate"
    program.write_text(f'#!/bin/sh\necho "$@" > {noted}.part\nmv {noted}.part {noted}\nexec cat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "platform", "darwin")
    keep = KeepAwake()
    keep.hold()
    assert keep.means == ("caffeinate",)
    process = keep._holds["caffeinate"]._process
    while not noted.exists():
        assert process.poll() is None
    assert noted.read_text() == f"-d -i -w {os.getpid()}\n"
    keep.release()
    assert process.poll() is not None


def test_on_windows_the_execution_state_is_set_and_cleared(monkeypatch) -> None:
    states: list[int] = []

    def set_state(state: ctypes.c_uint) -> int:
        states.append(state.value)
        return 1

    kernel = types.SimpleNamespace(SetThreadExecutionState=set_state)
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    keep = KeepAwake()
    keep.hold()
    keep.hold()
    keep.release()
    keep.release()
    assert states == [0x80000003, 0x80000000]


def test_a_system_without_any_means_is_said_in_the_log(monkeypatch, caplog) -> None:
    monkeypatch.setattr(awake, "_take", dict)
    keep = KeepAwake()
    keep.hold()
    assert keep.means == ()
    assert "no means to block sleep" in caplog.text
