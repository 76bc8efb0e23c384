"""All files of pydicom and pydicom-data: what is accepted is pydicom's own array, bit for bit."""

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels.processing import apply_color_lut

from app.errors import ImportRefused
from app.images.attributes import DisplayAttributes
from app.images.decoding.decode_file import read_file

ROOTS = [Path(pydicom.__file__).parent / "data"]
try:
    import data_store

    ROOTS.append(Path(data_store.__file__).parent / "data")
except ImportError:
    pass
NO_DATA = (".py", ".pyc", ".json", ".txt", ".md", ".csv")
FILES = [
    path
    for root in ROOTS
    for path in sorted(root.rglob("*"))
    if path.is_file() and path.suffix not in NO_DATA
]
REASONS = (
    "without a picture", "bits stored in", "is a DICOMDIR", "neither DICOM",
    "is truncated", "not a readable DICOM", "what its pixels mean", "its compressed pixels are",
)  # fmt: skip


SYNTAXES = {
    "Implicit VR Little Endian",
    "Explicit VR Little Endian",
    "Explicit VR Big Endian",
    "Deflated Explicit VR Little Endian",
    "RLE Lossless",
    "JPEG Baseline (Process 1)",
    "JPEG Extended (Process 2 and 4)",
    "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
    "JPEG-LS Lossless Image Compression",
    "JPEG-LS Lossy (Near-Lossless) Image Compression",
    "JPEG 2000 Image Compression (Lossless Only)",
    "JPEG 2000 Image Compression",
}


def pydicoms(path: Path) -> tuple[pydicom.Dataset | None, np.ndarray | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, force=True)
            if "TransferSyntaxUID" not in dataset.file_meta and dataset.original_encoding[0]:
                dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
            return dataset, dataset.pixel_array
        except Exception:
            return None, None


def readable(dataset: pydicom.Dataset | None) -> bool:
    return dataset is not None and dataset.get("BitsAllocated") in (8, 16)


def decoded(path: Path) -> tuple[np.ndarray, DisplayAttributes] | str:
    """Return what we make of a file, or why it is refused."""
    try:
        return read_file(path, b"k" * 32)[:2]
    except ImportRefused as refused:
        return str(refused)


@pytest.mark.filterwarnings("ignore")
def test_every_file_of_both_corpora_gives_pydicoms_own_array() -> None:
    counts: Counter[str] = Counter()
    seen = set()
    for path in FILES:
        dataset, expected = pydicoms(path)
        ours = decoded(path)
        if isinstance(ours, str):
            reason = next((r for r in REASONS if r in ours), None)
            assert reason, f"{path.name}: {ours}"
            assert not readable(dataset), f"{path.name} was refused: {ours}"
            counts[reason] += 1
            continue
        stored, attributes = ours
        counts["accepted"] += 1
        seen.add(attributes.transfer_syntax)
        if expected is None and attributes.transfer_syntax == uid.JPEGExtended12Bit:
            continue  # beside DCMTK: test_compressed_frames
        assert expected is not None, f"{path.name}: pydicom cannot decode what was accepted"
        little = expected.astype(expected.dtype.newbyteorder("<"))
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            if attributes.transfer_syntax == uid.ExplicitVRBigEndian:
                continue  # pydicom reads its palette's words in the other order
            little = apply_color_lut(little, dataset)
            little = np.floor(little / (257 if little.itemsize == 2 else 1) + 0.5).astype(np.uint8)
        if little.shape[-1:] == (3,) and stored.ndim < little.ndim:
            counts["grey as colour"] += 1
            little = little[..., 0]
        counts["colour"] += attributes.samples == 3
        assert (stored.dtype, stored.shape) == (little.dtype, little.shape), path.name
        assert stored.tobytes() == little.tobytes(), path.name
        assert stored.shape == attributes.shape
    assert counts["accepted"] >= (80 if len(ROOTS) == 2 else 40)
    assert counts["colour"] >= 20
    if len(ROOTS) == 2:
        assert {uid.UID(str(syntax)).name for syntax in seen} == SYNTAXES
