"""The state of a run in its checkpoints: written when it is time, put back at the start."""

import time
from pathlib import Path
from typing import Any

from trainer.errors import CheckpointError
from trainer.pretrain.batches import Batches
from trainer.pretrain.checkpoint import delete_older, load_newest, save_checkpoint
from trainer.pretrain.job import Job
from trainer.pretrain.learner import Learner
from trainer.pretrain.observer import Observer
from trainer.process import distributed
from trainer.process.events import Emit, Notice

_REST_S = 60  # a small cohort's epoch takes a second, its checkpoint 200 MB


def resume(job: Job, learner: Learner, emit: Emit) -> tuple[int, dict[str, Any]]:
    """Put back the newest checkpoint; return its step and content; 0 and nothing without one.

    Raises
    ------
    CheckpointError
        If the folder's checkpoint belongs to another run, none of them is sound, or processes find
        different ones.
    """
    content, problems = load_newest(job.folder, job.identity)
    step = 0 if content is None else int(content["step"])
    first_step, first_problems = distributed.from_first((step, problems))
    if distributed.rank() == 0 or problems != first_problems:
        for problem in problems:
            emit(Notice(f"{problem}. The previous checkpoint is used."))
    if step != first_step:
        raise CheckpointError(
            f"Process {distributed.rank()} finds step {step} in {job.folder}, but the first "
            f"process finds step {first_step}: they do not see the same files. Let all processes "
            "share one folder."
        )
    if content is None:
        return 0, {}
    learner.restore(content)
    return step, content


class Checkpoints:
    """Writes the checkpoints of a run.

    Parameters
    ----------
    job
        What is trained on; its folder takes them.
    learner, observer, batches
        Whose state they hold.
    """

    def __init__(self, job: Job, learner: Learner, observer: Observer, batches: Batches) -> None:
        self._job, self._learner = job, learner
        self._observer, self._batches = observer, batches
        self._saved_s = time.monotonic()

    def is_due(self, step: int) -> bool:
        """Return whether it is time: as the user asked, else after an epoch, once a minute."""
        job = self._job
        if step == job.steps:
            return False  # the loop saves where it ends
        if job.config.checkpoint_every:
            return step % job.config.checkpoint_every == 0
        if step % job.steps_per_epoch != 0:
            return False
        return distributed.any_of(time.monotonic() - self._saved_s > _REST_S)

    def save(self, step: int) -> Path:
        """Write one, by the first of several processes.

        Raises
        ------
        TrainingDiverged
            If loss or weights are no longer finite; the last good checkpoint stays.
        CheckpointError
            If it cannot be written.
        """
        job, path = self._job, None
        signals = self._observer.saved(step)
        learner = self._learner.state(job, step)
        if distributed.rank() == 0:
            halfway = step % job.steps_per_epoch != 0  # else the next epoch looks for new boxes
            boxes = self._batches.boxes if halfway else None
            state = {**learner, "signals": signals, "boxes": boxes}
            path = save_checkpoint(job.folder, step, job.identity, state)
        saved: Path = distributed.from_first(path)
        self._saved_s = time.monotonic()
        return saved

    def keep_only(self, newest: Path) -> None:
        """Delete the others of a finished run, unless the user asked to keep them."""
        if not self._job.config.keep_checkpoints and distributed.rank() == 0:
            delete_older(newest)
