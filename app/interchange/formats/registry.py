"""The import formats of gaze: one line each, and those of other distributions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.interchange.foreign_reading import SourceFile
from app.interchange.formats.delimited import read_csv, read_layout
from app.interchange.formats.egd_cxr import read_egd_cxr
from app.interchange.formats.eyelink_asc import read_eyelink_asc
from app.interchange.formats.mcgip import read_mcgip, read_mcgip_mammo
from app.interchange.formats.miceye import read_miceye
from app.interchange.formats.reflacx import read_reflacx
from app.interchange.formats.scanpaths import read_ct_scangaze, read_gazesearch
from app.interchange.formats.tobii import read_tobii_tsv
from app.interchange.formats.xdf import read_xdf
from app.interchange.options import ImportOptions
from devices.plugins import free, plug_ins

Read = Callable[[Path, ImportOptions], SourceFile]
_TABLES = ("csv", "tsv", "txt", "xlsx")


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    read
        Reads one file.
    endings
        Ending of its files, for searching folders.
    text
        Description for people.
    pairs_by
        How files of gaze are matched with those of fixations: in the same "folder", in one of the
        same "folder name", among "all" files, or not.
    names
        Name of its files, if a folder may contain others with the same ending; empty: any name.
    """

    read: Read
    endings: tuple[str, ...]
    text: str
    pairs_by: str = ""
    names: tuple[str, ...] = ()


def _layout(name: str, text: str) -> Format:
    return Format(partial(_read_layout, name), _TABLES, text)


def _read_layout(name: str, path: Path, options: ImportOptions) -> SourceFile:
    return read_layout(path, options, name)


_OWN: dict[str, Format] = {
    "miceye": Format(read_miceye, ("csv",), "MicEye's csv, versions 1 and 2"),
    "mcgip": Format(read_mcgip, ("json", "csv"), "gaze JSON of the released McGIP/GzPT code"),
    "mcgip-mammo": Format(read_mcgip_mammo, ("csv",), "mammography csv of the released code"),
    "reflacx": Format(
        read_reflacx,
        ("csv",),
        "REFLACX gaze.csv, fixations.csv",
        "folder name",
        ("gaze.csv", "fixations.csv"),
    ),
    "egd-cxr": Format(read_egd_cxr, ("csv",), "EGD-CXR eye_gaze.csv, fixations.csv", "all"),
    "csv": Format(read_csv, _TABLES, "any csv, tsv or xlsx, by a mapping of its columns", "folder"),
    "tsv": Format(read_csv, ("tsv", "csv", "txt", "xlsx"), "the same as csv", "folder"),
    "tobii-tsv": Format(
        read_tobii_tsv, ("tsv", "xlsx"), "data export of Tobii Studio and Pro Lab, tsv or xlsx"
    ),
    "xdf": Format(read_xdf, ("xdf", "xdfz"), "LabRecorder's XDF: gaze streams and markers"),
    "eyelink-asc": Format(read_eyelink_asc, ("asc",), "EyeLink's .asc, as edf2asc writes it"),
    "gazesearch": Format(read_gazesearch, ("json",), "GazeSearch's scan paths"),
    "ct-scangaze": Format(read_ct_scangaze, ("json",), "CT-ScanGaze's scan paths on slices"),
    "eyelink-report": _layout("eyelink-report", "fixation and sample reports of Data Viewer"),
    "pupil-surface": _layout("pupil-surface", "Pupil's gaze and fixations on a surface"),
    "gazepoint": _layout("gazepoint", "Gazepoint Analysis' all-gaze csv"),
    "gazemedseg": _layout("gazemedseg", "GazeMedSeg's fixations"),
    "eyeassist": _layout("eyeassist", "EyeAssist's table of fixations"),
}


def with_plug_ins(own: Mapping[str, Format]) -> dict[str, Format]:
    """Return formats by name, including those of other distributions."""
    found = dict(own)
    for each in plug_ins("foveate.importers"):
        if not isinstance(each.content, Format):
            each.refuse("foveate.importers", "it is not a Format")
        elif free("foveate.importers", each, found):
            text = f"{each.content.text} ({each.package})"
            found[each.name] = replace(each.content, text=text)
    return found


FORMATS: dict[str, Format] = with_plug_ins(_OWN)
