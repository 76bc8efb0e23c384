"""Hands for the autopilot: real Qt events, sent to widgets as a mouse and keyboard would."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

_NOTCH = 120
"""`angleDelta` of one wheel notch, in eighths of a degree."""


def press(widget: QWidget, key: Qt.Key, text: str = "") -> None:
    """Press and release one key on a widget."""
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(widget, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))


def click(button: QAbstractButton) -> None:
    """Click the middle of a button with the left mouse button."""
    middle = QPointF(button.rect().center())
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    _mouse(button, QEvent.Type.MouseButtonPress, middle, left, left)
    _mouse(button, QEvent.Type.MouseButtonRelease, middle, left, none)


def drag(widget: QWidget, button: Qt.MouseButton, start: QPointF, by: QPointF, moves: int) -> None:
    """Press at `start` (widget pixels), move in equal steps by `by`, release."""
    none = Qt.MouseButton.NoButton
    _mouse(widget, QEvent.Type.MouseButtonPress, start, button, button)
    for i in range(1, moves + 1):
        _mouse(widget, QEvent.Type.MouseMove, start + by * (i / moves), none, button)
    _mouse(widget, QEvent.Type.MouseButtonRelease, start + by, button, none)


def wheel(widget: QWidget, at: QPointF, notches: int) -> None:
    """Turn the wheel over a place of the widget, forward for positive notches."""
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, notches * _NOTCH),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def _mouse(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPointF,
    button: Qt.MouseButton,
    held: Qt.MouseButton,
) -> None:
    place = widget.mapToGlobal(at)
    event = QMouseEvent(kind, at, place, button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
