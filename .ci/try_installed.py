"""An installed Foveate without a checkout in sight: python .ci/try_installed.py STEP FOLDER.

station: import a picture, open it offscreen, be told what a training lacks and which package is in
the way. demo: from nothing to a report. upgrade: the study of 0.1.0 FOLDER/of-0.1.0 opened.
uninstall: what is left.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import time
from contextlib import closing
from pathlib import Path

BIN = Path(sys.executable).parent
PACKAGES = ("app", "devices", "migrations", "trainer", "main.py", "foveate.py")
AS_RECORDED = ("gaze_chunk", "view_event", "annotation", "answer", "calibration", "recording")
"""Tables whose rows an upgrade keeps bit for bit in all columns that they had."""
OPENS = """
import sys, time
begun = time.monotonic()
from PySide6.QtCore import QTimer
import app.command as command
first = command.first_window
def closing():
    window = first()
    def shown():
        print(f"{window.windowTitle()}: open after {time.monotonic() - begun:.1f} s")
        window.close()
    QTimer.singleShot(0, shown)
    return window
command.first_window = closing
sys.exit(command.main(["--study", sys.argv[1]]))
"""


def foveate(*words: str, code: int = 0) -> str:
    """Run the installed command and return what it said; end where its exit code is another."""
    return _run([str(BIN / "foveate"), *words], code)


def _run(words: list[str], code: int = 0) -> str:
    begun = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    shown = " ".join([Path(words[0]).name, *(w for w in words[1:] if "\n" not in w)])
    _say(f"{time.monotonic() - begun:6.1f} s  {shown}")
    if done.returncode != code or "Traceback" in said:
        sys.exit(f"exit code {done.returncode}, not {code}:\n{said}")
    return said


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _ask(is_so: bool, text: str) -> None:
    if not is_so:
        sys.exit(f"not so: {text}")
    _say(f"          {text}")


def station(work: Path) -> None:
    """Import a picture, open the station, and try to train."""
    _ask(not any(map(shutil.which, ("git", "gcc", "cc", "c++"))), "neither git nor a compiler here")
    _say(foveate("--version").strip())
    from PIL import Image

    picture = work / "picture.png"
    Image.effect_noise((64, 48), 90).save(picture)
    study = str(work / "study")
    _ask("1 accepted" in foveate("import", "--study", study, str(picture)), "a picture is in")
    _say(_run([sys.executable, "-c", OPENS, study]).strip())
    said = foveate("train", "--study", study, code=1)
    _ask('comes with the extra "train"' in said, f"a training says: {said.strip()}")
    other = work / "other"
    (other / "app").mkdir(parents=True)
    (other / "app" / "__init__.py").touch()
    os.environ["PYTHONPATH"] = str(other)
    said = foveate("--version", code=1)
    _ask("app is not Foveate's" in said, f"another package in the way: {said.splitlines()[0]}")


def demo(work: Path) -> None:
    """Run the demo; its report is there."""
    out = work / "demo"
    foveate("demo", "--headless", "--cases", "6", "--seed", "1", "--out", str(out))
    _ask((out / "report.html").stat().st_size > 10_000, "the report is written")
    _ask((out / "encoder.safetensors").exists(), "the encoder is written")


def upgrade(work: Path) -> None:
    """Open a study of 0.1.0: what was recorded stays bit for bit, after a backup."""
    study = work / "of-0.1.0"
    _mark(study)
    before = work / "before"
    shutil.copytree(study, before)
    foveate("db", "upgrade", "--study", str(study))
    _compare(before, study)
    files = [p.relative_to(before) for p in (before / "images").rglob("*") if p.is_file()]
    same = all((before / p).read_bytes() == (study / p).read_bytes() for p in files)
    _ask(same and bool(files), f"{len(files)} files of images as they were")
    copies = list((study / "backups").glob("*"))
    _ask(bool(copies), f"a backup was made before: {copies[0].name}")
    foveate("db", "check", "--study", str(study))
    _say(_run([sys.executable, "-c", OPENS, str(study)]).strip())
    _compare(before, study)


def _compare(before: Path, after: Path) -> None:
    with closing(_database(before)) as old, closing(_database(after)) as new:
        for table, rows in sorted(_rows(old).items()):
            kept = _columns(new, table)
            columns = [name for name in _columns(old, table) if name in kept]
            was, now = _values(old, table, columns), _values(new, table, columns)
            if table in AS_RECORDED:
                _ask(was == now and rows > 0, f"{table}: {rows} rows as they were")
            else:
                kept_rows = rows - len(set(was) - set(now))
                _say(f"          {table}: {kept_rows} of {rows} rows as they were, now {len(now)}")


def _mark(study: Path) -> None:
    """Put a mark into every reading, as a person would: the simulated reader makes none."""
    with closing(sqlite3.connect(study / "foveate.sqlite")) as old, old:
        old.execute(
            "INSERT INTO annotation"
            " (id, reading_id, image_id, time_us, kind, label, x_image, y_image, details)"
            " SELECT 'mark-' || reading.id, reading.id, image_id, started_us + 1, 'keypoint',"
            " 'mass', 0.1 + 0.2, 1 / 3.0, '{}' FROM reading JOIN case_image USING (case_id)"
        )


def _database(study: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{study / 'foveate.sqlite'}?mode=ro", uri=True)


def _rows(database: sqlite3.Connection) -> dict[str, int]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    names = [name for (name,) in database.execute(query) if name != "alembic_version"]
    return {n: database.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]


def _values(database: sqlite3.Connection, table: str, columns: list[str]) -> list[str]:
    listed = ", ".join(f'"{name}"' for name in columns)
    return sorted(map(repr, database.execute(f'SELECT {listed} FROM "{table}"'))) if columns else []


def uninstall(work: Path) -> None:
    """Uninstall; studies and the configuration are all that is left of it.

    Kernels that Numba compiled lie in the environment until its folder is removed.
    """
    config = Path(os.environ["FOVEATE_CONFIG_DIR"])
    kept = {path: path.stat().st_size for folder in (work / "demo", config)
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip
    _run([sys.executable, "-m", "pip", "uninstall", "-q", "-y", "foveate"])
    packages = Path(sysconfig.get_path("purelib"))
    files = [
        each for name in PACKAGES for each in (packages / name, *packages.glob(f"{name}/**/*"))
    ]
    left = [str(each) for each in files if each.is_file() and each.suffix in (".py", ".pyc")]
    guides = Path(sys.prefix) / "share/doc/foveate"
    _ask(not left and not (BIN / "foveate").exists(), f"of the program nothing is left {left[:3]}")
    _ask(not any(guides.rglob("*.md")), "nor of its guides")
    same = all(path.stat().st_size == size for path, size in kept.items())
    _ask(same and bool(kept), f"{len(kept)} files of studies and configuration are there")


if __name__ == "__main__":
    steps = {"station": station, "demo": demo, "upgrade": upgrade, "uninstall": uninstall}
    steps[sys.argv[1]](Path(sys.argv[2]))
