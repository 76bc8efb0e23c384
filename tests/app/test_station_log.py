"""The station's log names no patient: what a library quotes of a file stays out of it."""

import logging
from pathlib import Path

import pytest

from app.command import logged


def test_values_that_pydicom_quotes_are_not_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEATE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr("app.command.watch_crashes", lambda _name: None)
    root = logging.getLogger()
    level = root.level
    try:
        with logged():
            logging.getLogger("pydicom").warning("Invalid value for VR UI: 'Quill^Anna'")
            logging.getLogger("pynetdicom.acse").warning("Quill^Anna")
            logging.getLogger("app").warning("import 3 was refused")
    finally:
        root.setLevel(level)
    said = (tmp_path / "logs" / "station.log").read_text()
    assert "Quill" not in said
    assert "import 3 was refused" in said
