"""Pictures of widgets as small PNG files; what must be on one is looked for first."""

from pathlib import Path

from PIL import Image as PilImage
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QApplication, QWidget

COLOURS = 160
"""Of a picture; the station is grey but for a few signs, which must stay: no median cut."""


class PartMissing(AssertionError):
    """A picture would lack what it is there to show."""


def keep(widget: QWidget, path: Path, *parts: str) -> None:
    """Write what a widget shows.

    Parameters
    ----------
    parts
        Object names of widgets that must be seen in it.
    """
    QApplication.processEvents()
    for part in parts:
        found = [w for w in widget.findChildren(QWidget, part) if w.isVisible() and w.width() > 8]
        if not found:
            raise PartMissing(f"{path.name}: {part} is not seen")
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab().save(buffer, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".whole")
    whole.write_bytes(bytes(buffer.data()))
    shrink(whole, path)
    whole.unlink()


def shrink(source: Path, path: Path) -> None:
    """Write a picture in few colours, as small as PNG makes it."""
    with PilImage.open(source) as opened:
        few = opened.convert("RGB").quantize(
            COLOURS, PilImage.Quantize.MAXCOVERAGE, dither=PilImage.Dither.NONE
        )
    few.save(path, optimize=True)
