from app.ui.job import JobContext, JobPage, StationJob
from app.ui.page import Page
from migrations.study.folder import Study


class MadeUpController(StationJob):
    """Notes what the station asks of it."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        self.page, figures = Page("made_up", "Made up"), Page("made_up_figures", "Figures")
        self.pages = (
            JobPage("made_up", self.page, "Made up", "reader", icon="check", after="worklist"),
            JobPage("made_up_figures", figures, "Figures", "researcher", icon="dot"),
        )
        self.asked: list[str] = []

    def open(self, study: Study) -> None:
        self.asked.append(f"open {study.settings.name}")

    def refresh(self) -> None:
        self.asked.append(f"refresh {self.context.window.current}")

    def close(self) -> None:
        self.asked.append("close")
