"""Cells of a table of gaze become numbers, and what only Python takes for one is refused."""

import pytest

from app.interchange.number_text import NumberStyle, numbers


@pytest.mark.parametrize("style", [None, NumberStyle(), NumberStyle(",", "")])
def test_an_underscore_in_a_number_is_refused_with_its_place(style: NumberStyle | None) -> None:
    with pytest.raises(ValueError, match="1"):
        numbers(["10", "1_0", "12"], style)
    assert numbers(["10", "", "12"], style).tolist()[::2] == [10, 12]
