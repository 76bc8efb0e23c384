"""What an import says of an image has a code that the manual lists."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.hanging.import_command import main
from app.images.attributes import DisplayAttributes
from app.images.importing.importer import import_paths
from app.images.notes import TEXTS, note
from migrations.study.folder import Study
from tests import ROOT
from tests.app.images.image_files import png

RED = np.full((9, 9, 3), (9, 0, 0), np.uint8)


def test_the_manual_lists_every_code_and_no_other() -> None:
    manual = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    section = manual.split("## Notes")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z0-9-]+)`", section, re.MULTILINE) == [*TEXTS]


def test_a_note_is_in_the_answer_and_in_display_json(study: Study, tmp_path: Path) -> None:
    result = import_paths(study, [png(tmp_path / "x.png", RED)])[0]
    assert result.notes == (note("colour"),)
    assert result.reason == TEXTS["colour"]
    kept = DisplayAttributes.read(study.image_folder(result.image_id or "") / "display.json")
    assert kept.notes == result.notes


def test_the_command_prints_code_and_text(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["--study", str(tmp_path / "s"), str(png(tmp_path / "x.png", RED)), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["notes"] == [{"code": "colour", "text": TEXTS["colour"]}]


def test_the_note_of_an_earlier_display_json_is_kept() -> None:
    table = json.loads(DisplayAttributes(9, 9, "MONOCHROME2", 8, 8, False, 0, 9).to_json())
    del table["notes"]
    table["note"] = "colour converted to grey by luminance"
    assert DisplayAttributes.from_json(json.dumps(table)).notes == (note("colour-to-grey"),)
