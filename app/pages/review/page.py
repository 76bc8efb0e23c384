"""Review: readings replayed after a session, alone or two readers side by side."""

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QSlider,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.pages.review.replay_view import ReplayView
from app.pages.review.span import SpanBar
from app.recording.replay import Replay, ReviewRow, SeenFixation, figures_in
from app.ui import theme
from app.ui.column_widths import ColumnWidths
from app.ui.page import Page
from app.ui.search_field import search_field
from app.ui.small_widgets import Figure, button, column, label, panel, row
from app.ui.stand_in import stand_in_text
from app.ui.table_model import Column, TableModel, table_view
from app.ui.text import tr, trn
from app.ui.work_bar import WorkBar

_FRAME_MS = 33
_SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_FIGURES = {
    "Length": "Length",
    "Samples": "Samples",
    "Gaze lost": "Gaze lost",
    "Off the image": "Off the image",
    "Fixations": "Fixations",
    "Verdict": "Gaze rating",
}


def _pixel(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


_COLUMNS: tuple[Column[SeenFixation], ...] = (
    Column("Start", lambda f: f"{f.start_us / 1e6:.2f}"),
    Column("Length", lambda f: f"{f.duration_us / 1e3:.0f}"),
    Column("x", lambda f: _pixel(f.x_image)),
    Column("y", lambda f: _pixel(f.y_image)),
)


class ReviewPage(Page):
    """Replays readings, at any speed.

    Signals
    -------
    chosen : int, str
        Side (0 left, 1 right) and reading to show there; "" for none.
    end_wanted
        The open session should be ended, so that its readings can be looked at.
    picture_wanted
        What is shown now should be saved as a picture.
    video_wanted
        The selected span should be saved as a video.
    """

    chosen = Signal(int, str)
    end_wanted = Signal()
    picture_wanted = Signal()
    video_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("review", tr("Review"))
        self._rows: tuple[ReviewRow, ...] = ()
        self.time_us = 0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._tick)
        self.views = (ReplayView(), ReplayView())
        self.list = QListWidget()
        self.list.setObjectName("readings")
        self.list.setSpacing(theme.GRID // 2)
        self.list.setAccessibleName(tr("Readings"))
        self.list.currentRowChanged.connect(lambda _row: self._choose())
        self.other = QComboBox()
        self.other.setObjectName("other_reading")
        self.other.setAccessibleName(tr("Compare with"))
        self.other.activated.connect(lambda _i: self.chosen.emit(1, self.other.currentData()))
        self.play = button("play", tr("Play"), self.toggle, role="primary")
        self.speed = _speeds()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("replay_time")
        self.slider.setAccessibleName(tr("Time"))
        self.slider.setRange(0, 0)
        self.slider.valueChanged.connect(lambda ms: self._moved(ms * 1000))
        self._said_time = label("", "hint", wrap=False)
        self.span = SpanBar()
        self.save_picture = button(
            "save_picture", tr("Save picture…"), self.picture_wanted.emit,
            tip=tr("Saves the images, path, heat map and gaze as shown now, as a PNG file"),
        )  # fmt: skip
        self.save_video = button(
            "save_video", tr("Save video…"), self.video_wanted.emit,
            tip=tr("Saves the replay of this span, at the chosen speed, as a WebM file"),
        )  # fmt: skip
        self.work = WorkBar("review_work")
        self.save_picture.setEnabled(False)
        self.save_video.setEnabled(False)
        self.span.here_wanted.connect(lambda which: self.span.set_end(which, self.time_us))
        self.span.changed.connect(self._show_span)
        self.search = search_field("find_reading", tr("Case, reader, answer, date …"))
        self.search.setAccessibleName(tr("Search the readings"))
        self.search.textChanged.connect(self._filter)
        self.figures = {name: Figure(tr(words)) for name, words in _FIGURES.items()}
        self.fixations = TableModel(_COLUMNS)
        self.empty = label("", "hint", wrap=False)
        self.end_session = button("end_session", tr("End session"), self.end_wanted.emit)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_empty())
        self._pages.addWidget(self._make_replay())
        self.body.addWidget(self._pages, 1)

    def show_rows(
        self, rows: Sequence[ReviewRow], *, side_by_side: bool, open_session: bool
    ) -> None:
        """List the readings that can be looked at; none while a session is open."""
        self.stop()
        self._rows = tuple(rows)
        self.end_session.setVisible(open_session)
        self._beside.setVisible(side_by_side)
        if open_session:
            self._say_empty(tr("End the session to review your readings."))
        elif not rows:
            self._say_empty(tr("No readings yet. Read a case, then come back."))
        else:
            self._pages.setCurrentIndex(1)
            self.say_state(trn("{count} reading.", "{count} readings, latest first.", len(rows)))
            self._fill_list()

    def select(self, reading_id: str) -> None:
        """Show a reading of the list."""
        for index, shown in enumerate(self._rows):
            if shown.reading_id == reading_id:
                self.list.setCurrentRow(index)

    def show_busy(self) -> None:
        """Say that a reading is being loaded."""
        self.say_state(tr("Loading the reading…"))

    def show_error(self, text: str) -> None:
        """Say why a reading cannot be replayed."""
        self.views[0].set_replay(None)
        self.say_state(text, "error")

    def show_replay(self, side: int, replay: Replay | None) -> None:
        """Show a reading on one side."""
        self.views[side].set_replay(replay)
        self.views[1].setVisible(self.views[1].replay is not None)
        for save in (self.save_picture, self.save_video):
            save.setEnabled(self.views[0].replay is not None)
        if side == 0 and replay is not None:
            self._show_figures(replay)
        longest = max((v.replay.duration_us for v in self.views if v.replay), default=0)
        self.slider.setRange(0, longest // 1000)
        self.span.set_length(longest)
        for view in self.views:
            view.set_span(None)
        self._moved(0)
        self.slider.setValue(0)
        if replay is not None:
            rows = [v.replay.row for v in self.views if v.replay]
            who = [tr("{reader} (reading {name})", reader=r.reader, name=r.name) for r in rows]
            badges = dict.fromkeys(stand_in_text(row.stand_in) for row in rows)
            badge = " · ".join(b for b in badges if b)
            case = replay.row.case_name
            if len(who) > 1:
                said = tr("{case}, read by {one} and {other}.", case=case, one=who[0], other=who[1])
            else:
                said = tr("{case}, read by {one}.", case=case, one=who[0])
            self.say_state(f"{badge} · {said}" if badge else said, "warning" if badge else "lead")

    def toggle(self) -> None:
        """Play or pause."""
        if self._timer.isActive():
            self.stop()
        elif self.slider.maximum():
            if self.time_us >= self.slider.maximum() * 1000:
                self._moved(0)
            self._clock.start()
            self._timer.start()
            self.play.setText(tr("Pause"))

    def stop(self) -> None:
        """Stop playing."""
        self._timer.stop()
        self.play.setText(tr("Play"))

    def _tick(self) -> None:
        elapsed_us = self._clock.restart() * 1000 * self.speed.currentData()
        self._moved(round(self.time_us + elapsed_us))
        if self.time_us >= self.slider.maximum() * 1000:
            self.stop()

    def _moved(self, time_us: int) -> None:
        self.time_us = min(max(time_us, 0), self.slider.maximum() * 1000)
        self.slider.blockSignals(True)
        self.slider.setValue(self.time_us // 1000)
        self.slider.blockSignals(False)
        for view in self.views:
            view.set_time(self.time_us)
        whole = self.slider.maximum() / 1000
        self._said_time.setText(
            tr("{now:.1f} of {whole:.1f} s", now=self.time_us / 1e6, whole=whole)
        )

    def _choose(self) -> None:
        index = self.list.currentRow()
        if not 0 <= index < len(self._rows):
            return
        self.stop()
        chosen = self._rows[index]
        self.views[1].set_replay(None)
        self._offer_others(chosen)
        self.chosen.emit(0, chosen.reading_id)

    def _offer_others(self, chosen: ReviewRow) -> None:
        self.other.clear()
        self.other.addItem(tr("No other reading"), "")
        for shown in self._rows:
            if shown.case_name == chosen.case_name and shown.reading_id != chosen.reading_id:
                self.other.addItem(f"{shown.reader}, {_when(shown)}", shown.reading_id)
        self.other.setEnabled(self.other.count() > 1)

    def _fill_list(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for shown in self._rows:
            badge = stand_in_text(shown.stand_in)
            state = "" if shown.state == "finished" else f", {tr(shown.state)}"
            answer = f": {shown.answer}" if shown.answer else ""
            item = QListWidgetItem(
                f"{shown.case_name}{answer}\n{shown.reader}, {_when(shown)}{state}"
                + (f"\n{badge}" if badge else "")
            )
            item.setToolTip(tr("Reading {name}", name=shown.name))
            self.list.addItem(item)
        self._filter(self.search.text())
        self.list.blockSignals(False)
        self.list.setCurrentRow(0)

    def _filter(self, text: str) -> None:
        """Show the readings whose line contains every word."""
        words = text.casefold().split()
        for index in range(self.list.count()):
            item = self.list.item(index)
            said = item.text().casefold()
            item.setHidden(not all(word in said for word in words))

    def _show_span(self) -> None:
        """Make path, heat map, figures and fixations follow the span."""
        span, replay = self.span.span, self.views[0].replay
        for view in self.views:
            view.set_span(span)
        if replay is None:
            return
        self._show_figures(replay)
        if span is not None:
            for name, value in figures_in(replay, *span):
                self.figures[name].show_value(value)
            self.fixations.set_rows(
                [f for f in replay.fixations if span[0] <= f.start_us <= span[1]]
            )

    def _show_figures(self, replay: Replay) -> None:
        for name, value in replay.figures:
            self.figures[name].show_value(value, warn=name == "Verdict" and value == "Bad")
        self.fixations.set_rows(replay.fixations)

    def _say_empty(self, text: str) -> None:
        self._pages.setCurrentIndex(0)
        self.empty.setText(text)
        self.say_state("")

    def _make_empty(self) -> QWidget:
        frame, layout = panel()
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.empty, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.end_session, 0, Qt.AlignmentFlag.AlignHCenter)
        return frame

    def _make_replay(self) -> QWidget:
        inside = QWidget()
        middle = column(gap=theme.GRID)
        middle.addLayout(row(*self.views, gap=theme.GRID // 2), 1)
        middle.addWidget(self.slider)
        middle.addLayout(self._make_controls())
        middle.addWidget(self.span)
        self.head.addWidget(self.save_video)
        self.head.addWidget(self.save_picture)
        middle.insertWidget(0, self.work)
        side = column(gap=theme.GRID)
        for pair in zip(*[iter(self.figures.values())] * 2, strict=True):
            side.addLayout(row(*pair))
        side.addWidget(
            label(tr("Fixations: start in s, length in ms, x and y in image pixels"), "small")
        )
        side.addWidget(_table(self.fixations), 1)
        listed = QWidget()
        listed.setFixedWidth(32 * theme.GRID)
        lines = column(listed, gap=theme.GRID)
        lines.addWidget(self.search)
        lines.addWidget(self.list, 1)
        lines.addWidget(self._beside)
        layout = row(listed, gap=2 * theme.GRID)
        layout.addLayout(middle, 1)
        layout.addLayout(side)
        inside.setLayout(layout)
        self.views[1].hide()
        return inside

    def _make_controls(self) -> QVBoxLayout:
        boxes = []
        for name, words, tip in (
            ("show_path", "Path", "Scan path: fixations in order"),
            ("show_heat", "Heat map", "Heat map of dwell time"),
            ("show_gaze", "Gaze", "Where the eyes are at this moment"),
        ):
            box = QCheckBox(tr(words))
            box.setToolTip(tr(tip))
            box.setAccessibleName(tr(tip))
            box.setObjectName(name)
            box.setChecked(getattr(self.views[0].drawing, name))
            box.toggled.connect(lambda on, name=name: self._show(name, on))
            boxes.append(box)
        self._beside = QWidget()
        lines = column(self._beside, gap=theme.GRID // 2)
        lines.addWidget(label(tr("Compare with"), "hint", wrap=False))
        lines.addWidget(self.other)
        made = row(self.play, label(tr("Speed"), "hint", wrap=False), self.speed, self._said_time)
        made.addStretch(1)
        both = column(gap=theme.GRID)
        both.addLayout(made)
        both.addLayout(row(*boxes, gap=2 * theme.GRID, stretch=True))
        return both

    def _show(self, name: str, on: bool) -> None:
        for view in self.views:
            setattr(view.drawing, name, on)
            view.update()


def _when(shown: ReviewRow) -> str:
    """Return when a reading began, in local time."""
    return f"{datetime.fromisoformat(shown.started_utc).astimezone():%Y-%m-%d %H:%M}"


def _speeds() -> QComboBox:
    made = QComboBox()
    made.setObjectName("replay_speed")
    made.setAccessibleName(tr("Speed"))
    for speed in _SPEEDS:
        made.addItem(f"{speed:g} ×", speed)
    made.setCurrentIndex(_SPEEDS.index(1.0))
    return made


def _table(model: TableModel[SeenFixation]) -> QTableView:
    made = table_view(model, "fixations", tr("Fixations"))
    made.setAlternatingRowColors(False)
    made.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
    head = made.horizontalHeader()
    head.ensurePolished()
    titles = sum(head.sectionSizeHint(k) for k in range(model.columnCount()))
    bar = made.verticalScrollBar().sizeHint().width()
    made.setFixedWidth(max(38 * theme.GRID, titles + bar + theme.GRID))
    ColumnWidths(made, (1, 1, 1, 1))
    return made
