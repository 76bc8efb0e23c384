"""One run from its source to the report: prepare, train, export, report."""

import contextlib
import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from migrations.study.processes import as_typed
from migrations.study.schema import utc_now
from trainer.errors import Cancelled, ImageCacheError, TrainerError
from trainer.pretrain.checkpoint import checkpoints
from trainer.pretrain.job import Job
from trainer.pretrain.loop import Outcome, train
from trainer.pretrain.pair_facts import pair_facts, pairs_text
from trainer.process import distributed
from trainer.process.device import choose_device, device_text, prepare_device
from trainer.process.events import Emit, Event, Notice, RunFinished, RunStopped
from trainer.runs.export import export_encoder
from trainer.runs.machine_caches import opened_here
from trainer.runs.prepare import Prepared, prepare
from trainer.runs.source import Record
from trainer.runs.stages import Run
from trainer.runs.study_runs import at_work
from trainer.runs.wording import beginning_text

log = logging.getLogger("trainer")

_NOT_BEGUN = RunStopped(None, None, None, 0)
# What the others end with where the first one failed: it says why, they add nothing to it.
_NOT_MINE = RunFinished("", "", "", None, 0, None, math.nan, math.nan, math.nan, {})


def run_training(run: Run) -> RunFinished | RunStopped:
    """Run all stages; the same call continues what was stopped.

    Of several processes only the first prepares, records and exports; the others train with it,
    and their result says only whether the run was stopped.

    Returns
    -------
    RunFinished or RunStopped
        Not yet emitted.

    Raises
    ------
    TrainerError
        If a stage fails; the run's row then says so too.
    """
    if distributed.rank() > 0:
        return _follow(run)
    prepared = _prepare_for_all(run)
    if prepared is None:
        return _NOT_BEGUN
    job, record = prepared.job, prepared.record
    with at_work(record), _recorded_failure(record):
        run.say("train", beginning_text(job, record))
        worth = pair_facts(job)
        with run.stage("train", pairs_text(job, worth, run.warn)):
            outcome = train(job, run.emit, run.stop)
        if not outcome.finished:
            return _stopped(record, outcome)
        facts = {**_facts(run, prepared, outcome), **worth.as_dict()}
        encoder = _export(run, prepared, outcome, facts)
        report = _report(run, record)
        return _finished(run, prepared, outcome, encoder, report)


def _prepare_for_all(run: Run) -> Prepared | None:
    """Prepare, and hand the job to the other processes; None where the user stopped it."""
    try:
        prepared = prepare(run)
    except BaseException as error:
        cancelled = isinstance(error, Cancelled)
        distributed.from_first(_NOT_BEGUN if cancelled else _NOT_MINE)
        if cancelled:
            return None
        raise
    job, cpu = prepared.job, torch.device("cpu")
    # Nothing that lies on this card goes out: the others would each open a context there.
    stored = None if job.stored is None else job.stored.described()
    described = replace(job, images=job.images.described(), stored=stored, device=cpu)
    distributed.from_first(described)
    if distributed.world() > 1:
        opened_here(job.images, run.source.cache)
        if job.stored is not None:
            opened_here(job.stored.cache, run.source.cache)
    return prepared


def _follow(run: Run) -> RunFinished | RunStopped:
    """Train beside the first process, which has prepared everything."""
    first: Job | RunFinished | RunStopped = distributed.from_first(None)
    if not isinstance(first, Job):
        return first
    device = choose_device(run.config.device)
    prepare_device(device, deterministic=run.config.deterministic, tf32=run.config.tf32)
    try:
        images = opened_here(first.images, run.source.cache).held_on(device)
        stored = first.stored
        if stored is not None:
            values = opened_here(stored.cache, run.source.cache).held_on(device)
            stored = replace(stored, cache=values)
    except ImageCacheError:
        return _NOT_MINE  # the first process says it
    job = replace(first, images=images, stored=stored, device=device)
    outcome = train(job, _notices_only(run.emit), run.stop)
    if not outcome.finished:
        return RunStopped(None, None, None, outcome.step)
    return RunFinished("", str(job.folder), "", None, len(images), None, outcome.loss_first,
                       outcome.loss_last, outcome.feature_spread, {})  # fmt: skip


def _notices_only(emit: Emit) -> Emit:
    """Return what passes on the warnings of a process beside the first, and says whose they are."""

    def pass_on(event: Event) -> None:
        if isinstance(event, Notice):
            emit(Notice(f"Process {distributed.rank()}: {event.message}"))

    return pass_on


def _export(run: Run, prepared: Prepared, outcome: Outcome, facts: dict[str, Any]) -> Path:
    """Write the encoder; the run is finished then, with or without a report."""
    job, record = prepared.job, prepared.record
    with run.stage("export", "Writing the encoder"):
        encoder = export_encoder(
            record.folder, outcome.method.encoder, job.identity, facts, job.images.fingerprints
        )
    record.update(
        state="finished",
        ended_utc=utc_now(),
        checkpoint_path=record.stored(outcome.checkpoint),
        encoder_path=record.stored(encoder),
        details={**facts, "seconds": run.seconds},
    )
    return encoder


def _facts(run: Run, prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    job, pairs = prepared.job, prepared.pairs
    chosen = {} if pairs.evidence is None else {"measure": pairs.evidence.recommended}
    return chosen | {
        "threshold": pairs.threshold,
        "positive_rate": pairs.positive_rate,
        "images": len(job.images),
        "left_out": list(prepared.left_out),
        "steps": outcome.step,
        "batch": job.batch,
        "loss_first": outcome.loss_first,
        "loss_last": outcome.loss_last,
        "feature_spread": outcome.feature_spread,
        **outcome.last_signals,
        "transductive": run.config.transductive,
        "init": job.identity.init,
        "device": device_text(job.device, job.precision),
        "torch": torch.__version__,
        "training_seconds": run.seconds["train"],
    }


def _report(run: Run, record: Record) -> Path | None:
    """Write the report, where the source has one, and record it."""
    report = None
    if run.source.has_report:
        with run.stage("report", "Writing the report"):
            report = _tried_report(run, record)
    path = record.stored(report) if report else None
    record.update(details={"seconds": run.seconds}, report_path=path)
    return report


def _tried_report(run: Run, record: Record) -> Path | None:
    """Write the report; one that fails must not cost the encoder."""
    try:
        return run.source.report(record, run.stop)
    except Cancelled:
        run.warn(
            as_typed(
                "Stopped before the report was written; the encoder was written. To write the "
                f"report: python main.py report {run.source.hint}"
            )
        )
        return None
    except Exception as error:
        log.exception("The report failed")
        run.warn(
            as_typed(
                f"The report could not be made ({error}); the encoder was written. To try again: "
                f"python main.py report {run.source.hint}"
            )
        )
        return None


def _finished(
    run: Run, prepared: Prepared, outcome: Outcome, encoder: Path, report: Path | None
) -> RunFinished:
    record = prepared.record
    return RunFinished(
        run_id=record.run_id,
        run_folder=str(record.folder),
        encoder=str(encoder),
        report=str(report) if report else None,
        images=len(prepared.job.images),
        positive_rate=prepared.pairs.positive_rate,
        loss_first=outcome.loss_first,
        loss_last=outcome.loss_last,
        feature_spread=outcome.feature_spread,
        seconds=run.seconds,
    )


def _stopped(record: Record, outcome: Outcome) -> RunStopped:
    record.update(
        state="stopped",
        ended_utc=utc_now(),
        checkpoint_path=record.stored(outcome.checkpoint),
    )
    return RunStopped(record.run_id, str(record.folder), str(outcome.checkpoint), outcome.step)


@contextlib.contextmanager
def _recorded_failure(record: Record) -> Iterator[None]:
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
            checkpoint_path=record.stored(left[0]) if left else None,
        )
        if isinstance(error, TrainerError) and left:
            raise type(error)(f"{error} The last good checkpoint is {left[0]}.") from error
        raise
