"""The list in every export: its files with their SHA-256, and whose data they are.

`db erase` reads it to name the exports that still contain traces of a person.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from migrations.study.database import foveate_version

MANIFEST = "foveate-export.json"
_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(
    out: Path, kind: str, files: Iterable[Path], readers: Iterable[str], images: Iterable[str]
) -> None:
    """Write `foveate-export.json` into an export's folder.

    Parameters
    ----------
    readers
        Pseudonyms of those whose readings were exported.
    images
        SHA-256 of the pixels of each image.
    """
    table: dict[str, Any] = {
        "format": kind,
        "foveate_version": foveate_version(),
        "readers": sorted(set(readers)),
        "images": sorted(set(images)),
        "files": {p.relative_to(out).as_posix(): sha256_of(p) for p in sorted(set(files))},
    }
    (out / MANIFEST).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
