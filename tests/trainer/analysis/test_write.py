"""Tables as files, and layouts that other tools read."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import polars
import pyarrow.parquet
import pymovements
import pytest

from tests.trainer.analysis.made_looks import made_look
from trainer.analysis.areas import grid
from trainer.analysis.registry import DEFINITIONS
from trainer.analysis.tables import Missed, Tables, tables_of
from trainer.analysis.write import write_gazeplotter, write_pymovements, write_tables

LOOKS = [made_look(k, reader=f"R{k}", fixations=12) for k in range(2)]
AREAS = {"i": grid("i", 600, 400, 2, 1)}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(LOOKS, AREAS)


def test_csv_and_parquet_hold_the_same_and_what_is_not_known_is_empty(
    tables: Tables, tmp_path: Path
) -> None:
    names = write_tables(tmp_path, tables, {"margin_deg": 0})

    with (tmp_path / "readings.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = pyarrow.parquet.read_table(tmp_path / "readings.parquet").to_pydict()
    assert {"readings.csv", "areas.csv", "transitions.csv", "definitions.json"} <= set(names)
    assert float(rows[1]["path_length_deg"]) == pytest.approx(
        columns["path_length_deg"][1], rel=1e-5
    )
    assert rows[0]["pupil_mm"] == ""
    assert columns["pupil_mm"] == [None, None]


def test_a_table_of_an_earlier_analysis_does_not_pass_for_this_ones(
    tables: Tables, tmp_path: Path
) -> None:
    write_tables(tmp_path, tables, {})
    names = write_tables(tmp_path, tables_of(LOOKS, {}), {})

    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert not (tmp_path / "areas.csv").exists()


def test_every_column_of_every_table_has_a_unit_a_definition_and_a_source(tmp_path: Path) -> None:
    missed = [Missed(LOOKS[0], AREAS["i"][0], np.array([[0.2, 0.1]] * 4))]
    write_tables(tmp_path, tables_of(LOOKS, AREAS, missed), {})

    by_row = json.loads((tmp_path / "definitions.json").read_text())

    for table, of in (
        ("readings", "reading"), ("areas", "area"), ("transitions", "transition"),
        ("pairs", "pair"), ("misses", "miss"), ("sensitivity", "sensitivity"),
    ):  # fmt: skip
        with (tmp_path / f"{table}.csv").open() as file:
            assert set(next(csv.reader(file))) == set(by_row[of])
    assert all(all(d.values()) for rows in by_row.values() for d in rows.values())
    assert {d.name for d in DEFINITIONS} <= {name for rows in by_row.values() for name in rows}


def test_a_name_cannot_become_a_formula(tmp_path: Path) -> None:
    row = {"reading": "=1+1", "value": -2.5}
    write_tables(tmp_path, Tables([row], [], [], [], [], []), {})

    with (tmp_path / "readings.csv").open() as file:
        assert next(csv.DictReader(file)) == {"reading": "'=1+1", "value": "-2.5"}


def test_gazeplotters_layout_has_fixations_with_their_areas_and_saccades_between(
    tmp_path: Path,
) -> None:
    write_gazeplotter(tmp_path / "g.csv", LOOKS, AREAS)

    with (tmp_path / "g.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["participant"] == "R0"]
    fixations = [row for row in rows if row["eyemovementtype"] == "0"]
    assert list(rows[0]) == [
        "stimulus", "participant", "timestamp", "duration", "eyemovementtype", "AOI",
    ]  # fmt: skip
    assert len(fixations) == 12
    assert len(rows) == 23
    assert {row["AOI"] for row in fixations} <= {"r1c1", "r1c2"}
    for before, after in itertools.pairwise(rows):
        end = float(before["timestamp"]) + float(before["duration"])
        assert end == pytest.approx(float(after["timestamp"]))


def test_pymovements_reads_the_events_back(tmp_path: Path) -> None:
    write_pymovements(tmp_path / "events.csv", LOOKS)

    events = pymovements.Events(
        polars.read_csv(tmp_path / "events.csv"), trial_columns=["trial", "subject"]
    )

    own = events.frame.filter(polars.col("subject") == "R0")
    expected = (LOOKS[0].start_us - LOOKS[0].shown_us) / 1000
    assert own["onset"].to_list() == [round(t) for t in expected]
    assert (own["offset"] - own["onset"]).to_list() == own["duration"].to_list()
    assert set(own["name"]) == {"fixation"}
