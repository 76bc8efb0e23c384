"""The pages Analysis and Performance as a job: made when one is first opened."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.pages.analysis.fields import (
    analysis_fields,
    performance_fields,
    positive_choices,
    truths,
)
from app.ui.background import run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.small_widgets import column
from app.ui.text import tr
from app.workspace.image_labels import image_labels
from migrations.study.folder import Study
from migrations.study.forms import Question

if TYPE_CHECKING:
    from app.pages.analysis.controller import AnswerController

_AFTER = {"analysis": "cohort", "performance": "analysis"}


class AnalysisJob(StationJob):
    """How readers looked, and how well they read.

    Attributes
    ----------
    inside
        The controller of each page, by its name; empty before the first opening.
    """

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        titles = {"analysis": tr("Analysis"), "performance": tr("Performance")}
        self._frames = {name: QWidget() for name in titles}
        self.pages = tuple(
            JobPage(name, frame, titles[name], "researcher", after=_AFTER[name])
            for name, frame in self._frames.items()
        )
        self._study: Study | None = None
        self.inside: dict[str, AnswerController] = {}

    def open(self, study: Study) -> None:
        """Analyse this study from now on."""
        self._study = study
        if self.inside:
            self._show_study()

    def refresh(self) -> None:
        """Read again what was written."""
        if not self.inside:
            self.inside = self._furnished()
            self._show_study()
        elif (shown := self.inside.get(self.context.window.current)) is not None:
            shown.refresh()
            self._offer_truths()

    def close(self) -> None:
        """End the running command."""
        for controller in self.inside.values():
            controller.close()

    def _show_study(self) -> None:
        assert self._study is not None
        questions = _questions(self._study)
        self.inside["analysis"].page.show_fields(analysis_fields())
        self.inside["performance"].page.show_fields(performance_fields(questions))
        self.inside["performance"].page.offer_by(
            "question", "positive", {q.key: positive_choices(q) for q in questions}
        )
        for controller in self.inside.values():
            controller.set_study(self._study)
        self._offer_truths()

    def _offer_truths(self) -> None:
        """Offer the current labels of images as truth; they are read off the GUI thread."""
        study = self._study
        assert study is not None

        def offer(labels: list[tuple[str, int]]) -> None:
            if study is self._study:
                form = self.inside["performance"].page.form
                form.offer("truth-from", truths(labels, _questions(study)))

        run(self, lambda: image_labels(study), offer, lambda error: None)

    def _furnished(self) -> "dict[str, AnswerController]":
        from app.pages.analysis.controller import AnswerController
        from app.pages.analysis.page import AnswerPage

        words = {
            "analysis": (tr("Analysis"), tr("Analyse"),
                         tr("Nothing has been analysed yet. Choose a file of areas if there is "
                            "one, then press Analyse.")),
            "performance": (tr("Performance"), tr("Compute"),
                            tr("Nothing has been computed yet. Choose the positive answer, then "
                               "press Compute.")),
        }  # fmt: skip
        commands = {"analysis": "analyse", "performance": "performance"}
        found = {}
        for name, (title, verb, nothing) in words.items():
            page = AnswerPage(name, title, verb, nothing)
            column(self._frames[name]).addWidget(page)
            found[name] = AnswerController(page, commands[name], name, self.context, self)
        return found


def _questions(study: Study) -> list[Question]:
    return [q for q in study.settings.questions if q.scope == "case"]
