"""From a source to what the loop needs: cohort, pairs, images, and the record of the run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from migrations.study.evidence import CohortEvidence
from migrations.study.names import short_name
from migrations.study.plurals import counted
from trainer.config.config import RunConfig
from trainer.config.idle import idle_settings
from trainer.config.methods import find_method
from trainer.data.broken import open_sound
from trainer.data.cache import ImageCache, open_cache
from trainer.data.cache import Source as Picture
from trainer.data.cohort import Member, damage_text, fingerprint
from trainer.encoders.files import encoder_path
from trainer.encoders.weights import file_hash
from trainer.errors import CohortError, ConfigError
from trainer.methods.registry import make_method
from trainer.methods.split_norm import parts_of
from trainer.pairs.choose import ChosenPairs
from trainer.pairs.policy import PairPolicy, SameLabel
from trainer.pretrain.checkpoint import Identity
from trainer.pretrain.crops import gaze_boxes
from trainer.pretrain.job import Job
from trainer.pretrain.paths import ScanPaths, paths_of
from trainer.process import distributed
from trainer.process.device import choose_device, choose_precision, prepare_device
from trainer.process.events import Meter
from trainer.runs.source import Record
from trainer.runs.stages import Run
from trainer.runs.stored import stored_of
from trainer.runs.unread import pairs_of_unread
from trainer.runs.wording import cohort_text, too_many_pairs, warnings_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that training needs, and where it is kept.

    Attributes
    ----------
    left_out
        Names of the images whose pictures cannot be used, if the user wants them left out.
    """

    job: Job
    record: Record
    pairs: ChosenPairs
    left_out: tuple[str, ...] = ()


def prepare(run: Run) -> Prepared:
    """Read the cohort, choose the pairs, decode the images, open the run's record.

    Raises
    ------
    TrainerError
        If one of them cannot be done; nothing is recorded then.
    Cancelled
        If a stop was asked for.
    """
    config, source = run.config, run.source
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    prepare_device(device, deterministic=config.deterministic, tf32=config.tf32)
    _require_shared_norm(config, device)
    init = file_hash(encoder_path(Path(config.init))) if config.init else ""
    with run.stage("cohort", "Reading the images and their data") as meter:
        cohort = source.load(config, meter, run.stop)
        members = source.members(cohort, config)
    run.say("cohort", cohort_text(cohort, members, config))
    for text in (*cohort.notes, *idle_settings(config), *warnings_of(cohort, config)):
        run.warn(text)
    with run.stage("similarity", source.pairs_text(config)) as meter:
        pairs = source.pairs(cohort, members, config, meter, run.stop)
    if pairs.evidence is not None:
        _tell_measure(run, pairs.evidence)
    with run.stage("images", f"Preparing {counted(len(members), 'image')}") as meter:
        images, left_out = _cache(run, members, meter)
        images = images.held_on(device)
    named_cohort = cohort.fingerprint
    if left_out:
        members = tuple(m for m in members if m.image_id not in left_out)
        named_cohort = fingerprint(members)
        with run.stage(
            "similarity", f"{source.pairs_text(config)}, for the remaining images"
        ) as meter:
            pairs = source.pairs(cohort, members, config, meter, run.stop)
    pairs = pairs_of_unread(run, pairs, images, _patient_numbers(members))
    stored = stored_of(run, members, images, device)
    for text in too_many_pairs(pairs.positive_rate):
        run.warn(text)
    policy = _with_patients(pairs.policy, members, config)
    identity = Identity(config, named_cohort, policy.hash(), len(members), init)
    distributed.own_share(min(config.batch, len(members)))  # refused before anything is made
    record = source.open_run(identity, pairs.similarity_run_id, fresh=run.fresh, out=run.out)
    if cohort.damaged:
        record.update(details={"damaged_gaze": damage_text(cohort)})
    source.splits(cohort).write(record.folder / "splits.json")
    job = Job(
        identity,
        images,
        policy,
        record.folder,
        device,
        precision,
        labels=SameLabel.of([m.label for m in members]).codes,
        groups=_patient_numbers(members),
        focus=_focus(config, members, images),
        paths=_paths(run, members, images),
        stored=stored,
    )
    return Prepared(job, record, pairs, tuple(map(short_name, left_out)))


def _require_shared_norm(config: RunConfig, device: torch.device) -> None:
    """Refuse batch statistics that would not be what is asked for.

    On CPU those of several processes would be each one's own.
    """
    if config.norm == "split" and distributed.world() > 1:
        raise ConfigError(
            "norm is split, which lets one process normalise like several, but there are "
            f"{distributed.world()} processes. Set norm to batch, whose statistics they share."
        )
    if config.norm == "split" and parts_of(config.batch) == 1:
        raise ConfigError(
            f"norm is split, but a batch of {config.batch} cannot be divided into parts of at "
            "least 4 images. Set batch to 8 or a larger multiple of 8."
        )
    if distributed.world() == 1 or device.type != "cpu":
        return
    with torch.device("meta"):  # no weights, only what there is
        parts = make_method(replace(config, init="")).modules()
    if any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in parts):
        raise ConfigError(
            f"{distributed.world()} processes on a CPU cannot share the statistics of batch "
            "normalisation: each would learn its own, and only the first one's would be exported. "
            "Set norm to group, or use a single process or GPUs."
        )


def _focus(config: RunConfig, members: Sequence[Member], images: ImageCache) -> Tensor | None:
    if config.crop != "gaze":
        return None
    if not any(m.readings for m in members):
        raise CohortError(
            "crop is gaze, but no image has gaze from a finished reading. Read some cases in the "
            "station, or set crop to random."
        )
    return gaze_boxes(members, images)


def _paths(run: Run, members: Sequence[Member], images: ImageCache) -> ScanPaths | None:
    """Return the fixations that a method learns of; warn where most images have none."""
    method = run.config.method
    if not find_method(method).paths:
        return None
    paths = paths_of(members, images.boxes)
    count = paths.images_with
    if count == 0:
        raise CohortError(
            f"method is {method}, which learns from fixations, but no image has gaze from a "
            "finished reading. Read some cases in the station, or set method to byol."
        )
    run.say("images", f"Fixations in order: {count} of {len(members)} images")
    run.warn(f"{method} is experimental: see docs/gaze-methods.md for its measured benefit.")
    return paths


def _tell_measure(run: Run, evidence: CohortEvidence) -> None:
    """Say which measure was chosen; warn where none carries anything."""
    if evidence.carries:
        run.say("similarity", evidence.reason)
    else:
        run.warn(evidence.reason)


def _cache(run: Run, members: Sequence[Member], meter: Meter) -> tuple[ImageCache, tuple[str, ...]]:
    """Return the pictures, and the ids of images whose picture cannot be used and is left out."""
    pictures = [Picture(m.image_id, m.sha256, m.width, m.height, m.presentation) for m in members]
    size = max(run.config.view)
    if not run.config.skip_broken:
        cache = open_cache(run.source.cache, pictures, size, progress=meter, cancelled=run.stop)
        return cache, ()
    cache, broken = open_sound(run.source.cache, pictures, size, progress=meter, cancelled=run.stop)
    if broken:
        lines = "".join(f"\n  {reason}" for reason in broken.values())
        run.warn(f"Left out {len(broken)} pictures that cannot be used:{lines}")
    return cache, tuple(members[i].image_id for i in broken)


def _with_patients(policy: PairPolicy, members: Sequence[Member], config: RunConfig) -> PairPolicy:
    if config.same_patient != "ignore":
        return policy
    return replace(policy, patients=_patient_numbers(members))


def _patient_numbers(members: Sequence[Member]) -> Tensor:
    numbers = {g: i for i, g in enumerate(sorted({m.source_group for m in members}))}
    return torch.tensor([numbers[m.source_group] for m in members])
