"""The queue of pre-trainings of a study.

One folder a job, written by the station, worked off by the trainer's queue process.

::

    runs/queue/<id>/  job.json  events.jsonl (the process protocol)  log.txt  stop (asks it to stop)

Each file has one writer at a time, so neither side needs the other to be alive.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from migrations.study.schema import new_id, utc_now

STATES = ("waiting", "running", "finished", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class Job:
    """One pre-training that was asked for.

    Attributes
    ----------
    folder
        Its own, named by a time-ordered id.
    options
        Arguments of `python main.py train` beside study and events.
    state
        One of `STATES`.
    pid, pid_created
        Of the trainer's process while it runs; birth in seconds of the epoch, since ids come again.
    message
        Why it failed, else empty.
    """

    folder: Path
    options: tuple[str, ...]
    state: str = "waiting"
    created_utc: str = field(default_factory=utc_now)
    pid: int = 0
    pid_created: float = 0.0
    message: str = ""

    @property
    def id(self) -> str:
        """Name of its folder."""
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
        """Its being there asks for a stop with a checkpoint."""
        return self.folder / "stop"

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("finished", "stopped", "failed")

    def become(self, state: str, **values: Any) -> "Job":
        """Return the job in another state, as it now stands in its file."""
        job = replace(self, state=state, **values)
        _write(job)
        return job


def queue_folder(study: Path) -> Path:
    """Return where the jobs of a study lie."""
    return study / "runs" / "queue"


def queue_lock(study: Path) -> Path:
    """Return the lock that the queue process of a study holds."""
    return queue_folder(study) / "queue.json"


def add_job(study: Path, options: Sequence[str]) -> Job:
    """Put a job at the end of the queue."""
    folder = queue_folder(study) / new_id()
    folder.mkdir(parents=True)
    job = Job(folder, tuple(options))
    _write(job)
    return job


def jobs(study: Path) -> list[Job]:
    """Return all jobs, the oldest first; a folder without a readable job is passed over."""
    folder = queue_folder(study)
    found = (read_job(path) for path in sorted(folder.iterdir())) if folder.is_dir() else ()
    return [job for job in found if job is not None]


def read_job(folder: Path) -> Job | None:
    """Return the job of a folder, None where there is none."""
    try:
        values = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        return Job(folder, tuple(values.pop("options")), **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remove_job(job: Job) -> None:
    """Take a job that does not run out of the queue."""
    if job.state != "running":
        shutil.rmtree(job.folder, ignore_errors=True)


def _write(job: Job) -> None:
    values = {k: v for k, v in asdict(job).items() if k != "folder"}
    partial = job.folder / "job.json.partial"
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    partial.replace(job.folder / "job.json")
