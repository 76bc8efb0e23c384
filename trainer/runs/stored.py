"""The stored values that a run cuts its views from, if it shall, and what is said of them."""

from collections import Counter
from collections.abc import Sequence

import torch

from migrations.study.names import split_item
from migrations.study.plurals import counted
from trainer.data.cache import ImageCache
from trainer.data.cache_build import size_text
from trainer.data.cohort import Member
from trainer.data.stored_cache import StoredSource, open_stored, stored_bytes, stored_path
from trainer.pretrain.window_draws import StoredViews, stored_views
from trainer.runs.stages import Run


def stored_of(
    run: Run, members: Sequence[Member], images: ImageCache, device: torch.device
) -> StoredViews | None:
    """Return stored values and windows of the members; None where views are cut from pictures.

    What they take on the disk is said before they are written, and which images have none.
    """
    if run.config.depth != "stored":
        return None
    run.warn("depth is stored, which is experimental: see docs/training.md.")
    sources = [_source(member) for member in members]
    there = stored_path(images, sources).is_file()
    size = size_text(stored_bytes(images))
    text = "Using the stored values kept in" if there else f"Keeping stored values ({size}) in"
    with run.stage("images", f"{text} {run.source.cache}") as meter:
        cache = open_stored(images, sources, progress=meter, cancelled=run.stop)
    if any(cache.reasons):
        run.warn(_without(cache.reasons))
    views = stored_views(cache.held_on(device), members, sources, run.config.window_jitter)
    read = sum(1 for m in members if any(r.windows for r in m.readings))
    run.say("images", f"Readers' windows: {read} of {len(members)} images")
    return views


def _source(member: Member) -> StoredSource:
    frame = split_item(member.image_id)[1]
    return StoredSource(member.sha256, member.stored, frame)


def _without(reasons: Sequence[str]) -> str:
    """Say how many images go by their 8-bit pictures, and why."""
    counts = Counter(reason for reason in reasons if reason)
    why = "; ".join(f"{reason}: {count}" for reason, count in counts.most_common())
    if all(reasons):
        return (
            "depth is stored, which has no effect: no image has more than its 8-bit picture "
            f"({why})."
        )
    return (
        f"8-bit pictures are used for {counted(counts.total(), 'image')} of {len(reasons)} ({why})."
    )
