"""Small image files for tests of the import."""

from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from app.demo.phantom_files import Encoding, dicom_file


def good(path: Path, seed: int = 0, photometric: str = "MONOCHROME2") -> Path:
    brightness = np.random.default_rng(seed).random((40, 30), np.float32)
    brightness[0] = 0
    who = ("FICT-9", "Quill^Ada")
    dicom_file(path, brightness, Encoding(12, photometric, "explicit"), who, "L CC", seed + 1)
    return path


def png(path: Path, pixels: np.ndarray) -> Path:
    PilImage.fromarray(pixels).save(path, "PNG")
    return path
