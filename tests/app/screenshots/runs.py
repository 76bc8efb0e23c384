"""What the researcher's pages show: similarities, a plain and a gaze run, and a probe, computed.

The commands compute them from the study's readings: a picture shows no figure that was made up.
"""

import json
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from migrations.study.folder import Study
from migrations.study.schema import TrainingRun, utc_text
from tests import ROOT
from tests.app.screenshots.fixed import BEGIN

EPOCHS = 20
_SETTINGS = (
    "--encoder", "resnet10", "--size", "48", "--batch", "16", "--epochs", str(EPOCHS),
    "--measure", "tima", "--set", "test_share=0.3",
)  # fmt: skip


def add_results(study: Study) -> None:
    """Train a plain and a gaze run on one split, and test both with few labels."""
    for name, pairs in (("plain", "none"), ("gaze", "gzpt")):
        compute(study, "train", "--name", name, "--pairs", pairs, *_SETTINGS)
    for run in study.runs.iterdir():
        run_command("encode", "--encoder", str(run), "--images", str(study.folder / "images"),
                    "--out", str(run / "features.npz"))  # fmt: skip
    out = study.exports / "probe"
    compute(study, "probe", "--encoder", "gaze", "plain", "--probes", "linear",
            "--label-budget", "10,25,all", "--out", str(out))  # fmt: skip
    with study.database.write() as rows:
        for hour, run in enumerate(rows.scalars(select(TrainingRun).order_by(TrainingRun.id))):
            run.started_utc = utc_text(BEGIN.replace(day=4, hour=9 + hour, minute=0))


def compute(study: Study, command: str, *words: str) -> None:
    """Run one of the commands on the study."""
    run_command(command, "--study", str(study.folder), *words)


def run_command(command: str, *words: str) -> None:
    """Run one of the commands, and end with what it says if it fails."""
    run = [sys.executable, str(ROOT / "main.py"), command, *words]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr or done.stdout}")


def told_by(run: Path) -> list[dict[str, float]]:
    """Return what a training told of its steps."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
