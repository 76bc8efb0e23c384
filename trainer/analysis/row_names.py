"""What the columns mean that say which row of a table it is, and those of misses and moves."""

from trainer.analysis.definitions import Definition, defined

_OURS = "Foveate"
_KUNDEL = "Kundel, Nodine and Carmody, Investigative Radiology 13 (1978)"

_READING = (
    ("reading", "name", "the reading's short name in the study", _OURS),
    ("reader", "name", "the reader's pseudonym", _OURS),
    ("image", "name", "the image's short name in the study", _OURS),
    ("arm", "name", "the arm in which the case was read; empty in a study without arms", _OURS),
)
_AREA = (
    *_READING,
    ("area", "name", "the area's name in the table of areas or in the grid", _OURS),
    ("lesion", "1", "1 if the table of areas says that it contains a lesion, else 0", _OURS),
)
_TRANSITION = (
    *_READING,
    ("from", "name", "the area in which the move starts", _OURS),
    ("to", "name", "the area in which the move ends", _OURS),
    ("count", "1", "fixations in the first area followed directly by one in the second",
     "Krejtz, Szmidt, Duchowski and Krejtz, ETRA 2014"),
)  # fmt: skip
_PAIR = (
    ("image", "name", "the image that both readings show", _OURS),
    ("reading", "name", "the first reading's short name", _OURS),
    ("other_reading", "name", "the second reading's short name", _OURS),
    ("reader", "name", "pseudonym of the first reading's reader", _OURS),
    ("other_reader", "name", "pseudonym of the second reading's reader", _OURS),
    ("same_reader", "1", "1 if both are by the same reader, else 0", _OURS),
)
_MISS = (
    *_READING,
    ("error", "name",
        "false negative (a lesion without a mark) or false positive (a mark outside "
        "every lesion)", _OURS),
    ("area", "name", "the lesion, or the number of the mark", _OURS),
    ("class", "name", "search, recognition or decision error, with gaze taken as recorded",
     _KUNDEL),
    ("dwell_ms", "ms", "sum of the durations of fixations within the radius of its border",
     _KUNDEL),
    ("accuracy_deg", "deg", "validated accuracy in force; empty if there was no validation",
     _OURS),
    *((f"p_{kind}", "1",
        "share of simulations of the tracker's error, based on the reader's own "
        f"validation, in which it is a {kind} error", _KUNDEL)
      for kind in ("search", "recognition", "decision")),
)  # fmt: skip
_SENSITIVITY = (
    ("error", "name", "false negative or false positive", _OURS),
    ("radius_deg", "deg", "fixations within this distance of the border count as looking at it",
     _KUNDEL),
    ("dwell_threshold_ms", "ms", "from this dwell time on, it is a decision error", _KUNDEL),
    *((kind, "1", f"{kind} errors with these thresholds", _KUNDEL)
      for kind in ("search", "recognition", "decision")),
)  # fmt: skip

NAMES: tuple[Definition, ...] = (
    *defined("reading", _READING),
    *defined("area", _AREA),
    *defined("transition", _TRANSITION),
    *defined("pair", _PAIR),
    *defined("miss", _MISS),
    *defined("sensitivity", _SENSITIVITY),
)
