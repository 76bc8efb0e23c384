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
    NET = 6
    WINDOWS = 7


def seed_nets(seed: int, process: int) -> None:
    """Let what nets draw of themselves, as dropped layers, follow from a seed from here on.

    Nets draw from torch's own generators: a checkpoint keeps those, but what a run begins with was
    whatever the process had drawn before.
    """
    drawn = generator_for(seed, Stream.NET, process)
    torch.set_rng_state(drawn.get_state())
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(drawn.initial_seed())


def generator_for(seed: int, stream: Stream, index: int = 0) -> torch.Generator:
    """Return a CPU generator for one step (or epoch) of one stream.

    On the CPU whatever the device: the numbers are few, and the same on every machine.
    """
    state = np.random.SeedSequence([seed, int(stream), index]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed((int(state[0]) << 31) ^ int(state[1]))
