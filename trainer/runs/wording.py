"""What a run says of its cohort and settings before it trains."""

from collections.abc import Iterator, Sequence

from migrations.study.names import short_name
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from trainer.config.config import RunConfig
from trainer.data.cohort import Cohort, Member, damage_text
from trainer.pretrain.job import Job
from trainer.process.device import device_text
from trainer.runs.source import Record

_MANY_POSITIVE = 0.5


def cohort_text(cohort: Cohort, members: Sequence[Member], config: RunConfig) -> str:
    """Say how many images are trained on, and what became of the others."""
    readings = sum(len(m.readings) for m in members)
    read = sum(1 for m in members if m.readings)
    held = len(cohort.members) - len(members)
    text = counted(len(members), "image")
    text += f", {read} of them with gaze ({counted(readings, 'reading')})" if readings else ""
    text += ", including the test split (transductive)" if config.transductive else ""
    text += f", {held} held out as test split" if held else ""
    return text + (f", {len(cohort.dropped)} left out" if cohort.dropped else "")


def warnings_of(cohort: Cohort, config: RunConfig) -> Iterator[str]:
    """Yield what the user should know: what was left out and why, and a rate that hardly learns."""
    yield from _left_out(cohort)
    for line in damage_text(cohort):
        yield as_typed(
            f"Damaged gaze: {line} The rest is used; for what to do, run python main.py db check."
        )
    if config.recipe != "radiograph" and not config.init and config.lr <= 1e-4:
        yield (
            f"The rate {config.lr:g} of recipe {config.recipe} is meant for ImageNet weights "
            "(init); from random weights, learning is slow. Without such a file, set lr to 3e-4."
        )


def too_many_pairs(rate: float | None) -> Iterator[str]:
    """Yield what is said where more than half of all pairs are positive."""
    if rate is not None and rate > _MANY_POSITIVE:
        yield (
            f"{rate:.1%} of all pairs are positive, so images are drawn towards most others, "
            "whatever they show. Raise the threshold, or set the positive rate to 0.05. Check "
            "that large values in the relation mean similar."
        )


def _left_out(cohort: Cohort) -> Iterator[str]:
    """Name the first few of each reason."""
    by_reason: dict[str, list[str]] = {}
    for dropped in cohort.dropped:
        by_reason.setdefault(f"{dropped.kind}: {dropped.reason}", []).append(short_name(dropped.id))
    for reason, ids in by_reason.items():
        named = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
        yield f"Left out {len(ids)} × {reason} ({named})."


def beginning_text(job: Job, record: Record) -> str:
    """Say what begins: run, method, encoder, sizes, steps, device."""
    config, begins = job.config, "Continuing" if record.continued else "Training"
    return (
        f"{begins} {record.folder.name}: {config.method}, {config.encoder}, {config.size} px, "
        f"batch {job.batch}, {counted(config.epochs, 'epoch')} = {counted(job.steps, 'step')} on "
        f"{device_text(job.device, job.precision)}"
    )
