"""What a run asks of the place that its images come from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member
from trainer.data.splits import Splits
from trainer.pairs.choose import ChosenPairs
from trainer.pretrain.checkpoint import Identity

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


class Record(Protocol):
    """A run that is kept somewhere: its id, its folder, and whether it was there before."""

    @property
    def run_id(self) -> str:
        """Id of the run."""

    @property
    def folder(self) -> Path:
        """Where its files lie."""

    @property
    def continued(self) -> bool:
        """Whether the run was there before."""

    def update(self, **values: Any) -> None:
        """Change what is kept of the run; `details` are added to those there."""

    def stored(self, path: Path) -> str:
        """Return the path of a file as the record keeps it."""


class Source(Protocol):
    """Images, what makes pairs of them, and where a run of them is kept."""

    @property
    def cache(self) -> Path:
        """Folder of files that can be deleted and computed again."""

    @property
    def hint(self) -> str:
        """How this source is named on the command line."""

    @property
    def unit(self) -> str:
        """What loading counts: readings of a study, images of a folder."""

    @property
    def has_report(self) -> bool:
        """Whether a run of it has a report."""

    def pairs_text(self, config: RunConfig) -> str:
        """Say where pairs come from."""

    def load(self, config: RunConfig, progress: Progress, cancelled: Cancelled) -> Cohort:
        """Return all images and what is known of them; splits are stored already."""

    def splits(self, cohort: Cohort) -> Splits:
        """Return the splits in force."""

    def members(self, cohort: Cohort, config: RunConfig) -> tuple[Member, ...]:
        """Return the images that are trained on."""

    def pairs(
        self,
        cohort: Cohort,
        members: Sequence[Member],
        config: RunConfig,
        progress: Progress,
        cancelled: Cancelled,
    ) -> ChosenPairs:
        """Return how pairs are made."""

    def open_run(
        self, identity: Identity, similarity_run_id: str | None, *, fresh: bool, out: Path | None
    ) -> Record:
        """Return the newest unfinished run of the same identity, or a new one."""

    def report(self, record: Record, cancelled: Cancelled) -> Path | None:
        """Write the report of a run; None where there is none to write."""

    def close(self) -> None:
        """Let go of what is held."""
