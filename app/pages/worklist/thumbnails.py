"""Small pictures of cases on the worklist: made in workers, of the rows that are seen alone.

Only of cases that the reader has read and will not read again: seeing a case beforehand would
influence its reading.
"""

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QIcon
from sqlalchemy import select

from app.recording.worklist import WorklistRow
from app.ui.pictures import PictureLoader, pixmap_of
from app.workspace.pictures import Picture, Pictures
from migrations.study.folder import Study
from migrations.study.schema import CaseImage

SIDE = 40
_TOGETHER_MS = 60
_DONE = "finished"


class FirstPictures(Pictures):
    """Pictures of cases: each that of its first image."""

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._database = study.database

    def make(self, image_id: str, *, heat: bool) -> Picture:
        """Return the picture of a case, whose id is given in an image's place."""
        query = (
            select(CaseImage.image_id)
            .where(CaseImage.case_id == image_id)
            .order_by(CaseImage.tile)
            .limit(1)
        )
        with self._database.read() as session:
            first = session.scalar(query)
        return super().make(first or image_id, heat=heat)


class Thumbnails(QObject):
    """Gives rows their picture once it is there.

    Signals
    -------
    changed
        More pictures are there.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._loader = PictureLoader(self)
        self._icons: dict[str, QIcon] = {}
        self._asked: set[str] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOGETHER_MS)
        self._soon.timeout.connect(self.changed)

    def set_study(self, study: Study | None) -> None:
        """Show pictures of this study from now on."""
        self._loader.set_pictures(None if study is None else FirstPictures(study))
        self._icons.clear()
        self._asked.clear()

    def of(self, row: WorklistRow) -> QIcon | None:
        """Return the picture of a case; None until it is made, and for cases yet to be read."""
        if row.state != _DONE or row.to_clear:
            return None
        if row.case_id not in self._asked:
            self._asked.add(row.case_id)
            self._loader.load(row.case_id, lambda made: self._took(row.case_id, made), heat=False)
        return self._icons.get(row.case_id)

    def _took(self, case_id: str, made: Picture) -> None:
        if case_id in self._asked:  # else another study is open by now
            self._icons[case_id] = QIcon(pixmap_of(made, SIDE))
            self._soon.start()
