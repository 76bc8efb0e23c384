"""Charts as files: colours in each element, nothing foreign in them, and the same as pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from trainer.drawing.charts import Series, line_chart
from trainer.drawing.frame import chart, line, rectangle, text
from trainer.drawing.raster import SCALE, png
from trainer.drawing.style import inlined, standalone


def test_a_file_of_its_own_needs_no_style_sheet() -> None:
    svg = standalone(line_chart([Series("a", np.arange(3.0), np.arange(3.0), 1)], "x", "y"))

    assert "var(" not in svg
    assert 'stroke="#96600a"' in svg
    assert 'stroke-dasharray="7 3"' in svg
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg


def test_a_rule_of_charts_is_stronger_than_one_of_a_class_alone() -> None:
    svg = standalone(chart("x", line((0, 0), (9, 9), "whisker s1")))

    assert "stroke-dasharray" not in svg


def test_a_picture_has_the_colours_where_the_drawing_has_them() -> None:
    drawn = chart("x", rectangle(10, 10, 20, 20, "f0") + line((50, 30), (90, 30), "series thick s0")
                  + text(60, 60, "M"), 100, 80)  # fmt: skip

    picture = np.asarray(Image.open(io.BytesIO(png(drawn))))

    assert picture.shape == (80 * SCALE, 100 * SCALE, 3)
    blue = (0x1D, 0x5F, 0x90)
    assert tuple(picture[20 * SCALE, 20 * SCALE]) == blue
    assert tuple(picture[30 * SCALE, 70 * SCALE]) == blue
    assert tuple(picture[5, 5]) == (255, 255, 255)
    assert (picture[50 * SCALE : 62 * SCALE, 58 * SCALE : 72 * SCALE] < 128).any()


def test_a_dashed_line_has_gaps() -> None:
    drawn = chart("x", line((0, 10), (100, 10), "series s1"), 100, 20)

    row = np.asarray(Image.open(io.BytesIO(png(drawn))).convert("L"))[10 * SCALE]

    dark = row < 200
    assert 0.6 < dark.mean() < 0.8  # 7 of 10
    assert np.count_nonzero(np.diff(dark.astype(int))) > 15


def test_what_no_chart_has_is_left_out_of_a_page() -> None:
    foreign = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="x()"><script>x()'
        '</script><image href="http://x/y.png"/><rect class="paper" width="100%"/>'
        '<text x="1" y="2" onclick="x()">a &lt;b&gt;</text></svg>'
    )

    kept = inlined(foreign)

    assert "script" not in kept
    assert "http" not in kept
    assert "on" not in kept.replace("font", "")
    assert "paper" not in kept
    assert "a &lt;b&gt;" in kept
    with pytest.raises(ValueError, match="not an SVG"):
        inlined("<html/>")
