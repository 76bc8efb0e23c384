"""Who we are to an archive: from the environment, the keyring of the desktop, or a question."""

import base64
import contextlib
import getpass
import os
import sys
from dataclasses import dataclass, field

SERVICE = "foveate-archive"
"""Of the keyring: `keyring set foveate-archive USER@HOST`."""
USER, PASSWORD, TOKEN = "FOVEATE_PACS_USER", "FOVEATE_PACS_PASSWORD", "FOVEATE_PACS_TOKEN"
"""Of the environment; a token goes before a password."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, or a token; never shown, never kept."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def header(self) -> dict[str, str]:
        """What HTTP is told."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if not self.user:
            return {}
        pair = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def credentials_for(host: str, user: str = "", *, may_ask: bool = False) -> Credentials:
    """Return what an archive is told; nothing where nothing was said of it.

    Parameters
    ----------
    user
        Whose password is wanted; empty: the environment's, or nobody's.
    may_ask
        Whether the password may be asked for, on a terminal only.
    """
    token = os.environ.get(TOKEN, "")
    if token:
        return Credentials(token=token)
    user = user or os.environ.get(USER, "")
    if not user:
        return Credentials()
    password = os.environ.get(PASSWORD) or _from_keyring(f"{user}@{host}")
    if not password and may_ask and sys.stdin is not None and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {user} at {host}: ")
    return Credentials(user, password or "")


def _from_keyring(name: str) -> str | None:
    try:
        import keyring.errors
    except ImportError:  # an extra: the environment and the question are there without it
        return None
    with contextlib.suppress(keyring.errors.KeyringError):  # no keyring runs, or it stays locked
        found: str | None = keyring.get_password(SERVICE, name)
        return found
    return None
