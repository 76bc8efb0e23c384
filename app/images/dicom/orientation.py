"""Which way an image's rows and columns run in the patient (PS3.3 C.7.6.1.1.1), such as P and FL.

The first letters are the patient's side towards which columns count up (to the right, as stored),
the second those towards which rows count up (downwards).
"""

from app.images.dicom.elements import Elements

Orientation = tuple[str, str]
_AXIS = {"A": 0, "P": 0, "L": 1, "R": 1, "H": 2, "F": 2}
_OPPOSITE = {"A": "P", "P": "A", "L": "R", "R": "L", "H": "F", "F": "H"}
_POSITIVE = "LPH"
_LEAST_COSINE = 0.1
_PROJECTIONS = ("CR", "DX", "MG", "RG", "PX")


def orientation_of(elements: Elements, modality: str | None) -> Orientation | None:
    """Return the letters of a data set; None where it has none, which is noted for radiographs."""
    told = _letters(elements) or _of_cosines(elements)
    if told is None and modality in _PROJECTIONS:
        elements.say("orientation-unknown")
    return told


def opposite(letters: str) -> str:
    """Return the letters of the opposite direction."""
    return "".join(_OPPOSITE[letter] for letter in letters)


def axis_of(letters: str) -> int:
    """Return the axis of the main letter: 0 front to back, 1 across, 2 along the body."""
    return _AXIS[letters[0]]


def _letters(elements: Elements) -> Orientation | None:
    found = elements.value("PatientOrientation")
    if found is None:
        return None
    several = not isinstance(found, str) and hasattr(found, "__iter__")
    words = [str(word).strip().upper() for word in found] if several else []
    if (
        len(words) == 2
        and all(map(_is_direction, words))
        and axis_of(words[0]) != axis_of(words[1])
    ):
        return words[0], words[1]
    if any(words) or not several:
        elements.say("element-left-out", keyword="PatientOrientation")
    return None


def _is_direction(word: str) -> bool:
    axes = [_AXIS.get(letter, -1) for letter in word]
    return 1 <= len(axes) == len(set(axes)) and -1 not in axes


def _of_cosines(elements: Elements) -> Orientation | None:
    cosines = elements.numbers("ImageOrientationPatient")
    if len(cosines) != 6:
        return None
    row, column = _named(cosines[:3]), _named(cosines[3:])
    return (row, column) if row and column and row[0] != column[0] else None


def _named(cosines: list[float]) -> str:
    """Return the letters of a direction in the patient, the strongest first."""
    order = sorted(range(3), key=lambda axis: -abs(cosines[axis]))
    letters = (
        _POSITIVE[axis] if cosines[axis] > 0 else _OPPOSITE[_POSITIVE[axis]]
        for axis in order
        if abs(cosines[axis]) > _LEAST_COSINE
    )
    return "".join(letters)
