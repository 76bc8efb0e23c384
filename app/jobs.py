"""The jobs of the station, in the navigation's order; a new one is a folder and a line here."""

from collections.abc import Sequence

from app.pages.analysis.job import AnalysisJob
from app.pages.calibration.controller import CalibrationController
from app.pages.clearing.controller import ClearingController
from app.pages.export.controller import ExportController
from app.pages.pretrain.controller import TrainingController
from app.pages.probe.controller import ProbeController
from app.pages.progress.controller import ProgressController
from app.pages.reading.controller import ReadingController
from app.pages.review.controller import ReviewController
from app.pages.settings.controller import SettingsController
from app.pages.setup.controller import SetupController
from app.pages.worklist.controller import WorklistController
from app.pages.workspace.job import WorkspaceJob
from app.ui.job import StationJob

JOBS: Sequence[type[StationJob]] = (
    WorklistController,
    CalibrationController,
    ReadingController,
    ClearingController,
    ReviewController,
    SetupController,
    WorkspaceJob,
    ProgressController,
    AnalysisJob,
    TrainingController,
    ProbeController,
    ExportController,
    SettingsController,
)
