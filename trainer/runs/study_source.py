"""A study as the source of a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from migrations.study.folder import Study
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member, load_cohort
from trainer.data.splits import TEST_SHARE, Splits, store_splits
from trainer.pairs.choose import ChosenPairs, choose_members, choose_pairs
from trainer.pairs.from_file import pairs_of_file
from trainer.pretrain.checkpoint import Identity
from trainer.runs.source import Cancelled, Progress, Record
from trainer.runs.study_runs import open_run
from trainer.similarity.names import AUTO

WriteReport = Callable[[Study, Sequence[str], Path, Cancelled], Path]
"""Writes the report of some runs of a study; see `trainer.report.write.write_report`."""


@dataclass
class StudySource:
    """Images, gaze and labels of a study.

    Attributes
    ----------
    relation
        Stands in for gaze where it is given.
    write_report
        How a run's report is written; None: not at all.
    """

    study: Study
    relation: Path | None = None
    write_report: WriteReport | None = None
    seed: int = 0

    @property
    def cache(self) -> Path:
        """The study's cache."""
        return self.study.cache

    @property
    def hint(self) -> str:
        """How this source is named on the command line."""
        return f"--study {self.study.folder}"

    @property
    def unit(self) -> str:
        """What loading counts."""
        return "readings"

    @property
    def has_report(self) -> bool:
        """Whether somebody writes one."""
        return self.write_report is not None

    def pairs_text(self, config: RunConfig) -> str:
        """Say where pairs come from."""
        if not config.uses_gaze:
            return f"Not needed: pairs is {config.pairs}"
        if self.relation:
            return f"Reading {self.relation}"
        by = "every measure, to choose one" if config.measure == AUTO else config.measure
        return f"Comparing gaze by {by}"

    def load(self, config: RunConfig, progress: Progress, cancelled: Cancelled) -> Cohort:
        """Store the splits, then read the study."""
        share = TEST_SHARE if config.test_share is None else config.test_share
        self.seed = config.seed
        store_splits(self.study, test_share=share, seed=config.seed)
        return load_cohort(self.study, progress, cancelled)

    def splits(self, cohort: Cohort) -> Splits:
        """Return the splits that the database holds."""
        return Splits({m.image_id: m.split or "train" for m in cohort.members}, self.seed)

    def members(self, cohort: Cohort, config: RunConfig) -> tuple[Member, ...]:
        """Return the images that are trained on; see `choose_members`."""
        if self.relation is not None and config.uses_gaze:
            config = replace(config, pairs="none")  # no gaze is asked for
        return choose_members(cohort, config)

    def pairs(
        self,
        cohort: Cohort,
        members: Sequence[Member],
        config: RunConfig,
        progress: Progress,
        cancelled: Cancelled,
    ) -> ChosenPairs:
        """Return the pairs by gaze, label, or the relation file."""
        if self.relation is None or not config.uses_gaze:
            return choose_pairs(self.study, cohort, members, config, progress, cancelled)
        return pairs_of_file(self.relation, cohort, members, config)

    def open_run(
        self, identity: Identity, similarity_run_id: str | None, *, fresh: bool, out: Path | None
    ) -> Record:
        """Return the run in the study's runs, or in `out`."""
        return open_run(self.study, identity, similarity_run_id, fresh=fresh, out=out)

    def report(self, record: Record, cancelled: Cancelled) -> Path | None:
        """Write the report of the run."""
        if self.write_report is None:
            return None
        path = record.folder / "report.html"
        return self.write_report(self.study, [record.run_id], path, cancelled)

    def close(self) -> None:
        """Close the study."""
        self.study.close()
