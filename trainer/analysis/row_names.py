"""What the columns mean that say which row of a table it is, and those of misses and moves."""

from trainer.analysis.definitions import Definition, defined

_OURS = "Foveate"
_KUNDEL = "Kundel, Nodine and Carmody, Investigative Radiology 13 (1978)"

_READING = (
    ("reading", "name", "the reading's short name in the study", _OURS),
    ("reader", "name", "the reader's pseudonym", _OURS),
    ("image", "name", "the image's short name in the study", _OURS),
    ("arm", "name", "the arm the case was read in; empty in a study without arms", _OURS),
)
_AREA = (
    *_READING,
    ("area", "name", "the area's name in the table of areas, or of the grid", _OURS),
    ("lesion", "1", "1 where the table of areas says that a lesion is in it, else 0", _OURS),
)
_TRANSITION = (
    *_READING,
    ("from", "name", "the area that the move starts in", _OURS),
    ("to", "name", "the area that the move ends in", _OURS),
    ("count", "1", "fixations in the first area that one in the second follows at once",
     "Krejtz, Szmidt, Duchowski and Krejtz, ETRA 2014"),
)  # fmt: skip
_PAIR = (
    ("image", "name", "the image that both readings are of", _OURS),
    ("reading", "name", "the first reading's short name", _OURS),
    ("other_reading", "name", "the second reading's short name", _OURS),
    ("reader", "name", "pseudonym of who did the first reading", _OURS),
    ("other_reader", "name", "pseudonym of who did the second reading", _OURS),
    ("same_reader", "1", "1 where both are the same reader, else 0", _OURS),
)
_MISS = (
    *_READING,
    ("error", "name", "false negative (a lesion without a mark) or false positive (a mark on no "
     "lesion)", _OURS),
    ("area", "name", "the lesion, or the mark by its number", _OURS),
    ("class", "name", "search, recognition or decision error, gaze taken as recorded", _KUNDEL),
    ("dwell_ms", "ms", "sum of the durations of fixations within the radius of its border",
     _KUNDEL),
    ("accuracy_deg", "deg", "validated accuracy in force; empty where there was no validation",
     _OURS),
    *((f"p_{kind}", "1", "share of draws of the tracker's error, from the reader's own "
       f"validation, in which it is a {kind} error", _KUNDEL)
      for kind in ("search", "recognition", "decision")),
)  # fmt: skip
_SENSITIVITY = (
    ("error", "name", "false negative or false positive", _OURS),
    ("radius_deg", "deg", "fixations within this of the border look at it", _KUNDEL),
    ("dwell_threshold_ms", "ms", "from this dwell on it is a decision error", _KUNDEL),
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
