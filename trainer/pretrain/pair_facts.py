"""What the pairs of a run are worth, told before the first step."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from migrations.study.processes import as_typed
from trainer.pretrain.job import Job

FEW_EXTRA_PAIRS = 4.0
MANY_WITHOUT = 0.5
"""Share of images without a pair from which on the user is warned."""
_ANCHORS, _BLOCK = 4096, 512


@dataclass(frozen=True, slots=True)
class PairFacts:
    """Worth of the extra pairs.

    Attributes
    ----------
    extra_pairs_per_batch
        Expected, after dropping.
    images_with_pairs
        Share of images that have one; of more than 4,096 images, of as many drawn at random.
    pair_purity
        Share of these pairs (by weight), of labelled images, that join one label; None where labels
        made them or where there are none. Labels choose nothing here.
    """

    extra_pairs_per_batch: float
    images_with_pairs: float
    pair_purity: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Return it as the run's row keeps it."""
        return asdict(self)


def pair_facts(job: Job) -> PairFacts:
    """Return what the pairs of a run are worth."""
    related, images = job.policy.related, len(job.images)
    if related is None:
        return PairFacts(0.0, 0.0)
    every = torch.arange(images)
    anchors = every
    if images > _ANCHORS:
        anchors = torch.randperm(images, generator=torch.Generator().manual_seed(0))[:_ANCHORS]
    codes = torch.full((images,), -1) if job.labels is None else job.labels
    paired, pairs, pure = 0, 0.0, 0.0
    for own in torch.split(anchors, _BLOCK):
        pair = related.lookup(own.to(job.device), every.to(job.device)).cpu()
        paired += int((pair > 0).any(dim=1).sum())
        known = (codes[own][:, None] >= 0) & (codes[None, :] >= 0)
        same = known & (codes[own][:, None] == codes[None, :])
        pairs += float(pair[known].double().sum())
        pure += float(pair[same].double().sum())
    by_gaze = pairs and job.config.pairs != "label"
    return PairFacts(job.extra_pairs, paired / len(anchors), pure / pairs if by_gaze else None)


def pairs_text(job: Job, facts: PairFacts, warn: Callable[[str], None]) -> str:
    """Say what the pairs will be, and warn where the run will hardly differ from the plain one."""
    config, expected = job.config, facts.extra_pairs_per_batch
    if job.batch < config.batch:
        warn(
            f"The cohort has only {job.batch} images, so a batch contains {job.batch} instead "
            f"of {config.batch}."
        )
    if config.pairs == "none":
        return "Pairs: each image with itself (plain), 0 extra pairs expected per batch"
    if expected < FEW_EXTRA_PAIRS:
        remedy = (
            "Raise batch."
            if config.pairs == "label"
            else ("Raise the positive rate or batch, or lower the threshold or drop.")
        )
        warn(
            f"Only {expected:.1f} extra pairs are expected in a batch, so {config.pairs} will "
            f"hardly differ from a run without gaze. {remedy}"
        )
    elif config.uses_gaze and facts.images_with_pairs < MANY_WITHOUT:
        warn(
            as_typed(
                f"Only {facts.images_with_pairs:.0%} of the images have a pair by gaze; the "
                "others are only paired with themselves. `python main.py similarity` names images "
                "without a value. Try another measure or a higher positive rate."
            )
        )
    text = (
        f"Pairs: {config.pairs}, {expected:.1f} extra pairs expected per batch; "
        f"{facts.images_with_pairs:.0%} of the images have one"
    )
    if config.weighs_pairs:
        text += "; the pairs are weighted, which is experimental (docs/gaze-methods.md)"
    if facts.pair_purity is not None:
        text += f"; {facts.pair_purity:.0%} of the pairs of labelled images share a label"
    return text
