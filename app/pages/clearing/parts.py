"""Display-only parts of the clearing page: fields, keys, and the page when everything is done."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLayout, QLineEdit, QWidget

from app.images.clearing import SheetImage
from app.pages.clearing.cells import Cell
from app.pages.clearing.key_line import key_line
from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import column, label, panel
from app.ui.text import tr

MOST = 4
"""Images at once."""
_AT_FIRST = 2


def all_cleared() -> QWidget:
    """Return what is shown when nothing is waiting."""
    frame, layout = panel()
    layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
    sign = label("", wrap=False)
    sign.setPixmap(pixmap("check", theme.MUTED, 48))
    said = tr("Images not marked as free of burned-in text appear here.")
    for widget in (
        sign,
        label(tr("All images are cleared"), "heading", wrap=False),
        label(said, "hint", wrap=False),
    ):
        layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    return frame


def sheet_keys() -> QLabel:
    """Return the keys of the sheet, written out."""
    return key_line((
        ("C", tr("clear")), ("Space", tr("hold back")), ("Enter", tr("black out")),
        (tr("Arrows"), tr("choose")), (tr("Page ↓ ↑"), tr("next, previous")),
        (tr("Wheel, + −"), tr("zoom")), (tr("Drag"), tr("move")), ("0", tr("fit")),
        ("1–4", tr("images per page")), ("Esc", tr("worklist")),
    ))  # fmt: skip


def large_keys() -> QLabel:
    """Return the keys of the enlarged view, written out."""
    return key_line((
        (tr("Drag over text"), tr("hide it")), ("B", tr("black out permanently")),
        ("Backspace", tr("undo")), (tr("Wheel, + −"), tr("zoom")),
        (tr("Right drag"), tr("move")), ("0", tr("fit")),
        ("← →", tr("previous, next image")), ("Esc", tr("back")),
    ))  # fmt: skip


def stacked(view: QWidget, keys: QWidget, foot: QLayout) -> QWidget:
    """Return a view over its keys and its buttons."""
    frame = QWidget()
    layout = column(frame)
    layout.addWidget(view, 1)
    layout.addWidget(keys)
    layout.addLayout(foot)
    return frame


def code_field() -> QLineEdit:
    """Return the field for the code of the person who clears."""
    made = QLineEdit()
    made.setObjectName("cleared_by")
    made.setAccessibleName(tr("Cleared by"))
    made.setPlaceholderText(tr("Your code"))
    made.setMaxLength(40)
    made.setFixedWidth(20 * theme.GRID)
    return made


def count_choice() -> QComboBox:
    """Return the choice of how many images are on a sheet."""
    made = QComboBox()
    made.setObjectName("images_at_once")
    made.setAccessibleName(tr("Images per page"))
    for count in range(1, MOST + 1):
        made.addItem(str(count), count)
    made.setCurrentIndex(_AT_FIRST - 1)
    return made


def cell_of(image: SheetImage) -> Cell:
    """Return an image's cell."""
    return Cell(
        image.image_id,
        image.name,
        image.columns,
        image.rows,
        says_text=image.burned_in == "yes",
        blacked_out=bool(image.rectangles),
    )
