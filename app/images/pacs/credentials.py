"""Our credentials for an archive: from the environment, the desktop's keyring, or a prompt."""

import base64
import contextlib
import getpass
import os
import sys
from dataclasses import dataclass, field

SERVICE = "foveate-archive"
"""In the keyring: `keyring set foveate-archive USER@HOST`."""
USER, PASSWORD, TOKEN = "FOVEATE_PACS_USER", "FOVEATE_PACS_PASSWORD", "FOVEATE_PACS_TOKEN"
"""In the environment; a token takes precedence over a password."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, or a token; never shown, never stored."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def header(self) -> dict[str, str]:
        """The Authorization header for HTTP."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if not self.user:
            return {}
        pair = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def credentials_for(host: str, user: str = "", *, may_ask: bool = False) -> Credentials:
    """Return the credentials for an archive; None if none are given.

    Parameters
    ----------
    user
        Whose password is needed; "": that of the environment, or none.
    may_ask
        Whether to prompt for the password; only on a terminal.
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
    except ImportError:  # an optional extra: without it, the environment and the prompt still work
        return None
    with contextlib.suppress(
        keyring.errors.KeyringError
    ):  # no keyring is running, or it stays locked
        found: str | None = keyring.get_password(SERVICE, name)
        return found
    return None
