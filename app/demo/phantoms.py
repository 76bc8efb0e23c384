"""A cohort for trying everything: phantom mammograms as genuine DICOM files, and real radiographs.

The phantoms have fictitious names and identifiers, so that there is something to de-identify. The
findings of each picture are in `truth.json`, by the SHA-256 of its stored values; it is beside the
files, outside any study.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray

from app.demo.breast import BreastShape, Finding, Mammogram, draw_mammogram
from app.demo.lesions import LESIONS
from app.demo.phantom_files import Encoding, dicom_file
from migrations.study.csv_cells import CsvWriter

__all__ = ["Cohort", "CohortFile", "Finding", "read_truth", "write_cohort"]

_NAMES = ("Quill^Ada", "Marlow^Bea", "Finch^Cora", "Thorne^Dana", "Wren^Edith", "Vale^Fay")
_ENCODINGS = (
    Encoding(12, "MONOCHROME2", "explicit"),
    Encoding(14, "MONOCHROME1", "jpeg-ls"),
    Encoding(16, "MONOCHROME2", "rle"),
    Encoding(12, "MONOCHROME1", "implicit"),
    Encoding(14, "MONOCHROME2", "deflated"),
)
_CLASSES = ("normal", *LESIONS)
# Which views a patient has: both views of one breast, or of both.
_VIEWS = (("L CC", "L MLO"), ("R CC", "R MLO"), ("L CC", "L MLO", "R CC", "R MLO"))


@dataclass(frozen=True, slots=True)
class CohortFile:
    """One file of the cohort and its findings.

    Attributes
    ----------
    label
        Class of the picture.
    patient
        A word shared by the pictures of one patient.
    findings
        In source-image pixels; the lesion first.
    pixels_sha256
        SHA-256 of the stored values, as an import computes it.
    """

    path: Path
    label: str
    patient: str
    findings: tuple[Finding, ...]
    pixels_sha256: str


@dataclass(frozen=True, slots=True)
class Cohort:
    """All files, and the two tables beside them."""

    folder: Path
    files: tuple[CohortFile, ...]
    labels: Path
    truth: Path

    @property
    def paths(self) -> list[Path]:
        """The files to import."""
        return [file.path for file in self.files]


def write_cohort(folder: Path, cases: int, seed: int, *, real: bool = True) -> Cohort:
    """Write a cohort into a folder.

    Parameters
    ----------
    folder
        Created if necessary; outside any study.
    cases
        Number of files: the real radiographs of pydicom-data (two, if it is installed and at least
        six cases are requested), one 16-bit PNG (from four cases on), the rest phantoms.
    seed
        The same seed gives the same pixels.
    real
        False leaves the radiographs out: one modality.

    Raises
    ------
    ValueError
        If less than one case is requested.
    """
    if cases < 1:
        raise ValueError(f"a cohort needs at least one case, not {cases}.")
    folder.mkdir(parents=True, exist_ok=True)
    copied = _real_radiographs() if real and cases >= 6 else []
    pictures = cases - len(copied)
    files = list(_phantoms(folder, pictures, seed, png=pictures >= 4))
    files += [_copied(folder, *item) for item in copied]
    return Cohort(folder, tuple(files), _write_labels(folder, files), _write_truth(folder, files))


def read_truth(path: Path) -> dict[str, tuple[Finding, ...]]:
    """Return the findings of `truth.json` by the sha256 of the stored values."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return {
        digest: tuple(Finding(**finding) for finding in entry["findings"])
        for digest, entry in table.items()
    }


def _phantoms(folder: Path, count: int, seed: int, *, png: bool) -> Iterator[CohortFile]:
    planned = islice(_plan(seed), count)
    for number, (patient, view, lesion, shape) in enumerate(planned, 1):
        rng = np.random.default_rng([seed, number])
        drawn = draw_mammogram(
            shape, lesion, oblique=view.endswith("MLO"), right=view.startswith("R"), rng=rng
        )
        if png and number == count:
            yield _png(folder / f"IM{number:04d}.png", drawn, lesion, f"FICT-{patient:04d}")
        else:
            yield _dicom(folder / f"IM{number:04d}.dcm", drawn, patient, view, lesion, number)


def _plan(seed: int) -> Iterator[tuple[int, str, str, BreastShape]]:
    """Yield, patient by patient: number, view, lesion and the shape of the breast."""
    rng = np.random.default_rng(seed)
    for patient, views in enumerate(cycle(_VIEWS), 1):
        lesion = _CLASSES[(patient - 1) % len(_CLASSES)]
        rows = 8 * int(rng.integers(122, 135))
        shape = BreastShape(
            rows, 8 * round(rows * 0.8125 / 8), rng.uniform(0.58, 0.78), rng.uniform(0.15, 0.85)
        )
        for view in views:  # the lesion is in the first breast
            yield patient, view, lesion if view[0] == views[0][0] else "normal", shape


def _dicom(
    path: Path, drawn: Mammogram, patient: int, view: str, label: str, number: int
) -> CohortFile:
    encoding = _ENCODINGS[(number - 1) % len(_ENCODINGS)]
    who = (f"FICT-{patient:04d}", _NAMES[(patient - 1) % len(_NAMES)])
    stored = dicom_file(path, drawn.brightness, encoding, who, view, number)
    return CohortFile(path, label, who[0], drawn.findings, _sha256(stored))


def _png(path: Path, drawn: Mammogram, label: str, patient: str) -> CohortFile:
    stored = np.floor(drawn.brightness * 60_000 + 0.5).astype(np.uint16)
    done, data = cv2.imencode(".png", stored)
    if not done:
        raise RuntimeError(f"OpenCV could not encode {path.name}")
    path.write_bytes(data.tobytes())
    return CohortFile(path, label, patient, drawn.findings, _sha256(stored))


# Places on the two real radiographs, found by eye: multiple lung masses; a lytic lesion of the
# distal tibia. (x, y, radius, weight) in source-image pixels.
_REAL = {
    "RG1_J2KR.dcm": (
        "chest",
        (
            (1462, 855, 95, 1.0), (1352, 700, 85, 0.9), (1457, 1168, 115, 1.0),
            (490, 1150, 120, 1.0), (388, 705, 100, 0.9), (262, 1330, 100, 0.9),
            (1075, 487, 55, 0.5), (620, 900, 90, 0.3), (1180, 1330, 150, 0.2),
        ),
    ),
    "RG3_J2KR.dcm": (
        "leg",
        (
            (857, 1113, 100, 1.0), (815, 1380, 110, 0.4), (940, 1440, 80, 0.4),
            (845, 1550, 110, 0.3), (860, 600, 90, 0.2), (1010, 600, 60, 0.2),
        ),
    ),
}  # fmt: skip


def _real_radiographs() -> list[tuple[Path, str, tuple[Finding, ...]]]:
    """Return the radiographs of the package pydicom-data, if it is installed; never downloads."""
    for entry in entry_points(group="pydicom.data.external_sources"):
        store = entry.load()()
        folder = Path(store.data_path)
        return [
            (folder / name, label, tuple(Finding(*place) for place in places))
            for name, (label, places) in _REAL.items()
            if (folder / name).is_file()
        ]
    return []


def _copied(folder: Path, source: Path, label: str, findings: tuple[Finding, ...]) -> CohortFile:
    path = folder / source.name
    path.write_bytes(source.read_bytes())
    return CohortFile(
        path, label, source.stem, findings, _sha256(pydicom.dcmread(path).pixel_array)
    )


def _write_labels(folder: Path, files: list[CohortFile]) -> Path:
    path = folder / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = CsvWriter(file)
        writer.row(("image", "label", "patient"))
        writer.rows((item.path.name, item.label, item.patient) for item in files)
    return path


def _write_truth(folder: Path, files: list[CohortFile]) -> Path:
    path = folder / "truth.json"
    table = {
        item.pixels_sha256: {
            "label": item.label,
            "findings": [asdict(finding) for finding in item.findings],
        }
        for item in files
    }
    path.write_text(json.dumps(table, indent=1), encoding="utf-8")
    return path


def _sha256(stored: NDArray[Any]) -> str:
    little = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(little.tobytes()).hexdigest()
