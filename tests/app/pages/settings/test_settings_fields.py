"""The fields of the settings page and what `study.toml` may say are the same."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.pages.settings.fields import SECTIONS
from app.pages.settings.page import SettingsPage
from app.ui.fields import Field
from migrations.study.design_tables import DESIGNED
from migrations.study.errors import SettingsError
from migrations.study.settings import StudySettings, read_settings, write_settings

FIELDS = [field for section in SECTIONS.values() for field in section]
_KINDS: dict[type, tuple[str, ...]] = {
    str: ("text", "long", "choice"), int: ("int", "choice"), float: ("float",), bool: ("bool",),
    tuple: ("list", "many"),
}  # fmt: skip


def test_the_page_has_every_setting_once_but_the_version() -> None:
    names = [field.name for field in FIELDS]
    others = {"foveate_version", *DESIGNED}
    assert sorted(names) == sorted({f.name for f in fields(StudySettings)} - others)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_is_of_its_settings_type(field: Field) -> None:
    assert field.kind in _KINDS[type(getattr(StudySettings(), field.name))]


@pytest.mark.parametrize(
    "field", [f for f in FIELDS if f.kind in ("choice", "int", "float")], ids=lambda f: f.name
)
def test_all_that_a_field_offers_can_be_read_again(field: Field, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    kind = type(getattr(StudySettings(), field.name))
    ends = (field.low or 0, field.high)
    for value in [value for value, _ in field.choices] or [kind(end) for end in ends]:
        settings = replace(StudySettings(), **{field.name: value})
        write_settings(file, settings)
        assert getattr(read_settings(file), field.name) == value


@pytest.mark.parametrize("field", [f for f in FIELDS if f.kind == "choice"], ids=lambda f: f.name)
def test_a_choice_that_is_not_offered_cannot_be_read(field: Field, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    other = 7 if isinstance(field.default, int) else "other"
    write_settings(file, replace(StudySettings(), **{field.name: other}))
    with pytest.raises(SettingsError, match=field.name):
        read_settings(file)


def test_a_value_finer_than_the_page_shows_is_no_change_and_is_not_rounded(qtbot) -> None:
    page = SettingsPage()
    qtbot.addWidget(page)
    settings = replace(StudySettings(), repeat_share=0.125, annotations=("note", "box"))
    page.show_settings(settings)
    assert page.values == settings
    assert not page.save.isEnabled()
    page.editor("name").setText("Other")
    assert page.values == replace(settings, name="Other")


def test_a_page_that_is_left_with_unsaved_changes_says_so(qtbot) -> None:
    pages = QStackedWidget()
    qtbot.addWidget(pages)
    page = SettingsPage()
    pages.addWidget(page)
    pages.addWidget(QWidget())
    pages.show()
    said = []
    page.left_unsaved.connect(lambda: said.append(page.state_text))
    pages.setCurrentIndex(1)
    assert said == []  # nothing was changed
    pages.setCurrentIndex(0)
    page.editor("name").setText("Another name")
    pages.setCurrentIndex(1)
    assert said == ["Unsaved changes."]
