"""What a reader is told about sitting in front of the tracker."""

from dataclasses import dataclass

from devices.tracker import UserPosition

_NEAR_MIDDLE = (0.25, 0.75)
_ADVICE = (
    ("move a little to the right", "move a little to the left"),
    ("sit a little lower", "sit a little higher"),
    ("move a little back", "come a little nearer"),
)
"""Below and above the middle of the track box, by axis."""


@dataclass(frozen=True, slots=True)
class Posture:
    """Words for the reader, and whether to begin."""

    text: str
    well: bool


def posture(position: UserPosition | None) -> Posture:
    """Return what to tell a reader whose eyes are seen; None if the tracker is silent."""
    if position is None or (position.left is None and position.right is None):
        return Posture("The tracker cannot see your eyes", False)
    eyes = [eye for eye in (position.left, position.right) if eye is not None]
    distance = f"{position.distance_mm / 10:.0f} cm" if position.distance_mm else ""
    advice = []
    for axis, (low, high) in enumerate(_ADVICE):
        middle = sum(eye[axis] for eye in eyes) / len(eyes)
        if middle < _NEAR_MIDDLE[0]:
            advice.append(low)
        elif middle > _NEAR_MIDDLE[1]:
            advice.append(high)
    if len(eyes) < 2:
        advice.append("only one eye is visible")
    text = ", ".join(advice) or "good position"
    return Posture(f"{distance}: {text}" if distance else text.capitalize(), not advice)
