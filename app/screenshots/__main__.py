"""`python -m app.screenshots --out FOLDER`: every page and state as a picture.

Qt sets up its screens when it starts, so each kind of desktop needs its own process: 100 %, 200 %,
and two screens with the window on the second.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

_BASE = {"x": 0, "y": 0, "logicalBaseDpi": 96, "dpr": 1}
DESKTOPS = {
    "1366": [_BASE | {"name": "one", "width": 1366, "height": 768, "logicalDpi": 96}],
    "1920": [_BASE | {"name": "one", "width": 1920, "height": 1080, "logicalDpi": 96}],
    "3840": [_BASE | {"name": "one", "width": 3840, "height": 2160, "logicalDpi": 96}],
    "200": [_BASE | {"name": "one", "width": 2880, "height": 1800, "logicalDpi": 192}],
    "two-screens": [
        _BASE | {"name": "one", "width": 1280, "height": 800, "logicalDpi": 96},
        _BASE | {"name": "two", "x": -1920, "y": -200, "width": 1920, "height": 1200,
                 "logicalDpi": 120},
    ],
}  # fmt: skip


def main() -> int:
    """Make the pictures; 0 when all were made."""
    parser = argparse.ArgumentParser(prog="python -m app.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", choices=list(DESKTOPS), help="one kind of desktop")
    parser.add_argument("--shoot", choices=list(DESKTOPS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.shoot:
        from app.screenshots.shoot import shoot

        shoot(arguments.out, arguments.shoot)
        return 0
    chosen = [arguments.only] if arguments.only else list(DESKTOPS)
    return max(_in_process(arguments.out, name) for name in chosen)


def _in_process(out: Path, name: str) -> int:
    file = out / f"screens-{name}.json"
    file.write_text(json.dumps({"screens": DESKTOPS[name]}), encoding="utf-8")
    environment = os.environ | {
        "QT_QPA_PLATFORM": f"offscreen:configfile={file}",
        "FOVEATE_CONFIG_DIR": str(out / "configuration"),
        "XDG_CONFIG_HOME": str(out / "configuration"),
    }
    words = [sys.executable, "-m", "app.screenshots", "--out", str(out), "--shoot", name]
    done = subprocess.run(words, env=environment, check=False).returncode
    file.unlink()
    return done


if __name__ == "__main__":
    sys.exit(main())
