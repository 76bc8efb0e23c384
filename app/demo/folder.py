"""The demo's folder: emptied when a demo begins anew, unless somebody else's work is in it."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from app.errors import AppError
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.processes import as_typed, only_one
from migrations.study.schema import Reader, Reading

MARK, LOCK = ".foveate-demo", ".foveate-demo-runs"
READER = "SIM-1"
"""The simulated reader of the demo."""


@contextlib.contextmanager
def demo_folder(folder: Path) -> Iterator[None]:
    """Give a demo its folder, made or emptied, to itself.

    Raises
    ------
    AppError
        If the folder holds what no demo created, or is in use: by another demo, by a window, or by
        readers who read the demo's cases themselves.
    """
    lock = folder / LOCK
    _require_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(
        as_typed("Created by `python main.py --demo`. The next demo empties this folder.\n")
    )
    with only_one(lock) as other:
        if other is not None:
            raise AppError(
                f"Another demo is running in {folder} (process {other.pid}). Wait until it has "
                "ended, or choose another folder with --out."
            )
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in (MARK, LOCK):
                path.unlink()
        yield


def _require_free(folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / MARK).exists():
        raise AppError(
            f"{folder} contains files that the demo did not create. Choose another folder with "
            "--out."
        )
    from app.shell.only_window import is_open  # Qt: the command looks first whether it is there

    if is_open(folder / "study"):
        raise AppError(
            f"{folder / 'study'} is open in a Foveate window. Close it, or choose another folder "
            "with --out."
        )
    own = _other_readers(folder / "study")
    if own:
        raise AppError(
            f"{folder / 'study'} contains readings of {', '.join(own)}, which a new demo would "
            "delete. Choose another folder with --out, or move or delete this one."
        )


def _other_readers(study: Path) -> list[str]:
    """Return who read in a study beside the simulated reader; nobody where there is no study."""
    query = select(Reader.pseudonym).where(Reader.id.in_(select(Reading.reader_id)))
    with (
        contextlib.suppress(StudyError),
        contextlib.closing(Study.open(study)) as opened,
        opened.database.read() as rows,
    ):
        return sorted(name for name in rows.scalars(query) if name != READER)
    return []
