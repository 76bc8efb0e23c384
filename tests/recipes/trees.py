"""Small files in the layout that each data set is published in; no pixel of the data sets."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

IMAGES = 12
WIDTH, HEIGHT = 120, 160
SIDES = ((30, 40), (85, 110))
"""Where readers look, by class (x, y)."""


def pixels(number: int, side: int) -> np.ndarray:
    """Return (HEIGHT, WIDTH) uint8: noise, and a bright spot where its class has it."""
    grey = np.random.default_rng(number).integers(0, 90, (HEIGHT, WIDTH), np.uint8)
    x, y = SIDES[side]
    grey[y - 12 : y + 12, x - 12 : x + 12] += 120
    return grey


def picture(path: Path, number: int, side: int) -> Path:
    """Write a PNG or JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(pixels(number, side)).save(path)
    return path


def blob(path: Path, x: int, y: int, number: int) -> Path:
    """Write a grey heat map: one bright place about (x, y) on black."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    moved = np.random.default_rng(number).integers(-4, 5, 2)
    heat = 255 * np.exp(-((columns - x - moved[0]) ** 2 + (rows - y - moved[1]) ** 2) / 900)
    path.parent.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(heat.astype(np.uint8)).save(path, "JPEG")
    return path


def dicom(path: Path, number: int, side: int, **more: Any) -> Path:
    """Write a radiograph of 12 bits."""
    data = Dataset()
    data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID = data.SeriesInstanceUID = generate_uid()
    data.Modality = "DX"
    data.Rows, data.Columns = HEIGHT, WIDTH
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    data.PixelData = (pixels(number, side).astype("<u2") * 16).tobytes()
    for name, value in more.items():
        setattr(data, name, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def table(path: Path, rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> Path:
    """Write a csv whose columns are those of its first row."""
    found = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(found)
    return path


def as_json(path: Path, content: Any) -> Path:
    """Write JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def fixations(number: int, side: int, count: int = 8) -> Sequence[tuple[int, int]]:
    """Return points (x, y) in pixels about where the class is looked at."""
    around = np.random.default_rng(100 + number).integers(-9, 10, (count, 2))
    return [(int(x), int(y)) for x, y in around + SIDES[side]]
