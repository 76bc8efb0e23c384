"""The one form made from typed settings."""

import pytest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from app.ui.fields import Field
from app.ui.form import Form

COLOURS = (("r", "Red"), ("g", "Green"))
FIELDS = (
    Field("title", "Title", "text", default="Tea"),
    Field("note", "Note", "long", default="a\nb"),
    Field("answers", "Answers", "list", "One a line", default=("yes", "no")),
    Field("colour", "Colour", "choice", choices=COLOURS, default="g"),
    Field("seen", "Seen", "many", choices=COLOURS, default=("r",)),
    Field("hot", "Hot", "bool", default=True),
    Field("cups", "Cups", "int", low=1, high=9, unit=" cups", default=2),
    Field("sugar", "Sugar", "float", high=1, step=0.05, default=0.25),
    Field("rate", "Rate", "number", low=1e-6, high=1, default=3e-4, optional=True),
    Field("share", "Share", "number", low=0, high=0.9, optional=True),
)
OTHERS = {
    "title": "Milk", "note": "c", "answers": ("a", "b", "c"), "colour": "r", "seen": ("g",),
    "hot": False, "cups": 7, "sugar": 0.5, "rate": 0.01, "share": 0.2,
}  # fmt: skip


@pytest.fixture
def form(qtbot):
    """A form of one field of each kind."""
    page = QWidget()
    qtbot.addWidget(page)
    made = Form("setting_")
    made.add_rows(QFormLayout(page), FIELDS)
    made.page = page  # keeps the widgets alive
    return made


def _widget(form: Form, name: str, kind: type):
    found = form.editors[name]
    assert isinstance(found, kind)
    return found


def test_it_begins_with_the_defaults_and_nothing_changed(form) -> None:
    assert form.values() == {field.name: field.default for field in FIELDS}
    assert form.changes() == {}
    assert form.problem() == ""


def test_every_kind_gives_back_what_it_is_shown(form, qtbot) -> None:
    with qtbot.waitSignal(form.changed):
        form.show(OTHERS)
    assert form.values() == OTHERS
    assert form.changes() == {}


def test_what_a_user_enters_is_a_change_until_it_is_taken_back(form, qtbot) -> None:
    with qtbot.waitSignal(form.changed):
        _widget(form, "title", QLineEdit).setText(" Milk ")
    _widget(form, "note", QPlainTextEdit).setPlainText(" a\n\nb ")
    _widget(form, "answers", QPlainTextEdit).setPlainText("yes\n\n perhaps ")
    _widget(form, "colour", QComboBox).setCurrentIndex(0)
    form.editors["seen"].findChildren(QCheckBox)[1].setChecked(True)
    _widget(form, "hot", QCheckBox).setChecked(False)
    _widget(form, "cups", QSpinBox).setValue(3)
    _widget(form, "sugar", QDoubleSpinBox).setValue(0.3)
    _widget(form, "rate", QLineEdit).setText("1e-3")
    assert form.changes() == {
        "title": "Milk", "note": "a\n\nb", "answers": ("yes", "perhaps"), "colour": "r",
        "seen": ("r", "g"), "hot": False, "cups": 3, "sugar": 0.3, "rate": 0.001,
    }  # fmt: skip
    _widget(form, "title", QLineEdit).setText("Tea")
    assert "title" not in form.changes()


@pytest.mark.parametrize(
    ("name", "value"),
    [("sugar", 0.125), ("sugar", 40.0), ("cups", 2**40), ("colour", "blue"), ("seen", ("g", "r"))],
)
def test_a_value_that_its_editor_cannot_show_exactly_is_kept_until_somebody_changes_it(
    form, name: str, value: object
) -> None:
    form.show({name: value})
    assert form.values()[name] == value
    assert form.changes() == {}
    form.set_value(name, {"sugar": 0.2, "cups": 3, "colour": "r", "seen": ()}[name])
    assert list(form.changes()) == [name]


def test_an_empty_line_that_may_be_empty_gives_the_default(form) -> None:
    rate = _widget(form, "rate", QLineEdit)
    rate.clear()
    assert form.values()["rate"] == 3e-4
    assert rate.placeholderText() == "0.0003"
    assert _widget(form, "share", QLineEdit).placeholderText() == "default"
    form.set_value("rate", 0.5)
    form.set_value("rate", None)
    assert form.changes() == {}


def test_other_defaults_are_followed_where_nothing_was_changed(form) -> None:
    form.set_value("cups", 5)
    form.follow({"cups": 4, "rate": 0.01})
    assert form.values()["cups"] == 5
    assert form.values()["rate"] == 0.01
    assert form.changes() == {"cups": 5}
    form.follow({"cups": 5})
    assert form.values()["rate"] == 3e-4
    assert form.changes() == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rate", "fast", "Rate: “fast” is not a number."),
        ("rate", "2", "Rate must be 1 or less."),
        ("share", "-1", "Share must be 0 or more."),
        ("share", "nan", "Share: “nan” is not a number."),
    ],
)
def test_what_cannot_be_is_said_in_words(form, name: str, text: str, said: str) -> None:
    _widget(form, name, QLineEdit).setText(text)
    assert form.problem() == said
    _widget(form, name, QLineEdit).setText("0.5")
    assert form.problem() == ""


def test_other_choices_keep_what_was_chosen(form) -> None:
    form.offer("colour", (("b", "Blue"), ("g", "Green"), ("r", "Red")))
    assert form.values()["colour"] == "g"
    form.offer("colour", (("b", "Blue"),))
    assert form.values()["colour"] == "b"


def test_names_range_and_default_are_there_for_those_who_look_or_listen(form) -> None:
    cups = form.editors["cups"]
    assert cups.objectName() == "setting_cups"
    assert cups.accessibleName() == "Cups"
    assert cups.toolTip() == "From 1 to 9 cups\nDefault: 2 cups"
    assert form.editors["colour"].toolTip() == "Default: Green"
    assert form.editors["hot"].toolTip() == "Default: yes"


def test_a_field_that_is_not_there_is_a_mistake_of_the_page(form) -> None:
    with pytest.raises(KeyError):
        form.set_value("milk", 1)
