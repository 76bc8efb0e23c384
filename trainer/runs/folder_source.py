"""A folder of image files as the source of a run: no study, no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member, fingerprint
from trainer.data.file_hashes import file_hashes
from trainer.data.image_folder import (
    ImageFacts,
    find_images,
    labels_of_folders,
    overlooked,
    read_labels,
    read_order,
    read_split_file,
)
from trainer.data.splits import Splits, complete_splits
from trainer.errors import CohortError, ConfigError
from trainer.pairs.choose import ChosenPairs, pairs_without_gaze, trained_on
from trainer.pairs.from_file import pairs_of_file
from trainer.pretrain.checkpoint import Identity
from trainer.runs.folder_runs import open_folder_run
from trainer.runs.source import Cancelled, Progress, Record


@dataclass
class FolderSource:
    """Image files, and files that say how they belong together.

    Attributes
    ----------
    images
        Folder of pictures; an image's id is its path within it.
    relation
        Similarity in the order of the images, or with ids; None for pairs `none` and `label`.
    order
        Text file of names; None: by name.
    labels
        csv with columns `image`, `label`, `patient`, `split`; None: the parent folder is the label.
    split_file
        JSON with lists of train, val and test images; stands in for the csv's column.
    runs
        Where run folders are made when none is named.
    cache_folder
        Where decoded images are kept; None: beside the run folders.
    """

    images: Path
    relation: Path | None = None
    order: Path | None = None
    labels: Path | None = None
    split_file: Path | None = None
    runs: Path = Path("runs")
    cache_folder: Path | None = None
    _splits: Splits = field(default_factory=lambda: Splits({}, 0))

    @property
    def cache(self) -> Path:
        """Where decoded images are kept."""
        return self.cache_folder or self.runs / "foveate-cache"

    @property
    def hint(self) -> str:
        """How this source is named on the command line."""
        return f"--images {self.images}"

    @property
    def unit(self) -> str:
        """What loading counts."""
        return "images"

    @property
    def has_report(self) -> bool:
        """The report shows a study; a folder's run has its model card."""
        return False

    def pairs_text(self, config: RunConfig) -> str:
        """Say where pairs come from."""
        if config.uses_gaze:
            return f"Reading {self.relation}"
        return f"Not needed: pairs is {config.pairs}"

    def load(self, config: RunConfig, progress: Progress, cancelled: Cancelled) -> Cohort:
        """Return the images in dataset order, with labels, patients and splits."""
        if config.uses_gaze and self.relation is None:
            raise ConfigError(
                as_typed(
                    f"pairs is {config.pairs}, but a folder of images has no gaze. Use --relation "
                    "FILE (created by python main.py similarity), or --pairs none or label."
                )
            )
        found = find_images(self.images)
        names = read_order(self.order, found) if self.order else list(found)
        facts = read_labels(self.labels, names) if self.labels else labels_of_folders(names)
        paths = [found[n] for n in names]
        passed_over: dict[int, str] | None = {} if config.skip_broken else None
        hashes = file_hashes(paths, self.cache / "content.json", cancelled, passed_over)
        plain = [facts.get(n, ImageFacts()) for n in names]
        given = read_split_file(self.split_file, names) if self.split_file else {}
        splits = complete_splits(
            [a.patient or n for n, a in zip(names, plain, strict=True)],
            [a.label for a in plain],
            [given.get(n, a.split) for n, a in zip(names, plain, strict=True)],
            test_share=config.test_share or 0.0,
            seed=config.seed,
        )
        self._splits = Splits(dict(zip(names, splits, strict=True)), config.seed)
        members = tuple(
            Member(n, h, a.patient or n, a.label, s, 0, 0, found[n])
            for n, h, a, s in zip(names, hashes, plain, splits, strict=True)
        )
        progress(len(members), len(members))
        # A run that was stopped is not continued with other images held back.
        notes = overlooked(self.images, list(found), self.labels)
        return Cohort(members, (), fingerprint(trained_on(members, config)), notes=notes)

    def splits(self, cohort: Cohort) -> Splits:
        """Return the splits of the csv, or those drawn."""
        return self._splits

    def members(self, cohort: Cohort, config: RunConfig) -> tuple[Member, ...]:
        """Return the images that are trained on."""
        members = trained_on(cohort.members, config)
        if len(members) < 2:
            raise CohortError(
                f"{self.images} has {counted(len(members), 'image')} to train on; at least 2 "
                "are needed."
            )
        if config.pairs == "label" and not any(m.label is not None for m in members):
            raise CohortError(
                "pairs is label, but no image has a label. Put the images of each class into a "
                "sub-folder with its name, or use --labels FILE.csv with the columns image and "
                "label."
            )
        return members

    def pairs(
        self,
        cohort: Cohort,
        members: Sequence[Member],
        config: RunConfig,
        progress: Progress,
        cancelled: Cancelled,
    ) -> ChosenPairs:
        """Return the pairs of the relation file, of labels, or none."""
        plain = pairs_without_gaze(members, config)
        if plain is not None:
            return plain
        assert self.relation is not None
        return pairs_of_file(self.relation, cohort, members, config)

    def open_run(
        self, identity: Identity, similarity_run_id: str | None, *, fresh: bool, out: Path | None
    ) -> Record:
        """Return the newest unfinished run of the same identity, or a new one."""
        return open_folder_run(self.runs, identity, fresh=fresh, out=out)

    def report(self, record: Record, cancelled: Cancelled) -> Path | None:
        """Return None: the report of a run needs a study; the model card is written anyway."""
        return None

    def close(self) -> None:
        """Nothing is held."""
