"""Drawing the boxes that an arm shows: dashed, to distinguish them from the reader's own."""

from app.hanging.marks import Mark
from app.pages.reading.canvas import ImageCanvas
from app.recording.aids import AidBox, Boxes
from app.recording.cases import CaseToRead


def show_aids(canvas: ImageCanvas, case: CaseToRead, boxes: Boxes) -> None:
    """Draw the boxes of a case's images over them."""
    marks = [_mark(tile.tile, box) for tile in case.tiles for box in boxes.get(tile.image_id, ())]
    if marks:
        canvas.marks.extend(marks)
        canvas.update()


def _mark(tile: int, box: AidBox) -> Mark:
    start = box.x_image, box.y_image
    end = box.x_image + box.width_image, box.y_image + box.height_image
    return Mark("box", tile, box.frame, start, end, box.text, draft=True)
