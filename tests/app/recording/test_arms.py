"""Arms: a case keeps its arm through kill and resume, waits its washout, and none is told."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from app.pages.worklist.columns import COLUMNS
from app.recording.cases import CaseList
from app.recording.worklist import case_tiles, reading_order, worklist
from migrations.study.arms import Arm
from migrations.study.assignments import assign_reader
from migrations.study.schema import Arm as ArmRow
from migrations.study.schema import Reader, Reading, Session, new_id, utc_text
from tests.app.recording.reading_doubles import GEOMETRY, make_study

KEYS = ("zebra", "quagga", "okapi")
ARMS = (Arm(KEYS[0]), Arm(KEYS[1], second_look=True), Arm(KEYS[2]))
START = datetime(2026, 3, 1, tzinfo=UTC)
WASHOUT = timedelta(days=28)


class Reading_(RuleBasedStateMachine):
    """One reader of a crossover with a second look: reads, is killed, comes back another day."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.study = make_study(
            Path(self._folder.name) / "study", 2, arms=ARMS, washout_days=WASHOUT.days
        )
        self.now = START
        self.seen: list[tuple[str, str, datetime, bool]] = []
        self.cut: dict[str, str] = {}
        with self.study.database.write() as rows:
            reader = Reader(id=new_id(), pseudonym="R1")
            rows.add(reader)
            rows.flush()
            assign_reader(rows, self.study.settings, reader.id, "R1")
            self.reader_id = reader.id
            self.keys = {a.id: a.key for a in rows.scalars(select(ArmRow))}
        self.open_session()

    def teardown(self) -> None:
        self.study.close()
        self._folder.cleanup()

    @rule()
    def open_session(self) -> None:
        """Come back, or start again after a kill: all is read anew from the rows."""
        self.zero, self.session_id = self.now, new_id()
        self.rows = worklist(self.study, "R1", self.now)
        ordered = reading_order(self.rows, "R1", 7)
        self.cases = CaseList(ordered, case_tiles(self.study))
        with self.study.database.write() as rows:
            rows.add(Session(
                id=self.session_id, reader_id=self.reader_id, station="s", software_version="0",
                started_utc=utc_text(self.now), zero_utc=utc_text(self.now), tracker_id="t",
                tracker_kind="simulated", tracker_model="m", tracker_serial="", case_order=[],
                screen=GEOMETRY.as_dict(), screen_width_mm=1, screen_height_mm=1, refresh_hz=60,
                distance_mm=600, distance_source="taped",
            ))  # fmt: skip

    @rule(days=st.sampled_from([1, 10, 27, 28, 40]))
    def later(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.open_session()

    @precondition(lambda self: self.cases.next() is not None)
    @rule(killed=st.booleans())
    def read(self, killed: bool) -> None:
        case = self.cases.next()
        assert case is not None
        assert case.arm_id is not None
        arm = self.keys[case.arm_id]
        if case.case_id in self.cut:
            assert arm == self.cut[case.case_id]  # kill and resume keep the arm
        second_look = arm == KEYS[1]
        for other, of_arm, when, finished in self.seen:
            if other == case.case_id and finished and not second_look:
                assert of_arm != arm
                assert self.now - when >= WASHOUT
        if second_look:
            last = [s for s in self.seen if s[0] == case.case_id and s[3]][-1]
            assert last[1] == KEYS[0]
        reading_id = new_id()
        end_us = (self.now - self.zero) // timedelta(microseconds=1) + 1
        state = "interrupted" if killed else "finished"
        with self.study.database.write() as rows:
            rows.add(Reading(
                id=reading_id, session_id=self.session_id, case_id=case.case_id,
                reader_id=self.reader_id, state=state, started_us=end_us - 1, ended_us=end_us,
                arm_id=case.arm_id,
            ))  # fmt: skip
        self.seen.append((case.case_id, arm, self.now, not killed))
        if killed:
            self.cut[case.case_id] = arm
            self.open_session()
        else:
            self.cut.pop(case.case_id, None)
            self.cases.mark(case.case_id, "finished", reading_id)

    @invariant()
    def no_arm_is_told(self) -> None:
        shown = [column.text(row) for row in self.rows for column in COLUMNS]
        case = self.cases.next()
        shown += [] if case is None else [case.name, case.hanging, str(case.reread)]
        shown += [row.name + row.stored_name + str(row.reread) for row in self.rows]
        shown += [str(p.relative_to(self.study.folder)) for p in self.study.folder.rglob("*")]
        assert not [text for text in shown for key in KEYS if key in text]

    @invariant()
    def each_case_is_read_once_at_most_in_each_arm(self) -> None:
        finished = [(case, arm) for case, arm, _, done in self.seen if done]
        assert len(finished) == len(set(finished)) <= 6


TestArms = Reading_.TestCase
TestArms.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
