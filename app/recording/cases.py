"""The cases of a session in the reader's order, and the reader's progress on each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.errors import SessionError
from app.recording.rereads import SECOND_LOOK, Reread
from app.recording.worklist import CaseTile, State, WorklistRow
from migrations.study.names import short_name

_READ = ("finished", "waiting", "again")
_MAY_REPEAT = ("again", "interrupted", "open", SECOND_LOOK)


@dataclass(frozen=True, slots=True)
class CaseToRead:
    """A case as the reader gets it.

    Attributes
    ----------
    index, total
        Position in the reader's order, from 0, and the total.
    tiles
        Its images.
    resumes_id
        The interrupted reading that reading it now resumes, or None.
    reread
        What reading it now repeats, and why; None for a first reading.
    arm_id
        The arm it is read in; None where the study has none.
    """

    case_id: str
    name: str
    practice: bool
    hanging: str
    index: int
    total: int
    tiles: tuple[CaseTile, ...]
    resumes_id: str | None
    reread: Reread | None = None
    arm_id: str | None = None


class CaseList:
    """Keeps the worklist in memory, so that no step of a reading waits for a query."""

    def __init__(
        self, rows: Iterable[WorklistRow], tiles: Mapping[str, tuple[CaseTile, ...]]
    ) -> None:
        self._rows = tuple(rows)
        self._tiles = tiles
        self._states: dict[str, tuple[State, str | None]] = {
            row.case_id: (row.state, row.reading_id) for row in self._rows
        }
        self._arms = {row.case_id: row.arm_id for row in self._rows}
        self._looks = {row.case_id: list(row.looks) for row in self._rows}
        self._again = {row.case_id: row.reread for row in self._rows}
        self._aside: dict[str, str] = {}
        self._left_out: frozenset[str] = frozenset()
        self._left: int | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def finished_count(self) -> int:
        """How many cases are read."""
        return sum(state in _READ for state, _ in self._states.values())

    def next(self) -> CaseToRead | None:
        """Return the next case: interrupted, then second look, then unread; None if there is none.

        Cases set aside are left out.
        """
        if self._left is not None and self._left <= 0:
            return None
        for wanted in ("interrupted", SECOND_LOOK, "to read", "again"):
            for row in self._rows:
                if self._states[row.case_id][0] == wanted and self._can_be_shown(row.case_id):
                    return self.get(row.case_id)
        return None

    @property
    def aside(self) -> tuple[str, ...]:
        """Names of the skipped cases, in that order."""
        return tuple(self._aside.values())

    def set_aside(self, case_id: str) -> None:
        """Stop offering a case whose images cannot be shown. The next session offers it again.

        Raises
        ------
        SessionError
            If the session does not know it.
        """
        self._aside[case_id] = self.get(case_id).name

    def leave_out(self, case_ids: Iterable[str]) -> None:
        """Never offer these: their images are not yet cleared of burned-in names."""
        self._left_out = frozenset(case_ids)

    def get(self, case_id: str) -> CaseToRead:
        """Return a case by its id.

        Raises
        ------
        SessionError
            If the session does not know it.
        """
        if case_id not in self._states:
            raise SessionError(
                f"Case {short_name(case_id)} is not in this session. Cases imported since it "
                "was opened can be read in the next one."
            )
        index = next(i for i, row in enumerate(self._rows) if row.case_id == case_id)
        row, (state, reading_id) = self._rows[index], self._states[case_id]
        return CaseToRead(
            case_id=case_id,
            name=row.name,
            practice=row.practice,
            hanging=row.hanging,
            index=index,
            total=len(self._rows),
            tiles=self._tiles.get(case_id, ()),
            resumes_id=reading_id if state == "interrupted" else None,
            reread=self._again[case_id] if state in _MAY_REPEAT else None,
            arm_id=self._arms[case_id],
        )

    def stop_after(self, count: int) -> None:
        """Offer no further case once `count` more are finished; the rest remains unread."""
        self._left = count

    def mark(self, case_id: str, state: State, reading_id: str) -> None:
        """Note the state of the latest reading of a case."""
        self._states[case_id] = (state, reading_id)
        if state == "finished" and self._looks[case_id]:
            self._arms[case_id] = self._looks[case_id].pop(0)
            self._again[case_id] = Reread(reading_id, SECOND_LOOK)
            self._states[case_id] = ("second look", reading_id)
        elif state == "finished" and self._left is not None:
            self._left -= 1

    def _can_be_shown(self, case_id: str) -> bool:
        out = case_id in self._aside or case_id in self._left_out
        return not out and bool(self._tiles.get(case_id))
