"""What the worklist of a study without cases says: how to fill it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import column, label, panel
from app.ui.text import tr


def empty_worklist() -> QWidget:
    """Return the panel that images are dropped on."""
    frame, layout = panel()
    sign = label("", wrap=False)
    sign.setPixmap(pixmap("import", theme.MUTED, 48))
    layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
    lines = column(gap=theme.GRID)
    for widget in (
        sign,
        label(tr("Drop images here"), "heading", wrap=False),
        label(tr("DICOM, PNG, JPEG or TIFF; single files or whole folders."), "hint", wrap=False),
        label(tr("They are de-identified on import."), "hint", wrap=False),
        label(tr("Add a CSV file to set their labels and cases."), "hint", wrap=False),
    ):
        lines.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    layout.addLayout(lines)
    return frame
