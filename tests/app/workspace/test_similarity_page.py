"""The page of gaze similarity shows what a relation and its run hold."""

from pathlib import Path

import numpy as np
import pytest

from app.pages.workspace.similarity_controller import between_readers
from app.pages.workspace.similarity_page import SimilarityPage
from app.ui.pictures import PictureLoader
from app.workspace.pair_purity import labels_of, pair_purity
from app.workspace.similarity import load_stored_relation, similarity_choices
from migrations.study.evidence import HEADERS, CohortEvidence, Figure, MeasureEvidence
from tests.app.workspace.cohort_study import add_similarity, make_study


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory):
    study = make_study(tmp_path_factory.mktemp("page") / "study", 12, pictures=False)
    add_similarity(study)
    relation = load_stored_relation(Path(similarity_choices(study)[0].path))
    purity = pair_purity(relation, labels_of(study))
    study.close()
    return relation, purity


@pytest.fixture
def page(qtbot, stored) -> SimilarityPage:
    relation, purity = stored
    made = SimilarityPage(PictureLoader())
    qtbot.addWidget(made)
    order = np.arange(12)
    names = {id_: f"N{k}" for k, id_ in enumerate(relation.ids)}
    made.show_relation(relation, names, order, relation.overview(order), purity)
    return made


def test_the_threshold_tells_rate_purity_and_pairs_a_batch(page) -> None:
    page.threshold_panel.set_threshold(0.5)
    page.threshold_panel.batch.setValue(4)
    rate, pure, pairs = page.threshold_panel.texts
    assert "of valid pairs are positive (18)" in rate
    assert pure.startswith("Purity 100%: the share of the 18 labelled positive pairs")
    assert "28% by chance" in pure
    assert pairs.startswith("About 0.8 extra pairs")
    assert page.threshold == pytest.approx(0.5, abs=0.001)


def test_the_line_in_histogram_and_colour_bar_is_the_threshold(page) -> None:
    page.slider.setValue(300)
    assert page.threshold_panel._line.value() == pytest.approx(page.threshold)
    assert page.matrix._line.value() == pytest.approx(page.threshold)


def test_a_pair_is_shown_as_a_pair_with_its_value_between(page, stored, qtbot) -> None:
    relation, _ = stored
    page.show_pair(0, 3)
    assert page.pair.value == f"{relation.matrix[0, 3]:.3f}"
    assert [card.caption for card in page.pair.cards] == ["N0", "N3"]
    page.show_pair(0, 1)
    assert page.pair.value == "no value"
    page.tabs.setCurrentWidget(page.samples)
    page.show()
    page.threshold_panel.set_threshold(0.5)
    qtbot.waitUntil(lambda: bool(page.samples.cards))
    assert all(float(card.value) > 0.5 for card in page.samples.cards if card.isVisible())


def test_the_evidence_of_every_measure_is_a_table(page) -> None:
    assert "Compute “Chosen by evidence”" in page._evidence_said.text()
    row = MeasureEvidence("tima", Figure(2.0, 1.5, 2.5), None, None, 0.0, 0.05, 40)
    page.show_evidence(
        CohortEvidence(
            (row,),
            "tima",
            "Its purity is highest.",
            True,
            "purity",
            12,
            12,
            12,
            12,
            "the most similar 5 %",
        )
    )
    assert page.evidence.columnCount() == len(HEADERS)
    assert page.evidence.rows[0][:2] == ("TIMA (recommended)", "2 [1.5, 2.5]")
    assert "Its purity is highest." in page._evidence_said.text()


def test_each_two_readers_have_a_line() -> None:
    said, rows = between_readers({})
    assert "cannot be tested" in said
    assert not rows
    split = {"within_mean": 0.8, "between_mean": 0.4, "separation": 0.9,
             "by_readers": [["R1", "R2", 0.8, 0.4, 7]]}  # fmt: skip
    said, rows = between_readers({"findings": {"case_split": split}})
    assert "90%" in said
    assert rows == [("R1", "R2", 0.8, 0.4, 7)]
