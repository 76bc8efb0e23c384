"""Clearing: a few images at a time that may carry a burned-in name, one key for all of them."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QCheckBox, QStackedWidget, QWidget

from app.images.clearing import SheetImage
from app.pages.clearing.blackout import BlackoutView
from app.pages.clearing.cells import Shown
from app.pages.clearing.contact_sheet import ContactSheet
from app.pages.clearing.parts import (
    MOST,
    all_cleared,
    cell_of,
    code_field,
    count_choice,
    large_keys,
    sheet_keys,
    stacked,
)
from app.ui.page import Page
from app.ui.small_widgets import button, label, row
from app.ui.text import tr, trn


class ClearingPage(Page):
    """A sheet of one to four images, and one of them large.

    Attributes
    ----------
    waiting
        All images to be reviewed.

    Signals
    -------
    clear_wanted
        The sheet, except what was held back, carries no names.
    opened : str
        An image should be enlarged.
    black_out_wanted
        The rectangles drawn on the enlarged image should be blacked out.
    turned
        Other images are on the sheet; their pictures are needed.
    left
        Back to the worklist.
    """

    clear_wanted = Signal()
    opened = Signal(str)
    black_out_wanted = Signal()
    turned = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__("clearing", tr("Clear images"))
        self.sheet, self.large = ContactSheet(), BlackoutView()
        self.by = code_field()
        self.waiting: tuple[SheetImage, ...] = ()
        self._first = 0
        self._busy = False
        self.count = count_choice()
        self._views = QStackedWidget()
        for view in (all_cleared(), self._make_sheet(), self._make_large()):
            self._views.addWidget(view)
        self._fill()
        self.count.activated.connect(lambda _index: self._turn_to(self._first))
        self.sheet.opened.connect(self.open_large)
        self.sheet.held_changed.connect(self._show_state)
        self.large.changed.connect(self._show_state)
        self.by.textChanged.connect(self._show_state)
        self.by.returnPressed.connect(self.sheet.setFocus)
        self._keys()

    @property
    def clearer(self) -> str:
        """Code of the person who clears."""
        return self.by.text().strip()

    @property
    def images(self) -> tuple[SheetImage, ...]:
        """The images of the sheet."""
        return self.waiting[self._first : self._first + self.count.currentData()]

    @property
    def large_image(self) -> SheetImage | None:
        """The enlarged image."""
        if self._views.currentIndex() != 2:
            return None
        return next((i for i in self.images if i.image_id == self.sheet.current), None)

    @property
    def to_be_cleared(self) -> list[str]:
        """The images of the sheet that were not held back."""
        return [i.image_id for i in self.images if i.image_id not in self.sheet.held]

    def show_images(self, waiting: Sequence[SheetImage]) -> None:
        """Show what is waiting; an empty list means that everything is done."""
        self.waiting = tuple(waiting)
        self.sheet.held &= {image.image_id for image in waiting}
        self._first = self._first if self._first < len(waiting) else 0
        self._lay_out()
        if not self.images or not self.large_image:
            self._views.setCurrentIndex(1 if self.images else 0)
        self._focus().setFocus()
        self._show_state()

    def show_count(self, count: int) -> None:
        """Show so many images at once, 1 to `MOST`."""
        self.count.setCurrentIndex(count - 1)
        self._turn_to(self._first)

    def pass_held(self) -> None:
        """Continue after the images that were held back: the others on the sheet are cleared."""
        self._first += sum(image.image_id in self.sheet.held for image in self.images)

    def show_picture(self, image_id: str, shown: Shown) -> None:
        """Show a picture on the sheet."""
        self.sheet.show_picture(image_id, shown)
        self._show_state()

    def show_large(self, image_id: str, grey: NDArray[np.uint8]) -> None:
        """Show an enlarged picture, if it is still wanted."""
        shown = self.large_image
        if shown is not None and shown.image_id == image_id:
            self.large.show_picture(grey)

    def show_same_device(self, others: int) -> None:
        """Offer to use the rectangles for the other images of the device too."""
        self.for_device.setChecked(False)
        self.for_device.setVisible(others >= 0)
        self.for_device.setText(
            trn(
                "This device: {count} more image, and future ones",
                "This device: {count} more images, and future ones",
                others,
            )
        )

    def show_busy(self, busy: bool) -> None:
        """Say that images are being written."""
        self._busy = busy
        self._show_state()

    def open_large(self, image_id: str) -> None:
        """Enlarge an image; its picture follows."""
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

    def turn(self, by: int) -> None:
        """Show the next or the previous images without clearing these."""
        first = self._first + by * self.count.currentData()
        if first < len(self.waiting) and self._first + by >= 0:
            self._turn_to(max(first, 0))

    def _turn_to(self, first: int) -> None:
        self._first = first
        self._lay_out()
        self._show_state()
        self.turned.emit()

    def _lay_out(self) -> None:
        self.sheet.show_cells(tuple(cell_of(image) for image in self.images))

    def _focus(self) -> QWidget:
        if not self.images:
            return self.back
        if self.large_image is not None:
            return self.large
        return self.sheet if self.clearer else self.by

    def _step(self, by: int) -> None:
        """Enlarge the next image, of the next sheet at the end of this one."""
        before = self.sheet.current
        after = self.sheet.step(by)
        if after == before:
            self.turn(by)
            after = self.sheet.step(-MOST if by > 0 else MOST)
        if after != before:
            self.open_large(after)

    def _show_state(self) -> None:
        held, count = (
            len([i for i in self.images if i.image_id in self.sheet.held]),
            len(self.images),
        )
        ready = bool(count > held) and self.sheet.complete and not self._busy
        self.clear_sheet.setText(
            " " + trn("Clear this image (C)", "Clear these {count} images (C)", count - held)
        )
        self.clear_sheet.setEnabled(ready and bool(self.clearer))
        drawn = len(self.large.rectangles)
        self.black_out.setEnabled(bool(drawn and self.clearer) and not self._busy)
        self.undo.setEnabled(drawn > 0)
        self.count.setEnabled(bool(self.waiting))
        self.previous.setEnabled(self._first > 0)
        self.next.setEnabled(self._first + count < len(self.waiting))
        self.say_state(self._how_it_stands())

    def _how_it_stands(self) -> str:
        if not self.waiting:
            return tr("No images need clearing.")
        if not self.clearer:
            return tr("Enter your code first. It is stored with the images you clear.")
        if self.large_image is not None:
            return tr("Image {name}, {place} of {total}.", name=self.large_image.name,
                      place=f"{self.waiting.index(self.large_image) + 1:,}",
                      total=f"{len(self.waiting):,}")  # fmt: skip
        last = self._first + len(self.images)
        shown = (
            tr("Image {last} of {total} may carry burned-in text", last=f"{last:,}",
               total=f"{len(self.waiting):,}")
            if len(self.images) == 1
            else tr("Images {first} to {last} of {total} may carry burned-in text",
                    first=f"{self._first + 1:,}", last=f"{last:,}",
                    total=f"{len(self.waiting):,}")
        )  # fmt: skip
        held = len(self.sheet.held)
        return f"{shown}; {tr('{count} held back', count=f'{held:,}')}." if held else f"{shown}."

    def _fill(self) -> None:
        self.head.addWidget(label(tr("Cleared by"), "hint", wrap=False))
        self.head.addWidget(self.by)
        self.back = button("leave_clearing", tr("Back to the worklist"), self.left.emit)
        self.head.addWidget(self.back)
        self.body.addWidget(self._views, 1)

    def _keys(self) -> None:
        within = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut("Esc", self, self.close_large, context=within)
        for view in (self.sheet, self.large):
            zooms: dict[str, Callable[[], object]] = {
                "+": partial(view.zoom_by, 1), "=": partial(view.zoom_by, 1),
                "-": partial(view.zoom_by, -1), "0": view.fit,
            }  # fmt: skip
            for key, act in (self._keys_of(view) | zooms).items():
                QShortcut(key, view, act, context=within)

    def _keys_of(self, view: QWidget) -> dict[str, Callable[[], object]]:
        if view is self.large:
            return {
                "B": self._black_out,
                "Backspace": self.large.undo,
                "Left": lambda: self._step(-1),
                "Right": lambda: self._step(1),
            }
        counts: dict[str, Callable[[], object]] = {
            str(n): partial(self.show_count, n) for n in range(1, MOST + 1)
        }
        turns = {"PgDown": lambda: self.turn(1), "PgUp": lambda: self.turn(-1)}
        return {"C": self._clear, **counts, **turns}

    def _clear(self) -> None:
        if self.clear_sheet.isEnabled():
            self.clear_wanted.emit()

    def _black_out(self) -> None:
        if self.black_out.isEnabled():
            self.black_out_wanted.emit()

    def _make_sheet(self) -> QWidget:
        self.clear_sheet = button(
            "clear_sheet", tr("Clear"), self.clear_wanted.emit, role="primary", picture="check"
        )
        self.previous = button("previous_sheet", tr("Previous"), lambda: self.turn(-1))
        self.next = button("next_sheet", tr("Next"), lambda: self.turn(1))
        foot = row(label(tr("Images per page"), "hint", wrap=False), self.count)
        foot.addStretch(1)
        for widget in (self.previous, self.next, self.clear_sheet):
            foot.addWidget(widget)
        return stacked(self.sheet, sheet_keys(), foot)

    def _make_large(self) -> QWidget:
        self.for_device = QCheckBox("")
        self.for_device.setObjectName("for_device")
        self.for_device.setToolTip(
            tr("Black out the same areas on all images from this device, and on future imports.")
        )
        self.black_out = button(
            "black_out", tr("Black out (B)"), self.black_out_wanted.emit, role="primary"
        )
        self.undo = button("undo_rectangle", tr("Undo (Backspace)"), self.large.undo)
        back = button("close_large", tr("Back (Esc)"), self.close_large)
        foot = row(self.for_device)
        foot.addStretch(1)
        for widget in (self.undo, back, self.black_out):
            foot.addWidget(widget)
        return stacked(self.large, large_keys(), foot)
