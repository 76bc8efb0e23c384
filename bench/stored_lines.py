"""Lines of JSON that a long study stores one by one, so that it goes on where it stopped."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any


def once(path: Path, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> bool:
    """Make and store a line unless it is there; return whether it was made."""
    if any(line["key"] == key for line in read(path)):
        return False
    line = {**make(), "key": key, "code": _code()}
    if any(other["key"] == key for other in read(path)):
        return False  # another process was sooner
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    shown = ("cell", "linear", "auc", "seconds")
    print(json.dumps({name: line[name] for name in shown if name in line}), flush=True)
    return True


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file; one that a cut left half written is made again."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except ValueError:
            print(f"A damaged line of {path.name} is skipped.")
    return lines


def _code() -> str:
    """Return the commit that a line was made with."""
    folder = Path(__file__).parent
    done = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    return done.stdout.strip()
