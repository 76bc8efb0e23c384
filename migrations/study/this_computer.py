"""What this user's Foveate keeps on this computer, outside every study, and what it recognises.

A key that never leaves the configuration folder marks what was made here. A folder that comes from
elsewhere, or was changed on the way, cannot carry the mark.
"""

import hashlib
import hmac
import json
import os
import platform
import secrets
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_log_path

KEY_BYTES = 32
_KEY = "computer.key"


def config_folder() -> Path:
    """Return the user's own folder for Foveate (`FOVEATE_CONFIG_DIR` names another)."""
    configured = os.environ.get("FOVEATE_CONFIG_DIR")
    return Path(configured) if configured else user_config_path("foveate", appauthor=False)


def log_folder() -> Path:
    """Return the folder of this user's logs; inside the folder that `FOVEATE_CONFIG_DIR` names."""
    if os.environ.get("FOVEATE_CONFIG_DIR"):
        return config_folder() / "logs"
    return user_log_path("foveate", appauthor=False)


def make_key(path: Path) -> None:
    """Write a new random key that only its owner can read; an existing one is kept.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster; use its key
        return
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))


def computer() -> str:
    """Return the name of this computer."""
    return platform.node()


def mark(*values: Any) -> str:
    """Return a mark of these values (JSON) that only this computer can make: an HMAC-SHA256.

    Raises
    ------
    OSError
        If the key can be neither read nor made.
    """
    text = json.dumps([computer(), *values], sort_keys=True)
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()


def is_mark(given: str, *values: Any) -> bool:
    """Tell whether a mark of these values was made here; without a key here it was not."""
    try:
        return (config_folder() / _KEY).is_file() and hmac.compare_digest(given, mark(*values))
    except (OSError, TypeError):
        return False


def _key() -> bytes:
    path = config_folder() / _KEY
    if not path.is_file():
        make_key(path)
    key = path.read_text(encoding="ascii").strip().encode()
    if len(key) < KEY_BYTES:  # cut off by a full disk, or not ours
        raise OSError(None, "it is too short to be a key; delete it", str(path))
    return key
