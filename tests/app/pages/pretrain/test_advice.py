"""Beside the settings: why the default is one, and the size that the cohort proposes."""

from PySide6.QtWidgets import QLabel, QPushButton

from app.pages.pretrain.page import TrainingPage
from migrations.study.view_size import Seen, SeenParts, propose


def test_the_page_says_why_its_default_is_one_and_opens_the_evidence(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    chosen = page.form.basic.values()
    assert (chosen["method"], chosen["pairs"]) == ("byol", "gzpt")
    said = page.findChild(QLabel, "why_default").text()
    assert "BYOL with GzPT pairs is the default" in said
    assert "experimental" in said
    for name in ("open_study", "open_gaze-methods"):
        assert page.findChild(QPushButton, name) is not None


def test_a_proposed_size_is_offered_with_its_cost_and_taken_by_a_press(qtbot) -> None:
    page = TrainingPage()
    qtbot.addWidget(page)
    use, said = page.findChild(QPushButton, "use_size"), page.findChild(QLabel, "size_proposal")
    found = propose(SeenParts(tuple([Seen(0.125, 2000, 22.0)] * 12), by_boxes=True))
    page.show_proposal(found)
    assert use.isVisibleTo(page)
    assert use.text() == "Use 256 px"
    assert "half of the 12 boxes are longer than 12.5% of their image" in said.text()
    assert "Their median length is 22 mm." in said.text()
    assert "about 4 times as long as at 128 px" in said.text()
    use.click()
    assert page.form.values()["size"] == 256
    page.show_proposal(found)
    assert not use.isVisibleTo(page)
    page.show_proposal(propose(SeenParts()))
    assert not use.isVisibleTo(page)
