"""Plans are balanced: every count of every design of 2 to 8 readers and 2 to 4 arms."""

from collections import Counter
from itertools import pairwise, product

import pytest

from migrations.study.arms import Arm
from migrations.study.plans import Design, Planned, arm_orders, plan_for

CASES = [f"case {k}" for k in range(24)]
SIZES = list(product(range(2, 9), range(2, 5)))


def arms_of(count: int) -> tuple[Arm, ...]:
    return tuple(Arm(f"arm{k}") for k in range(count))


def plans(design: Design, readers: int) -> list[list[Planned]]:
    return [plan_for(design, r, f"R{r}", CASES) for r in range(readers)]


def spread(counts: Counter, over: list) -> int:
    found = [counts[key] for key in over]
    return max(found) - min(found)


@pytest.mark.parametrize(("readers", "arms"), SIZES)
def test_every_arm_comes_in_every_period_for_equally_many_readers_of_a_case(
    readers: int, arms: int
) -> None:
    everyone = plans(Design(arms_of(arms)), readers)
    for case_id, period in product(CASES, range(arms)):
        counts = Counter(
            p.arm for plan in everyone for p in plan if (p.case_id, p.period) == (case_id, period)
        )
        assert counts.total() == readers
        assert spread(counts, list(range(arms))) <= 1


@pytest.mark.parametrize(("readers", "arms"), SIZES)
def test_every_arm_follows_every_other_equally_often(readers: int, arms: int) -> None:
    everyone = plans(Design(arms_of(arms)), readers)
    pairs = [(a, b) for a, b in product(range(arms), repeat=2) if a != b]
    whole = readers % len(arm_orders(arms)) == 0
    for case_id in CASES:
        counts: Counter = Counter()
        for plan in everyone:
            order = [p.arm for p in sorted(plan, key=lambda p: p.period) if p.case_id == case_id]
            assert sorted(order) == list(range(arms))
            counts.update(pairwise(order))
        assert spread(counts, pairs) <= (0 if whole else 2 if arms % 2 else 1)


@pytest.mark.parametrize(("readers", "arms"), SIZES)
@pytest.mark.parametrize("crossover", [True, False])
def test_a_reader_has_equally_many_cases_of_each_arm_in_each_period(
    readers: int, arms: int, crossover: bool
) -> None:
    for plan in plans(Design(arms_of(arms), crossover), readers):
        for period in {p.period for p in plan}:
            counts = Counter(p.arm for p in plan if p.period == period)
            assert spread(counts, list(range(arms))) <= 1
        assert [p.position for p in plan] == list(range(len(plan)))
        assert [p.period for p in plan] == sorted(p.period for p in plan)


@pytest.mark.parametrize(("readers", "arms"), SIZES)
def test_without_crossover_each_case_is_read_once_and_by_equally_many_in_each_arm(
    readers: int, arms: int
) -> None:
    everyone = plans(Design(arms_of(arms), crossover=False), readers)
    for case_id in CASES:
        counts = Counter(p.arm for plan in everyone for p in plan if p.case_id == case_id)
        assert counts.total() == readers
        assert spread(counts, list(range(arms))) <= 1


@pytest.mark.parametrize(("readers", "arms"), SIZES)
def test_in_blocks_each_case_has_its_number_of_readers_and_each_reader_equally_many_cases(
    readers: int, arms: int
) -> None:
    for per_case in range(1, readers + 1):
        design = Design(arms_of(arms), True, readers, per_case)
        everyone = plans(design, readers)
        of_case = Counter(p.case_id for plan in everyone for p in plan if p.period == 0)
        assert {of_case[c] for c in CASES} == {per_case}
        loads = Counter({r: len(plan) for r, plan in enumerate(everyone)})
        assert spread(loads, list(range(readers))) <= arms * per_case
        for case_id in CASES:
            first = Counter(
                p.arm for plan in everyone for p in plan if (p.case_id, p.period) == (case_id, 0)
            )
            assert spread(first, list(range(arms))) <= 1


def test_a_second_look_follows_its_first_whatever_the_order() -> None:
    arms = (Arm("a"), Arm("a_aided", second_look=True), Arm("b"))
    for reader in range(4):
        for case_id in CASES:
            own = [p for p in plan_for(Design(arms), reader, "R", CASES) if p.case_id == case_id]
            order = [p.arm for p in sorted(own, key=lambda p: p.period)]
            assert order in ([0, 1, 2], [2, 0, 1])


def test_readers_differ_in_the_order_of_cases_and_a_plan_is_the_same_each_time() -> None:
    design = Design(arms_of(2))
    assert plan_for(design, 0, "R1", CASES) == plan_for(design, 0, "R1", CASES)
    orders = {tuple(p.case_id for p in plan_for(design, r, f"R{r}", CASES)) for r in range(8)}
    assert len(orders) == 8


def test_cases_that_come_later_leave_the_others_as_they_were() -> None:
    def arms_by_case(count: int) -> dict:
        plan = plan_for(Design(arms_of(3)), 1, "R1", CASES[:count])
        return {(p.case_id, p.period): p.arm for p in plan}

    assert arms_by_case(24) | arms_by_case(10) == arms_by_case(24)
