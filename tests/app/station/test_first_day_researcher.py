"""The researcher's first-day guide, followed word for word through the window."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QDesktopServices

from app.pages.clearing.controller import ClearingController
from app.station import Station
from devices.gaze.geometry import ScreenGeometry
from devices.simulated import SimulatedParameters, SimulatedTracker
from migrations.study.schema import Audit, Reading, SimilarityRun, TrainingRun
from tests import ROOT
from tests.app.station.guide import KEYS, Follower, items, words

GUIDE = ROOT / "docs" / "first-day-researcher.md"
IMAGES, TEST = 10, 4

LOOK_US = 4_000_000
"""How long a case is read, by the clock of the session: less leaves no fixation."""


def test_every_button_of_the_guide_is_called_so_in_the_window() -> None:
    asked = [word for item in items(GUIDE.read_text(encoding="utf-8")) for word in words(item)]
    wanted = {word.text for word in asked if word.kind == "press"} - set(KEYS)
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    assert len(wanted) > 20
    code = code.replace("'", '"').replace("{count} ", "")
    assert [name for name in wanted if f'"{name}"' not in code] == []


def _pictures(folder: Path) -> list[Path]:
    """Write 16-bit PNGs, each with a spot in noise of its own."""
    folder.mkdir()
    y, x = np.mgrid[:300, :240]
    paths = []
    for k in range(IMAGES):
        noise = np.random.default_rng(k).integers(0, 2000, (300, 240))
        spot = 30000 * np.exp(-(((x - 80 - 80 * (k % 2)) / 20) ** 2 + ((y - 150) / 20) ** 2))
        paths.append(folder / f"picture-{k}.png")
        cv2.imwrite(str(paths[-1]), (2000 + 20 * x + noise + spot).astype(np.uint16))
    return paths


def _labels(path: Path, pictures: list[Path]) -> None:
    with path.open("w", newline="") as file:
        lines = [(p.name, ("no", "yes")[k % 2], ("train", "test")[k < TEST])
                 for k, p in enumerate(pictures)]  # fmt: skip
        csv.writer(file).writerows([("image", "label", "split"), *lines])


@pytest.mark.slow
def test_the_guide_leads_from_a_new_study_to_a_report(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path / "configuration"))
    opened: list[Path] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(Path(url.toLocalFile()))
    )
    _labels(tmp_path / "labels.csv", _pictures(tmp_path / "pictures"))

    def source(_id: str, geometry: ScreenGeometry) -> SimulatedTracker:
        return SimulatedTracker(geometry, SimulatedParameters(rate_hz=60.0), seed=1)

    station = Station(speed=8.0, tracker_source=source, full_screen=False)
    qtbot.addWidget(station.window, before_close_func=lambda _window: station.close())
    with qtbot.waitExposed(station.window):
        station.window.show()
    shown: set[str] = set()
    since: dict[str, int] = {}

    def ready(key: str) -> bool:
        """Tell whether the page waits for the key: each image and each case takes one."""
        if key == "C":
            return station.job(ClearingController).page.clear_sheet.isEnabled()
        session, page = station.sitting.session, station.sitting.reading.page
        if key != "1" or page.state == "complete":
            return True
        if session is None or page.state != "reading" or session.reading_id in (None, *shown):
            return False
        looked_us = session.clock.now_us()
        if looked_us - since.setdefault(session.reading_id, looked_us) < LOOK_US:
            return False
        shown.add(session.reading_id)
        return True

    folder = tmp_path / "study"
    told = {"~/images": str(tmp_path / "pictures"), "~/labels.csv": str(tmp_path / "labels.csv"),
            "~/foveate/first-day": str(folder)}  # fmt: skip
    follower = Follower(station, qtbot, told, ready)
    for item in items(GUIDE.read_text(encoding="utf-8")):
        follower.follow(item)

    assert station.study is not None
    with station.study.database.read() as rows:
        assert rows.query(Reading).filter_by(state="finished").count() == IMAGES
        (run,) = rows.query(TrainingRun)
        assert (run.name, run.state) == ("first-try", "finished")
        assert rows.query(SimilarityRun).count() >= 1
        actions = {row.action for row in rows.query(Audit)}
    assert {"drop reading", "edit run"} <= actions
    assert (folder / "exports" / "csv").is_dir()
    assert opened[-1].name == "report.html"
