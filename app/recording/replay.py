"""One reading as it was: views, gaze, fixations, marks and figures, at any instant. No Qt here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.errors import SessionError
from app.hanging.marks import Mark
from app.images.store import LoadedImage, load
from devices.gaze.geometry import FloatArray
from devices.gaze.stored import StoredGaze, points_of
from devices.gaze.view import CLOSED, TileView
from migrations.study.cohort_rules import STAND_IN, STAND_INS
from migrations.study.folder import Study
from migrations.study.names import names_of, short_name
from migrations.study.schema import Annotation, Fixation, Reader, Reading
from migrations.study.schema import Session as SessionRow
from migrations.study.stored_reading import stored_reading

_MARKS = ("box", "keypoint")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A reading that can be replayed; `name` and `case_name` as everywhere.

    Attributes
    ----------
    started_utc
        When this reading began, not its session.
    stand_in
        Kind of the tracker if the gaze is not a person's ("simulated", "mouse"); else "".
    """

    reading_id: str
    name: str
    case_name: str
    reader: str
    started_utc: str
    state: str
    verdict: str | None
    answer: str
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class SeenFixation:
    """A fixation; time since the reading began, place in `_image` (None: on no image)."""

    start_us: int
    duration_us: int
    image_id: str | None
    frame: int
    x_image: float | None
    y_image: float | None
    x_deg: float
    y_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """A reading to replay.

    Attributes
    ----------
    started_us, duration_us
        Host time of its start, and its duration.
    gaze
        On the host clock.
    views
        What was shown; times since the start.
    marks
        Boxes and keypoints: when they were made since the start, image, mark.
    figures
        Names and values of the gaze's quality.
    """

    row: ReviewRow
    started_us: int
    duration_us: int
    gaze: StoredGaze
    views: tuple[TileView, ...]
    fixations: tuple[SeenFixation, ...]
    marks: tuple[tuple[int, str, Mark], ...]
    figures: tuple[tuple[str, str], ...]
    images: dict[str, LoadedImage]

    @property
    def time_us(self) -> NDArray[np.int64]:
        """Shape (N,), time of each sample since the start."""
        return self.gaze.time_us - self.started_us

    def size_screen_at(self, time_us: int) -> tuple[float, float]:
        """Return the size of the tracked screen at a time since the start, `_screen`."""
        screen = self.gaze.screens.at(self.started_us + time_us)
        return screen.width_screen, screen.height_screen

    def pixel_ratio_at(self, time_us: int) -> float:
        """Return the pixels of the screen per `_screen` unit at a time since the start."""
        return self.gaze.screens.at(self.started_us + time_us).device_pixel_ratio

    def views_at(self, time_us: int) -> list[TileView]:
        """Return the position of each tile on the screen at a time since the start."""
        # The first views come some milliseconds after the start: they are shown from the start on.
        first_us = next((v.time_us for v in self.views if v.kind != "open"), None)
        opened = [v.time_us for v in self.views if first_us is None or v.time_us < first_us]
        time_us = max(time_us, opened[-1] if opened else 0)
        shown: dict[int, TileView] = {}
        for view in self.views:
            if view.time_us > time_us:
                break
            shown[view.tile] = view
        return [view for _, view in sorted(shown.items()) if view.kind != CLOSED]

    def points_on(
        self, image_id: str, until_us: int, frame: int | None = None, from_us: int = 0
    ) -> FloatArray:
        """Return the gaze (M, 2) on one image in a time span, `_image`; `frame` None for any."""
        own = (self.gaze.image_id == image_id) & (self.time_us <= until_us)
        own &= self.time_us >= from_us
        if frame is not None:
            own &= self.gaze.frame == frame
        points: FloatArray = self.gaze.points_image[own]
        return points


def figures_in(replay: Replay, from_us: int, to_us: int) -> tuple[tuple[str, str], ...]:
    """Return the figures of a span [from, to] of a reading, in microseconds since its start.

    The rating is that of the whole reading and is not included.
    """
    inside = (replay.time_us >= from_us) & (replay.time_us <= to_us)
    seen = ~np.isnan(replay.gaze.points_screen[inside, 0])
    off = replay.gaze.image_id[inside][seen] == ""
    fixations = sum(from_us <= f.start_us <= to_us for f in replay.fixations)

    def share(part: int, whole: int) -> str:
        return f"{part / whole:.0%}" if whole else "–"

    return (
        ("Length", f"{(to_us - from_us) / 1e6:.1f} s"),
        ("Samples", f"{int(inside.sum()):,}"),
        ("Gaze lost", share(int((~seen).sum()), len(seen))),
        ("Off the image", share(int(off.sum()), len(off))),
        ("Fixations", f"{fixations:,}"),
    )


def readings_to_review(study: Study, reader: str | None) -> list[ReviewRow]:
    """Return finished and interrupted readings, the latest first.

    Parameters
    ----------
    reader
        Only this pseudonym's; None for all (the researcher).
    """
    query = (
        select(Reading, Reader.pseudonym, SessionRow)
        .join(Reader, Reader.id == Reading.reader_id)
        .join(SessionRow, SessionRow.id == Reading.session_id)
        .where(Reading.state.in_(("finished", "interrupted")))
        .order_by(Reading.id.desc())
    )
    if reader is not None:
        query = query.where(Reader.pseudonym == reader)
    with study.database.read() as session:
        rows = session.execute(query).all()
        names, cases = names_of(session, "reading"), names_of(session, "case")
        labels = session.execute(
            select(Annotation.reading_id, Annotation.label)
            .where(Annotation.kind == "class", Annotation.undone_us.is_(None))
            .order_by(Annotation.id)
        )
        answers = {reading_id: label or "" for reading_id, label in labels}
        return [
            ReviewRow(
                r.id,
                names[r.id],
                cases[r.case_id],
                who,
                _began_utc(r, sitting),
                r.state,
                r.verdict,
                answers.get(r.id, ""),
                r.details.get(STAND_IN)
                or (sitting.tracker_kind if sitting.tracker_kind in STAND_INS else ""),
            )
            for r, who, sitting in rows
        ]


def _began_utc(reading: Reading, sitting: SessionRow) -> str:
    """Return when a reading began; the session's own time where its clock cannot be told."""
    try:
        zero = datetime.fromisoformat(sitting.zero_utc)
    except ValueError:
        return sitting.started_utc
    began = zero + timedelta(seconds=reading.started_us / sitting.clock_speed / 1e6)
    return began.isoformat()


def load_replay(study: Study, reading_id: str) -> Replay:
    """Read a reading back; safe from any thread.

    Raises
    ------
    SessionError
        If there is no such reading.
    ImageUnreadable
        If an image is damaged. Damaged gaze becomes a gap that the figures mention.
    """
    row = next((r for r in readings_to_review(study, None) if r.reading_id == reading_id), None)
    if row is None:
        raise SessionError(f"There is no reading {short_name(reading_id)}.")
    with study.database.read() as session:
        stored = stored_reading(session, reading_id)
        reading = session.get_one(Reading, reading_id)
        start_us = reading.started_us
        fixations = session.scalars(
            select(Fixation).where(Fixation.reading_id == reading_id).order_by(Fixation.start_us)
        ).all()
        annotations = session.scalars(
            select(Annotation)
            .where(Annotation.reading_id == reading_id, Annotation.undone_us.is_(None))
            .order_by(Annotation.time_us)
        ).all()
    duration_us = (reading.ended_us or start_us) - start_us
    gaze = points_of(stored)
    return Replay(
        row,
        start_us,
        duration_us,
        gaze,
        tuple(_since(view, start_us) for view in gaze.views.views),
        tuple(_seen(fixation, start_us) for fixation in fixations),
        tuple(_mark(a, start_us) for a in annotations if a.kind in _MARKS and a.image_id),
        (*_figures(reading, duration_us, len(fixations)), *_damage(gaze)),
        {image_id: load(study, image_id) for image_id in gaze.image_ids},
    )


def _since(view: TileView, start_us: int) -> TileView:
    row = view.as_row() | {"time_us": view.time_us - start_us}
    return TileView.from_row(row)


def _seen(fixation: Fixation, start_us: int) -> SeenFixation:
    f = fixation
    return SeenFixation(
        f.start_us - start_us, f.duration_us, f.image_id, f.frame, f.x_image, f.y_image, f.x_deg,
        f.y_deg,
    )  # fmt: skip


def _mark(annotation: Annotation, start_us: int) -> tuple[int, str, Mark]:
    x, y = annotation.x_image or 0.0, annotation.y_image or 0.0
    end = (x + (annotation.width_image or 0.0), y + (annotation.height_image or 0.0))
    kind = "box" if annotation.kind == "box" else "keypoint"
    frame = int(annotation.details.get("frame", 0))
    mark = Mark("box" if kind == "box" else "keypoint", 0, frame, (x, y), end)
    return annotation.time_us - start_us, annotation.image_id or "", mark


def _damage(gaze: StoredGaze) -> tuple[tuple[str, str], ...]:
    """Report how much of the gaze is damaged, if any is."""
    lost_s = sum(chunk.last_us - chunk.first_us for chunk in gaze.damaged) / 1e6
    return (("Damaged", f"{lost_s:.1f} s of gaze, see db check"),) if gaze.damaged else ()


def _figures(
    reading: Reading, duration_us: int, fixation_count: int
) -> tuple[tuple[str, str], ...]:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.0%}"

    return (
        ("Length", f"{duration_us / 1e6:.1f} s"),
        ("Samples", f"{reading.sample_count or 0:,}"),
        ("Gaze lost", share(reading.loss)),
        ("Off the image", share(reading.off_image)),
        ("Fixations", f"{fixation_count:,}"),
        ("Verdict", (reading.verdict or "–").capitalize()),
    )
