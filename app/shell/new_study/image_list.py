"""The files and folders that a new study starts with: typed, chosen or dropped."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

_HEIGHT = 160


class _Line(QLineEdit):
    """A line whose Enter adds its text; if it is empty, Enter goes to the step."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Accept the key, and keep Enter if there is something to add."""
        adds = bool(self.text().strip())
        super().keyPressEvent(event)
        if adds and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class ImageList(QWidget):
    """Accepts paths that exist, each once; Delete removes the selected one."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.line = _Line()
        self.line.setObjectName("new_image_path")
        self.line.setAccessibleName(tr("Path to a file or folder"))
        self.line.setPlaceholderText(
            tr("Path to a file, folder, zip archive or CSV file of labels")
        )
        self.line.returnPressed.connect(self._add_typed)
        self.list = QListWidget()
        self.list.setObjectName("new_images")
        self.list.setAccessibleName(tr("Images to import"))
        self.list.setMinimumHeight(_HEIGHT)
        self._problem = label("", "warning")
        self._problem.hide()
        layout = column(self)
        add = button("new_image_add", tr("Add"), self._add_typed)
        typed = row(self.line, add)
        typed.setStretch(0, 1)
        layout.addLayout(typed)
        layout.addWidget(self._problem)
        layout.addWidget(self.list)
        layout.addLayout(
            row(
                button("new_image_files", tr("Files…"), self._ask_files, picture="import"),
                button("new_image_folder", tr("Folder…"), self._ask_folder, picture="open"),
                button("new_image_remove", tr("Remove"), self._remove),
                gap=theme.GRID,
                stretch=True,
            )
        )

    @property
    def paths(self) -> tuple[Path, ...]:
        """What will be imported, in the order in which it was added."""
        return tuple(Path(self.list.item(i).text()) for i in range(self.list.count()))

    def add(self, paths: Iterable[Path]) -> None:
        """Add paths; a missing one is reported."""
        missing = ""
        for path in (each.expanduser() for each in paths):
            if not path.exists():
                missing = tr("{path} does not exist.", path=path)
            elif path.resolve() not in self.paths:
                self.list.addItem(str(path.resolve()))
        self._problem.setText(missing)
        self._problem.setVisible(bool(missing))

    def clear(self) -> None:
        """Remove all."""
        self.list.clear()
        self.line.clear()
        self.add(())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the selected path on Delete."""
        if event.key() == Qt.Key.Key_Delete:
            self._remove()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self.add(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())

    def _add_typed(self) -> None:
        text = self.line.text().strip()
        if text:
            self.add([Path(text)])
            if not self._problem.isVisibleTo(self):
                self.line.clear()

    def _remove(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Choose images"))
        self.add(map(Path, names))

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Choose a folder of images"))
        if name:
            self.add([Path(name)])
