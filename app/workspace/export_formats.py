"""The export formats of a study, and the words of the command for each."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.workspace.measures import COMPUTED

_ENCODER_FILES = ("encoder.safetensors", "encoder.onnx", "encoder.json", "README.md")


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format.

    Attributes
    ----------
    name
        Its name in `python main.py export`.
    of_encoder
        Whether it belongs to one run's encoder.
    of_measure
        Whether it needs a gaze similarity.
    is_file
        Whether it makes one file, not a folder.
    is_published
        Whether it is meant for others, and so needs a licence.
    """

    name: str
    title: str
    text: str
    of_encoder: bool = False
    of_measure: bool = False
    is_file: bool = False
    is_published: bool = False

    def words(
        self,
        study: Path,
        out: Path,
        *,
        encoder: str = "",
        measure: str = "",
        licence: str = "",
        with_images: bool = False,
    ) -> Sequence[str]:
        """Return the command that exports a study; empty choices are the command's own."""
        found = ["export", self.name, "--study", str(study), "--out", str(out), "--events", "json"]
        if self.of_encoder and encoder:
            found += ["--encoder", encoder]
        if self.of_measure and measure:
            found += ["--measure", measure]
        if self.is_published:
            found += ["--licence", licence]
            found += ["--with-images"] if with_images else []
        return found


ENCODER = "encoder"
"""The format without a command: files of a run are copied."""
FORMATS = (
    ExportFormat("bids", "BIDS", "Eye tracking as BIDS 1.11: one file per eye, with gaze events, "
                 "study events and screen geometry."),
    ExportFormat("csv", "Tables (csv)", "Samples, fixations, gaze events, views, answers and "
                 "gaze quality, with a description of every column."),
    ExportFormat("parquet", "Tables (Parquet)", "The same tables as Parquet files (requires "
                 "pyarrow)."),
    ExportFormat("dataset", "Data set to publish", "BIDS and tables with a licence, a datasheet, "
                 "Croissant metadata and checksums, read back at the end.", is_published=True),
    ExportFormat("mcgip", "McGIP / GzPT", "Images, gaze, relation and splits in the format that "
                 "the published code reads.", of_measure=True),
    ExportFormat("relation", "Gaze similarity", "The similarity of every pair of images, as npy "
                 "and npz.", of_measure=True),
    ExportFormat("features", "Features", "The features of every image, computed by an encoder, as "
                 "npz.", of_encoder=True),
    ExportFormat(ENCODER, "Encoder", "The weights of a run with their model card, and as ONNX if "
                 "the run saved it.", of_encoder=True),
    ExportFormat("archive", "Whole study", "An archive: the study with all its images in one file, "
                 "with checksums.", is_file=True),
)  # fmt: skip
MEASURES = ("", *(name for name in COMPUTED if name != "auto"))
"""What an export that needs a measure offers; empty: that of the study's newest similarity."""


def copy_encoder(run_folder: Path, out: Path) -> list[Path]:
    """Copy a run's encoder and its accompanying files into a new or empty folder.

    Raises
    ------
    OSError
        If the folder is not empty or cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(17, "the folder is not empty; choose a new one", str(out))
    there = [run_folder / name for name in _ENCODER_FILES if (run_folder / name).is_file()]
    return [Path(shutil.copyfile(path, out / path.name)) for path in there]
