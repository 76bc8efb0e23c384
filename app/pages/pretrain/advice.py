"""Beside the settings: why the defaults were chosen, what a run needs, which size suits."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr
from app.ui.work_bar import duration_text
from app.workspace.estimate import Estimate
from migrations.study.guides import guide
from migrations.study.view_size import ViewProposal, cost


class Advice(QWidget):
    """What is known before a run begins.

    Parameters
    ----------
    of_encoder
        Says what the encoder takes.

    Signals
    -------
    size_wanted : int
        The proposed size should be used, pixels.
    """

    size_wanted = Signal(int)

    def __init__(self, of_encoder: QWidget) -> None:
        super().__init__()
        lines = column(self, theme.GRID)
        why = label(
            tr(
                "BYOL with GzPT pairs is the default. With simulated readers it gained 0.12 AUC at "
                "10 labels where gaze revealed the class, and lost nothing where it did not. On "
                "harder images a short run gained nothing. Options marked as experimental did not "
                "help in a controlled study of 75 training runs."
            ),
            "small",
        )
        why.setObjectName("why_default")
        lines.addWidget(why)
        links = row(gap=theme.GRID)
        for name, words in (("study", tr("The study")), ("gaze-methods", tr("Newer methods"))):
            if (place := guide(name)) is not None:
                links.addWidget(
                    button(f"open_{name}", words, partial(_open, place), role="quiet",
                           picture="open")
                )  # fmt: skip
        links.addStretch(1)
        lines.addLayout(links)
        lines.addWidget(of_encoder)
        self.estimate = label("", "hint")
        lines.addWidget(self.estimate)
        self._proposal = ViewProposal(0, 0, by_boxes=False)
        self._said = label("", "hint")
        self._said.setObjectName("size_proposal")
        self._use = button("use_size", tr("Use this size"), self._use_size)
        self._line = QWidget()
        line = row(self._said, self._use)
        line.setStretch(0, 1)
        self._line.setLayout(line)
        self._line.hide()
        lines.addWidget(self._line)

    def show_estimate(self, estimate: Estimate) -> None:
        """Say what a run with these settings will need."""
        self.estimate.setText(estimate_text(estimate))

    def show_proposal(self, proposal: ViewProposal, size: int) -> None:
        """Offer the size that the cohort suggests, if it differs from the current one."""
        self._proposal = proposal
        self._line.setVisible(bool(proposal.size) and proposal.size != size)
        self._said.setText(proposal_text(proposal, size))
        self._use.setText(tr("Use {size} px", size=proposal.size))

    def _use_size(self) -> None:
        self.size_wanted.emit(self._proposal.size)


def _open(place: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))


def proposal_text(proposal: ViewProposal, size: int) -> str:
    """Return which size is proposed and why, and its cost compared with the current one."""
    if not proposal.size:
        return ""
    share = f"{proposal.share:.1%}"
    if proposal.by_boxes:
        said = tr("An image size of {wanted} px suits this cohort: half of the {count} boxes are "
                  "longer than {share} of their image.",
                  wanted=proposal.size, count=proposal.count, share=share)  # fmt: skip
    else:
        said = tr("An image size of {wanted} px suits this cohort: half of the {count} places that "
                  "readers looked at longest are wider than {share} of their image.",
                  wanted=proposal.size, count=proposal.count, share=share)  # fmt: skip
    if proposal.length_mm is not None:
        said += " " + tr("Their median length is {length} mm.", length=f"{proposal.length_mm:.2g}")
    said += " " + tr("A step then takes about {times} times as long as at {size} px, and its "
                     "images {times} times the memory.",
                     times=f"{cost(proposal.size, size):.2g}", size=size)  # fmt: skip
    if proposal.limited:
        said += " " + tr("A larger size would be better, but the images do not have more pixels.")
    return said


def estimate_text(estimate: Estimate) -> str:
    """Return what a run will need, in words."""
    said = tr("The time is estimated once the first steps are done.")
    if estimate.seconds is not None:
        said = tr("A run takes about {time}, judging by an earlier one.",
                  time=duration_text(estimate.seconds))  # fmt: skip
    if estimate.memory_bytes is not None:
        said += " " + tr("It needs about {size} GB of memory in fp32.",
                         size=f"{estimate.memory_bytes / 1e9:.1f}")  # fmt: skip
    return said
