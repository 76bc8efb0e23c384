"""The trainings that run next; each can be removed."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr
from migrations.study.clean_text import shown
from migrations.study.jobs import FOREIGN, Job


class WaitingPanel(QFrame):
    """Lists the queue; hidden while nothing is waiting.

    Signals
    -------
    take_back_wanted : object
        A waiting job should not run after all.
    """

    take_back_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        layout = column(self, 2 * theme.GRID)
        layout.addWidget(label(tr("Queue"), "heading"))
        self._rows = column(gap=theme.GRID // 2)
        layout.addLayout(self._rows)
        self.hide()

    def show_jobs(self, waiting: Sequence[Job]) -> None:
        """List what runs next."""
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for number, job in enumerate(waiting, start=1):
            text = label(f"{number}. {_queued(job)}", "small")
            back = button("take_back", tr("Remove"), partial(self.take_back_wanted.emit, job))
            line = QWidget()
            parts = row(text, back)
            parts.setStretch(0, 1)
            line.setLayout(parts)
            self._rows.addWidget(line)
        self.setVisible(bool(waiting))


def _queued(job: Job) -> str:
    """Return a job's options; for one from elsewhere, also that it does not start by itself."""
    options = shown(option_words(job.options))
    if job.command == "sweep":
        options = tr("Gaze against plain: {options}", options=options)
    if job.state != FOREIGN:
        return options
    if not job.computer:
        return tr("Created on an unknown computer; does not start automatically: {options}",
                  options=options)  # fmt: skip
    return tr("Created on {computer}; does not start automatically: {options}",
              computer=shown(job.computer), options=options)  # fmt: skip


def option_words(options: Sequence[str]) -> str:
    """Return options of a command as names and values, all of them, as a person reads them.

    Examples
    --------
    >>> option_words(["--method", "byol", "--set", "lr=0.1", "--fresh"])
    'method byol, lr 0.1, fresh'
    """
    found: list[str] = []
    for word in options:
        if word.startswith("--"):
            name, is_given, value = word[2:].partition("=")
            found.append(name.replace("-", " ") + (f" {value}" if is_given else ""))
        elif found and found[-1] == "set":
            found[-1] = word.replace("=", " ", 1)
        elif found:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return ", ".join(filter(None, found))
