"""One run from its source to the report: cohort, similarity, images, train, export, report."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from migrations.study.names import short_name
from migrations.study.schema import utc_now
from trainer.config.config import RunConfig
from trainer.data.cache import ImageCache, open_cache
from trainer.data.cache import Source as Picture
from trainer.data.cohort import Cohort, Member
from trainer.encoders.weights import file_hash
from trainer.errors import Cancelled, CohortError, TrainerError
from trainer.pairs.choose import ChosenPairs
from trainer.pairs.policy import PairPolicy, SameLabel
from trainer.pretrain.checkpoint import Identity, checkpoints
from trainer.pretrain.crops import gaze_boxes
from trainer.pretrain.job import Job
from trainer.pretrain.loop import Outcome, train
from trainer.pretrain.pair_facts import PairFacts, pair_facts, pairs_text
from trainer.process import distributed
from trainer.process.device import choose_device, choose_precision, device_text, prepare_device
from trainer.process.events import Emit, Meter, Notice, RunFinished, RunStopped, StageStarted
from trainer.runs.export import export_encoder
from trainer.runs.source import Record, Source
from trainer.runs.study_runs import at_work

log = logging.getLogger("trainer")


@dataclass
class Run:
    """What the stages of a run share.

    Attributes
    ----------
    source, config
        What is trained on, and how.
    fresh, out
        Start anew; the run folder if the user named one.
    emit, stop
        Where events go; whether a stop was asked for.
    seconds
        By stage.
    """

    source: Source
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

    Of several processes only the first prepares, records and exports; the others train with it and
    end with what says nothing but whether the run was stopped.

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
    try:
        job, record, pairs = _prepare(run)
    except BaseException as error:
        distributed.from_first(None)
        if isinstance(error, Cancelled):
            return RunStopped(None, None, None, 0)
        raise
    distributed.from_first(replace(job, images=job.images.described(), device=CPU))
    with at_work(record), _recorded_failure(record):
        run.say("train", _beginning(run, job, record))
        worth = pair_facts(job)
        with run.stage("train", pairs_text(job, worth, run.warn)):
            outcome = train(job, run.emit, run.stop)
        if not outcome.finished:
            return _stopped(record, outcome)
        return _finish(run, job, record, pairs, worth, outcome)


CPU = torch.device("cpu")


def _follow(run: Run) -> RunFinished | RunStopped:
    """Train beside the first process, which has prepared everything."""
    first: Job | None = distributed.from_first(None)
    if first is None:
        return RunStopped(None, None, None, 0)
    device = choose_device(run.config.device)
    prepare_device(device)
    images = first.images.opened().held_on(device)
    job = replace(first, images=images, policy=first.policy.to(device), device=device)
    outcome = train(job, lambda _: None, run.stop)
    if not outcome.finished:
        return RunStopped(None, None, None, outcome.step)
    return RunFinished("", str(job.folder), "", None, len(images), None, outcome.loss_first,
                       outcome.loss_last, outcome.feature_spread, {})  # fmt: skip


def _prepare(run: Run) -> tuple[Job, Record, ChosenPairs]:
    config, source = run.config, run.source
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    prepare_device(device)
    init = file_hash(Path(config.init)) if config.init else ""
    with run.stage("cohort", "Reading the images and what is known of them") as meter:
        cohort = source.load(config, meter, run.stop)
        members = source.members(cohort, config)
    run.say("cohort", _cohort_text(cohort, members, config))
    _warn_of_dropped(run, cohort)
    _warn_of_config(run)
    with run.stage("similarity", source.pairs_text(config)) as meter:
        pairs = source.pairs(cohort, members, config, meter, run.stop)
    with run.stage("images", f"Preparing {len(members)} images") as meter:
        images = _cache(run, members, meter).held_on(device)
    policy = _with_patients(pairs.policy, members, config)
    identity = Identity(config, cohort.fingerprint, policy.hash(), len(members), init)
    distributed.own_share(min(config.batch, len(members)))  # refused before anything is made
    record = source.open_run(identity, pairs.similarity_run_id, fresh=run.fresh, out=run.out)
    source.splits(cohort).write(record.folder / "splits.json")
    job = Job(
        identity,
        images,
        policy.to(device),
        record.folder,
        device,
        precision,
        labels=SameLabel.of([m.label for m in members]).codes,
        groups=_patient_numbers(members),
        focus=_focus(config, members, images),
    )
    return job, record, pairs


def _focus(config: RunConfig, members: Sequence[Member], images: ImageCache) -> Tensor | None:
    if config.crop != "gaze":
        return None
    if not any(m.readings for m in members):
        raise CohortError(
            "crop is gaze, but no image has gaze of a finished reading. Read some cases in the "
            "station, or use --set crop=random."
        )
    return gaze_boxes(members, images)


def _cache(run: Run, members: Sequence[Member], meter: Meter) -> ImageCache:
    pictures = [Picture(m.image_id, m.sha256, m.width, m.height, m.presentation) for m in members]
    size = max(run.config.view)
    return open_cache(run.source.cache, pictures, size, progress=meter, cancelled=run.stop)


def _with_patients(policy: PairPolicy, members: Sequence[Member], config: RunConfig) -> PairPolicy:
    if config.same_patient != "ignore":
        return policy
    return replace(policy, patients=_patient_numbers(members))


def _patient_numbers(members: Sequence[Member]) -> Tensor:
    numbers = {g: i for i, g in enumerate(sorted({m.source_group for m in members}))}
    return torch.tensor([numbers[m.source_group] for m in members])


def _finish(
    run: Run, job: Job, record: Record, pairs: ChosenPairs, worth: PairFacts, outcome: Outcome
) -> RunFinished:
    facts = {**_facts(run, job, pairs, outcome), **worth.as_dict()}
    with run.stage("export", "Writing the encoder"):
        seen = job.images.fingerprints
        encoder = export_encoder(record.folder, outcome.method.encoder, job.identity, facts, seen)
    record.update(
        state="finished",
        ended_utc=utc_now(),
        checkpoint_path=record.stored(outcome.checkpoint),
        encoder_path=record.stored(encoder),
        details={**facts, "seconds": run.seconds},
    )
    report = None
    if run.source.has_report:
        with run.stage("report", "Writing the report"):
            report = _report(run, record)
    record.update(
        details={"seconds": run.seconds}, report_path=record.stored(report) if report else None
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
        "images": len(job.images),
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
    """Write the report; one that fails must not cost the encoder."""
    try:
        return run.source.report(record, run.stop)
    except Cancelled:
        run.warn(
            "Stopped before the report was written; the encoder is. Write the report: "
            f"python main.py report {run.source.hint}"
        )
        return None
    except Exception as error:
        log.exception("The report failed")
        run.warn(
            f"The report could not be made ({error}); the encoder is written. Try again: "
            f"python main.py report {run.source.hint}"
        )
        return None


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


def _cohort_text(cohort: Cohort, members: Sequence[Member], config: RunConfig) -> str:
    readings = sum(len(m.readings) for m in members)
    read = sum(1 for m in members if m.readings)
    held = len(cohort.members) - len(members)
    text = f"{len(members)} images"
    text += f", {read} of them read ({readings} readings)" if readings else ""
    text += ", those of the test split among them (transductive)" if config.transductive else ""
    text += f", {held} held back as test split" if held else ""
    return text + (f", {len(cohort.dropped)} left out" if cohort.dropped else "")


def _warn_of_dropped(run: Run, cohort: Cohort) -> None:
    """Name what was left out and why, the first few of each reason."""
    by_reason: dict[str, list[str]] = {}
    for dropped in cohort.dropped:
        by_reason.setdefault(f"{dropped.kind}: {dropped.reason}", []).append(short_name(dropped.id))
    for reason, ids in by_reason.items():
        named = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
        run.warn(f"Left out {len(ids)} × {reason} ({named}).")


def _warn_of_config(run: Run) -> None:
    config = run.config
    if config.recipe != "radiograph" and not config.init and config.lr <= 1e-4:
        run.warn(
            f"The rate {config.lr:g} of recipe {config.recipe} was released for a start from "
            "ImageNet weights (--init FILE); from random weights it learns slowly. Without a file: "
            "--set lr=3e-4."
        )


def _beginning(run: Run, job: Job, record: Record) -> str:
    config, begins = job.config, "Continuing" if record.continued else "Training"
    return (
        f"{begins} {record.folder.name}: {config.method}, {config.encoder}, {config.size} px, "
        f"batch {job.batch}, {config.epochs} epochs = {job.steps} steps on "
        f"{device_text(job.device, job.precision)}"
    )
