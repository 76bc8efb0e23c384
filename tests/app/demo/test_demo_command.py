"""The demo's command: what it draws on where there is no screen."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.demo.command import main


@pytest.mark.parametrize("platform", ["offscreen", None])
def test_without_a_screen_it_draws_on_a_monitor_of_usual_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, platform: str | None
) -> None:
    """Qt's own offscreen monitor of 800 × 800 is too small for the station: reading would wait."""
    seen: list[str] = []

    def tour(options):
        seen.append(os.environ["QT_QPA_PLATFORM"])
        return SimpleNamespace(run=lambda: ["done"])

    monkeypatch.setattr("app.demo.tour.Tour", tour)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if platform:
        monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    assert main(["--out", str(tmp_path / "demo")]) == 0
    (named,) = seen
    kind, _, path = named.partition(":configfile=")
    assert kind == "offscreen"
    (screen,) = json.loads(Path(path).read_text())["screens"]
    assert (screen["width"], screen["height"]) == (1920, 1080)
