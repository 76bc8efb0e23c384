"""Files rendered by the station, in its own decoding process, and by DCMTK."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np

from app.errors import ImportRefused
from app.images.decode import Decoded, Decoder
from app.images.files import PRESENTATION

DCMJ2PNM = shutil.which("dcmj2pnm")


def ours(decoder: Decoder, path: Path, folder: Path) -> tuple[np.ndarray, Decoded] | ImportRefused:
    """Return `presentation.png` of a file and what was told of it, or why it is refused."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        decoded = decoder.decode(path, folder)
    except ImportRefused as refused:
        return refused
    return cv2.imread(str(folder / PRESENTATION), cv2.IMREAD_UNCHANGED), decoded


def dcmtks(path: Path, folder: Path, *options: str) -> np.ndarray | None:
    """Return DCMTK's picture, None where it makes none; `options` are those of dcmj2pnm."""
    picture = folder / "dcmtk.pgm"
    picture.unlink(missing_ok=True)
    command = [str(DCMJ2PNM), "--quiet", *options, str(path), str(picture)]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
    return cv2.imread(str(picture), cv2.IMREAD_UNCHANGED) if picture.is_file() else None


def same_order(values: np.ndarray, shown: np.ndarray) -> bool:
    """Return whether no pixel that is darker in one picture is brighter in the other."""
    order = np.lexsort((shown.ravel(), values.ravel()))
    rising = shown.ravel()[order].astype(int)
    return bool((np.diff(rising) >= 0).all())
