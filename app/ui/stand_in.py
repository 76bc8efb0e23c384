"""The badge of gaze that is not a person's, in the language of the window."""

from app.ui.text import tr
from migrations.study.cohort_rules import badge_of


def stand_in_text(kind: str | None) -> str:
    """Return the badge for a kind of tracker; empty where a person's eyes are recorded."""
    badge = badge_of(kind or "")
    return tr(badge) if badge else ""
