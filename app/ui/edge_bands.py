"""Draws the words of an image into the bands above and below it, where gaze is not on the image."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from app.hanging.edge_words import EdgeWords
from app.ui import theme

_TEXT_MM = 3.4
_LEAST_PIXELS, _MOST_PIXELS = 11.0, 64.0
_USUAL_PIXEL_MM = 25.4 / 96
_BAND = 1.7
"""Height of a band in sizes of its text."""
_GAP = 8.0


def text_pixels(view_pixel_mm: float | None) -> float:
    """Return the size of text that can be read at arm's length, `_view` pixels.

    Parameters
    ----------
    view_pixel_mm
        Width of a device-independent pixel on the screen; None where it is not known.
    """
    size = _TEXT_MM / (view_pixel_mm or _USUAL_PIXEL_MM)
    return min(max(size, _LEAST_PIXELS), _MOST_PIXELS)


def band_pixels(view_pixel_mm: float | None) -> float:
    """Return the height of a band, `_view` pixels."""
    return band_of(text_pixels(view_pixel_mm))


def band_of(text: float) -> float:
    """Return the height of a band with text of a size, pixels."""
    return float(round(_BAND * text))


def sized_font(pixels: float, *, bold: bool = False) -> QFont:
    """Return the window's font at a size in pixels."""
    made = theme.font("small", bold=bold)
    made.setPixelSize(round(pixels))
    return made


def draw_bands(
    painter: QPainter, tile: QRectF, words: EdgeWords, text: float, *, below_too: bool = True
) -> None:
    """Draw the words above and below a tile; text without room is cut with an ellipsis.

    Parameters
    ----------
    tile
        Where the image is.
    text
        Size of the text in pixels.
    below_too
        Whether there is room below the tile.
    """
    band = band_of(text)
    above = QRectF(tile.x() + _GAP, tile.y() - band, tile.width() - 2 * _GAP, band)
    below = QRectF(tile.x() + _GAP, tile.bottom(), tile.width() - 2 * _GAP, band)
    sides = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
    painter.save()
    painter.setFont(sized_font(text, bold=True))
    painter.setPen(QColor(theme.TEXT))
    room = painter.fontMetrics().horizontalAdvance(words.name)
    _write(painter, above, words.name, sides[0])
    painter.setFont(sized_font(text))
    painter.setPen(QColor(theme.MUTED))
    letter = painter.fontMetrics().horizontalAdvance(words.top)
    left = max(room, (above.width() + letter) / 2 if letter else 0.0)
    shown = without_first_words(painter.fontMetrics(), words.shown, above.width() - left - _GAP)
    taken = painter.fontMetrics().horizontalAdvance(shown)
    _write(painter, above, shown, sides[1])
    _write(painter, above, words.top, Qt.AlignmentFlag.AlignHCenter)
    if below_too:
        _write(painter, below, words.bottom, Qt.AlignmentFlag.AlignHCenter)
        _write(painter, below, f"\u25c2 {words.left}" if words.left else "", sides[0])
        _write(painter, below, f"{words.right} \u25b8" if words.right else "", sides[1])
    if words.unsure:
        painter.setPen(QColor(theme.AMBER))
        # Between name and middle, or, where no letter stands there, up to the window.
        end = above.width() / 2 if words.top else above.width() - taken
        place = above.adjusted(room + 2 * _GAP, 0, end - above.width() - 2 * _GAP, 0)
        unsure = painter.fontMetrics().elidedText(
            f"\u26a0 {words.unsure}", Qt.TextElideMode.ElideRight, max(round(place.width()), 0)
        )
        _write(painter, place, unsure, sides[0])
    painter.restore()


def without_first_words(metrics: QFontMetrics, text: str, room: float) -> str:
    """Return a text less as many of its first words as it takes to fit; no number is cut in two."""
    shown, rest = text, text
    while rest and metrics.horizontalAdvance(shown) > room:
        rest = rest.partition(" ")[2].lstrip()
        shown = f"… {rest}" if rest else ""
    return shown


def _write(painter: QPainter, place: QRectF, text: str, side: Qt.AlignmentFlag) -> None:
    painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, text)
