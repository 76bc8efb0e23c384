"""A made-up language: every sentence in brackets and 40 % longer, and what pages do with it."""

import re
from collections.abc import Iterator

import pyqtgraph as pg
import pytest
from PySide6.QtCore import QCoreApplication, QSize, Qt, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTabBar,
    QTableView,
    QWidget,
)

from app.ui import theme
from app.ui.small_widgets import ElidedLabel

LONGER = 0.4
SIZE = QSize(1366 - 208, 768 - 40)
"""Of a page beside the navigation, under a title bar."""
_DATA = re.compile(
    r"\b(Foveate|R1|Case 001|Tobii|mm|cd|lux"
    r"|Backspace|Page (up|down)|Shift|Tab|Space|Enter|Esc|Ctrl(\+Z)?)\b"
)
"""Study data, names, units and what is printed on keys."""


class MadeUp(QTranslator):
    """Wraps each sentence; what stands in braces stays, and so does a line break."""

    def translate(self, _context, text, _comment=None, _count=-1) -> str:
        if text.startswith("⟦"):
            return text  # no sentence of the source: what was translated is not translated again
        letters = len(re.sub(r"\{[^}]*\}", "", text))
        more = round(LONGER * letters)
        return f"⟦{text}{(' ~~~' * more)[:more]}⟧"

    def isEmpty(self) -> bool:
        return False


@pytest.fixture
def made_up(qapp) -> Iterator[None]:
    """Speak the made-up language for one test, in the station's own letters."""
    language, sheet, palette, font = MadeUp(), qapp.styleSheet(), qapp.palette(), qapp.font()
    QCoreApplication.installTranslator(language)
    theme.apply(qapp)
    yield
    QCoreApplication.removeTranslator(language)
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.setFont(font)


def unbracketed(text: str, data: str = "") -> str:
    """Return what of a text is not inside brackets, less marks, numbers and study data.

    Parameters
    ----------
    data
        A pattern of what else is study data.
    """
    before = None
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    if data:
        text = re.sub(data, "", text)
    return re.sub(r"[^A-Za-z]+", " ", _DATA.sub("", text)).strip()


def texts(page: QWidget) -> Iterator[tuple[str, str]]:
    """Return every text of a page with where it stands, tool tips and spoken names too."""
    for widget in [page, *page.findChildren(QWidget)]:
        name = f"{type(widget).__name__} {widget.objectName()}"
        if isinstance(widget, QLabel | QAbstractButton):
            yield name, re.sub(r"<[^>]*>|&nbsp;", " ", widget.text())
        if isinstance(widget, QLineEdit):
            yield f"{name} placeholder", widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from ((name, widget.itemText(k)) for k in range(widget.count()))
        yield from _inside(widget, name)
        yield f"{name} tip", re.sub(r"<[^>]*>", " ", widget.toolTip())
        yield f"{name} spoken", widget.accessibleName()
        if widget.isWindow() and widget is not page:
            yield f"{name} window", widget.windowTitle()
    for action in page.findChildren(QAction):
        yield "entry of a menu", action.text()


def _inside(widget: QWidget, name: str) -> Iterator[tuple[str, str]]:
    """Return the texts of a widget that are not its own: headings, tabs, units, axes."""
    if isinstance(widget, QTableView) and widget.model() is not None:
        model = widget.model()
        for k in range(model.columnCount()):
            said = model.headerData(k, Qt.Orientation.Horizontal)
            yield f"{name} heading", said if len(said) > 1 else ""
    if isinstance(widget, QSpinBox | QDoubleSpinBox):
        yield f"{name} unit", widget.suffix()
        yield f"{name} unset", widget.specialValueText()
    if isinstance(widget, QTabBar):
        yield from ((name, widget.tabText(k)) for k in range(widget.count()))
    if isinstance(widget, pg.PlotWidget):
        yield from ((f"{name} axis", text) for text in _drawn(widget))


def _drawn(drawn: pg.PlotWidget) -> Iterator[str]:
    """Return what stands at the axes of a plot and above it."""
    item = drawn.getPlotItem()
    yield item.titleLabel.text
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        yield f"{axis.labelText} {axis.labelUnits}"


def missed(page: QWidget, data: str = "") -> list[str]:
    """Return the texts of a page that no translation would reach."""
    found = {f"{where}: {text}" for where, text in texts(page) if len(unbracketed(text, data)) > 1}
    return sorted(found)


def cut_off(page: QWidget) -> list[str]:
    """Return labels, buttons, tabs and hints, seen now, whose text has more letters than room."""
    found = []
    for widget in page.findChildren(QWidget):
        if widget.isVisible() and (cut := _cut_inside(widget)):
            found.append(cut)
        if not widget.isVisible() or not isinstance(widget, QLabel | QAbstractButton):
            continue
        if isinstance(widget, ElidedLabel) or not widget.text():
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()
        if wraps:
            fits = widget.heightForWidth(widget.width()) <= widget.height()
        else:
            fits = widget.sizeHint().width() <= widget.width()
        at = widget.mapTo(page, widget.rect().topRight())
        if not fits or (at.x() >= page.width() and not wraps):
            found.append(f"{type(widget).__name__}: {widget.text()} ({widget.size().toTuple()})")
    return found


def _cut_inside(widget: QWidget) -> str:
    """Return which tabs or hint are too long; a hint may go on in its tool tip."""
    if isinstance(widget, QTabBar) and widget.sizeHint().width() > widget.width():
        return f"tabs: {widget.tabText(0)} … ({widget.width()})"
    if isinstance(widget, QLineEdit):
        hint = widget.placeholderText()
        is_wide = widget.fontMetrics().horizontalAdvance(hint) > widget.width()
        return hint if is_wide and hint not in widget.toolTip() else ""
    return ""


def cut_headings(page: QWidget) -> list[str]:
    """Return the titles of columns, seen now, that have more letters than room."""
    found = []
    for table in page.findChildren(QTableView):
        if table.isVisible() and (model := table.model()) is not None:
            head = table.horizontalHeader()
            found += [
                str(model.headerData(k, Qt.Orientation.Horizontal))
                for k in range(model.columnCount())
                if head.sectionSizeHint(k) > head.sectionSize(k)
            ]
    return found
