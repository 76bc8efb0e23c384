"""Files named by their content, and the content of a file that did not change known at once."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trainer.errors import BrokenPictures, Cancelled

_Index = dict[str, list[object]]


def file_hashes(
    paths: Sequence[Path],
    index_file: Path,
    cancelled: Callable[[], bool] = lambda: False,
    unreadable: dict[int, str] | None = None,
) -> list[str]:
    """Return 32 hex digits of the content of each file.

    Parameters
    ----------
    paths
        The files.
    index_file
        Remembers size, time stamp and hash of each file; one that can be deleted at any time.
    cancelled
        Looked at between files.
    unreadable
        Takes the position of each file that cannot be read, and why; its hash is empty then. None:
        an error.

    Raises
    ------
    BrokenPictures
        If files cannot be read; names all of them.
    Cancelled
        If the user asked to stop.
    """
    index, problems = _read(index_file), dict[int, str]()
    stamps = [_stamp(path, i, problems) for i, path in enumerate(paths)]
    keys = [os.path.abspath(p) for p in paths]
    unknown = [
        i
        for i, key in enumerate(keys)
        if i not in problems and index.get(key, [None, None, None])[:2] != stamps[i]
    ]
    if unknown:
        with ThreadPoolExecutor() as pool:  # hashing lets other threads run
            for i, value in zip(unknown, pool.map(_hash, [paths[i] for i in unknown]), strict=True):
                if isinstance(value, OSError):
                    problems[i] = f"{paths[i]} cannot be read: {value.strerror}."
                else:
                    index[keys[i]] = [*stamps[i], value]
                if cancelled():
                    pool.shutdown(cancel_futures=True)
                    raise Cancelled("Stopped while examining images.")
        _write(index_file, index)
    if problems and unreadable is None:
        raise BrokenPictures(dict(sorted(problems.items())), len(paths))
    if unreadable is not None:
        unreadable.update(sorted(problems.items()))
    return ["" if i in problems else str(index[key][2]) for i, key in enumerate(keys)]


def _stamp(path: Path, position: int, problems: dict[int, str]) -> list[int]:
    try:
        status = path.stat()
    except OSError as error:
        problems[position] = f"{path} is missing ({error.strerror})."
        return []
    return [status.st_size, status.st_mtime_ns]


def _hash(path: Path) -> str | OSError:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError as error:
        return error


def _read(path: Path) -> _Index:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return {k: v for k, v in content.items() if isinstance(v, list) and len(v) == 3}
    return {}


def _write(path: Path, index: _Index) -> None:
    """Keep the index; a folder that cannot be written costs time, not the run."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".partial-{os.getpid()}")
        partial.write_text(json.dumps(index), encoding="utf-8")
        partial.replace(path)
