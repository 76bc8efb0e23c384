"""Gaze of other systems through the command, and on to the trainer's cohort and similarity."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.interchange.import_command import _Progress, main
from app.interchange.import_reports import ImportProgress
from migrations.study.folder import Study
from tests.app.interchange.gaze_files import gaze_json, picture
from trainer.data.cohort import load_cohort
from trainer.similarity.command import main as similarity

LEFT = [[150 + k, 100 + 12 * k] for k in range(50)]
RIGHT = [[100 + 8 * k, 600 - k] for k in range(50)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(4):
        picture(tmp_path / "images" / f"c{k}.png", k)
        gaze_json(tmp_path / "gaze" / f"c{k}.json", (LEFT, RIGHT)[k % 2], f"c{k}.png", k % 2)
    return tmp_path


def test_images_and_gaze_come_in_one_run_and_reach_the_trainer(folder: Path, capsys) -> None:
    code = main(["mcgip", str(folder / "gaze"), "--study", str(folder / "study"), "--images",
                 str(folder / "images"), "--reader", "R1", "--json"])  # fmt: skip
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [r["status"] for r in reports] == ["accepted"] * 4
    assert [(r["rows_read"], r["rows_kept"], r["rows_dropped"]) for r in reports] == [
        (50, 50, 0)
    ] * 4
    assert "time" in reports[0]["lacks"]
    study = Study.open(folder / "study")
    cohort = load_cohort(study)
    assert [len(m.readings) for m in cohort.members] == [1, 1, 1, 1]
    assert not cohort.dropped
    points = cohort.members[0].readings[0].points_image
    np.testing.assert_array_equal(points, np.array(LEFT) / 4)  # 800-px copy of a 200-px image
    out = folder / "relation.npz"
    words = ["--study", str(study.folder), "--measure", "density", "--out", str(out)]
    assert similarity(words) == 0
    with np.load(out) as file:
        matrix, valid, ids = file["similarity"], file["valid"], file["ids"].tolist()
    assert ids == [m.image_id for m in cohort.members]
    assert valid[~np.eye(4, dtype=bool)].all()
    assert min(matrix[0, 2], matrix[1, 3]) > 0.99 > 0.5 > max(matrix[0, 1], matrix[2, 3])
    study.close()


def test_a_match_csv_names_images_by_the_hash_of_their_pixels(folder: Path, capsys) -> None:
    study = Study.create(folder / "study", settings=_settings())
    from app.images.importing.importer import import_paths

    results = import_paths(study, [folder / "images"])
    study.close()
    table = folder / "match.csv"
    table.write_text(
        "image,sha256\n" + "".join(f"{r.path.name},{r.pixels_sha256}\n" for r in results)
    )
    words = ["mcgip", str(folder / "gaze"), "--study", str(folder / "study")]
    assert main(words) == 1
    assert "--images FOLDER" in capsys.readouterr().out
    assert main([*words, "--match", str(table)]) == 0
    assert "4 new readings; rows read 200, kept 200, dropped 0." in capsys.readouterr().out
    assert main([*words, "--match", str(table)]) == 0
    assert "Files: 0 accepted, 4 known, 0 refused. 0 new readings" in capsys.readouterr().out


def _settings():
    from migrations.study.settings import StudySettings

    return StudySettings()


def test_bad_words_are_answered_with_what_to_do(folder: Path, capsys) -> None:
    assert main(["mcgip", str(folder), "--study", str(folder / "study")]) == 2
    assert "no study.toml" in capsys.readouterr().err
    Study.create(folder / "study", _settings()).close()
    with pytest.raises(SystemExit) as ended:
        main(["mcgip", str(folder / "nothing"), "--study", str(folder / "study")])
    assert ended.value.code == 2
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["csv", "x", "--study", "y", "--columns", "x"])
    assert ended.value.code == 2


def test_a_stopped_import_says_where_and_the_same_command_goes_on(
    folder: Path, capsys, monkeypatch
) -> None:
    gaze = folder / "gaze.csv"
    rows = [f"c{n}.png,{8333 * k},{30 + n},40" for n in range(3) for k in range(20)]
    gaze.write_text("\n".join(("image,time_us,x,y", *rows)))
    words = ["csv", str(gaze), "--study", str(folder / "study"), "--json", "--images",
             str(folder / "images")]  # fmt: skip

    class Stopped(_Progress):
        def __call__(self, progress: ImportProgress) -> None:
            super().__call__(progress)
            if progress.readings == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.interchange.import_command._Progress", Stopped)
        assert main(words) == 3
    said = capsys.readouterr().err
    assert "Stopped in" in said
    assert "2 readings, 40 of 60 rows" in said
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert [r["status"] for r in report["readings"]] == ["known", "known", "accepted"]
    assert (report["rows_read"], report["status"]) == (60, "accepted")
