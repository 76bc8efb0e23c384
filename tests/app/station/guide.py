"""Follows a guide word for word: presses what is bold, types what is code, looks for italics."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QTabWidget,
    QToolButton,
    QWidget,
)

from app.demo.hands import press
from app.station import Station

KEYS = {"Enter": Qt.Key.Key_Return, "1": Qt.Key.Key_1, "C": Qt.Key.Key_C}
PATIENCE_MS = 240_000
"""Of one step: a training is one."""
_TOKEN = re.compile(r"\*\*(?P<press>[^*]+)\*\*|`(?P<type>[^`]+)`|\*(?P<see>[^*]+)\*")
_TYPED = (QLineEdit, QPlainTextEdit, QAbstractSpinBox)
_EDITORS = (QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox, QAbstractButton)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to do: "press", "type" or "see"."""

    kind: str
    text: str


def items(guide: str) -> Iterator[str]:
    """Yield the numbered items of a guide, each as one line."""
    for part in re.split(r"\n(?=\d+\. |## |\n)", guide):
        if re.match(r"\d+\. ", part.strip()):
            yield " ".join(part.split())


def words(text: str) -> list[Word]:
    """Return what an item asks for, in its order."""
    return [Word(m.lastgroup or "", m.group(m.lastgroup or "")) for m in _TOKEN.finditer(text)]


class Follower:
    """Sits before the station with a guide, keys and a mouse.

    Parameters
    ----------
    told
        What stands for a word of the guide here: a path of this test for the guide's.
    ready
        Returns whether the page takes a key.
    """

    def __init__(
        self, station: Station, qtbot, told: Mapping[str, str], ready: Callable[[str], bool]
    ) -> None:
        self._station, self._qtbot, self._told, self._ready = station, qtbot, told, ready
        self._field: QWidget | None = None

    def follow(self, item: str) -> None:
        """Do what an item says; up to "until" again and again, up to "wait until" once."""
        before, until, after = item.partition(" until ")
        ends = words(after)
        while True:
            for word in words(before):
                if until and word.kind == "press":
                    self._wait(lambda w=word: self._sees(ends[0].text) or self._offers(w.text),
                               word.text)  # fmt: skip
                    if self._sees(ends[0].text):
                        break
                self._do(word)
            if not until or before.endswith(" wait") or self._sees(ends[0].text):
                break
        for word in ends:
            self._do(word)

    def _do(self, word: Word) -> None:
        text = self._told.get(word.text, word.text)
        {"press": self._press, "type": self._type, "see": self._see}[word.kind](text)

    def _press(self, text: str) -> None:
        field, self._field = self._field, None
        if text in KEYS:
            press(self._focused(), KEYS[text])
        elif isinstance(field, QComboBox) and field.findText(text) >= 0:
            field.setFocus()
            where = self._top()
            for letter in text.partition("…")[0]:  # no key types the last
                if field.currentText() == text or self._top() is not where:  # its dialog came up
                    break
                self._qtbot.keyClicks(field, letter)
            chosen = field.currentText() == text or self._top() is not where
            assert chosen, f"{text} is not chosen by typing it"
        elif isinstance(field, QAbstractButton) and _is(field.text(), text):
            self._click(field)
        else:
            self._wait(lambda: self._button(text) is not None, text)
            self._click(self._button(text))

    def _offers(self, text: str) -> bool:
        """Tell whether a key or a button can be pressed now."""
        return self._ready(text) if text in KEYS else self._button(text) is not None

    def _type(self, text: str) -> None:
        field, self._field = self._field, None
        if field is not None:
            field.setFocus()
            self._qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        else:  # a dialog that has just come up has no keyboard yet
            self._wait(lambda: isinstance(self._focused(), _TYPED), f"a field for {text}")
        self._qtbot.keyClicks(field or self._focused(), text)

    def _see(self, text: str) -> None:
        entry = next((b for b in self._all(QToolButton) if _is(b.text(), text)), None)
        if entry is not None and entry.objectName().startswith("go_"):
            self._click(entry)
            return
        self._wait(lambda: self._sees(text), text)
        self._field = self._editor(text)
        if self._field is None and (cell := self._cell(text)) is not None:
            table, index = cell
            place = table.visualRect(index).center()
            self._qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def _sees(self, text: str) -> bool:
        said = [w.text() for kind in (QLabel, QAbstractButton) for w in self._all(kind)]
        tabs = [t.tabText(k) for t in self._all(QTabWidget) for k in range(t.count())]
        return (
            any(text in one for one in (*said, *tabs))
            or self._editor(text) is not None
            or self._cell(text) is not None
        )

    def _editor(self, text: str) -> QWidget | None:
        for kind in _EDITORS:
            for one in self._all(kind):
                hint = one.placeholderText() if isinstance(one, QLineEdit) else ""
                is_entry = isinstance(one, QToolButton)
                if not is_entry and text in (one.accessibleName(), hint):
                    return one
        return None

    def _cell(self, text: str):
        for table in self._all(QTableView):
            model = table.model()
            for row in range(model.rowCount()):
                for column in range(model.columnCount()):
                    if model.index(row, column).data() == text:
                        return table, model.index(row, column)
        return None

    def _button(self, text: str) -> QAbstractButton | None:
        """Return what can be pressed under a name, on the page before the navigation."""
        found = [b for b in self._all(QAbstractButton) if _is(b.text(), text)]
        one = min(found, key=lambda b: isinstance(b, QToolButton), default=None)
        return one if one is not None and one.isEnabled() else None

    def _all(self, kind: type) -> list:
        return [w for w in self._top().findChildren(kind) if w.isVisible()]

    def _top(self) -> QWidget:
        """Return the dialog in front, or the window."""
        return QApplication.activeModalWidget() or self._station.window

    def _focused(self) -> QWidget:
        """Return what has the keyboard."""
        return self._top().focusWidget() or self._top()

    def _click(self, button: QAbstractButton) -> None:
        # Of a tick box the middle is beside its words.
        place = button.rect().center()
        if not isinstance(button, QToolButton) and button.isCheckable():
            place.setX(8)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=place)

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        try:
            self._qtbot.waitUntil(done, timeout=PATIENCE_MS)
        except Exception as error:
            offered = [(b.text(), b.isEnabled()) for b in self._all(QAbstractButton)]
            seen = {re.sub("<[^>]*>", "", w.text()) for w in self._all(QLabel)} - {""}
            raise AssertionError(f"no {what!r} among {offered} and {sorted(seen)}") from error


def _is(shown: str, text: str) -> bool:
    """Tell whether a button is called so; a count in its words is not part of its name."""
    return re.sub(r"\b\d+ ", "", shown).replace("&", "").strip() == text
