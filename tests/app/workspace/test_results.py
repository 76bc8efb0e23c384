"""What the commands wrote is read as it is, and nothing beside its folder."""

import json
from pathlib import Path

from app.workspace.results import (
    MOST_ROWS,
    notes_of,
    read_figures,
    read_table,
    tables_in,
)


def write_index(folder: Path, name: str = "dwell") -> None:
    places = [
        {"x": 0, "y": 0, "width": 100, "height": 20, "reading": "band"},
        {"x": 40, "y": 5, "width": 8, "height": 8, "reading": "dot"},
    ]
    entry = {"name": name, "title": "Dwell", "caption": "c", "targets": places}
    colours = {"#fff": "#16181b", "url(x)": "#000"}
    index = {"figures": [entry], "dark_colours": colours}
    (folder / "figures.json").write_text(json.dumps(index))


def test_a_point_of_a_figure_is_the_smallest_reading_there(tmp_path: Path) -> None:
    write_index(tmp_path)

    (figure,) = read_figures(tmp_path)

    dot, band = figure.place_at(43, 8), figure.place_at(80, 8)
    assert dot is not None
    assert band is not None
    assert (dot.reading, band.reading) == ("dot", "band")
    assert figure.place_at(80, 50) is None
    assert figure.dark == {"#fff": "#16181b"}


def test_a_name_that_leads_out_of_the_folder_is_passed_over(tmp_path: Path) -> None:
    write_index(tmp_path, "../secret")

    assert read_figures(tmp_path) == ()
    assert read_figures(tmp_path / "none") == ()


def test_a_long_table_is_read_from_its_top_and_counted_whole(tmp_path: Path) -> None:
    rows = [f"r{k},{k}" for k in range(MOST_ROWS + 7)]
    (tmp_path / "areas.csv").write_text("\n".join(["reading,dwell_ms", *rows, "short"]))

    table = read_table(tmp_path, "areas")

    assert tables_in(tmp_path) == ["areas"]
    assert (len(table.rows), table.total) == (MOST_ROWS, MOST_ROWS + 8)
    assert (table.columns, table.rows[3]) == (("reading", "dwell_ms"), ("r3", "3"))


def test_notes_are_those_of_either_command(tmp_path: Path) -> None:
    assert notes_of(tmp_path) == []
    (tmp_path / "analysis.json").write_text(json.dumps({"notes": ["a"]}))
    (tmp_path / "performance.json").write_text(
        json.dumps({"left_out": ["1 reading"], "not_compared": "One reader."})
    )

    assert notes_of(tmp_path) == ["a", "Not compared: One reader.", "Left out: 1 reading."]
