"""What no file of the repository may be or hold: too large, a path of one machine, a bad name.

python .ci/check_files.py [FILE …], all tracked files where none is named. Needs Python and git.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 400_000
"""The largest screenshot has 240 kB."""
_PATH = re.compile(rb"(?<![\w.~])(/home/|/Users/|/root/|[A-Z]:\\\\?Users\\)\w")
_BAD_NAME = re.compile(r'[<>:"|?*\\\s]|[^\x20-\x7e]')
"""What Windows does not take, and spaces."""


def faults_of(path: Path) -> Iterator[str]:
    """Say what is wrong with a file."""
    if _BAD_NAME.search(path.as_posix()):
        yield "its name holds a character that some systems refuse"
    if not path.is_file():
        return
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        yield f"it has {len(data):,} bytes; at most {MOST_BYTES:,}"
    if b"\0" not in data[:8000]:
        yield from (f"line {n}: a path of one machine" for n in _lines_with_paths(data))


def _lines_with_paths(data: bytes) -> list[int]:
    return [n for n, line in enumerate(data.splitlines(), start=1) if _PATH.search(line)]


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout
    return [name for name in listed.decode().split("\0") if name]


def main(words: list[str]) -> int:
    """Print the faults of the files named, else of all; 1 if there are some."""
    faults = [f"{name}: {fault}" for name in words or _tracked() for fault in faults_of(Path(name))]
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
