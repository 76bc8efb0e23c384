"""What a gaze import says about a file or a reading: a code for programs, a text for people.

Notes are in `import-gaze --json` and in `reading.details.notes`; docs/interchange.md lists the
codes. A text quotes nothing from the file except numbers and codes, since a cell may be a person's
name.
"""

from app.remarks import Note, note_of

__all__ = ["TEXTS", "Note", "note"]

TEXTS = {
    "layout": "read as {what}, since its columns match that layout",
    "encoding": "not UTF-8: read as {encoding}",
    "preamble": "{count} lines before the header were skipped; use --skip-lines for another number",
    "decimal-comma": "numbers are written with a decimal comma",
    "thousands": "numbers are written with {what} as the thousands separator",
    "time-unit": "times were read as {unit}, because {why}; use --time-unit for another",
    "time-iso": "times are dates or times of day",
    "time-order": "{count} rows were not in order of time and were sorted",
    "fixation-order": "{count} fixations were not in their place by `{column}` and were sorted",
    "duration-unit": "durations were read as {unit}: their median is {median} of them",
    "unit": "coordinates were read as {unit}, because {why}; use --unit for another",
    "validity": "gaze counts as valid where `{column}` is {valid}, because {why}; use "
    "--valid-when for another rule",
    "confidence": "gaze with a confidence below {below} counts as lost; use --min-confidence "
    "for another limit",
    "missing": "{count} samples at {what} count as lost; use --missing for another rule",
    "pupil-missing": "{count} pupils of 0 or less were left out",
    "participants": "the participants of `{column}` became {count} pseudonyms; use --participant "
    "for another column, or none",
    "shown-again": "shown more than once; this is showing {number}",
    "mcs": "coordinates are in the media's own pixels (MCS)",
    "mm": "coordinates in mm were placed by the screen's size in mm",
    "streams-left-out": "streams left out: {streams}",
    "markers": "what was shown is taken from the stream {stream}; use --markers for another",
    "markers-none": "no marker names an image; the file's name was used as the image's",
    "restarted": "the stream was restarted {count} times; its parts were joined (gaps: {gaps} s)",
    "clock-reset": "the clock of the stream was reset {count} times",
    "cut-short": "the file ends within a chunk; the rest is missing",
    "gap": "a gap of {seconds} s between two samples",
    "joined": "readings joined with their gaze from another file: {count}",
    "no-gaze": "it contains no gaze",
    "no-readings": "it contains no readings",
    "not-gaze": "it is the output of `similarity`, not gaze",
    "no-image-message": "no message names an image; give the word before its name with --markers",
    "stream-unread": "a stream could not be understood: {why}",
    "all-off-image": "no gaze of this reading is on its image; check --unit, --origin and --shown",
    "same-times": "the study already has a reading of this image by this reader with the same "
    "times. If it is the same gaze, read in another unit, erase the wrong import (db erase "
    "--reader)",
    "grid": "coordinates are on a grid of {width} by {height} laid over the image",
}
"""The text of each code; codes stay as they are once released."""

_OF_ONE = {
    "preamble": "{count} line before the header was skipped; use --skip-lines for another number",
    "time-order": "{count} row was not in order of time and was sorted",
    "missing": "{count} sample at {what} counts as lost; use --missing for another rule",
    "pupil-missing": "{count} pupil of 0 or less was left out",
    "participants": "the participant of `{column}` became {count} pseudonym; use --participant "
    "for another column, or none",
    "restarted": "the stream was restarted {count} time: its parts were joined, with a gap of "
    "{gaps} s",
    "clock-reset": "the clock of the stream was reset {count} time",
    "joined": "{count} reading joined with its gaze from another file",
}
"""The same where the count is 1."""


def note(code: str, **values: object) -> Note:
    """Return the note of a code of `TEXTS`; see `note_of`."""
    texts = TEXTS | _OF_ONE if values.get("count") == 1 else TEXTS
    return note_of(texts, code, values)
