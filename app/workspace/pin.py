"""The researcher's PIN: keeps readers away from the results of their own readings.

It keeps honest readers blind, like a door; it does not encrypt the study. After a few wrong tries,
each further one has to wait, longer every time.
"""

import hashlib
import hmac
import json
import math
import os
import time
from pathlib import Path

from app.errors import AppError
from migrations.study.this_computer import config_folder

MIN_LENGTH = 4
PROTECTS = (
    "The PIN hides the workspace from readers at this station. It encrypts nothing: anyone with "
    "access to this computer account can open or export the study's files and remove the PIN. "
    "Where that matters, give readers a separate account."
)
"""What a PIN does and does not do; shown where it is asked for."""
FREE_TRIES = 4
LONGEST_WAIT_S = 300
_FILE = "researcher.json"
_TRIES = "researcher-tries.json"


class PinRefused(AppError):
    """The PIN is too short, or its file cannot be used."""


def has_pin(folder: Path | None = None) -> bool:
    """Return whether a PIN was set on this computer."""
    return _path(folder).is_file()


def set_pin(pin: str, folder: Path | None = None) -> None:
    """Store the PIN, salted and hashed, in the configuration folder, readable only by its owner.

    Raises
    ------
    PinRefused
        If it is shorter than four characters or cannot be stored.
    """
    if len(pin) < MIN_LENGTH:
        raise PinRefused(f"A PIN needs at least {MIN_LENGTH} characters.")
    salt = os.urandom(16)
    text = json.dumps({"salt": salt.hex(), "scrypt": _digest(pin, salt).hex()})
    path = _path(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise PinRefused(f"The PIN cannot be stored in {path}: {error.strerror}.") from error


def is_pin(pin: str, folder: Path | None = None) -> bool:
    """Return whether this is the PIN.

    Raises
    ------
    PinRefused
        If its file is damaged; after deleting it, a new one can be set. If a try has to wait.
    """
    path = _path(folder)
    tries = path.with_name(_TRIES)
    failed = _waited(tries)
    try:
        stored = json.loads(path.read_text(encoding="ascii"))
        salt, expected = bytes.fromhex(stored["salt"]), bytes.fromhex(stored["scrypt"])
    except (OSError, ValueError, KeyError) as error:
        raise PinRefused(f"{path} is damaged. Delete it and set a new PIN.") from error
    _note(tries, failed + 1)  # counted before it is checked: a program killed now has used its try
    if not hmac.compare_digest(_digest(pin, salt), expected):
        return False
    tries.unlink(missing_ok=True)
    return True


def _waited(tries: Path) -> int:
    """Return how many tries failed; refuse one that comes too early after the last."""
    try:
        stored = json.loads(tries.read_text(encoding="ascii"))
        failed, last_s = int(stored["failed"]), float(stored["last_s"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0
    if failed < FREE_TRIES:
        return failed
    wait_s = min(2.0 ** min(failed - FREE_TRIES + 1, 20), LONGEST_WAIT_S)
    left_s = wait_s - (time.time() - last_s)
    if left_s > 0:
        # If the clock was set back since then, no one is locked out for long.
        left_s = min(left_s, wait_s)
        if last_s > time.time():
            _note(tries, failed)
        raise PinRefused(f"{failed} wrong tries. Wait {math.ceil(left_s)} s for the next.")
    return failed


def _note(tries: Path, failed: int) -> None:
    try:
        tries.touch(mode=0o600)
        tries.write_text(json.dumps({"failed": failed, "last_s": time.time()}), encoding="ascii")
    except OSError as error:
        raise PinRefused(f"{tries} cannot be written: {error.strerror}.") from error


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26)


def _path(folder: Path | None) -> Path:
    return (folder or config_folder()) / _FILE
