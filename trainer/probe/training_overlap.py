"""Whether an encoder's pre-training has seen the images that it is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.errors import ProbeError
from trainer.probe.candidates import Candidate
from trainer.probe.labelled import IntArray, LabelledSet


@dataclass(frozen=True, slots=True)
class TrainingOverlap:
    """How many of the tested images an encoder has seen; None where its file does not say."""

    count: int | None
    tested: int

    @property
    def transductive(self) -> bool:
        """Whether it has seen any."""
        return bool(self.count)

    def text(self) -> str:
        """Return what the table says."""
        if self.count is None:
            return "unknown"
        return f"{self.count} of {self.tested}" if self.count else "none"


def training_overlaps(
    candidates: Sequence[Candidate],
    fingerprints: Sequence[str],
    tested: IntArray,
    data: LabelledSet,
    *,
    transductive: bool,
) -> dict[str, TrainingOverlap]:
    """Return what each candidate has seen of the tested images.

    Raises
    ------
    ProbeError
        If one has seen any and `transductive` does not allow it.
    """
    found = {}
    for candidate in candidates:
        if candidate.trained_on is None:
            found[candidate.name] = TrainingOverlap(None, len(tested))
            continue
        known = [k for k in tested.tolist() if fingerprints[k] in candidate.trained_on]
        found[candidate.name] = TrainingOverlap(len(known), len(tested))
        if known and not transductive:
            named = ", ".join(data.images[k].name for k in known[:3])
            more = ", …" if len(known) > 3 else ""
            raise ProbeError(
                f"The pre-training of {candidate.name} saw {len(known)} of the {len(tested)} test "
                f"images ({named}{more}), so its results would be too good. Test on held-out "
                "images (a split column in the labels, or --splits with the run's splits.json), "
                "or use --transductive, which is then stated with every figure."
            )
    return found


def duplicates(fingerprints: Sequence[str], train: IntArray, test: IntArray) -> int:
    """Return how many tested images have the very pixels of one that is trained on."""
    known = {fingerprints[k] for k in train.tolist()}
    return sum(1 for k in test.tolist() if fingerprints[k] in known)
