"""What the window calls the measures of gaze similarity."""

MEASURES = {
    "auto": "Chosen by evidence",
    "tima": "TIMA",
    "density": "Dwell density",
    "dwell": "Dwell against the cohort",
    "multimatch": "MultiMatch",
    "moment": "Gaze moments",
    "moment_sequence": "Gaze moments in sequence",
    "dhash": "dHash",
    "encoder": "Encoder of gaze",
    "taught": "Gaze weighted by labels",
}
"""Display names by stored name; the same as in the trainer's own description of its settings."""
COMPUTED = ("auto", "tima", "density", "dwell", "multimatch", "moment", "moment_sequence", "dhash")
"""Those that the station offers to compute: they need neither labels nor an encoder."""


def measure_words(name: str) -> str:
    """Return the display name of a measure; that of a plug-in is its own name."""
    return MEASURES.get(name, name)
