"""Clearing: a contact sheet of images that may carry a burned-in name, one key for all of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QCheckBox, QLayout, QLineEdit, QStackedWidget, QWidget

from app.images.clearing import SHEET, SheetImage
from app.pages.clearing.blackout import BlackoutView
from app.pages.clearing.contact_sheet import Cell, ContactSheet
from app.ui import theme
from app.ui.icons import pixmap
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row

_SHEET_HINT = (
    "Look for names, dates and numbers in the pictures. Arrows move, Enter shows one large, "
    "Space keeps one back."
)
_LARGE_HINT = "Drag over text to hide it. Arrows: next image, Esc: back to the sheet."


class ClearingPage(Page):
    """A sheet of images, and one of them large.

    Signals
    -------
    clear_wanted
        The sheet, less what was kept back, carries no names.
    opened : str
        An image is to be shown large.
    black_out_wanted
        The rectangles drawn on the large image are to be made black.
    left
        Back to the worklist.
    """

    clear_wanted = Signal()
    opened = Signal(str)
    black_out_wanted = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__("clearing", "Clear images")
        self.sheet, self.large = ContactSheet(), BlackoutView()
        self.by = QLineEdit()
        self.by.setObjectName("cleared_by")
        self.by.setAccessibleName("Cleared by")
        self.by.setPlaceholderText("your code")
        self.by.setMaxLength(40)
        self.by.setFixedWidth(20 * theme.GRID)
        self.images: tuple[SheetImage, ...] = ()
        self._waiting = 0
        self._busy = False
        self._views = QStackedWidget()
        for view in (self._make_empty(), self._make_sheet(), self._make_large()):
            self._views.addWidget(view)
        self._fill()
        self.sheet.opened.connect(self.open_large)
        self.sheet.held_changed.connect(self._show_state)
        self.large.changed.connect(self._show_state)
        self.by.textChanged.connect(self._show_state)
        self.by.returnPressed.connect(self.sheet.setFocus)
        self._keys()

    @property
    def clearer(self) -> str:
        """Who clears."""
        return self.by.text().strip()

    @property
    def large_image(self) -> SheetImage | None:
        """The image that is shown large."""
        if self._views.currentIndex() != 2:
            return None
        return next((i for i in self.images if i.image_id == self.sheet.current), None)

    @property
    def to_be_cleared(self) -> list[str]:
        """The images of the sheet that were not kept back."""
        return [i.image_id for i in self.images if i.image_id not in self.sheet.held]

    def show_images(self, waiting: Sequence[SheetImage]) -> None:
        """Lay out the first sheet of what waits; an empty list says that all is done."""
        self._waiting = len(waiting)
        self.images = tuple(waiting[:SHEET])
        self.sheet.show_cells(tuple(_cell(image) for image in self.images))
        if not self.images or not self.large_image:
            self._views.setCurrentIndex(1 if self.images else 0)
        self._focus().setFocus()
        self._show_state()

    def show_thumbnail(self, image_id: str, grey: NDArray[np.uint8]) -> None:
        """Show a picture on the sheet."""
        self.sheet.show_picture(image_id, grey)
        self._show_state()

    def show_large(self, image_id: str, grey: NDArray[np.uint8]) -> None:
        """Show a picture large, if it is still wanted."""
        shown = self.large_image
        if shown is not None and shown.image_id == image_id:
            self.large.show_picture(grey)

    def show_same_device(self, others: int) -> None:
        """Offer to use the rectangles for the other images of the device too."""
        self.for_device.setChecked(False)
        self.for_device.setVisible(others >= 0)
        self.for_device.setText(
            f"on all images of this device: {others} more here, and those to come"
        )

    def show_busy(self, busy: bool) -> None:
        """Say that images are being written."""
        self._busy = busy
        self._show_state()

    def open_large(self, image_id: str) -> None:
        """Show an image large; its picture follows."""
        self.sheet.select(image_id)
        self.large.show_picture(None)
        self.for_device.hide()
        self._views.setCurrentIndex(2)
        self.large.setFocus()
        self._show_state()
        self.opened.emit(image_id)

    def close_large(self) -> None:
        """Back to the sheet, or from the sheet to the worklist."""
        if self._views.currentIndex() == 2:
            self._views.setCurrentIndex(1)
            self.sheet.setFocus()
            self._show_state()
        else:
            self.left.emit()

    def _focus(self) -> QWidget:
        if not self.images:
            return self.back
        if self.large_image is not None:
            return self.large
        return self.sheet if self.clearer else self.by

    def _step(self, by: int) -> None:
        before = self.sheet.current
        after = self.sheet.step(by)
        if after != before:
            self.open_large(after)

    def _show_state(self) -> None:
        held, count = len(self.sheet.held), len(self.images)
        ready = bool(count > held) and self.sheet.complete and not self._busy
        self.clear_sheet.setText(f" Clear {count - held} images (C)")
        self.clear_sheet.setEnabled(ready and bool(self.clearer))
        drawn = len(self.large.rectangles)
        self.black_out.setEnabled(bool(drawn and self.clearer) and not self._busy)
        self.undo.setEnabled(drawn > 0)
        if not self._waiting:
            self.say_state("Nothing waits to be cleared.")
        elif not self.clearer:
            self.say_state("Type your code first: who clears an image is stored with it.")
        else:
            more = f", {self._waiting:,} in all" if self._waiting > count else ""
            kept = f"; {held} kept back" if held else ""
            self.say_state(f"{count} images may carry burned-in text{more}{kept}.")

    def _fill(self) -> None:
        self.head.addWidget(label("Cleared by", "hint", wrap=False))
        self.head.addWidget(self.by)
        self.back = button("leave_clearing", "Worklist", self.left.emit)
        self.head.addWidget(self.back)
        self.body.addWidget(self._views, 1)

    def _keys(self) -> None:
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut("Esc", self, self.close_large, context=within)
        for view, keys in (
            (self.sheet, {"C": self._clear}),
            (
                self.large,
                {
                    "B": self._black_out,
                    "Backspace": self.large.undo,
                    "Left": lambda: self._step(-1),
                    "Right": lambda: self._step(1),
                },
            ),
        ):
            for key, act in keys.items():
                QShortcut(key, view, act, context=within)

    def _clear(self) -> None:
        if self.clear_sheet.isEnabled():
            self.clear_wanted.emit()

    def _black_out(self) -> None:
        if self.black_out.isEnabled():
            self.black_out_wanted.emit()

    def _make_empty(self) -> QWidget:
        frame, layout = panel()
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        sign = label("", wrap=False)
        sign.setPixmap(pixmap("check", theme.MUTED, 48))
        for widget in (
            sign,
            label("All images are cleared", "heading", wrap=False),
            label("Images whose file does not say “no burned-in text” come here.", "hint"),
        ):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        return frame

    def _make_sheet(self) -> QWidget:
        self.clear_sheet = button(
            "clear_sheet", "Clear", self.clear_wanted.emit, role="primary", picture="check"
        )
        foot = row(label(_SHEET_HINT, "hint"))
        foot.setStretch(0, 1)
        foot.addWidget(self.clear_sheet)
        return _stacked(self.sheet, foot)

    def _make_large(self) -> QWidget:
        self.for_device = QCheckBox("")
        self.for_device.setObjectName("for_device")
        self.black_out = button(
            "black_out", "Black out (B)", self.black_out_wanted.emit, role="primary"
        )
        self.undo = button("undo_rectangle", "Undo (Backspace)", self.large.undo)
        back = button("close_large", "Back (Esc)", self.close_large)
        foot = row(label(_LARGE_HINT, "hint"))
        foot.setStretch(0, 1)
        for widget in (self.for_device, self.undo, back, self.black_out):
            foot.addWidget(widget)
        return _stacked(self.large, foot)


def _stacked(view: QWidget, foot: QLayout) -> QWidget:
    frame = QWidget()
    layout = column(frame)
    layout.addWidget(view, 1)
    layout.addLayout(foot)
    return frame


def _cell(image: SheetImage) -> Cell:
    return Cell(
        image.image_id,
        image.name,
        says_text=image.burned_in == "yes",
        blacked_out=bool(image.rectangles),
    )
