"""EyeLink's .asc (edf2asc): samples and fixations of each trial, read line by line.

Gaze counts in pixels of the display (GAZE; raw pupil and HREF data are refused), times in ms; a dot
marks a missing point. What was shown follows from Experiment Builder's messages (`!V IMGLOAD …`,
`!V TRIAL_VAR image …`), from `image: NAME`, or from the word given with --markers.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.interchange.foreign_reading import (
    IntArray,
    RowCounts,
    SourceFile,
    SourceFixations,
    SourceReading,
)
from app.interchange.formats.canvas import middle
from app.interchange.notes import Note, note
from app.interchange.number_text import plain_float
from app.interchange.options import ImportOptions
from app.interchange.places import Place, fitted_screen, own_size, shown_at
from app.interchange.rows import encoding_of, opened
from devices.gaze.errors import GazeFileError
from devices.gaze.geometry import FloatArray, ScreenGeometry

ASSUMED_MM_PER_PX = 0.27
_COORDS = re.compile(r"(?:DISPLAY|GAZE)_COORDS\s*=?\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)")
_LOADED = re.compile(
    r"!V IMGLOAD\s+(FILL|CENTER|TOP_LEFT)\s+(.+?)((?:\s+-?\d+(?:\.\d+)?){0,4})\s*$", re.IGNORECASE
)
_VARIABLE = re.compile(r"!V TRIAL_VAR\s+(?:image|img|stimulus|picture)\w*\s+(.+)", re.IGNORECASE)
_MARKED = re.compile(r"(?:image|stimulus)\s*:\s*(.+)", re.IGNORECASE)
_NAN = float("nan")


@dataclass(slots=True)
class _Trial:
    """One trial so far; `values` has seven numbers per sample."""

    image: str = ""
    place: Place | None = None
    values: "array[float]" = field(default_factory=lambda: array("d"))
    fixations: list[tuple[str, float, float, float, float]] = field(default_factory=list)


def read_eyelink_asc(path: Path, options: ImportOptions) -> SourceFile:
    """Read one file; its trials are read as they are requested.

    Raises
    ------
    GazeFileError
        If it is not an .asc, or contains data other than gaze.
    """
    encoding = encoding_of(path)
    with opened(path, encoding) as file:
        head = file.read(4096)
    if not head.lstrip().startswith("**") and "MSG" not in head and "START" not in head:
        raise GazeFileError(f"{path} is not an EyeLink .asc file. Convert the .edf with edf2asc.")
    counts, notes = RowCounts(), list[Note]()
    reader = _Reader(path, encoding, options, counts, notes)
    return SourceFile(reader.readings(), counts, notes)


@dataclass(slots=True)
class _Reader:
    path: Path
    encoding: str
    options: ImportOptions
    counts: RowCounts
    notes: list[Note]
    screen: ScreenGeometry | None = None
    both: bool = False
    left: bool = False
    trial: _Trial = field(default_factory=_Trial)

    def readings(self) -> Iterator[SourceReading]:
        self.screen = self.options.screen
        found = False
        with opened(self.path, self.encoding) as file:
            for line in file:
                first = line[:1]
                if first.isdigit():
                    self._sample(line)
                elif line.startswith("EFIX"):
                    self._fixation(line)
                elif line.startswith(("MSG", "START", "SAMPLES", "END")):
                    made = self._event(line)
                    if made is not None:
                        found = True
                        yield made
        made = self._ended()
        if made is not None:
            yield made
        elif not found:
            self.notes.append(note("no-image-message"))

    def _sample(self, line: str) -> None:
        cells = line.split()
        wanted = 7 if self.both else 4
        try:
            numbers = [_NAN if cell == "." else plain_float(cell) for cell in cells[:wanted]]
        except ValueError as error:
            raise GazeFileError(
                f"{self.path}: the sample {line.strip()[:60]!r} cannot be read."
            ) from error
        numbers += [_NAN] * (wanted - len(numbers))
        if not self.both:
            none = [_NAN] * 3
            numbers = [numbers[0], *(numbers[1:] + none if self.left else none + numbers[1:])]
        self.counts.read += 1
        self.trial.values.extend(numbers)

    def _fixation(self, line: str) -> None:
        cells = line.split()
        if len(cells) >= 7 and "." not in (cells[5], cells[6]):
            try:
                start, end, x, y = (plain_float(cells[k]) for k in (2, 3, 5, 6))
            except ValueError as error:
                raise GazeFileError(
                    f"{self.path}: the fixation {line.strip()[:60]!r} cannot be read."
                ) from error
            self.trial.fixations.append((cells[1], start, end - start, x, y))

    def _event(self, line: str) -> SourceReading | None:
        words = line.split()
        if words[0] == "START":
            self.left, right = "LEFT" in words, "RIGHT" in words
            self.both = self.left and right
        elif words[0] == "SAMPLES" and len(words) > 1 and words[1] != "GAZE":
            raise GazeFileError(
                f"{self.path} contains {words[1]} samples, not gaze. Convert the .edf with "
                "edf2asc -sg."
            )
        elif words[0] == "END":
            return self._ended()
        elif words[0] == "MSG" and len(words) > 2:
            return self._message(line.split(None, 2)[2].strip())
        return None

    def _message(self, text: str) -> SourceReading | None:
        coords = _COORDS.search(text)
        if coords and self.options.screen is None:
            x, y, right, bottom = self._coordinates(coords.groups(), text)
            width, height, mm = right - x + 1, bottom - y + 1, ASSUMED_MM_PER_PX
            self.screen = ScreenGeometry(width, height, width * mm, height * mm)
        if text.startswith(("TRIALID", "TRIAL_RESULT")):
            return self._ended()
        name, place = self._image_of(text)
        if not name:
            return None
        variable = _VARIABLE.search(text) is not None
        made = None if variable or not self.trial.image else self._ended()
        if not self.trial.image:
            self.trial.image, self.trial.place = name, place
            if not variable:  # gaze before the image appeared was not on it
                self._leave_out("before the image was shown")
        return made

    def _coordinates(self, values: Sequence[str], text: str) -> list[float]:
        try:
            return [plain_float(value) for value in values]
        except ValueError as error:
            raise GazeFileError(
                f"{self.path}: the message {text[:60]!r} cannot be read."
            ) from error

    def _image_of(self, text: str) -> tuple[str, Place | None]:
        marker = self.options.markers
        if marker is not None:
            at = text.casefold().find(marker.casefold())
            return (text[at + len(marker) :].strip(" :\t"), None) if at >= 0 else ("", None)
        loaded = _LOADED.search(text)
        if loaded:
            return loaded[2].strip(), self._loaded(loaded[1].upper(), loaded[3].split())
        found = _VARIABLE.search(text) or _MARKED.search(text)
        return (found[1].strip() if found else ""), None

    def _loaded(self, how: str, numbers: list[str]) -> Place | None:
        """Return where Experiment Builder put a picture."""
        at = [float(number) for number in numbers]
        if how == "FILL" and self.screen is not None:
            return shown_at(0, 0, self.screen.width_screen, self.screen.height_screen)
        if len(at) == 4 and min(at[2:]) > 0:
            x, y = (at[0] - at[2] / 2, at[1] - at[3] / 2) if how == "CENTER" else (at[0], at[1])
            return shown_at(x, y, at[2], at[3])
        if len(at) >= 2:
            return own_size(at[0], at[1], centred=how == "CENTER")
        return None

    def _leave_out(self, reason: str) -> None:
        count = len(self.trial.values) // 7
        if count:
            self.counts.dropped[reason] += count
            self.trial.values = array("d")
        self.trial.fixations.clear()

    def _ended(self) -> SourceReading | None:
        trial, self.trial = self.trial, _Trial()
        if not len(trial.values):
            if trial.image:  # the image is named before recording starts
                self.trial = trial
            return None
        if not trial.image:
            self.counts.dropped["no image named"] += len(trial.values) // 7
            return None
        return self._reading(trial)

    def _reading(self, trial: _Trial) -> SourceReading:
        if self.screen is None:
            raise GazeFileError(
                f"{self.path} does not contain the display's size (DISPLAY_COORDS). Give it "
                "with --screen WIDTHxHEIGHT."
            )
        values = np.frombuffer(trial.values, np.float64).reshape(-1, 7)
        eyes: tuple[FloatArray, FloatArray] = (values[:, 1:3].copy(), values[:, 4:6].copy())
        for own in eyes:
            own[np.isnan(own).any(axis=1)] = np.nan
        shown = self.options.shown
        place = shown_at(*shown) if shown else trial.place or fitted_screen(self.screen)
        known = shown is not None or trial.place is not None
        time_us: IntArray = np.rint(values[:, 0] * 1000).astype(np.int64)
        return SourceReading(
            image=trial.image,
            points_canvas=middle(*eyes),
            time_us=time_us,
            place=place,
            eyes_canvas=eyes,
            screen=self.screen,
            fixations=_fixations(trial, place),
            lacks=("pupil", "screen size in mm", *(() if known else ("geometry",))),
            details={"time_base": "EyeLink host clock"},
        )


def _fixations(trial: _Trial, place: Place) -> SourceFixations | None:
    """Return the fixations of the eye that has more; EyeLink finds them for each eye."""
    by_eye = {eye: [f for f in trial.fixations if f[0] == eye] for eye in ("R", "L")}
    found = max(by_eye.values(), key=len)
    if not found:
        return None
    rows = np.array([each[1:] for each in found], np.float64)
    start, lasted = (np.rint(rows[:, k] * 1000).astype(np.int64) for k in (0, 1))
    return SourceFixations(start, lasted, rows[:, 2:4].copy(), place)
