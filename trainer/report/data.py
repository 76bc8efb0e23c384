"""What the report shows: its tables and figures, whatever they were read from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from devices.gaze.pair_rates import pairs_among, positive_rate
from migrations.study.names import short_name, split_item
from migrations.study.schema import SimilarityRun, TrainingRun
from trainer.data.cohort import Cohort
from trainer.report.answer_counts import AnswerCount
from trainer.report.answer_figures import DrawnFigure
from trainer.report.checklist import Item
from trainer.report.probe_sections import ProbeFigures
from trainer.similarity.base import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading as the quality table shows it; None where the station wrote nothing.

    `name` and `images` are what it and the images of its case are called everywhere.
    """

    id: str
    name: str
    reader: str
    images: tuple[str, ...]
    state: str
    practice: bool
    seconds: float | None
    samples: int | None
    missing: int | None
    invalid: int | None
    loss: float | None
    off_image: float | None
    fixations: int
    fixations_on_images: int
    accuracy_deg: float | None
    verdict: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarityFigures:
    """A similarity run and its matrix; ids are those of images, in the order of both axes.

    Attributes
    ----------
    threshold
        That of the newest training run shown, else the one kept with the similarity.
    matrix, valid
        Shape (N, N): similarity, and the pairs whose value is known here.
    comparable
        Shape (N,), of a graph: images that have a value. A pair of them that is not among `valid`
        has one too, below those that the graph stores; None: `valid` has them all.
    """

    run: SimilarityRun
    threshold: float | None
    matrix: FloatArray
    valid: BoolArray
    ids: tuple[str, ...]
    comparable: BoolArray | None = None

    @property
    def valid_pairs(self) -> int:
        """How many pairs have a value, known here or not."""
        if self.comparable is None:
            return int(np.triu(self.valid, 1).sum())
        return pairs_among(int(np.count_nonzero(self.comparable)))

    def positive_rate(self, threshold: float) -> float:
        """Return the share of valid pairs above a threshold."""
        return positive_rate(self.matrix, self.valid, threshold, self.valid_pairs)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A training run, its folder, its config.json and metrics.jsonl, hashes of what it used.

    `held_back` is the number of test images in its splits.json, None where it does not say;
    `encoder` its file of weights, if it is there.
    """

    run: TrainingRun
    folder: Path
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    hashes: dict[str, str] = field(default_factory=dict)
    held_back: int | None = None
    encoder: Path | None = None

    def column(self, name: str) -> FloatArray:
        """Return one figure of all rows (N,), NaN where it is missing."""
        values = [row.get(name) for row in self.metrics]
        numbers = [np.nan if v is None else float(v) for v in values]
        return np.array(numbers, np.float64)


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows.

    Attributes
    ----------
    name, question
        Head of the page.
    hint
        How the images are named on the command line.
    image_names
        What each image is called everywhere, by its id; the name of a file without a study.
    settings, schema
        Of the study; None and nothing where the images come from a plain folder.
    setups, filters
        How gaze was recorded and how fixations were found, in words, each once.
    share
        Whether it leaves the house: then images, notes and figures of single readers stay out.
    answers
        How often each question was answered how, by arm.
    looked, performed
        What `analyse` and `performance` drew.
    checklist
        The reporting guideline for eye tracking, filled from the study.
    attributes
        What readers said of themselves, by pseudonym; nothing where it was not asked.
    sheets
        Of how many cases the sheet says which class, by part; "" where it does not say.
    """

    name: str
    question: str
    hint: str
    cohort: Cohort
    image_names: Mapping[str, str]
    similarity: SimilarityFigures | None
    runs: list[RunFigures]
    case_count: int = 0
    readings: list[ReadingRow] = field(default_factory=list)
    sittings: Counter[str] = field(default_factory=Counter)
    settings: dict[str, Any] | None = None
    schema: str | None = None
    problems: list[str] = field(default_factory=list)
    probes: list[ProbeFigures] = field(default_factory=list)
    setups: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    share: bool = False
    answers: list[AnswerCount] = field(default_factory=list)
    looked: list[DrawnFigure] = field(default_factory=list)
    performed: list[DrawnFigure] = field(default_factory=list)
    checklist: list[Item] = field(default_factory=list)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    sheets: dict[str, Counter[str]] = field(default_factory=dict)

    def called(self, image_id: str) -> str:
        """Return what an image is called on the page."""
        whole, frame = split_item(image_id)
        name = self.image_names.get(whole) or short_name(whole)
        return name if frame is None else f"{name}, frame {frame}"
