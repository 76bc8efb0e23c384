"""What the pages show of a study beside its worklist, and the ways to open one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget
from sqlalchemy import func, select

from app.recording.worklist import WorklistRow
from app.ui.dialogs import ConsentDialog
from migrations.study.folder import Study
from migrations.study.schema import Reader, Reading

_STILL_TO_READ = ("to read", "interrupted", "open", "again")


def readers_of(study: Study, current: str | None) -> list[str]:
    """Return the pseudonyms of a study's readers, the one at the station among them."""
    with study.database.read() as session:
        names = list(session.scalars(select(Reader.pseudonym).order_by(Reader.pseudonym)))
    return names if current is None or current in names else [*names, current]


def finished_readings(study: Study) -> int:
    """Return how many readings there are to learn from."""
    query = select(func.count()).select_from(Reading).where(Reading.state == "finished")
    with study.database.read() as session:
        return int(session.scalar(query) or 0)


def why_not_read(rows: Sequence[WorklistRow], reader: str | None) -> str:
    """Return why nothing can be read now, in words; empty when it can."""
    if not rows:
        return "Import images first."
    if not reader:
        return "Choose a reader first."
    left = [row for row in rows if row.state in _STILL_TO_READ]
    if left and all(row.to_clear for row in left):
        return "The images wait to be cleared of burned-in names: press “Clear images…”."
    if left:
        return ""
    waiting = [r.reread.not_before for r in rows if r.state == "waiting" and r.reread]
    first = min((when for when in waiting if when), default=None)
    again = f" {len(waiting)} are read again from {first:%d %B %Y} on." if first else ""
    return f"All cases are read.{again}"


def ask_consent(
    window: QWidget, study: Study, pseudonym: str, agreed: Callable[[str], object]
) -> None:
    """Show the consent text, and ask for a pseudonym where none is given; does not wait."""
    taken = set(readers_of(study, None))
    ConsentDialog(window, study.settings.consent, pseudonym, taken.__contains__, agreed).open()


def ask_study(window: QWidget, chosen: Callable[[Path], object]) -> None:
    """Ask for the folder of a study."""
    name = QFileDialog.getExistingDirectory(window, "Open a study's folder")
    if name:
        chosen(Path(name))


def ask_new_study(window: QWidget, chosen: Callable[[Path], object]) -> None:
    """Ask for the folder of a new study."""
    name, _ = QFileDialog.getSaveFileName(window, "New study: name its folder")
    if name:
        chosen(Path(name))
