"""The programs that work on a study: how they are started, which are alive, who holds a lock.

A process is identified by its pid and its birth (seconds since the epoch), since pids are reused.
"""

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

MAIN = Path(__file__).parents[2] / "main.py"
"""The only place that knows where the program is; its folder is the one `-m` starts from."""
_TYPED = "python main.py"
_COMMAND = _TYPED if (MAIN.parent / "pyproject.toml").is_file() else "foveate"
"""How the program is started here: from a checkout, or installed."""
_ADDED = re.compile(r'pip install -e "\.\[(\w+)\]"')
_ADD = r'pip install --no-index --find-links WHEELS "foveate[\1]"'
"""How an extra is added to a checkout, and to what was installed from a folder of wheels."""

_SAME_BIRTH_S = 1.0
_OWNED = re.compile(r"(\d+)-(\d+)-[0-9a-f]{32}")
_ABANDONED_S = 3600.0
_SETTLED_S = 0.05


def as_typed(text: str) -> str:
    """Return a text with the commands to run and extend the program as it is installed here."""
    return text if _COMMAND == _TYPED else _ADDED.sub(_ADD, text.replace(_TYPED, _COMMAND))


def birth_of(pid: int) -> float:
    """Return when a process was born, in seconds since the epoch; 0 where there is none."""
    with contextlib.suppress(psutil.Error):
        return float(psutil.Process(pid).create_time())
    return 0.0


def living(pid: int, birth: float) -> psutil.Process | None:
    """Return the process of this pid if it is alive and was born then (seconds since the epoch)."""
    with contextlib.suppress(psutil.Error, ValueError, OverflowError):
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - birth) < _SAME_BIRTH_S
        if is_same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def runs_with(words: Sequence[str]) -> bool:
    """Tell whether a process of this computer was started with these words at the end."""
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[-len(words) :] == list(words):
            return True
    return False


def owned_name(prefix: str) -> str:
    """Return a new name for an unfinished file or folder of this process; see `is_abandoned`."""
    pid = os.getpid()
    return f"{prefix}{pid}-{int(birth_of(pid))}-{uuid.uuid4().hex}"


def is_abandoned(path: Path) -> bool:
    """Tell whether the process that made an unfinished file or folder is gone.

    The name contains its process (`owned_name`). Without that, as in older versions, it counts as
    abandoned after an hour without a change.
    """
    found = _OWNED.search(path.name)
    if found is not None:
        return living(int(found[1]), float(found[2])) is None
    try:
        return time.time() - path.stat().st_mtime > _ABANDONED_S
    except OSError:
        return False


def partial_of(path: Path) -> Path:
    """Return a path beside a file to write it first; remains of dead processes are removed."""
    for left in path.parent.glob(f"{path.name}.*.partial"):
        if is_abandoned(left):
            left.unlink(missing_ok=True)
    return path.with_name(f"{owned_name(f'{path.name}.')}.partial")


def holder(lock: Path) -> psutil.Process | None:
    """Return the living process that holds a lock; a lock left behind by a kill does not count."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        values = json.loads(lock.read_text(encoding="utf-8"))
        return living(values["pid"], values.get("pid_created", values.get("created")))
    return None


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[psutil.Process | None]:
    """Hold a lock while the block runs, then remove it.

    Yields
    ------
    psutil.Process or None
        The living process that already holds it, or None: this process now holds it.

    Raises
    ------
    OSError
        If the lock cannot be written.
    """
    other = holder(lock) or _claim(lock)
    try:
        yield other
    finally:
        if other is None:
            lock.unlink(missing_ok=True)


def _claim(lock: Path) -> psutil.Process | None:
    """Write the lock; return the process that overwrote it, if two claim it at once."""
    pid = os.getpid()
    born = birth_of(pid)
    # Both names of the birth: a trainer of 0.1.0 reads `created` in a run's lock.
    lock.write_text(json.dumps({"pid": pid, "pid_created": born, "created": born}))
    time.sleep(_SETTLED_S)  # the later one stands
    found = holder(lock)
    return None if found is None or found.pid == pid else found
