"""Random numbers that depend on (seed, stream, index) alone, so that a run can go on anywhere."""

from enum import IntEnum

import numpy as np
import torch


class Stream(IntEnum):
    """What the numbers are for; each stream is independent of the others."""

    WEIGHTS = 0
    ORDER = 1
    VIEW_1 = 2
    VIEW_2 = 3
    PAIRS = 4
    PATHS = 5


def generator_for(seed: int, stream: Stream, index: int = 0) -> torch.Generator:
    """Return a CPU generator for one step (or epoch) of one stream.

    On the CPU whatever the device: the numbers are few, and the same on every machine.
    """
    state = np.random.SeedSequence([seed, int(stream), index]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed((int(state[0]) << 31) ^ int(state[1]))
