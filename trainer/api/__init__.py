"""A study from Python: ``from trainer.api import open_study``; docs/api.md promises what stays.

Neither Qt nor torch is imported, and nothing of the study is written.
"""

from trainer.analysis.looked import Looked
from trainer.api.study_data import StudyData, StudyWarning, open_study
from trainer.similarity.base import Gaze, Measure

__all__ = ["Gaze", "Looked", "Measure", "StudyData", "StudyWarning", "open_study"]
