"""The words above and below an image, where there is little room."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from app.hanging.edge_words import EdgeWords
from app.ui.edge_bands import band_of, draw_bands, sized_font, without_first_words

WORDS = EdgeWords(
    name="R CC", shown="Window 1, W 52429 L 26214   31%", top="R", bottom="L", left="A", right="P"
)
TEXT = 12.0


def drawn(width: int, *, below_too: bool = True) -> np.ndarray:
    """Return where something was drawn round a tile of 100 rows, (rows, columns)."""
    image = QImage(width + 200, 160, QImage.Format.Format_Grayscale8)
    image.fill(0)
    with QPainter(image) as painter:
        tile = QRectF(100, 30, width, 100)
        draw_bands(painter, tile, WORDS, TEXT, below_too=below_too)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(160, image.bytesPerLine())
    return lines[:, : width + 200] > 0


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("width", [40, 120, 200, 260, 600])
def test_words_stay_over_their_image_and_do_not_meet(width: int) -> None:
    seen = drawn(width)
    assert not seen[:, 100 + width :].any()
    if width >= 200:  # name, letter and window have gaps between them
        columns = np.flatnonzero(seen[:30].any(axis=0))
        gaps = np.diff(columns)
        assert (gaps >= 6).sum() >= 2


@pytest.mark.usefixtures("qapp")
def test_nothing_is_written_below_where_another_image_lies() -> None:
    assert drawn(300)[130:].any()
    assert not drawn(300, below_too=False)[130:].any()
    assert band_of(TEXT) == 20


@pytest.mark.usefixtures("qapp")
def test_a_number_that_has_no_room_is_left_out_whole() -> None:
    metrics = QFontMetrics(sized_font(TEXT))
    rooms = range(metrics.horizontalAdvance(WORDS.shown) + 1)
    told = {without_first_words(metrics, WORDS.shown, room) for room in rooms}
    assert {WORDS.shown, "… L 26214   31%", "… 31%", ""} <= told
    assert {word for text in told for word in text.split()} == {"…", *WORDS.shown.split()}
