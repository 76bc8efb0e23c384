"""Who reads which cases in which arm and order: balanced plans, without a database.

A case belongs to a block by its place in the study. For each case, every arm falls in every period
for equally many readers (± 1), and follows every other arm equally often once the number of readers
is a multiple of `len(arm_orders(n))` (Williams 1949, doi 10.1071/CH9490149). For each reader, every
period has equally many cases of each arm (± 1).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from migrations.study.arms import Arm


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned reading of a case.

    Attributes
    ----------
    case_id
        Of the study.
    arm
        Its index among the arms; None: the study has none.
    period
        How many times the reader reads the case before this.
    position
        Place in the reader's order, from 0.
    """

    case_id: str
    arm: int | None
    period: int
    position: int


@dataclass(frozen=True, slots=True)
class Design:
    """How cases are assigned to readers.

    Attributes
    ----------
    arms
        Empty: none.
    crossover
        Whether each case is read in every arm, or in only one.
    readers, readers_per_case
        How many are planned, and how many of them read a case; 0: every reader reads every case.
    """

    arms: tuple[Arm, ...] = ()
    crossover: bool = True
    readers: int = 0
    readers_per_case: int = 0


def arm_orders(count: int) -> list[tuple[int, ...]]:
    """Return the orders of a Williams design: `count` of them, twice as many for an odd number."""
    first = [(k + 1) // 2 if k % 2 else (count - k // 2) % count for k in range(count)]
    orders = [tuple((arm + shift) % count for arm in first) for shift in range(count)]
    return orders + [order[::-1] for order in orders] if count % 2 and count > 1 else orders


def plan_for(design: Design, reader: int, name: str, cases: Sequence[str]) -> list[Planned]:
    """Return what a reader reads, in order.

    Parameters
    ----------
    reader
        The reader's number in the study, from 0.
    name
        Pseudonym; seeds the order of cases within a block.
    cases
        All cases of the study, in its order.
    """
    units = _units(design.arms)
    found: list[tuple[int, int, str, str, int | None]] = []
    for i, case_id in enumerate(cases):
        rank, block = _place(design, reader, i, max(len(units), 1))
        if rank is None:
            continue
        turn = (block + reader) % max(len(units), 1)
        drawn = hashlib.sha256(f"{name}\n{case_id}".encode()).hexdigest()
        period = 0
        for unit in _sequence(design, units, rank, block):
            for arm in units[unit] if units else (None,):
                found.append((period, turn, drawn, case_id, arm))
                period += 1
    return [
        Planned(case_id, arm, period, position)
        for position, (period, _, _, case_id, arm) in enumerate(sorted(found, key=_key))
    ]


def _key(row: tuple[int, int, str, str, int | None]) -> tuple[int, int, str]:
    return row[:3]


def _units(arms: Sequence[Arm]) -> list[tuple[int, ...]]:
    """Return arms that directly follow each other: a first look with its second looks."""
    units: list[tuple[int, ...]] = []
    for k, arm in enumerate(arms):
        if arm.second_look and units:
            units[-1] = (*units[-1], k)
        else:
            units.append((k,))
    return units


def _place(design: Design, reader: int, case: int, blocks: int) -> tuple[int | None, int]:
    """Return this reader's number among the case's readers (None: not one), and its block."""
    if not design.readers_per_case:
        return reader, case % blocks
    rank = (reader - case) % design.readers
    own = rank if rank < design.readers_per_case else None
    return own, case // design.readers % blocks


def _sequence(
    design: Design, units: Sequence[tuple[int, ...]], rank: int, block: int
) -> tuple[int, ...]:
    """Return in which order a reader meets the units of a case; the block rotates them."""
    count = len(units)
    if count < 2:
        return (0,)
    if not design.crossover:
        return ((rank + block) % count,)
    orders = arm_orders(count)
    return tuple((unit + block) % count for unit in orders[rank % len(orders)])
