"""Errors of the trainer room.

TrainerError
├── ConfigError          an option or a line of run.toml cannot be understood
├── CohortError          the study holds nothing that can be trained on, or images are missing
├── SimilarityError      gaze similarity cannot be computed or is empty
│   └── NothingToLearnError  a measure that learns of labels or readers has too few
├── ImageCacheError      a presentation image is missing, damaged or of another shape
│   └── BrokenPictures   pictures that cannot be used, all of them named
├── EncoderError         a file of weights is damaged or does not fit the encoder
│   └── EncoderUnknown   a file does not say, or not rightly, which encoder it is of
│       └── EncoderOfLibrary a file is of a net that only a library has
├── ImageFolderError     a folder of images, its order, labels or relation do not go together
├── CheckpointError      a checkpoint is damaged, or of another config, cohort or relation
├── RunFolderError       the run's folder cannot be made or written
├── RunBusy              another process trains in this run folder
├── TrainingDiverged     the loss is no longer a finite number
├── OutOfMemory          batch, size or encoder too large for this device
├── ReportError          the report cannot be made
├── AnalysisError        areas or gaze of a study do not allow an analysis
├── PerformanceError     ratings, truth or marks do not allow a figure of readers
├── ProbeError           images, labels, splits or encoders do not allow an honest comparison
│   └── NoSuchEncoder    neither a file nor a finished run is called so
└── Cancelled            the user asked to stop; not a fault
"""


class TrainerError(Exception):
    """Anything that goes wrong between finished readings and an encoder."""


class ConfigError(TrainerError):
    """An option or a line of run.toml cannot be understood."""


class CohortError(TrainerError):
    """The study contains nothing to train on, or images are missing."""


class SimilarityError(TrainerError):
    """Gaze similarity cannot be computed or is empty."""


class NothingToLearnError(SimilarityError):
    """A measure that learns of labels, or of several readers of an image, has too few of them."""


class NotDeep(TrainerError):
    """An image's stored values have nothing that its 8-bit picture lacks; says why."""


class ImageCacheError(TrainerError):
    """A presentation image is missing, damaged or of another shape."""


class BrokenPictures(ImageCacheError):
    """Pictures of a cohort that cannot be used: missing, damaged, no image, of another shape.

    Parameters
    ----------
    broken
        What is wrong, by position in the cohort; each names its picture.
    count
        Pictures in all.
    """

    def __init__(self, broken: dict[int, str], count: int) -> None:
        self.broken, self.count = broken, count
        lines = "".join(f"\n  {reason}" for reason in broken.values())
        super().__init__(
            f"{len(broken)} of {count} pictures cannot be used:{lines}\nReplace these files (for "
            "a study: copy its images together with its database, or import them again), or leave "
            "them out by setting skip_broken to true."
        )


class EncoderError(TrainerError):
    """A file of weights is damaged or does not fit the encoder."""


class EncoderUnknown(EncoderError):
    """A file does not belong to the encoder that was named, or does not tell which one it needs."""


class EncoderOfLibrary(EncoderUnknown):
    """A file is of a net that only a library has.

    Attributes
    ----------
    name
        Of that net, as settings take it.
    """

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


class ImageFolderError(TrainerError):
    """A folder of images, its order, labels or relation do not go together."""


class CheckpointError(TrainerError):
    """A checkpoint is damaged, or of another config, cohort or relation."""


class RunFolderError(TrainerError):
    """The run's folder cannot be made or written: disk full, read-only."""


class RunBusy(TrainerError):
    """Another process trains in this run folder."""


class TrainingDiverged(TrainerError):
    """The loss is no longer a finite number."""


class OutOfMemory(TrainerError):
    """Batch, size or encoder is too large for this device."""


class ReportError(TrainerError):
    """The report cannot be made."""


class AnalysisError(TrainerError):
    """Areas or gaze of a study do not allow an analysis."""


class PerformanceError(TrainerError):
    """Ratings, truth or marks do not allow a figure of readers."""


class ProbeError(TrainerError):
    """Images, labels, splits or encoders do not allow an honest comparison."""


class NoSuchEncoder(ProbeError):
    """Neither a file nor a finished run is called so."""


class Cancelled(TrainerError):
    """The user asked to stop; not a fault."""
