"""Which of a tracker's words are notes of which reading."""

import pytest

from app.recording.event_notes import notes_of

EVENTS = [
    {"time_us": 10, "kind": "display_area", "detail": "another screen", "data": {}},
    {"time_us": 20, "kind": "fault", "detail": "a bad line", "data": {}},
    {"time_us": 100, "kind": "display_area", "detail": "the right one again", "data": {}},
    {"time_us": 160, "kind": "gap", "detail": "a gap", "data": {"from_us": 110, "to_us": 150}},
]


@pytest.mark.parametrize(
    ("started_us", "ended_us", "said"),
    [
        pytest.param(0, 5, [], id="before all"),
        pytest.param(0, 30, ["another screen", "a bad line"], id="while it is said"),
        pytest.param(30, 50, ["another screen"], id="while it stands"),
        pytest.param(30, 105, ["another screen", "the right one again"], id="until said anew"),
        pytest.param(120, 130, ["the right one again", "a gap"], id="a gap told later"),
    ],
)  # fmt: skip
def test_a_reading_notes_what_was_said_in_it_and_which_screen_was_tracked(
    started_us: int, ended_us: int, said: list[str]
) -> None:
    assert [note["text"] for note in notes_of(EVENTS, started_us, ended_us)] == said
