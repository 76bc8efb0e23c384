"""Edits a cell with a list of words; new ones can be typed if allowed."""

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

_Index = QModelIndex | QPersistentModelIndex


class WordDelegate(QStyledItemDelegate):
    """Offers `words`.

    Parameters
    ----------
    typed
        Whether other words may be typed.
    """

    def __init__(self, parent: QObject, *, typed: bool) -> None:
        super().__init__(parent)
        self._typed = typed
        self.words: tuple[str, ...] = ()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """Return the list, set to the cell's text."""
        made = QComboBox(parent)
        made.setEditable(self._typed or ";" in str(index.data(Qt.ItemDataRole.EditRole)))
        made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        made.addItems(self.words)
        made.activated.connect(lambda _place: self._chosen(made))
        return made

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Show the cell's text."""
        assert isinstance(editor, QComboBox)
        text = str(index.data(Qt.ItemDataRole.EditRole) or "")
        editor.setCurrentIndex(editor.findText(text))
        if editor.isEditable():
            editor.setEditText(text)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        """Return what was chosen or typed."""
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentText(), Qt.ItemDataRole.EditRole)

    def _chosen(self, editor: QComboBox) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)
