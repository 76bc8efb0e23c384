"""The list that goes with every export: its files with their SHA-256, and whose data they are.

`db erase` reads it to name the exports that still hold traces of somebody.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from migrations.study.database import foveate_version
from migrations.study.folder import Study
from migrations.study.schema import Reader

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
    out: Path, kind: str, files: Iterable[Path], study: Study, images: Iterable[str]
) -> None:
    """Write `foveate-export.json` into an export's folder.

    Parameters
    ----------
    study
        Whose readers' pseudonyms are listed.
    images
        SHA-256 of their pixels.
    """
    with study.database.read() as session:
        readers = session.scalars(select(Reader.pseudonym).distinct()).all()
    table: dict[str, Any] = {
        "format": kind,
        "foveate_version": foveate_version(),
        "readers": sorted(readers),
        "images": sorted(set(images)),
        "files": {p.relative_to(out).as_posix(): sha256_of(p) for p in sorted(set(files))},
    }
    (out / MANIFEST).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
