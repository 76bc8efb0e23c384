"""The queue of pre-trainings of a study.

One folder per job, written by the station and run by the trainer's queue process.

::

    runs/queue/<id>/  job.json  events.jsonl (the process protocol)  log.txt  stop (asks it to stop)

Each file has one writer at a time, so neither side needs the other to be alive.

A job names the computer it was made on and carries its mark (`migrations.study.this_computer`). A
job that came with a study from elsewhere, or was changed on the way, never starts by itself.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from migrations.study.schema import new_id, utc_now
from migrations.study.this_computer import computer, is_mark, mark

STATES = ("waiting", "running", "finished", "stopped", "failed")
OVER = ("finished", "stopped", "failed")
COMMANDS = ("train", "sweep")
"""What a job may be: one pre-training, or gaze against plain, seed by seed."""
FOREIGN = "foreign"
"""The state of a job that would wait or run but was not made on this computer."""


@dataclass(frozen=True, slots=True)
class Job:
    """One pre-training that was requested.

    Attributes
    ----------
    folder
        Its folder, named by a time-ordered id.
    options
        Arguments of its command other than study and events.
    state
        One of `STATES`, or `FOREIGN`, which is never stored.
    pid, pid_created
        The trainer's process while it runs; its birth is in seconds since the epoch, since pids are
        reused.
    message
        Why it failed, else empty.
    computer
        Name of the computer it was made on; empty for a job of an older version.
    agreed
        Files outside the study that the person who made it chose.
    mark
        Signature of the job that only that computer can make.
    command
        One of `COMMANDS`.
    """

    folder: Path
    options: tuple[str, ...]
    state: str = "waiting"
    created_utc: str = field(default_factory=utc_now)
    pid: int = 0
    pid_created: float = 0.0
    message: str = ""
    computer: str = ""
    agreed: tuple[str, ...] = ()
    mark: str = ""
    command: str = "train"

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def events_file(self) -> Path:
        """What the trainer said, a JSON object a line."""
        return self.folder / "events.jsonl"

    @property
    def log_file(self) -> Path:
        """What it wrote to standard error."""
        return self.folder / "log.txt"

    @property
    def stop_file(self) -> Path:
        """If this file exists, the training stops with a checkpoint."""
        return self.folder / "stop"

    @property
    def over(self) -> bool:
        """Whether it has ended, or never starts by itself."""
        return self.state in (*OVER, FOREIGN)

    @property
    def is_own(self) -> bool:
        """Whether it was made on this computer, exactly as it is now."""
        return is_mark(self.mark, *self._marked())

    def marked(self) -> "Job":
        """Return the job marked as made on this computer.

        Raises
        ------
        OSError
            If this computer's key can be neither read nor made.
        """
        own = replace(self, computer=computer())
        return replace(own, mark=mark(*own._marked()))

    def _marked(self) -> tuple[object, ...]:
        said = (self.id, list(self.options), list(self.agreed))
        # Jobs from before sweeps existed keep their mark.
        return said if self.command == "train" else (*said, self.command)

    def become(self, state: str, **values: Any) -> "Job":
        """Return the job in another state, as its file now says."""
        job = replace(self, state=state, **values)
        _write(job)
        return job


def queue_folder(study: Path) -> Path:
    """Return where the jobs of a study are."""
    return study / "runs" / "queue"


def queue_lock(study: Path) -> Path:
    """Return the lock that the queue process of a study holds."""
    return queue_folder(study) / "queue.json"


def add_job(
    study: Path, options: Sequence[str], agreed: Sequence[str] = (), command: str = "train"
) -> Job:
    """Put a job at the end of the queue.

    Parameters
    ----------
    agreed
        Files outside the study that a person chose among the options.

    Raises
    ------
    OSError
        If the study's folder or the user's configuration cannot be written.
    """
    folder = queue_folder(study) / new_id()
    job = Job(folder, tuple(options), agreed=tuple(agreed), command=command).marked()
    folder.mkdir(parents=True)
    _write(job)
    return job


def take_over(job: Job) -> Job:
    """Turn a job from elsewhere into one of this computer, at a person's request; it then waits.

    Files that it names outside the study are still not agreed to. Raises as `add_job` does.
    """
    own = replace(job, state="waiting", pid=0, pid_created=0.0, agreed=()).marked()
    _write(own)
    return own


def jobs(study: Path) -> list[Job]:
    """Return all jobs, oldest first; a folder without a readable job is skipped."""
    folder = queue_folder(study)
    found = (read_job(path) for path in sorted(folder.iterdir())) if folder.is_dir() else ()
    return [job for job in found if job is not None]


def read_job(folder: Path) -> Job | None:
    """Return the job in a folder, or None."""
    try:
        values = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        options, agreed = tuple(values.pop("options")), tuple(values.pop("agreed", ()))
        job = Job(folder, options, agreed=agreed, **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    are_words = all(isinstance(word, str) for word in (*options, *agreed))
    if job.state not in STATES or job.command not in COMMANDS or not are_words:
        return None
    return job if job.state in OVER or job.is_own else replace(job, state=FOREIGN)


def remove_job(job: Job) -> None:
    """Remove a job that is not running from the queue."""
    if job.state != "running":
        shutil.rmtree(job.folder, ignore_errors=True)


def _write(job: Job) -> None:
    values = {k: v for k, v in asdict(job).items() if k != "folder"}
    partial = job.folder / "job.json.partial"
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    partial.replace(job.folder / "job.json")
