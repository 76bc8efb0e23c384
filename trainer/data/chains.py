"""Which readings of a study count: finished ones, each with the parts that it resumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from migrations.study.cohort_rules import stand_in_sessions, why_left_out
from migrations.study.folder import Study
from migrations.study.schema import Image, Reading


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was left out: `kind` is "image", "reading" or "chunk", a part of the reading `id`."""

    kind: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chains:
    """The readings of a study.

    Attributes
    ----------
    whole
        Each finished reading as its parts in order of time, the finished one last.
    unfinished
        Those that were never finished, and are part of none.
    stacks
        Ids of images of several frames.
    stand_ins
        The kind of tracker of each session that recorded no person's eyes.
    """

    whole: tuple[tuple[Reading, ...], ...]
    unfinished: tuple[Dropped, ...]
    stacks: frozenset[str]
    stand_ins: Mapping[str, str]

    def refusal(self, chain: Sequence[Reading], *, trial: bool) -> str | None:
        """Return why a reading does not count, None where it does."""
        reason = why_left_out(chain[-1], chain[:-1], stand_ins=self.stand_ins, trial=trial)
        unended = any(part.ended_us is None for part in chain)
        return reason or ("a part of it has no end" if unended else None)


def chains_of(study: Study) -> Chains:
    """Return the readings of a study, resumed parts joined."""
    with study.database.read() as session:
        rows = {r.id: r for r in session.scalars(select(Reading).order_by(Reading.id))}
        stacks = frozenset(session.scalars(select(Image.id).where(Image.frames > 1)))
        stand_ins = stand_in_sessions(session)
    chains = [_chain(row, rows) for row in rows.values() if row.state == "finished"]
    resumed = {part.id for chain in chains for part in chain[:-1]}
    return Chains(
        tuple(tuple(chain) for chain in chains if chain[-1].id not in resumed),
        tuple(
            Dropped("reading", row.id, f"{row.state}, never finished")
            for row in rows.values()
            if row.state != "finished" and row.id not in resumed
        ),
        stacks,
        stand_ins,
    )


def _chain(last: Reading, rows: Mapping[str, Reading]) -> list[Reading]:
    """Return a reading and those it resumes, the first one first."""
    chain, seen = [last], {last.id}
    while (earlier := rows.get(chain[0].resumes_id or "")) is not None:
        same = (earlier.case_id, earlier.reader_id) == (last.case_id, last.reader_id)
        if not same or earlier.id in seen:
            break
        chain.insert(0, earlier)
        seen.add(earlier.id)
    return chain
