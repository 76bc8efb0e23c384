"""The axis of a signal: a share ends at 100 %, ticks are told apart."""

import pytest

from app.pages.pretrain.curve import _TICKS, _nice_range, _tick_form


@pytest.mark.parametrize(
    "values", [[0.625, 0.625], [0.2, 0.97], [0.0, 0.045], [0.0, 0.0], [1.0, 0.99]]
)
def test_the_axis_of_a_share_lies_within_nothing_and_all(values: list[float]) -> None:
    low, high = _nice_range(values, share=True)
    assert 0 <= low <= min(values) <= max(values) <= high <= 1


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [(0.0, 1.0, True), (0.0, 0.08, True), (0.0001, 0.0003, False), (-3.0, 1.0, False),
     (0.79, 0.83, False), (1e-6, 5e-6, False), (20.0, 60.0, False), (0.0, 1e-8, True)],
)  # fmt: skip
def test_no_two_ticks_are_written_alike(low: float, high: float, share: bool) -> None:
    form = _tick_form(low, high, share=share)
    ticks = [format(low + (high - low) * i / _TICKS, form) for i in range(_TICKS + 1)]
    assert len(set(ticks)) == len(ticks)
    assert max(map(len, ticks)) <= 8
