"""One run from the study to the report: cohort, similarity, images, train, export, report."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from migrations.schema import utc_now
from migrations.study import Study
from trainer.checkpoint import Identity, checkpoints
from trainer.cohort import Cohort, Member, load_cohort
from trainer.config import RunConfig
from trainer.device import choose_bf16, choose_device, device_text, prepare_device
from trainer.errors import Cancelled, TrainerError
from trainer.events import Emit, Meter, Notice, RunFinished, RunStopped, StageStarted
from trainer.export import export_encoder
from trainer.gaze_pairs import ChosenPairs, choose_members, choose_pairs
from trainer.images import ImageCache, Source, open_cache
from trainer.loop import Job, Outcome, train
from trainer.records import RunRecord, at_work, open_run, stored_path

log = logging.getLogger("trainer")

FEW_EXTRA_PAIRS = 4


@dataclass
class Run:
    """What the stages of a run share.

    Attributes
    ----------
    study, config
        What is trained on, and how.
    fresh, out
        Start anew; the run folder if the user named one.
    emit, stop
        Where events go; whether a stop was asked for.
    seconds
        By stage.
    """

    study: Study
    config: RunConfig
    emit: Emit
    stop: Callable[[], bool]
    fresh: bool = False
    out: Path | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, message: str) -> Iterator[Meter]:
        """Announce a stage, time it, and give the meter of its progress."""
        self.say(name, message)
        started = time.perf_counter()
        try:
            yield Meter(self.emit, name, _UNITS.get(name, "steps"))
        finally:
            self.seconds[name] = round(time.perf_counter() - started, 3)

    def say(self, stage: str, message: str) -> None:
        """Tell the user something about a stage."""
        log.info("%s: %s", stage, message)
        self.emit(StageStarted(stage, message))

    def warn(self, message: str) -> None:
        """Tell the user what they should know."""
        log.warning(message)
        self.emit(Notice(message))


_UNITS = {"cohort": "readings", "similarity": "steps", "images": "images", "train": "steps"}


def run_training(run: Run) -> RunFinished | RunStopped:
    """Run all stages; the same call continues what was stopped.

    Returns
    -------
    RunFinished or RunStopped
        Not yet emitted.

    Raises
    ------
    TrainerError
        If a stage fails; the run's row then says so too.
    """
    try:
        job, record, pairs = _prepare(run)
    except Cancelled:
        return RunStopped(None, None, None, 0)
    with at_work(record), _recorded_failure(record):
        run.say("train", _beginning(run, job, record))
        with run.stage("train", _pairs_text(run, job)):
            outcome = train(job, run.emit, run.stop)
        if not outcome.finished:
            return _stopped(record, outcome)
        return _finish(run, job, record, pairs, outcome)


def _prepare(run: Run) -> tuple[Job, RunRecord, ChosenPairs]:
    device = choose_device(run.config)
    bf16 = choose_bf16(run.config, device)
    prepare_device(device)
    with run.stage("cohort", "Reading the study") as meter:
        cohort = load_cohort(run.study, meter, run.stop)
        members = choose_members(cohort, run.config)
    run.say("cohort", _cohort_text(cohort, members))
    _warn_of_dropped(run, cohort)
    with run.stage("similarity", _similarity_text(run.config)) as meter:
        pairs = choose_pairs(run.study, cohort, members, run.config, meter, run.stop)
    with run.stage("images", f"Preparing {len(members)} images") as meter:
        images = _cache(run, members, meter).held_on(device)
    identity = Identity(run.config, cohort.fingerprint, pairs.policy.hash(), len(members))
    record = open_run(run.study, identity, pairs.similarity_run_id, fresh=run.fresh, out=run.out)
    policy = pairs.policy.to(device)
    return Job(identity, images, policy, record.folder, device, bf16), record, pairs


def _cache(run: Run, members: Sequence[Member], meter: Meter) -> ImageCache:
    sources = [
        Source(m.image_id, m.sha256, m.width, m.height, run.study.presentation(m.image_id))
        for m in members
    ]
    return open_cache(run.study.cache, sources, run.config.size, progress=meter, cancelled=run.stop)


def _finish(
    run: Run, job: Job, record: RunRecord, pairs: ChosenPairs, outcome: Outcome
) -> RunFinished:
    facts = _facts(run, job, pairs, outcome)
    with run.stage("export", "Writing the encoder"):
        encoder = export_encoder(record.folder, outcome.method.encoder, job.identity, facts)
    record.update(
        state="finished",
        ended_utc=utc_now(),
        checkpoint_path=stored_path(run.study, outcome.checkpoint),
        encoder_path=stored_path(run.study, encoder),
        details={**facts, "seconds": run.seconds},
    )
    with run.stage("report", "Writing the report"):
        report = _report(run, record)
    record.update(
        details={"seconds": run.seconds}, report_path=record.path(report.name) if report else None
    )
    return RunFinished(
        run_id=record.run_id,
        run_folder=str(record.folder),
        encoder=str(encoder),
        report=str(report) if report else None,
        images=len(job.images),
        positive_rate=pairs.positive_rate,
        loss_first=outcome.loss_first,
        loss_last=outcome.loss_last,
        feature_spread=outcome.feature_spread,
        seconds=run.seconds,
    )


def _facts(run: Run, job: Job, pairs: ChosenPairs, outcome: Outcome) -> dict[str, Any]:
    return {
        "threshold": pairs.threshold,
        "positive_rate": pairs.positive_rate,
        "extra_pairs_per_batch": job.extra_pairs,
        "steps": outcome.step,
        "batch": job.batch,
        "loss_first": outcome.loss_first,
        "loss_last": outcome.loss_last,
        "feature_spread": outcome.feature_spread,
        "device": device_text(job.device, job.bf16),
        "torch": torch.__version__,
        "training_seconds": run.seconds["train"],
    }


def _report(run: Run, record: RunRecord) -> Path | None:
    """Write the report; one that fails must not cost the encoder."""
    try:
        from trainer.report import write_report

        path = record.folder / "report.html"
        return write_report(run.study, [record.run_id], path, cancelled=run.stop)
    except Cancelled:
        run.warn(
            "Stopped before the report was written; the encoder is. Write the report: "
            f"python main.py report --study {run.study.folder}"
        )
        return None
    except Exception as error:
        log.exception("The report failed")
        run.warn(
            f"The report could not be made ({error}); the encoder is written. Try again: "
            f"python main.py report --study {run.study.folder}"
        )
        return None


def _stopped(record: RunRecord, outcome: Outcome) -> RunStopped:
    record.update(
        state="stopped",
        ended_utc=utc_now(),
        checkpoint_path=stored_path(record.study, outcome.checkpoint),
    )
    return RunStopped(record.run_id, str(record.folder), str(outcome.checkpoint), outcome.step)


@contextlib.contextmanager
def _recorded_failure(record: RunRecord) -> Iterator[None]:
    """Write a failure into the run's row and log; name the checkpoint that is left."""
    try:
        yield
    except BaseException as error:
        log.exception("The run failed")
        left = checkpoints(record.folder)
        known = isinstance(error, TrainerError)
        record.update(
            state="failed",
            ended_utc=utc_now(),
            message=str(error) if known else f"{type(error).__name__}: {error}",
            checkpoint_path=stored_path(record.study, left[0]) if left else None,
        )
        if isinstance(error, TrainerError) and left:
            raise type(error)(f"{error} The last good checkpoint is {left[0]}.") from error
        raise


def _cohort_text(cohort: Cohort, members: Sequence[Member]) -> str:
    readings = sum(len(m.readings) for m in members)
    read = sum(1 for m in members if m.readings)
    held = len(cohort.members) - len(members)
    text = f"{len(members)} images, {read} of them read ({readings} readings)"
    text += f", {held} held back as test split" if held else ""
    return text + (f", {len(cohort.dropped)} left out" if cohort.dropped else "")


def _warn_of_dropped(run: Run, cohort: Cohort) -> None:
    """Name what was left out and why, the first few of each reason."""
    by_reason: dict[str, list[str]] = {}
    for dropped in cohort.dropped:
        by_reason.setdefault(f"{dropped.kind}: {dropped.reason}", []).append(dropped.id)
    for reason, ids in by_reason.items():
        named = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
        run.warn(f"Left out {len(ids)} × {reason} ({named}).")


def _similarity_text(config: RunConfig) -> str:
    if config.uses_gaze:
        return f"Comparing gaze by {config.measure}"
    return f"Not needed: pairs is {config.pairs}"


def _beginning(run: Run, job: Job, record: RunRecord) -> str:
    config, begins = job.config, "Continuing" if record.continued else "Training"
    return (
        f"{begins} {record.folder.name}: {config.method}, {config.encoder}, {config.size} px, "
        f"batch {job.batch}, {config.epochs} epochs = {job.steps} steps on "
        f"{device_text(job.device, job.bf16)}"
    )


def _pairs_text(run: Run, job: Job) -> str:
    """Say what the pairs will be, and warn where the run will hardly differ from the plain one."""
    config = job.config
    if job.batch < config.batch:
        run.warn(f"The cohort has {job.batch} images; a batch holds these, not {config.batch}.")
    if config.pairs == "none":
        return "Pairs: each image with itself (plain)"
    if job.extra_pairs < FEW_EXTRA_PAIRS:
        run.warn(
            f"Only {job.extra_pairs:.1f} extra pairs are expected in a batch: {config.pairs} will "
            f"hardly differ from the plain method. Raise --positive-rate or --batch, or lower "
            "--threshold or --drop."
        )
    return f"Pairs: {config.pairs}, {job.extra_pairs:.1f} extra pairs expected in a batch"
