"""What an import says about an image: each note has a code for programs and a text for people.

Notes are in `display.json`, in the image's row, and in `import --json`; docs/import.md lists the
codes. A text never quotes the file, since its contents may be a name.
"""

from app.remarks import Note, note_of

__all__ = ["TEXTS", "Note", "note"]

TEXTS = {
    "colour": "it is a colour image: shown without a window; the trainer uses its luminance",
    "grey-as-colour": "its colours are grey everywhere: treated as a grey image",
    "colour-to-grey": "colour converted to grey by luminance",
    "turned": "turned or mirrored as its EXIF orientation says",
    "stack": "a stack of {frames} frames",
    "for-processing": "it is FOR PROCESSING, not for presentation: its contrast is raw",
    "element-left-out": "{keyword} cannot be read and was left out",
    "pixel-element-concluded": "{keyword} is missing or wrong; {value} was assumed",
    "slope-left-out": "its Rescale Slope is not valid: shown with slope 1",
    "xa-modality-left-out": "its Modality LUT leads back to X-ray intensity and is not for display",
    "window-left-out": "a window without a centre or a width was left out",
    "window-exact": "a window narrower than 1 is treated as exact (LINEAR_EXACT)",
    "lut-left-out": "a look-up table without entries was left out",
    "lut-short": "a look-up table has fewer entries than it declares",
    "lut-bits": (
        "a look-up table uses a different number of bits than it declares; it is scaled by "
        "those it uses"
    ),
    "shutter": "what lies outside its display shutter is hidden",
    "shutter-left-out": "a display shutter is incomplete or hides everything; it was left out",
    "overlay": "an overlay that cannot contain text was kept; it can be shown by key",
    "overlay-left-out": "an overlay that may contain text, or is cut short, was left out",
    "orientation-unknown": "the file does not say which way is up",
    "word-left-out": "{keyword} is not on the list of words that are kept; it was left out",
    "burned-in-unsure": "it declares no burned-in text, but images of its kind often contain some",
    "known": "it is image {name}, which is already in the study",
    "known-differs": "this file has a different {what}, which was ignored",
    "same-pixels": "image {name} has the same pixels but a different {what}; this is another image",
    "labels-set": "the csv gave its {what}, which the study lacked",
    "labels-differ": "the csv gives a different {what}; the study's was kept",
    "split-differs": (
        "image {name} of its patient is in {split}, not this one: keep them in one split"
    ),
    "frames-differ": "its frames differ in {keyword}, which was left out",
    "blacked-out": "{count} rectangles blacked out by the mask of its device",
}
"""The text of each code; a placeholder in braces is a number, or the keyword of an element."""


def note(code: str, **values: object) -> Note:
    """Return the note of a code of `TEXTS`; see `note_of`."""
    return note_of(TEXTS, code, values)
