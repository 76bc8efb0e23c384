"""Figures of the report agree with each other, and its pictures and print say what is what."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.gaze_study import StudyMaker
from tests.trainer.report.test_report import fill
from trainer.drawing.charts import histogram
from trainer.report import write_report
from trainer.report.gather import gather
from trainer.report.page import percent, shown
from trainer.report.pictures import matrix_picture


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[StudyMaker]:
    made = StudyMaker.create(tmp_path / "study")
    yield made
    made.study.close()


def test_numbers_have_two_significant_digits_and_lose_none_before_the_point() -> None:
    shown_as = {0.3338: "0.33", 0.0: "0", 487.68: "488", 40.77: "41", 9.96: "10", -2.06: "-2.1"}
    assert {value: shown(value) for value in shown_as} == shown_as
    assert shown(123456.7) == "123\u202f457"
    shares = {0.14379: "14 %", 0.046: "4.6 %", 0.05: "5.0 %", 0.9962: "99.6 %", 1.0: "100 %"}
    assert {share: percent(share) for share in shares} == shares


def test_fixations_in_the_table_are_told_from_those_in_the_picture(maker: StudyMaker) -> None:
    fill(maker)
    data = gather(maker.study, None)
    drawn = {r.reading_id: r for m in data.cohort.members for r in m.readings}
    rows = [row for row in data.readings if row.id in drawn]
    assert rows
    for row in rows:
        assert row.fixations_on_images == len(drawn[row.id].fixations.duration_us)
        assert row.fixations >= row.fixations_on_images


def test_the_matrix_has_axes_and_a_line_between_classes() -> None:
    valid = np.ones((4, 4), bool)
    svg = matrix_picture(np.eye(4), valid, (0.0, 1.0), [("mass", 1), ("normal", 3)])
    assert svg.count('class="border"') == 2
    assert f'y1="{8 + 396 / 4:.1f}"' in svg
    for words in (">mass<", ">normal<", ">image<", ">similarity<"):
        assert words in svg
    plain = matrix_picture(np.eye(4), valid, (0.0, 1.0))
    assert 'class="border"' not in plain


def test_the_threshold_of_a_histogram_is_named_above_its_bars() -> None:
    svg = histogram(np.linspace(0, 1, 50), 0.5, "similarity", bins=5)
    label = float(re.search(r'<text x="[^"]*" y="([^"]*)"[^>]*>threshold', svg)[1])
    tops = [float(y) for y in re.findall(r'<rect class="bar" [^>]*?y="([^"]*)"', svg)]
    assert label < min(tops)


def test_a_printed_page_has_its_number_on_any_paper(maker: StudyMaker) -> None:
    fill(maker)
    page = write_report(maker.study).read_text(encoding="utf-8")
    assert "counter(page)" in page
    assert "size:" not in re.search(r"@page \{[^}]*", page)[0]  # A4 and letter alike
