"""What `study.toml` may say: a value that cannot be meant is refused by the name of its setting."""

from dataclasses import fields
from pathlib import Path

import pytest

from migrations.study.errors import SettingsError
from migrations.study.settings import RANGES, StudySettings, read_settings, write_settings


@pytest.mark.parametrize(
    "line",
    [
        "max_loss = nan", "max_accuracy_deg = -inf", "loss_alarm = 1e999", "absence_s = nan",
        "drift_every_cases = -1", "classes = []", 'classes = ["a", "a"]', 'classes = ["a", " "]',
        f"classes = {[str(k) for k in range(11)]}", "block_size = 99999999999999999999",
        "classes = [1, 2]", "annotations = [1]", f'name = "{"x" * 1001}"', 'question = "a\\u0000b"',
        "repeat_share = 1.5", "lost_sign_s = -0.1", "max_drift_deg = 0", "washout_days = 4000",
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_by_name(line: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    assert str(path) in str(refused.value)
    assert line.split(" ")[0] in str(refused.value)


def test_every_number_has_a_range_or_choices_and_each_default_lies_in_it(tmp_path: Path) -> None:
    settings = StudySettings()
    numbers = {f.name for f in fields(settings) if type(getattr(settings, f.name)) in (int, float)}
    assert set(RANGES) == numbers - {"calibration_points"}
    write_settings(tmp_path / "study.toml", settings)
    read = read_settings(tmp_path / "study.toml")
    assert {f: getattr(read, f) for f in numbers} == {f: getattr(settings, f) for f in numbers}


def test_ten_answers_and_a_consent_of_many_lines_are_read(tmp_path: Path) -> None:
    settings = StudySettings(
        classes=tuple("abcdefghij"), consent="One.\n\tTwo: ä, “quoted”.\n" * 50
    )
    write_settings(tmp_path / "study.toml", settings)
    read = read_settings(tmp_path / "study.toml")
    assert (read.classes, read.consent) == (settings.classes, settings.consent)
