"""Figures of an analysis: their numbers equal to counting by hand, their files whole."""

import csv
import itertools
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from tests.trainer.analysis.made_looks import SCALE, made_look
from trainer.analysis.areas import Area
from trainer.analysis.figures.all_figures import figures_of
from trainer.analysis.figures.coverage import covered_at
from trainer.analysis.figures.dwell import dwell_figure
from trainer.analysis.figures.figure import Figure, write_figures
from trainer.analysis.figures.first_fixation import first_fixation_figure
from trainer.analysis.figures.limits import accuracy_limits
from trainer.analysis.figures.misses import class_shares, miss_figure
from trainer.analysis.figures.scarf import BANDS, scarves, segments
from trainer.analysis.figures.transitions import transition_figure
from trainer.analysis.kundel import CLASSES, Thresholds
from trainer.analysis.measures.coverage import coverage_curve
from trainer.analysis.tables import Settings, tables_of

PLAIN = Settings(margin_deg=0.0)
BOXES = (("left", 0, 0, 300, 400), ("right", 300, 0, 600, 150), ("low", 300, 250, 600, 400))
AREAS = {"i": [Area("i", n, "box", np.array([[a, b], [c, d]], float), lesion=n == "right")
               for n, a, b, c, d in BOXES]}  # fmt: skip


def box_of(x: float, y: float) -> str:
    """Return the area of a point by hand; the boxes share no more than a border."""
    return next((n for n, a, b, c, d in BOXES if a < x < c and b < y < d), "other")


def test_a_scarf_has_at_each_instant_the_area_of_the_fixation_then() -> None:
    look = made_look(3)
    runs = segments(look, AREAS["i"], PLAIN)

    for start, duration, point in zip(look.start_us, look.duration_us, look.points_image,
                                      strict=True):  # fmt: skip
        for share in (0.001, 0.5, 0.999):
            at_ms = (start + share * duration - look.shown_us) / 1000
            (name,) = [n for a, b, n in runs if a <= at_ms <= b]
            assert name == box_of(*point)
    names = [n for _, _, n in runs]
    assert all(one != other for one, other in itertools.pairwise(names))


def test_a_scarf_says_how_many_readings_it_leaves_out_and_its_table_has_them() -> None:
    looks = [made_look(k, 3, reader=f"R{k}") for k in range(BANDS + 5)]

    (figure,) = scarves(looks, AREAS, PLAIN)

    assert figure.caption.startswith(f"{BANDS} of {BANDS + 5} readings")
    assert len(figure.targets) == BANDS
    assert {row[0] for row in figure.rows} == {look.reading for look in looks}


def test_mean_dwell_is_that_of_readers_not_of_readings() -> None:
    rows = [{"area": "a", "arm": "", "reading": str(k), "reader": r, "dwell_ms": d}
            for k, (r, d) in enumerate([("x", 100.0), ("x", 300.0), ("y", 500.0)])]  # fmt: skip

    figure = dwell_figure(rows)

    assert figure is not None
    (row,) = figure.rows
    expected = stats.t.interval(0.95, 1, loc=350, scale=stats.sem([200.0, 500.0]))
    assert row[:4] == ("a", "", 3, 2)
    assert row[4:] == pytest.approx((350.0, *expected))


def test_of_many_readings_the_figure_of_dwell_says_how_many_dots_it_draws() -> None:
    row = {"area": "a", "arm": "", "reader": "R1", "reading": "q", "dwell_ms": 5.0}

    few, many = (dwell_figure([row] * count) for count in (3, 2001))

    assert few is not None
    assert many is not None
    assert "dots" not in few.caption
    assert "2,000 of 2,001 dots are drawn; the means include all readings." in many.caption


def test_first_fixations_are_counted_at_each_time_and_the_never_fixated_stay_in_the_base() -> None:
    looks = [made_look(k, 6, reader=f"R{k % 3}") for k in range(30)]
    tables = tables_of(looks, AREAS, settings=PLAIN)

    figure = first_fixation_figure(tables.areas)

    assert figure is not None
    first = []
    for look in looks:
        seen = [box_of(*point) == "right" for point in look.points_image]
        own = [(s - look.shown_us) / 1000 for s in look.start_us[seen]]
        first.append(min(own, default=np.inf))
    everyone = [row for row in figure.rows if row[1] == "all readers"]
    assert 0 < sum(np.isinf(first)) < 30
    for _, _, time, share, count, of in everyone:
        assert count == sum(t <= time + 1e-9 for t in first)
        assert (share, of) == (pytest.approx(count / 30), 30)
    assert everyone[-1][4] == sum(np.isfinite(first))
    # A click where a reader's curve rises opens the reading that made it rise.
    assert sorted(target.reading for target in figure.targets) == sorted(
        look.reading for look, time in zip(looks, first, strict=True) if np.isfinite(time)
    )


def test_moves_are_those_from_one_fixation_straight_to_the_next_area() -> None:
    looks = [made_look(k, 25) for k in range(4)]
    tables = tables_of(looks, AREAS, settings=PLAIN)

    figure = transition_figure(tables.transitions, tables.areas)

    counted: dict[tuple[str, str], int] = {}
    for look in looks:
        names = [box_of(*point) for point in look.points_image]
        for move in itertools.pairwise(names):
            if "other" not in move and move[0] != move[1]:
                counted[move] = counted.get(move, 0) + 1
    assert figure is not None
    assert {(a, b): n for a, b, n, _ in figure.rows} == counted
    for name in {a for a, _ in counted}:
        assert sum(s for a, _, _, s in figure.rows if a == name) == pytest.approx(1)


def test_coverage_at_a_time_is_of_the_fixations_that_have_ended() -> None:
    look = made_look(5, 12)
    curve = coverage_curve(look)
    assert curve is not None
    times = np.linspace(-10, 9000, 40)

    found = covered_at(look, curve, times)

    side = 600 / 128
    x, y = np.meshgrid((np.arange(128) + 0.5) * side, (np.arange(86) + 0.5) * side)
    inside = y < 400
    for time, share in zip(times, found, strict=True):
        near = np.zeros(x.shape, bool)
        for k, point in enumerate(look.points_image):
            if (look.start_us[k] + look.duration_us[k] - look.shown_us) / 1000 <= time:
                near |= np.hypot(x - point[0], y - point[1]) <= 2.5 * SCALE
        assert share == pytest.approx(near[inside].mean(), abs=1e-9)


def test_certain_classes_have_the_interval_of_a_binomial_share() -> None:
    kinds = ["search"] * 6 + ["recognition"] * 4 + ["decision"] * 10
    rows = [{"reading": str(k), "class": kind,
             **{f"p_{c}": float(c == kind) for c in ("search", "recognition", "decision")}}
            for k, kind in enumerate(kinds)]  # fmt: skip

    found = class_shares(rows, "false negative")

    for row, count in zip(found, (6, 4, 10), strict=True):
        expected = stats.binom.ppf([0.025, 0.975], 20, count / 20) / 20
        assert list(row[2:5]) == [count, count / 20, pytest.approx(count / 20)]
        assert row[5:7] == pytest.approx(expected, abs=0.0501)
        assert row[7] == 20


def test_errors_of_one_reading_have_shares_and_no_interval() -> None:
    chances = {"p_search": 1.0, "p_recognition": 0.0, "p_decision": 0.0}
    rows = [{"reading": "R", "class": "search", **chances} for _ in range(3)]

    found = class_shares(rows, "false negative")

    assert found[0][2:5] == (3, 1.0, 1.0)
    assert np.isnan([row[5:7] for row in found]).all()
    figure = miss_figure([{"error": "false negative", **row} for row in rows], Thresholds())
    assert figure is not None
    assert "nan" not in figure.content


def test_the_trackers_error_widens_the_interval_and_moves_the_expected_share() -> None:
    sure = {"class": "search", "p_search": 1.0, "p_recognition": 0.0, "p_decision": 0.0}
    unsure = {"class": "search", "p_search": 0.7, "p_recognition": 0.2, "p_decision": 0.1}

    certain, doubtful = (
        class_shares([{"reading": str(k), **row} for k in range(12)], "false negative")
        for row in (sure, unsure)
    )

    assert certain[0][3:7] == (1.0, 1.0, 1.0, 1.0)
    assert list(doubtful[0][3:5]) == [1.0, pytest.approx(0.7)]
    expected = stats.binom.ppf([0.025, 0.975], 12, 0.7) / 12
    assert doubtful[0][5:7] == pytest.approx(expected, abs=0.0834)


def test_what_the_accuracy_does_not_allow_stands_in_the_figures_of_areas(tmp_path: Path) -> None:
    fine, coarse = 1.0, 2.2  # the narrowest box is 150 pixels high: 3.75°
    looks = [replace(made_look(k), accuracy_deg=fine if k < 3 else coarse) for k in range(5)]
    tables = tables_of(looks, AREAS, settings=PLAIN)

    figures = {f.name: f for f in figures_of(looks, AREAS, tables, PLAIN)}
    write_figures(tmp_path, list(figures.values()))

    said = "Areas below 4.4° cannot be distinguished from their surroundings in 2 of 5 readings."
    assert figures["dwell"].notes == (said,)
    assert figures["coverage"].notes == ()
    words = "".join(ElementTree.parse(tmp_path / "dwell.svg").getroot().itertext())
    assert "cannot be distinguished" in words
    unknown = [replace(looks[0], accuracy_deg=np.nan)]
    assert "accuracy of 1 of 1 readings is unknown" in accuracy_limits(unknown, AREAS)[0]
    assert accuracy_limits(looks, {}) == ()


def test_each_figure_is_svg_png_and_csv_and_those_of_an_earlier_call_go(tmp_path: Path) -> None:
    look = made_look(1)
    looks = [look, made_look(2, reader="R2")]
    tables = tables_of(looks, AREAS, settings=PLAIN)
    write_figures(tmp_path, figures_of(looks, AREAS, tables, PLAIN))
    kept = tmp_path / "readings.csv"
    kept.write_text("mine")
    index = json.loads((tmp_path / "figures.json").read_text())["figures"]

    for entry in index:
        with Image.open(tmp_path / f"{entry['name']}.png") as picture:
            assert picture.width == 3 * entry["width"]
        assert "var(" not in (tmp_path / f"{entry['name']}.svg").read_text()
        with (tmp_path / f"figure-{entry['name']}.csv").open(newline="") as file:
            assert len(list(csv.reader(file))) > 1
    assert {"dwell", "scarf-i", "coverage"} <= {entry["name"] for entry in index}

    write_figures(tmp_path, [])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "readings.csv"]


def test_an_index_from_elsewhere_removes_nothing_beside_the_folder(tmp_path: Path) -> None:
    beside = tmp_path / "a.svg"
    beside.write_text("")
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "figures.json").write_text(json.dumps({"figures": [{"name": "../a"}]}))

    write_figures(folder, [Figure("x", "X", "", "", 100, 50, ("a",), [(1,)])])

    assert beside.exists()
    assert (folder / "x.png").exists()


def test_means_moves_and_classes_lead_to_the_rows_they_are_made_of() -> None:
    looks = [made_look(1), made_look(2, reader="R2")]
    tables = tables_of(looks, AREAS, settings=PLAIN)
    chances = {"p_search": 1.0, "p_recognition": 0.0, "p_decision": 0.0}
    misses = [{"error": "false negative", "class": "search", "reading": "R", **chances}]

    found = {
        "areas": dwell_figure(tables.areas),
        "transitions": transition_figure(tables.transitions, tables.areas),
        "misses": miss_figure(misses, Thresholds()),
    }

    for table, figure in found.items():
        assert figure is not None
        listed = [t for t in figure.targets if not t.reading]
        assert {t.table for t in listed} == {table}
        rows = misses if table == "misses" else getattr(tables, table)
        assert {name for t in listed for name in t.where} <= set(rows[0])
        assert {"reading"} <= set(rows[0])
    means = [t for t in found["areas"].targets if "arm" in t.where]  # type: ignore[union-attr]
    assert {t.where["area"] for t in means} == {str(row["area"]) for row in tables.areas}
    dot = next(t for t in found["areas"].targets if t.reading)  # type: ignore[union-attr]
    assert means[0].width * means[0].height < dot.width * dot.height
    moves = {(t.where["from"], t.where["to"]) for t in found["transitions"].targets}  # type: ignore[union-attr]
    assert moves == {(str(row["from"]), str(row["to"])) for row in tables.transitions}
    classes = [dict(t.where) for t in found["misses"].targets]  # type: ignore[union-attr]
    assert classes == [{"error": "false negative", "class": kind} for kind in CLASSES]
