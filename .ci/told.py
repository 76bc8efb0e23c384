"""The commands that a newcomer is told, as one script: python .ci/told.py WHEELS.

Those of the section on a folder of wheels in WHEELS/installation.md and of the first tutorial, in
their order; each is shown with the seconds it took. The tutorial's one edit is made by sed.
"""

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECTION = "From a folder of wheels, without a network"
TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial-first-study.md"
EDIT = "sed -i 's/^trial = false/trial = true/' my-study/study.toml"
HEAD = """set -euo pipefail
cd
told() { printf '%6s s  %s\\n' "$((SECONDS - begun))" "$1"; begun=$SECONDS; }
begun=0
"""


def commands(text: str) -> list[str]:
    """Return the lines of the blocks of shell in a page, in their order."""
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()]


def section(page: str, name: str) -> str:
    """Return what stands below a heading, up to the next of its level."""
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def script(page: str, tutorial: str) -> str:
    """Return the script of both pages."""
    lines = [line for line in commands(section(page, SECTION)) if not line.startswith("sudo ")]
    for line in commands(tutorial):
        typed = line.replace("python main.py", "foveate")
        lines += [typed, EDIT] if typed.startswith("foveate import ") else [typed]
    told = (f"{line}\ntold '{line.replace(chr(39), '')}'\n" for line in lines)
    return HEAD + "".join(told) + "ls -l report.html\n"


if __name__ == "__main__":
    page = (Path(sys.argv[1]) / "installation.md").read_text(encoding="utf-8")
    sys.stdout.write(script(page, TUTORIAL.read_text(encoding="utf-8")))
