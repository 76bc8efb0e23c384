"""Entry points of other distributions: what can be loaded is found, the rest is named."""

import logging
from pathlib import Path

import pytest

from devices.plugins import free, plug_in_files, plug_ins


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A distribution with a good measure, one that fails at import, and one named twice."""
    info = tmp_path / "several-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: several\nVersion: 1.5\n")
    points = "good = several_good:THING\nbad = several_bad:THING\ngone = several_good:NOTHING\n"
    (info / "entry_points.txt").write_text(f"[foveate.measures]\n{points}")
    (tmp_path / "several_good.py").write_text("THING = 7\n")
    (tmp_path / "several_bad.py").write_text("raise OSError('no such device')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for each in (plug_ins, plug_in_files):
        each.cache_clear()
    yield tmp_path
    for each in (plug_ins, plug_in_files):
        each.cache_clear()


def test_what_can_be_imported_is_found_and_the_others_are_named_with_why(
    installed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (found,) = plug_ins("foveate.measures")
    assert (found.name, found.package, found.content) == ("good", "several 1.5", 7)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        'The plug-in "bad" of several 1.5 (foveate.measures) is left out: OSError: no such device.',
        'The plug-in "gone" of several 1.5 (foveate.measures) is left out: AttributeError: module '
        "'several_good' has no attribute 'NOTHING'.",
    ]


def test_files_of_plug_ins_are_found_without_importing_them(installed: Path) -> None:
    found = {each.name: each.content for each in plug_in_files("foveate.measures")}
    assert found["bad"] == installed / "several_bad.py"


def test_a_name_that_is_taken_is_said(installed: Path, caplog: pytest.LogCaptureFixture) -> None:
    (found,) = plug_ins("foveate.measures")
    assert free("foveate.measures", found, {"other"})
    assert not free("foveate.measures", found, {"good"})
    assert "the name is already taken" in caplog.text
