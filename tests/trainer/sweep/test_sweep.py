import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import main as foveate
from migrations.study.database import Database
from migrations.study.folder import URL_VARIABLE
from migrations.study.schema import Session, TrainingRun
from migrations.study.sync.push import push
from tests.postgres import cluster, running, server_url
from tests.trainer.runs.test_folder_runs import write_images
from tests.trainer.tiny_study import make_study
from trainer.process.events import Notice, RunStopped
from trainer.sweep import command
from trainer.sweep.paired import against_plain
from trainer.sweep.plan import Cell, cells, settings
from trainer.sweep.rows import Row, add_row, read_rows

__all__ = ["cluster", "running", "server_url"]
SMALL = ("--", "--size", "16", "--batch", "4", "--epochs", "1", "--device", "cpu",
         "--set", "onnx=false")  # fmt: skip


def row(setting: str, seed: int, score: float) -> Row:
    return Row(setting, seed, "", "m", score)


def test_every_measure_rule_and_drop_is_tried_with_every_seed_beside_plain() -> None:
    gaze = {"tima": ("--measure", "tima"), "gaze": ("--relation", "gaze.npz")}
    chosen = settings(gaze, [0.05], [0.9], [0.0, 0.5])
    assert len(chosen) == 1 + 2 * 2 * 2
    assert chosen[0].options == ("--pairs", "none")
    assert chosen[-1].options[:4] == ("--pairs", "gzpt", "--relation", "gaze.npz")
    assert len({s.name for s in chosen}) == len(chosen)
    every = list(cells(chosen, 3))
    assert len(every) == 27
    assert [cell.seed for cell in every[:9]] == [0] * 9


def test_differences_are_paired_by_seed_with_interval_and_holm() -> None:
    plain, gaze = np.array([0.6, 0.7, 0.5, 0.65]), np.array([0.66, 0.74, 0.58, 0.69])
    rows = [row("plain", k, v) for k, v in enumerate(plain)]
    rows += [row("a", k, v) for k, v in enumerate(gaze)]
    rows += [row("b", k, v) for k, v in enumerate(plain[:3] + np.array([0.1, -0.1, 0.05]))]
    a, b = against_plain(rows)
    expected = stats.ttest_rel(gaze, plain)
    interval = expected.confidence_interval()
    assert (a.seeds, b.seeds) == (4, 3)
    assert a.difference == pytest.approx((gaze - plain).mean())
    assert (a.low, a.high) == pytest.approx((interval.low, interval.high))
    assert a.p == pytest.approx(expected.pvalue)
    assert a.p_holm == pytest.approx(min(1, 2 * a.p))


def test_a_setting_without_a_seed_of_plain_is_left_out_and_one_seed_has_no_interval() -> None:
    found = against_plain([row("plain", 0, 0.5), row("a", 0, 0.6), row("b", 1, 0.9)])
    assert [one.setting for one in found] == ["a"]
    assert math.isnan(found[0].low)


def test_rows_survive_a_line_that_was_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    add_row(path, row("plain", 0, 0.5))
    with path.open("a") as file:
        file.write('{"setting": "a", "se')
    add_row(path, row("a", 0, 0.6))
    assert read_rows(path) == [row("plain", 0, 0.5), row("a", 0, 0.6)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    make_study(tmp_path / "s", images=4).close()
    return tmp_path / "s"


def test_a_sweep_goes_on_where_it_was_stopped(study, monkeypatch, capsys) -> None:
    done: list[str] = []

    def run(_origin, cell: Cell, _out, options: list[str], _voice):
        if len(done) == 3:
            return 3, None
        done.append(cell.name)
        return 0, Row(cell.setting.name, cell.seed, " ".join(options), "m", 0.5 + 0.1 * cell.seed)

    monkeypatch.setattr(command, "_run", run)
    words = ["sweep", "--study", str(study), "--measures", "density", "--seeds", "2"]
    assert foveate.main(words) == 3
    first = list(done)
    done.clear()
    assert foveate.main(words) == 0
    assert len(first) + len(done) == 4
    assert not set(first) & set(done)
    assert "p (Holm)" in capsys.readouterr().out
    done.clear()
    assert foveate.main([*words, "--", "--epochs", "9"]) == 3  # other options: other rows
    assert len(done) == 3


def test_a_station_is_told_of_runs_their_signals_and_the_difference(
    study, monkeypatch, capsys
) -> None:
    def run(_origin, cell: Cell, _out, options: list[str], voice):
        voice.report(Notice("few pairs"))
        voice.report(RunStopped(None, None, None, 0))  # of one run: the sweep's end is another
        gain = 0.1 + 0.01 * cell.seed if cell.setting.name != "plain" else 0
        return 0, Row(cell.setting.name, cell.seed, " ".join(options), "m", 0.5 + gain)

    monkeypatch.setattr(command, "_run", run)
    words = ["sweep", "--study", str(study), "--measures", "density", "--seeds", "2"]
    assert foveate.main([*words, "--events", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    runs = [e for e in events if e["event"] == "progress"]
    assert [(e["stage"], e["done"], e["total"], e["unit"]) for e in runs] == [
        ("sweep", k, 4, "runs") for k in range(4)
    ]
    assert runs[0]["seconds_left"] is None
    assert runs[3]["seconds_left"] is not None
    assert {e["event"] for e in events} == {"stage", "progress", "warning", "result"}
    (one,) = events[-1]["settings"]
    assert one["difference"] == pytest.approx(0.105)
    assert one["verdict"] == "gain"


def test_a_stop_between_two_runs_ends_a_sweep(study, monkeypatch, capsys) -> None:
    def run(_origin, cell: Cell, _out, options: list[str], voice):
        voice.stop.set()
        return 0, Row(cell.setting.name, cell.seed, " ".join(options), "m", 0.5)

    monkeypatch.setattr(command, "_run", run)
    assert foveate.main(["sweep", "--study", str(study), "--events", "json"]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "stopped"


@pytest.mark.parametrize("words", [("--seeds", "1"), ("--drop", "much")])
def test_what_cannot_be_compared_is_refused(words, study) -> None:
    with pytest.raises(SystemExit) as ended:
        foveate.main(["sweep", "--study", str(study), *words])
    assert ended.value.code == 2


@pytest.mark.usefixtures("tiny_encoder")
def test_a_whole_sweep_of_a_small_study(tmp_path: Path, capsys) -> None:
    make_study(tmp_path / "s", images=16, test_images=6).close()
    words = ["sweep", "--study", str(tmp_path / "s"), "--measures", "density", "--seeds", "2",
             "--positive-rate", "0.3"]  # fmt: skip
    assert foveate.main([*words, *SMALL]) == 0
    path = tmp_path / "s" / "exports" / "sweep" / "sweep.jsonl"
    rows = read_rows(path)
    path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")  # killed before its row
    assert foveate.main([*words, *SMALL]) == 0
    assert read_rows(path) == rows
    assert len(rows) == 4
    assert all(0 <= r.score <= 1 for r in rows)
    assert "p (Holm)" in capsys.readouterr().out


@pytest.mark.usefixtures("tiny_encoder")
def test_a_sweep_of_a_servers_readings_keeps_rows_of_its_own_and_no_url(
    tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(tmp_path / "s", images=16, test_images=6)
    with study.database.write() as session:
        for sitting in session.query(Session):
            sitting.ended_utc = sitting.started_utc
    server = Database(server_url)
    server.upgrade()
    push(study.database, server)
    monkeypatch.setenv(URL_VARIABLE, server_url)
    words = ["sweep", "--study", str(study.folder), "--database", "server", "--measures",
             "density", "--seeds", "2", "--positive-rate", "0.3"]  # fmt: skip
    assert foveate.main([*words, *SMALL]) == 0
    path = study.exports / "sweep" / "sweep.jsonl"
    assert len(read_rows(path)) == 4
    assert server_url not in path.read_text()
    assert {row.options for row in read_rows(path)} != {" ".join(SMALL[1:])}
    for where, count in ((study.database, 0), (server, 4)):
        with where.read() as session:
            assert session.query(TrainingRun).count() == count
    server.close()
    study.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make 16 images of two labels, a relation that joins labels, and a table with a test split."""
    write_images(tmp_path / "images", 16)
    names = sorted(p.relative_to(tmp_path / "images").as_posix() for p in tmp_path.glob("*/*/*"))
    lines = [f"{n},{n[0]},{'test' if k % 8 > 4 else 'train'}" for k, n in enumerate(names)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label,split", *lines]))
    same = np.array([[a[0] == b[0] for a in names] for b in names], float)
    for name in ("eyes", "mouse"):
        np.savez(tmp_path / f"{name}.npz", similarity=same, valid=np.ones(16, bool), ids=names)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("tiny_encoder")
def test_a_sweep_of_a_folder_compares_relation_files(folder: Path, capsys) -> None:
    words = ["sweep", "--images", "images", "--labels", "labels.csv", "--relation", "eyes.npz",
             "mouse.npz", "--seeds", "2", "--threshold", "0.5"]  # fmt: skip
    assert foveate.main([*words, *SMALL]) == 0
    rows = read_rows(folder / "sweep" / "sweep.jsonl")
    assert {(r.setting, r.seed) for r in rows} == {
        (name, seed)
        for name in ("plain", "eyes_above0.5_drop0.5", "mouse_above0.5_drop0.5")
        for seed in (0, 1)
    }
    by_cell = {(r.setting, r.seed): r.score for r in rows}
    for seed in (0, 1):  # the two files say the same
        eyes, mouse = (by_cell[f"{n}_above0.5_drop0.5", seed] for n in ("eyes", "mouse"))
        assert eyes == mouse
    assert "p (Holm)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--study FOLDER or --images FOLDER"),
        (("--images", "images"), "--relation FILE is missing"),
        (("--images", "images", "--relation", "eyes.npz"), "No image belongs to the test split"),
        (("--images", "images", "--relation", "eyes.npz", "a/eyes.npz"), "have the same name"),
        (("--images", "images", "--measures", "tima"), "--measures only works with a study"),
        (
            ("--images", "images", "--relation", "eyes.npz", "--database", "x"),
            "only works with a study",
        ),
        (("--study", "images"), "is not a Foveate study"),
    ],
)
def test_what_a_folder_lacks_is_said(words, said: str, folder, capsys) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "eyes.npz").touch()
    with pytest.raises(SystemExit) as ended:
        foveate.main(["sweep", *words])
    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())
