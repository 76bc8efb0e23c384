"""One reading is the same gaze everywhere: rows, trainer, csv, BIDS, replay and report.

All are held against an oracle of plain matrices, and a fault in any step of the mapping is found.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import app.interchange.exports.readings as export_readings
import devices.gaze.stored as stored_module
import trainer.data.readings as trainer_readings
from app.recording import recovery, replay
from devices.gaze import steady
from devices.gaze.chunks import from_columns
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.mapping import ScreenHistory
from devices.gaze.samples import SampleArray
from devices.gaze.steady import SteadyGaze
from devices.gaze.stored import StoredGaze, points_of
from devices.gaze.view import Affine, TileView, ViewHistory
from migrations.study.stored_reading import StoredReading
from tests.mapping.oracle import STEP_US, Scenario, Screen, Shown, expected
from tests.mapping.reading import FRAMES, SIZES, Bench
from tests.mapping.users import check
from tests.trainer.gaze_study import StudyMaker

GRID = 4096
"""Places are multiples of 1 / GRID of the screen, which float32 holds exactly."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    maker = StudyMaker.create(tmp_path_factory.mktemp("mapping") / "study")
    images = maker.image(*SIZES[0], frames=FRAMES), maker.image(*SIZES[1])
    folder = maker.study.presentation_of_frame(images[0], 0).parent
    folder.mkdir()
    for frame in range(FRAMES):
        shutil.copy(maker.study.presentation(images[0]), folder / f"{frame:05d}.png")
    yield Bench(maker, maker.case(*images), images)
    maker.study.close()


SCREENS = (
    Screen(0, 1920, 1080, 527, 296, 650, (("x_desktop", -1920.0), ("device_pixel_ratio", 1.5))),
    Screen(
        500_000, 1280, 720, 527, 296, 560, (("x_desktop", -1280.0), ("device_pixel_ratio", 2.0))
    ),
)
PLAIN = Shown(0, 0, 3, 1.0, (0.013, -0.007), 0, (False, False))
RESTS = ((900, 2100), (1300, 1700), (2060, 2900), (800, 1500), (3100, 2200), (3000, 1000))
RICH = Scenario(
    screens=SCREENS,
    shown=(
        PLAIN,
        replace(PLAIN, tile=1, frame=0),
        replace(PLAIN, from_us=210_000, frame=7, zoom=2.3, pan=(0.31, 0.1), turn_deg=90),
        replace(PLAIN, from_us=500_000, frame=7, zoom=1.3, flips=(True, False)),
        replace(PLAIN, from_us=500_000, tile=1, frame=0, turn_deg=270, flips=(False, True)),
        replace(PLAIN, from_us=900_000, tile=1, frame=0, closed=True),
    ),
    image_sizes=SIZES,
    rests=tuple((x / GRID, y / GRID) for x, y in RESTS),
    apart=(40 / GRID, -16 / GRID),
    eye="both",
    left_lost=(60, 95),
    right_lost=(170, 200),
    correction=(1.01, 0.004, -0.003, 0.99, 0.01, -0.02),
)  # fmt: skip


def screens(draw: Callable[..., Any]) -> tuple[Screen, ...]:
    whole = st.integers
    made = [
        Screen(
            from_us, draw(whole(640, 3840)), draw(whole(480, 2160)), draw(whole(250, 700)),
            draw(whole(200, 450)), draw(whole(400, 900)),
            (
                ("x_desktop", float(draw(whole(-3840, 1920)))),
                ("device_pixel_ratio", draw(st.sampled_from((1.0, 1.25, 1.5, 2.0)))),
            ),
        )
        for from_us in (0, STEP_US * draw(whole(60, 200)))
    ]  # fmt: skip
    return tuple(made[: draw(whole(1, 2))])


@st.composite
def scenarios(draw: Callable[..., Any]) -> Scenario:
    """Draw screens and views that change, eyes that are lost, and where the reader looks."""
    known, tiles = screens(draw), draw(st.integers(1, 2))
    changes = draw(st.lists(st.integers(1, 240), max_size=4, unique=True))
    instants = [0, *(screen.from_us for screen in known[1:])]
    shown = [(t, tile) for t in instants for tile in range(tiles)]
    shown += [(STEP_US * k, draw(st.integers(0, tiles - 1))) for k in changes]
    spans = st.tuples(st.integers(0, 240), st.integers(0, 60)).map(lambda s: (s[0], s[0] + s[1]))
    place = st.tuples(st.integers(100, GRID - 100), st.integers(100, GRID - 100))
    small = st.integers(-100, 100).map(lambda k: k / 2000)
    near_1 = small.map(lambda k: 1 + k)
    return Scenario(
        screens=known,
        shown=tuple(
            Shown(
                from_us, tile, draw(st.integers(0, FRAMES - 1)) if tile == 0 else 0,
                draw(st.integers(3, 40)) / 10, (draw(small), draw(small)),
                draw(st.sampled_from((0, 90, 180, 270))),
                (draw(st.booleans()), draw(st.booleans())),
                closed=from_us not in instants and draw(st.integers(0, 5)) == 0,
            )
            for from_us, tile in sorted(shown)
        ),
        image_sizes=SIZES[:tiles],
        rests=tuple((x / GRID, y / GRID) for x, y in draw(st.lists(place, min_size=5, max_size=5))),
        apart=(2 * draw(st.integers(-60, 60)) / GRID, 2 * draw(st.integers(-60, 60)) / GRID),
        eye=draw(st.sampled_from(("both", "left", "right"))),
        left_lost=draw(spans),
        right_lost=draw(spans),
        correction=draw(st.none() | st.tuples(near_1, small, small, near_1, small, small)),
    )  # fmt: skip


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scenario=scenarios())
@example(scenario=RICH)
def test_every_user_of_a_reading_sees_the_points_of_the_oracle(
    bench: Bench, scenario: Scenario
) -> None:
    assume(expected(scenario).sure)
    check(bench, scenario)


def late(chunks: Any, counts: Any) -> SampleArray:
    samples = from_columns(chunks, counts)
    rolled = np.roll(samples, 1)
    rolled["host_us"] = samples["host_us"]
    return rolled


def as_they_came(samples: SampleArray) -> SampleArray:
    return np.concatenate([samples[len(samples) // 2 :], samples[: len(samples) // 2]])


def other_eye(eye: str, correction: Affine | None = None) -> SteadyGaze:
    other: Any = {"both": "left", "left": "right", "right": "left"}[eye]
    return SteadyGaze(other, correction)


def from_row_with(**changes: Callable[[TileView], Any]) -> Any:
    original = TileView.from_row.__func__  # type: ignore[attr-defined]

    def from_row(cls: type[TileView], row: Any) -> TileView:
        view: TileView = original(cls, row)
        return replace(view, **{name: change(view) for name, change in changes.items()})

    return classmethod(from_row)


def first_view_only(self: ViewHistory, view: TileView) -> None:
    self._by_tile.setdefault(view.tile, [len(self.views)])
    self.views.append(view)


def turned_wrongly(self: Affine) -> Affine:
    matrix = np.linalg.inv([[self.a, self.c, self.tx], [self.b, self.d, self.ty], [0, 0, 1]])
    (a, c, tx), (b, d, ty), _ = matrix.tolist()
    return Affine(a, c, b, d, tx, ty)


def in_device_pixels(self: ScreenGeometry, points: Any) -> Any:
    return np.asarray(points) * self._size_screen * self.device_pixel_ratio


def on_the_desktop(self: ScreenGeometry, points: Any) -> Any:
    return np.asarray(points) * self._size_screen + (self.x_desktop, self.y_desktop)


def from_65_cm(self: ScreenGeometry, points: Any) -> Any:
    return np.degrees(np.arctan2((np.asarray(points) - 0.5) * self._size_mm, 650.0))


def with_one_screen(reading: StoredReading) -> StoredGaze:
    return points_of(replace(reading, screens=reading.screens[:1]))


WHOLE_SCREEN = (-1e6, -1e6, 2e6, 2e6)
FAULTS: dict[str, tuple[object, str, object]] = {
    "samples stay in another order": (stored_module, "in_order", as_they_came),
    "values are decoded one sample late": (stored_module, "from_columns", late),
    "samples around the reading are kept": (stored_module, "_own", lambda samples, *_: samples),
    "another eye is taken": (stored_module, "SteadyGaze", other_eye),
    "a lost eye is not made good": (steady, "_steady", lambda *_: None),
    "the correction is left out": (stored_module, "SteadyGaze", lambda eye, _: SteadyGaze(eye)),
    "the first screen stays in force": (ScreenHistory, "add", lambda *_: None),
    "a screen is in force late": (
        ScreenHistory, "_in_force",
        lambda self, t: np.searchsorted(self._starts_us, np.asarray(t) - 50_000, side="right"),
    ),
    "the screen is measured in device pixels": (ScreenGeometry, "norm_to_screen", in_device_pixels),
    "the screen's place on the desktop counts": (ScreenGeometry, "norm_to_screen", on_the_desktop),
    "the distance is that of any reader": (ScreenGeometry, "norm_to_deg", from_65_cm),
    "a degree is as wide everywhere": (ScreenGeometry, "px_per_deg", 40.0),
    "the first view stays in force": (ViewHistory, "add", first_view_only),
    "a view is in force late": (
        TileView, "from_row", from_row_with(time_us=lambda view: view.time_us + 40_000)
    ),
    "a view is inverted wrongly": (Affine, "inverse", turned_wrongly),
    "an image reaches beyond its tile": (
        TileView, "from_row", from_row_with(rect_screen=lambda view: WHOLE_SCREEN)
    ),
    "a closed view is open": (TileView, "from_row", from_row_with(kind=lambda view: "open")),
    "every frame is the first": (TileView, "from_row", from_row_with(frame=lambda view: 0)),
    "recovery maps by itself": (recovery, "points_of", with_one_screen),
    "the replay maps by itself": (replay, "points_of", with_one_screen),
    "the exports map by themselves": (export_readings, "points_of", with_one_screen),
    "the trainer maps by itself": (trainer_readings, "points_of", with_one_screen),
}  # fmt: skip


def test_the_rich_scenario_is_mapped_as_the_oracle_says(bench: Bench) -> None:
    assert expected(RICH).sure
    check(bench, RICH)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_step_is_found(
    fault: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*FAULTS[fault])
    with pytest.raises(AssertionError):
        check(bench, RICH)
