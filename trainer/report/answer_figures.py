"""What `analyse` and `performance` drew, read from the study's exports for the report."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from trainer.analysis.figures.figure import INDEX
from trainer.drawing.style import inlined

_NAME = re.compile(r"[a-z][a-z0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class DrawnFigure:
    """A figure for the page: caption, notes that stand in it, and its SVG without foreign parts."""

    title: str
    caption: str
    svg: str
    tells_readers: bool


def drawn_figures(folder: Path, problems: list[str]) -> list[DrawnFigure]:
    """Return the figures of a folder, none where there are none; what cannot be read is a problem.

    Parameters
    ----------
    problems
        Gets a sentence for each figure that cannot be read.
    """
    path = folder / INDEX
    if not path.is_file():
        return []
    found = []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["figures"]
        for entry in entries:
            if not _NAME.fullmatch(entry["name"]):
                raise ValueError(f"{entry['name']!r} is not the name of a figure.")
            svg = inlined((folder / f"{entry['name']}.svg").read_text(encoding="utf-8"))
            found.append(
                DrawnFigure(
                    str(entry["title"]), str(entry["caption"]), svg, bool(entry["tells_readers"])
                )
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"The figures in {folder.name} cannot all be read: {error}")
    return found
