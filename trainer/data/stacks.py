"""A stack's part in a cohort: its looked-at frames, each with its own picture and its own gaze."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from migrations.study.names import item_of_frame, split_item
from trainer.data.readings import ReadingGaze


def looked_at(
    by_item: Mapping[str, Sequence[ReadingGaze]], frames_of: Mapping[str, int], beside: int
) -> dict[str, list[int]]:
    """Return by image the frames (from 0) of each stack that take part in a cohort.

    That is the frame on which gaze dwelt longest, of all readings together, the earlier one where
    two are equal, and `beside` frames on either side of it.

    Parameters
    ----------
    by_item
        Gaze by `item_of_frame`.
    frames_of
        How many frames each stack has, by image.
    """
    dwell_us: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for item, readings in by_item.items():
        image_id, frame = split_item(item)
        if frame is not None:
            dwell_us[image_id][frame] += sum(_dwell_us(reading) for reading in readings)
    found = {}
    for image_id, by_frame in dwell_us.items():
        longest = min(by_frame, key=lambda frame: (-by_frame[frame], frame))
        last = min(longest + beside, frames_of[image_id] - 1)
        found[image_id] = list(range(max(0, longest - beside), last + 1))
    return found


def items_of(image_id: str, frames: Sequence[int]) -> list[str]:
    """Return the ids under which frames of a stack are members of a cohort."""
    return [item_of_frame(image_id, frame) for frame in frames]


def _dwell_us(reading: ReadingGaze) -> int:
    """Return how long fixations lasted, one microsecond a sample where there is none."""
    return int(reading.fixations.duration_us.sum()) or len(reading.time_us)
