"""Pictures of widgets as small PNG files; what must be on one is looked for first."""

from pathlib import Path

from PIL import Image as PilImage
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtWidgets import QApplication, QWidget

COLOURS, VIVID = 255, 40
"""Of a picture, and how far the channels of a sign's colour lie apart; most of a page is grey."""


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
        whole = opened.convert("RGB")
    palette = PilImage.new("P", (1, 1))
    palette.putpalette([value for colour in _palette(whole) for value in colour])
    whole.quantize(palette=palette, dither=PilImage.Dither.NONE).save(path, optimize=True)


def _palette(picture: PilImage.Image) -> list[tuple[int, ...]]:
    """Return the colours of signs, which are rare, the page's own, and greys for an image.

    Pillow's own choice merges a red dot with an amber frame, or tints the greys.
    """
    found = picture.getcolors(picture.width * picture.height) or []
    by_count = [colour for _, colour in sorted(found, key=lambda each: (-each[0], each[1]))]
    vivid = [colour for colour in by_count if max(colour) - min(colour) > VIVID]
    plain = [colour for colour in by_count if max(colour) - min(colour) <= VIVID]
    greys = [(value, value, value) for value in range(0, 256, 255 // (COLOURS // 3))]
    return [*vivid[: COLOURS // 4], *plain[: COLOURS // 3], *greys][:256]
