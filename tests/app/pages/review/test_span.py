"""Both ends of a span are taken from where the replay stands; the whole reading comes back."""

from app.pages.review.span import SpanBar


def test_a_span_is_set_by_its_ends_and_taken_back(qtbot) -> None:
    bar = SpanBar()
    qtbot.addWidget(bar)
    bar.set_length(10_000_000)
    assert bar.span is None
    bar.set_end(0, 2_000_000)
    assert bar.span == (2_000_000, 10_000_000)
    bar.set_end(1, 5_000_000)
    assert bar.span == (2_000_000, 5_000_000)
    assert bar._said.text() == "Only 2.0 to 5.0 s"
    bar.clear()
    assert (bar.span, bar._said.text()) == (None, "")


def test_an_end_on_the_wrong_side_of_the_other_moves_it_away(qtbot) -> None:
    bar = SpanBar()
    qtbot.addWidget(bar)
    bar.set_length(10_000_000)
    bar.set_end(1, 3_000_000)
    bar.set_end(0, 6_000_000)
    assert bar.span == (6_000_000, 10_000_000)
    bar.set_end(1, 1_000_000)
    assert bar.span == (0, 1_000_000)
    bar.set_end(1, 0)
    assert bar.span is None  # nothing is no span


def test_another_reading_begins_whole(qtbot) -> None:
    bar = SpanBar()
    qtbot.addWidget(bar)
    bar.set_length(10_000_000)
    bar.set_end(1, 3_000_000)
    bar.set_length(4_000_000)
    assert bar.span is None
