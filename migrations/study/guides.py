"""Where the guides are: next to the program, or in the environment it is installed in."""

import sys
from pathlib import Path

_BESIDE = Path(__file__).parents[2] / "docs"
_INSTALLED = Path(sys.prefix) / "share" / "doc" / "foveate" / "docs"


def guide(name: str) -> Path | None:
    """Return the file of a guide, such as "study"; None where it does not exist."""
    places = (folder / f"{name}.md" for folder in (_BESIDE, _INSTALLED, _INSTALLED.parent))
    return next((place for place in places if place.is_file()), None)
