"""Every column of the exported tables: type, unit, meaning; the source of the data dictionary."""

from dataclasses import dataclass

from devices.gaze.samples import VALUE_FIELDS


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` is text, whole, number or truth."""

    name: str
    kind: str
    unit: str
    meaning: str


def _unit(name: str) -> str:
    """Return the unit of a raw field, from the end of its name."""
    return "share of the screen" if name.endswith("_norm") else "mm"


def _columns(text: str) -> tuple[Column, ...]:
    rows = (line.split("|") for line in text.splitlines() if line)
    return tuple(Column(*(cell.strip() for cell in row)) for row in rows)


_READING = """
reading_id | text | | Id of the reading
"""
_READER = """
reader | text | | Pseudonym of the reader
"""
_IMAGE_ID = """
image_sha256 | text | | SHA-256 of the image's stored pixel values; empty beside every image
image_id | text | | Id of the image in the study
"""
_IMAGE_NAME = """
image_name | text | | What the study calls the image
"""
_WHO = f"{_READING}\nreading_name | text | | What the study calls the reading\n{_READER}"
_IMAGE = _IMAGE_ID + _IMAGE_NAME
TABLES: dict[str, tuple[Column, ...]] = {
    "samples": _columns(
        _READING
        + _READER
        + _IMAGE_ID
        + """
time_us | whole | µs | Time since the reading began
host_us | whole | µs | Time of the session's clock
frame | whole | | Frame of the image shown there, from 0; empty beside every image
device_us | whole | µs | Time of the tracker's own clock; empty if it stamps none
x_image | number | source-image px | Point of gaze, from the left edge; empty if lost or beside
y_image | number | source-image px | Point of gaze, from the top edge
x_deg | number | ° of visual angle | Point of gaze from the screen's centre, rightwards
y_deg | number | ° of visual angle | Point of gaze from the screen's centre, downwards
"""
        + "\n".join(f"{name} | number | {_unit(name)} | Raw sample" for name in VALUE_FIELDS)
    ),
    "fixations": _columns(
        _WHO
        + _IMAGE
        + """
frame | whole | | Frame of the image, from 0
start_us | whole | µs | Start since the reading began
duration_us | whole | µs | From the first to the last sample
x_image | number | source-image px | Centre, from the left edge; empty beside every image
y_image | number | source-image px | Centre, from the top edge
x_deg | number | ° of visual angle | Centre, from the screen's centre, rightwards
y_deg | number | ° of visual angle | Centre, from the screen's centre, downwards
dispersion_deg | number | ° of visual angle | (max x - min x) + (max y - min y)
sample_count | whole | | Samples with gaze in it
spans_view_change | truth | | Whether the view changed during it
algorithm | text | | velocity, dispersion, or source (found by the imported file's maker)
parameters_hash | text | | Hash of the filter's parameters
"""
    ),
    "gaze_events": _columns(
        _WHO
        + _IMAGE
        + """
frame | whole | | Frame of the image, from 0
kind | text | | saccade, pursuit or blink; image and frame are those the gaze was on at its end
start_us | whole | µs | Start since the reading began
duration_us | whole | µs | From its start to its end
amplitude_deg | number | ° of visual angle | Of a saccade; length of a pursuit; empty for a blink
peak_velocity_deg_s | number | °/s | Largest in the filter's window; empty for a blink
algorithm | text | | velocity, or dispersion (which finds blinks alone)
parameters_hash | text | | Hash of the filter's parameters
"""
    ),
    "view_events": _columns(
        _WHO
        + _IMAGE
        + """
time_us | whole | µs | Since the reading began; in force until the tile's next row
kind | text | | What changed: open, zoom, pan, window, …
tile | whole | | Tile of the hanging, from 0
frame | whole | | Frame of the image, from 0
image_width | whole | source-image px | Width of the image
image_height | whole | source-image px | Height of the image
a | number | screen px per image px | x_screen = a·x + c·y + tx
b | number | screen px per image px | y_screen = b·x + d·y + ty
c | number | screen px per image px | see a
d | number | screen px per image px | see b
tx | number | screen px | see a
ty | number | screen px | see b
tile_x | number | screen px | Left edge of the tile
tile_y | number | screen px | Top edge of the tile
tile_width | number | screen px | Gaze outside the tile is not on the image
tile_height | number | screen px | Gaze outside the tile is not on the image
window_center | number | output of the Modality LUT | Window in force
window_width | number | output of the Modality LUT | Window in force
inverted | truth | | Whether the grey scale was turned round
flipped_horizontally | truth | | Mirrored left to right
flipped_vertically | truth | | Mirrored top to bottom
rotation_deg | whole | ° | Rotation, clockwise
"""
    ),
    "annotations": _columns(
        _WHO
        + _IMAGE
        + """
time_us | whole | µs | Since the reading began
kind | text | | class, box, keypoint, … (free notes are not exported)
label | text | | Class or name
x_image | number | source-image px | Left edge of a box, or the point
y_image | number | source-image px | Top edge of a box, or the point
width_image | number | source-image px | Of a box
height_image | number | source-image px | Of a box
spread_image | number | source-image px | Spread of a keypoint
undone_us | whole | µs | When it was taken back, since the reading began; empty if it stands
"""
    ),
    "answers": _columns(
        _WHO
        + """
arm | text | | Key of the arm that the case was read in; empty where the study has none
question | text | | Key of the question; answer and confidence in a study without a form
scope | text | | case, or mark
kind | text | | single, multiple, scale, number or confidence (free text is not exported)
value | text | | The answer that stands; of a multiple choice a JSON list
annotation_id | text | | Of a mark's answer the mark; else empty
time_us | whole | µs | When it was given, since the reading began
"""
    ),
    "quality": _columns(
        _WHO
        + """
case | text | | What the study calls the case that was read
duration_us | whole | µs | How long the reading lasted
sample_count | whole | | Samples
lost_count | whole | | Samples missing between the time stamps
damaged_chunks | whole | | Stored chunks that cannot be read any more: gaps in `samples`
missing_count | whole | | Samples that were due and never came
invalid_count | whole | | Samples without gaze
loss | number | share 0 to 1 | Samples missing or without gaze, of all that were due
off_image | number | share 0 to 1 | Samples with gaze beside every image
verdict | text | | good, doubtful or bad
verdict_reasons | text | | Why, separated by semicolons
accuracy_deg | number | ° of visual angle | Of the last validation before the reading
precision_rms_deg | number | ° of visual angle | RMS from sample to sample, of that validation
precision_sd_deg | number | ° of visual angle | Standard deviation, of that validation
tracker_kind | text | | tobii, lsl, simulated, imported, …
tracker_model | text | | Model of the tracker
tracker_rate_hz | number | Hz | Nominal rate
screen_width_px | number | screen px | Of the tracked screen
screen_height_px | number | screen px | Of the tracked screen
screen_width_mm | number | mm | Of the tracked screen
screen_height_mm | number | mm | Of the tracked screen
distance_mm | number | mm | From the eyes to the screen
distance_source | text | | tracker, taped, or assumed: then degrees are assumed too
imported_from | text | | Format gaze was imported from; empty if it was recorded here
lacks | text | | What the source of imported gaze does not say
"""
    ),
    "readers": _columns(
        _READER
        + """
speciality | text | | Coarse class the reader chose; empty where it was not asked
years | text | | Years of experience, a coarse class; empty where it was not asked
eyewear | text | | What the reader wears while reading; empty where it was not asked
"""
    ),
    "cases": _columns(
        """
case_id | text | | Id of the case; a row for each of its images
case | text | | What the study calls the case
practice | truth | | Whether it is for practice
tile | whole | | Tile in which the image hangs, from 0
"""
        + _IMAGE
        + """
age_group | text | | Age of the patient in coarse classes; empty where the sheet does not say
sex | text | | female, male or other; empty where the sheet does not say
has_question | truth | | Whether the sheet has a clinical question (free text is not exported)
has_priors | truth | | Whether it says what earlier images showed (free text is not exported)
"""
    ),
    "images": _columns(
        """
image_sha256 | text | | SHA-256 of the stored pixel values
image_id | text | | Id of the image in the study
image_name | text | | What the study calls the image
width | whole | source-image px | Columns
height | whole | source-image px | Rows
bits | whole | | Bits stored
photometric | text | | MONOCHROME1 or MONOCHROME2
modality | text | | DICOM modality
body_part | text | | DICOM body part
laterality | text | | L, R, B or U
view | text | | View, e.g. CC, MLO
row_spacing_mm | number | mm | Between centres of rows
column_spacing_mm | number | mm | Between centres of columns
source_group | text | | Same for all images of one patient: a keyed hash
label | text | | Label given at import
split | text | | train, val or test
"""
    ),
}
