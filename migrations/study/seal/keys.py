"""The key with which this user's Foveate signs: in the configuration folder, for its owner only."""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrations.study.processes import partial_of
from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)
_FILE = "station.key"
_SECRET_BYTES = 32
_cached: dict[Path, "StationKey"] = {}


@dataclass(frozen=True, slots=True)
class StationKey:
    """An Ed25519 key.

    Attributes
    ----------
    public
        32 bytes.
    """

    secret: Any
    public: bytes

    @property
    def name(self) -> str:
        """Its fingerprint, by which links name it."""
        return fingerprint(self.public)

    def sign(self, data: bytes) -> bytes:
        """Return the signature (64 bytes)."""
        return bytes(self.secret.sign(data))


def fingerprint(public: bytes) -> str:
    """Return the first 16 hexadecimal digits of a public key's SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def station_key() -> StationKey | None:
    """Return this user's key, made at first use; None where it cannot be made, which is logged.

    A recording must not stop for lack of a key: the chain continues unsigned, and a check reports
    it.
    """
    path = config_folder() / _FILE
    if path not in _cached:
        try:
            _cached[path] = _read(path)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used to sign the record: %s", path, error)
            return None
    return _cached[path]


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether the owner of a public key signed these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(path: Path) -> StationKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.is_file():
        partial_of(path)  # one that was made just before a kill holds the same secret
    else:
        _make(path)
    secret = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    return StationKey(secret, secret.public_key().public_bytes_raw())


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = partial_of(path)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(_SECRET_BYTES))
        if os.name == "posix":
            try:
                os.link(partial, path)  # whole or not at all; another process may be faster
            except FileExistsError:
                return
        elif not path.exists():
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
