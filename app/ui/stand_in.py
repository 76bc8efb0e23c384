"""The badge of gaze that is not a person's: the simulated reader's, or the mouse's."""

from app.ui.text import tr


def stand_in_text(kind: str | None) -> str:
    """Return the badge for a kind of tracker; empty where a person's eyes are recorded."""
    words = {"simulated": tr("SIMULATED GAZE"), "mouse": tr("MOUSE, NO GAZE")}
    return words.get(kind or "", "")
