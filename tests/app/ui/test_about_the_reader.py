"""What a reader is asked comes as coarse classes; a sheet is not seen while the images are not."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from app.demo.hands import click, press
from app.pages.reading.case_sheet import CaseSheet
from app.sitting.attributes_dialog import AttributesDialog


def test_a_reader_says_classes_by_key_or_rather_not(qtbot) -> None:
    parent, said, later = QWidget(), [], []
    qtbot.addWidget(parent)
    dialog = AttributesDialog(parent, ("speciality", "years"), said.append, lambda: later.append(1))
    dialog.open()
    press(dialog.findChild(QComboBox, "attribute_years"), Qt.Key.Key_End)
    click(dialog.findChild(QPushButton, "attributes_said"))
    assert said == [{"speciality": "not said", "years": "20 or more"}]
    assert later == []


def test_a_reader_may_turn_back(qtbot) -> None:
    parent, said, later = QWidget(), [], []
    qtbot.addWidget(parent)
    dialog = AttributesDialog(parent, ("eyewear",), said.append, lambda: later.append(1))
    dialog.open()
    press(dialog, Qt.Key.Key_Escape)
    assert (said, later) == ([], [1])


def test_a_covered_sheet_says_nothing_and_keeps_its_room(qtbot) -> None:
    sheet = CaseSheet()
    qtbot.addWidget(sheet)
    sheet.show()
    width = sheet.width()
    sheet.show_words(("Age: 50 to 59", "Question: lump?"))
    assert sheet.text == "Age: 50 to 59\nQuestion: lump?"
    sheet.cover(True)
    assert (sheet.text, sheet.width()) == ("", width)
    sheet.cover(False)
    sheet.show_words(())
    assert (sheet.text, sheet.width()) == ("", width)
