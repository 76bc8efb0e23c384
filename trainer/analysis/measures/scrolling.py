"""How a stack was scrolled: frames, passes, drilling or scanning."""

from typing import Any

import numpy as np

from trainer.analysis.definitions import Group, defined
from trainer.analysis.looked import Looked
from trainer.analysis.measures.scan_path import steps_deg

_DREW = "Drew et al., Journal of Vision 13 (2013)"
_WILLIAMS = "Williams and Drew, Journal of Medical Imaging 8 (2021)"

DEFINITIONS = defined(
    "reading",
    [
        ("frames_fixated", "1", "frames with at least one fixation", _DREW),
        ("frame_changes", "1", "changes of the displayed frame", _DREW),
        ("frames_per_s", "1/s", "frames scrolled per second of time on the image", _DREW),
        ("depth_passes", "1", "runs in one direction over at least a quarter of the frames that "
         "were shown", _WILLIAMS),
        ("drilling", "1",
            "frames scrolled per degree that the eyes moved within a frame: high for "
            "drillers, low for scanners; empty for a single image", _DREW),
    ],
)  # fmt: skip


def scrolling(looked: Looked) -> dict[str, Any]:
    """Return the measures of one reading of one image or stack."""
    moves = np.diff(looked.frame_shown)
    moves = moves[moves != 0]
    seconds, scrolled = (looked.left_us - looked.shown_us) / 1e6, int(np.abs(moves).sum())
    path = float(steps_deg(looked).sum())
    return {
        "frames_fixated": len(np.unique(looked.frame)),
        "frame_changes": len(moves),
        "frames_per_s": scrolled / seconds if seconds > 0 else np.nan,
        "depth_passes": _passes(looked),
        "drilling": scrolled / path if scrolled and path > 0 else np.nan,
    }


def _passes(looked: Looked) -> int:
    """Return the runs in one direction that go far enough."""
    shown = looked.frame_shown
    if len(shown) < 2 or shown.max() == shown.min():
        return 0
    enough = (int(shown.max()) - int(shown.min())) / 4
    moves = np.diff(shown)
    moves = moves[moves != 0]
    turns = np.flatnonzero(np.diff(np.sign(moves))) + 1
    return sum(abs(int(run.sum())) >= enough for run in np.split(moves, turns))


GROUP = Group(DEFINITIONS, scrolling)
