"""The end of the demo: a plain run beside the gaze run, both probed with few labels, one report.

Each step is a command of its own, as a researcher would type it; its output goes to a log.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.demo.progress import Progress
from app.errors import AppError
from migrations.study.processes import MAIN

FEWEST_TESTED = 20
"""With fewer tested images than this, a figure of the probe means nothing."""
_WAIT_S = 2.0
_LAST_LINES = 8


def run_command(words: Sequence[str], log: Path, progress: Progress, *, is_needed: bool) -> bool:
    """Run a command of Foveate to its end, however long it takes; tell whether it succeeded.

    Raises
    ------
    AppError
        If a required command fails; quotes the last lines of its output.
    """
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(MAIN), *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        while True:
            try:
                code = process.wait(_WAIT_S)
                break
            except subprocess.TimeoutExpired:
                progress.update(f"waiting for: {words[0]}")
    if code == 0:
        return True
    said = last_lines(log)
    if is_needed:
        raise AppError(f"`{words[0]}` ended with code {code}. The last lines of {log}:\n{said}")
    progress.say(f"{words[0]} did not give a figure: {said.splitlines()[-1] if said else code}")
    return False


def last_lines(log: Path) -> str:
    """Return the last lines of a log; "" where there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_LAST_LINES:])


def probe_lines(folder: Path) -> Iterator[str]:
    """Yield the probe's figures for each encoder, and what they are worth."""
    rows = json.loads((folder / "probe.json").read_text(encoding="utf-8"))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    tested = int(about["splits"]["test"])
    for row in rows:
        if row.get("mean") is None or row["metric"] != "auc":
            continue
        low, high = row.get("low"), row.get("high")
        interval = f" [{low:.2f}, {high:.2f}]" if low is not None and high is not None else ""
        name = "gaze" if "gzpt" in row["encoder"] else row["encoder"]
        yield f"  {name}, {row['budget']} labels: AUC {row['mean']:.2f}{interval}"
    if tested < FEWEST_TESTED:
        yield (
            f"  {tested} images were tested: with fewer than {FEWEST_TESTED} these figures mean "
            "nothing. They show how it works, not whether gaze helps (docs/study.md)."
        )
