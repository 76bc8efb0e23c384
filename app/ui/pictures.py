"""Thumbnails on a page: made in worker threads, shown when ready."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget

from app.ui import theme
from app.ui.gui_thread import gui_mailbox, is_alive
from app.ui.small_widgets import column, label
from app.workspace.pictures import SIDE, Picture, Pictures


class _Work(QRunnable):
    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        """Make the picture; runs in a worker."""
        self._work()


class PictureLoader(QObject):
    """Gives pictures of a study to labels; one for all pages of the workspace."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._send = gui_mailbox()
        self._pictures: Pictures | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)

    def set_pictures(self, pictures: Pictures | None) -> None:
        """Serve another study."""
        self._pool.clear()
        self._pool.waitForDone(2000)
        self._pictures = pictures

    def load(self, image_id: str, shown: Callable[[Picture], object], *, heat: bool) -> None:
        """Call `shown` with the picture, at once if it exists already."""
        pictures = self._pictures
        if pictures is None:
            return
        kept = pictures.kept(image_id, heat=heat)
        if kept is not None:
            shown(kept)
            return
        send = self._send

        def work() -> None:
            picture = pictures.make(image_id, heat=heat)
            send(lambda: self._deliver(shown, picture))

        self._pool.start(_Work(work))

    def _deliver(self, shown: Callable[[Picture], object], picture: Picture) -> None:
        if is_alive(self):  # else the page is gone
            shown(picture)


class PictureCard(QFrame):
    """A picture with a caption.

    Signals
    -------
    chosen : str
        The image that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, loader: PictureLoader, side: int = SIDE) -> None:
        super().__init__()
        self.setProperty("role", "tile")
        self._loader, self._side, self.image_id = loader, side, ""
        self._picture = QLabel()
        self._picture.setFixedSize(side, side)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._caption = label("", "small")
        self._caption.setFixedWidth(side)
        self._caption.setMinimumHeight(2 * self._caption.fontMetrics().lineSpacing())
        self._caption.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        layout = column(self, theme.GRID, gap=theme.GRID // 2)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._caption, 0, Qt.AlignmentFlag.AlignHCenter)

    @property
    def caption(self) -> str:
        """The caption of the picture."""
        return self._caption.text()

    def show_image(self, image_id: str, caption: str, *, heat: bool = True) -> None:
        """Show an image, "" for none."""
        self.image_id = image_id
        self._caption.setText(caption)
        self.setAccessibleName(caption)
        if not image_id:
            self._picture.clear()
            return

        def shown(picture: Picture) -> None:
            if self.image_id == image_id:
                self._picture.setPixmap(pixmap_of(picture, self._side))

        self._loader.load(image_id, shown, heat=heat)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which image was clicked."""
        super().mousePressEvent(event)
        if self.image_id:
            self.chosen.emit(self.image_id)


class PictureStrip(QScrollArea):
    """A row of pictures that scrolls sideways.

    Signals
    -------
    chosen : str
        The image that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, loader: PictureLoader, side: int = SIDE) -> None:
        super().__init__()
        self._loader, self._side = loader, side
        self._images: tuple[tuple[str, str], ...] = ()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(side + 72)
        self._inside = QWidget()
        self._row = QHBoxLayout(self._inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.GRID)
        self._row.addStretch(1)
        self.setWidget(self._inside)
        self.cards: list[PictureCard] = []

    def show_images(self, images: Sequence[tuple[str, str]]) -> None:
        """Show images with captions; a strip that is not visible loads nothing until it is."""
        self._images = tuple(images)
        if self.isVisible():
            self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        """Load what should have been shown meanwhile."""
        super().showEvent(event)
        self._fill()

    def _fill(self) -> None:
        images = self._images
        while len(self.cards) < len(images):
            card = PictureCard(self._loader, self._side)
            card.chosen.connect(self.chosen)
            self.cards.append(card)
            self._row.insertWidget(self._row.count() - 1, card)
        for k, card in enumerate(self.cards):
            card.setVisible(k < len(images))
            if k < len(images):
                card.show_image(*images[k])


def pixmap_of(picture: Picture, side: int) -> QPixmap:
    """Return a picture (H, W, 3) as pixmap that fits a square."""
    height, width, _ = picture.shape
    image = QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return QPixmap.fromImage(image).scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
