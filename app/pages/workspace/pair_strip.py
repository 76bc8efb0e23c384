"""Two images side by side with their similarity between them, alone or in a row."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from app.ui import theme
from app.ui.pictures import PictureCard, PictureLoader
from app.ui.small_widgets import column, label

_SIDE = 120


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two images, their names, and how similar the gaze on them is, in words."""

    first: str
    second: str
    first_name: str
    second_name: str
    value: str


class PairCard(QFrame):
    """A pair of pictures.

    Signals
    -------
    chosen : str
        The image that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, loader: PictureLoader, side: int = _SIDE) -> None:
        super().__init__()
        self.setProperty("role", "tile")
        self.cards = (PictureCard(loader, side), PictureCard(loader, side))
        self._value = label("", "heading", wrap=False)
        self._value.setMinimumWidth(90)
        self._value.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(*[theme.GRID // 2] * 4)
        layout.setSpacing(theme.GRID // 2)
        for card in self.cards:
            card.chosen.connect(self.chosen)
        layout.addWidget(self.cards[0])
        layout.addWidget(self._value)
        layout.addWidget(self.cards[1])
        layout.addStretch(1)

    @property
    def value(self) -> str:
        """The text between the pictures."""
        return self._value.text()

    def show_pair(self, pair: ShownPair) -> None:
        """Show two images with what was looked at."""
        self._value.setText(pair.value)
        self.cards[0].show_image(pair.first, pair.first_name)
        self.cards[1].show_image(pair.second, pair.second_name)
        self.setAccessibleName(f"{pair.first_name}, {pair.second_name}: {pair.value}")


class PairStrip(QScrollArea):
    """A row of pairs that scrolls sideways; one that is not visible loads nothing until it is.

    Signals
    -------
    chosen : str
        The image that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, loader: PictureLoader, side: int = _SIDE) -> None:
        super().__init__()
        self._loader, self._side = loader, side
        self._pairs: tuple[ShownPair, ...] = ()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(side + 72)
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2 * theme.GRID)
        self._row.addStretch(1)
        self.setWidget(inside)
        self.cards: list[PairCard] = []

    def show_pairs(self, pairs: Sequence[ShownPair]) -> None:
        """Show pairs."""
        self._pairs = tuple(pairs)
        if self.isVisible():
            self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        """Load what should have been shown meanwhile."""
        super().showEvent(event)
        self._fill()

    def _fill(self) -> None:
        while len(self.cards) < len(self._pairs):
            card = PairCard(self._loader, self._side)
            card.chosen.connect(self.chosen)
            self.cards.append(card)
            self._row.insertWidget(self._row.count() - 1, card, 0, Qt.AlignmentFlag.AlignTop)
        for place, card in enumerate(self.cards):
            card.setVisible(place < len(self._pairs))
            if place < len(self._pairs):
                card.show_pair(self._pairs[place])


def panel_of(card: PairCard, heading: str) -> QWidget:
    """Return a card under a heading."""
    made = QWidget()
    layout = column(made)
    layout.addWidget(label(heading, "hint"))
    layout.addWidget(card)
    return made
