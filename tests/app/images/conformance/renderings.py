"""Files rendered by the station, in its own decoding process, and by DCMTK."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
from pydicom import uid
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.decode import Decoded, Decoder
from app.images.files import PRESENTATION, STORED
from app.images.greyscale import display_lut
from tests import PATIENCE_S

_PALETTE = [f"{name}PaletteColorLookupTableData" for name in ("Red", "Green", "Blue")]
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
    subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
    return cv2.imread(str(picture), cv2.IMREAD_UNCHANGED) if picture.is_file() else None


def colours_shown(folder: Path, attributes: DisplayAttributes) -> np.ndarray:
    """Return what is shown of an imported colour image (its middle frame), (H, W, 3)."""
    stored = np.load(folder / STORED)
    stored = stored[len(stored) // 2] if attributes.frames > 1 else stored
    shown = display_lut(attributes).apply(stored)
    return shown if attributes.is_colour else np.repeat(shown[..., None], 3, axis=2)


def dcmtks_colours(path: Path, folder: Path, *options: str) -> np.ndarray | None:
    """Return DCMTK's picture in colour, (H, W, 3), None where it makes none."""
    picture = folder / "dcmtk.ppm"
    picture.unlink(missing_ok=True)
    command = [str(DCMJ2PNM), "--quiet", "--write-8-bit-pnm", *options, str(path), str(picture)]
    subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
    found = cv2.imread(str(picture)) if picture.is_file() else None
    return None if found is None else np.asarray(found[..., ::-1])


def others_colours(dataset: FileDataset, frame: int) -> np.ndarray | None:
    """Return a frame's colours, (H, W, 3) of 8 bits, by GDCM and pydicom; None where they cannot.

    GDCM decodes what is compressed; pydicom looks palettes up, segmented ones too.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID") or uid.ImplicitVRLittleEndian
    plugin = {"decoding_plugin": "gdcm"} if syntax.is_compressed else {}
    try:
        found, _ = get_decoder(syntax).as_array(dataset, index=frame, **plugin)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            found = apply_color_lut(found, _little(dataset))
            found = np.floor(found / (1 if found.itemsize == 1 else 257) + 0.5).astype(np.uint8)
    except Exception:  # they raise their own kinds
        return None
    return found if found.ndim == 3 and found.itemsize == 1 else None


def _little(dataset: FileDataset) -> FileDataset:
    """Return a data set whose palette's words are in the order that pydicom takes them in.

    Those of a segmented palette it takes as they are.
    """
    if dataset.original_encoding[1]:
        return dataset
    for element in list(dataset):
        if element.keyword in _PALETTE and element.VR == "OW":
            element.value = np.frombuffer(element.value, ">u2").astype("<u2").tobytes()
    return dataset


def same_order(values: np.ndarray, shown: np.ndarray) -> bool:
    """Return whether no pixel that is darker in one picture is brighter in the other."""
    order = np.lexsort((shown.ravel(), values.ravel()))
    rising = shown.ravel()[order].astype(int)
    return bool((np.diff(rising) >= 0).all())
