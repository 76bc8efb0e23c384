"""A line drawn round points on the page of the features."""

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt

from app.pages.workspace.features_page import FeaturesPage
from app.ui.pictures import PictureLoader
from app.workspace.features import Features
from migrations.study.names import item_of_frame
from migrations.study.schema import new_id


def test_the_images_of_points_within_a_drawn_line_are_told(qtbot) -> None:
    page = FeaturesPage(PictureLoader(None))
    qtbot.addWidget(page)
    page.resize(1366, 768)
    with qtbot.waitExposed(page):
        page.show()
    stack = new_id()
    features = Features(("a", "b", item_of_frame(stack, 4)), np.eye(3, dtype=np.float32))
    points = np.array([[0, 0], [10, 10], [0.5, 0.5]], np.float32)
    page.show_features(features, points, ("x", "y"), {}, ())
    told = []
    page.lassoed.connect(told.append)
    page.draw.click()
    _drag(page, qtbot, [(4, 4), (6, 4), (6, 6), (4, 6)])
    assert "no point inside" in page.state_text
    _drag(page, qtbot, [(-1, -1), (2, -1), (2, 2), (-1, 2)])
    assert told == [sorted(["a", stack])]
    assert not page.lasso.on


def _drag(page: FeaturesPage, qtbot, corners) -> None:
    view, box = page.map.viewport(), page.map.getPlotItem().vb
    places = [page.map.mapFromScene(box.mapViewToScene(QPointF(*c))) for c in corners]
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(places[0]))
    for place in places:
        qtbot.mouseMove(view, QPoint(place))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(places[-1]))
