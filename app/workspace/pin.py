"""The researcher's PIN: keeps readers out of the workspace of their own results.

It keeps honest readers blind, as a door does; it does not encrypt the study.
"""

import hashlib
import hmac
import json
import os
from pathlib import Path

from app.errors import AppError
from app.images.deidentify import config_folder

MIN_LENGTH = 4
_FILE = "researcher.json"


class PinRefused(AppError):
    """The PIN is too short, or its file cannot be used."""


def has_pin(folder: Path | None = None) -> bool:
    """Return whether a PIN was set on this computer."""
    return _path(folder).is_file()


def set_pin(pin: str, folder: Path | None = None) -> None:
    """Set the PIN, salted and hashed, in the user's configuration folder, readable by its owner.

    Raises
    ------
    PinRefused
        If it is shorter than four characters or cannot be stored.
    """
    if len(pin) < MIN_LENGTH:
        raise PinRefused(f"A PIN has at least {MIN_LENGTH} characters.")
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
        If its file is damaged; deleting it lets a new one be set.
    """
    path = _path(folder)
    try:
        stored = json.loads(path.read_text(encoding="ascii"))
        salt, expected = bytes.fromhex(stored["salt"]), bytes.fromhex(stored["scrypt"])
    except (OSError, ValueError, KeyError) as error:
        raise PinRefused(f"{path} is damaged; delete it and set a new PIN.") from error
    return hmac.compare_digest(_digest(pin, salt), expected)


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=2**26)


def _path(folder: Path | None) -> Path:
    return (folder or config_folder()) / _FILE
