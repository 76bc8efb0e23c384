"""What an import says of one image: each note has a code for programs and one text for people.

Notes lie in `display.json`, in the image's row, and in `import --json`; docs/import.md lists the
codes. A text never quotes the file: what stands in a file may be a name.
"""

from app.remarks import Note, note_of

__all__ = ["TEXTS", "Note", "note"]

TEXTS = {
    "colour": "it is a colour image: shown without a window, and of its luminance in the trainer",
    "grey-as-colour": "its colours are grey everywhere: taken as a grey image",
    "colour-to-grey": "colour converted to grey by luminance",
    "turned": "turned or mirrored as its EXIF orientation says",
    "stack": "a stack of {frames} frames",
    "for-processing": "it is meant FOR PROCESSING, not for presentation: its contrast is raw",
    "element-left-out": "{keyword} cannot be understood and was left out",
    "pixel-element-concluded": "{keyword} is missing or wrong: taken as {value}",
    "slope-left-out": "its Rescale Slope is not valid: shown with slope 1",
    "xa-modality-left-out": "its Modality LUT leads back to X-ray intensity and is not for display",
    "window-left-out": "a window without a centre or a width was left out",
    "window-exact": "a window narrower than 1 is meant exactly (LINEAR_EXACT)",
    "lut-left-out": "a look-up table without entries was left out",
    "lut-short": "a look-up table has fewer entries than it says",
    "lut-bits": "a look-up table uses other bits than it says: scaled by those it uses",
    "shutter": "what lies outside its display shutter is hidden",
    "shutter-left-out": "a display shutter is not described in full, or hides all: left out",
    "overlay": "an overlay that can hold no text is kept, to be shown by key",
    "overlay-left-out": "an overlay that may hold text, or is cut short, was left out",
    "orientation-unknown": "the file does not tell which way is up",
    "word-left-out": "{keyword} says nothing that is on the list of words kept: left out",
    "burned-in-unsure": "it says that no text is burned in, but images of its kind often have some",
    "known": "it is image {name}, which the study has",
    "known-differs": "this file says another {what} of it, which was not taken",
    "same-pixels": "image {name} has the same pixels, but another {what}: this is one of its own",
    "labels-set": "the csv said its {what}, which the study lacked",
    "labels-differ": "the csv says another {what} of it than the study, which was kept",
    "split-differs": "image {name} of its patient is in {split}, this one is not: keep a patient "
    "in one split",
    "frames-differ": "its frames differ in {keyword}, which was left out",
    "blacked-out": "{count} rectangles blacked out by the mask of its device",
}
"""The text of each code; what stands in braces is a number, or the keyword of an element."""


def note(code: str, **values: object) -> Note:
    """Return the note of a code of `TEXTS`; see `note_of`."""
    return note_of(TEXTS, code, values)
