"""The connection to an archive: HTTP that is kept open, verified, and resumed when interrupted.

Redirects are not followed: credentials go only to the host that was named.
"""

import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.errors import ArchiveClosed, ImportRefused, ImportStopped
from app.images.limits import MAX_FILE_BYTES
from app.images.pacs.credentials import Credentials
from app.images.pacs.network import is_loopback, require_allowed
from migrations.study.settings import StudySettings

TIMEOUT_S = 30.0
_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Before each retry; an answer in between resets them."""
_BLOCK = 1 << 20
_PORTS = {"http": 80, "https": 443}
_AGAIN = (408, 429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from an archive."""

    status: int
    kind: str
    body: bytes


class Line:
    """A connection to one archive.

    Parameters
    ----------
    url
        URL of its DICOMweb service, such as `https://pacs.example.org/dicom-web`.
    authority
        A file of certificates that sign the archive's; None: those that the system trusts.
    wait
        Sleeps between two tries.

    Raises
    ------
    ImportStopped
        If the URL is invalid or not allowed.
    """

    def __init__(
        self,
        url: str,
        settings: StudySettings,
        *,
        authority: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        scheme, self.host, port, self._base = _parts_of(url)
        require_allowed(self.host, settings)
        if scheme == "http" and not is_loopback(self.host):
            raise ImportStopped(
                f"{url} is not encrypted, so patients' names could be read on the network. Use "
                "its https:// address, or a tunnel that ends on this computer."
            )
        self._header: dict[str, str] = {}
        self._wait = wait
        self._connection = _connection(scheme, self.host, port, authority)

    def authorise(self, credentials: Credentials) -> None:
        """Use these credentials from now on."""
        self._header = credentials.header

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str, accept: str) -> Answer:
        """Request something below the archive's URL; an interrupted connection is resumed.

        Raises
        ------
        ArchiveClosed
            If the archive refuses access or cannot be trusted.
        ImportStopped
            If it cannot be reached.
        ImportRefused
            If the answer is larger than a file may be.
        """
        for wait_s in (*_WAITS_S, None):
            try:
                answer = self._asked(path, accept)
            except ssl.SSLCertVerificationError as error:
                raise ArchiveClosed(
                    f"The certificate of {self.host} cannot be trusted "
                    f"({error.verify_message}). Name the certificate file of the authority that "
                    "signed it.",
                    "Use --authority FILE.",
                ) from error
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                failed = str(error) or type(error).__name__
            else:
                if answer.status not in _AGAIN:
                    return self._let_in(answer)
                failed = f"HTTP {answer.status}"
            if wait_s is not None:
                self._wait(wait_s)
        raise ImportStopped(
            f"The archive at {self.host} does not answer ({failed}). Images received so far are "
            "in the study. Import again to continue."
        )

    def _asked(self, path: str, accept: str) -> Answer:
        self._connection.request(
            "GET", f"{self._base}/{path}", headers={"Accept": accept, **self._header}
        )
        answer = self._connection.getresponse()
        is_framed = answer.length is not None or answer.chunked
        body = bytearray()
        while block := answer.read(_BLOCK):
            body += block
            if len(body) > MAX_FILE_BYTES:
                self._connection.close()
                raise ImportRefused(
                    f"it is larger than {MAX_FILE_BYTES / 1e6:,.0f} MB, the limit for an "
                    "archive; export it as a file and import that"
                )
        if answer.length:  # read(n) does not report a missing end itself
            raise http.client.IncompleteRead(bytes(body), answer.length)
        kind = answer.headers.get("Content-Type", "")
        if answer.status == 200 and not is_framed and not _is_whole(kind, body):
            raise http.client.IncompleteRead(bytes(body))
        return Answer(answer.status, kind, bytes(body))

    def _let_in(self, answer: Answer) -> Answer:
        if answer.status in (401, 403):
            said = "The user or password is wrong." if self._header else "It requires a user."
            if self._header.get("Authorization", "").startswith("Bearer "):
                said = "It does not accept the token."
            raise ArchiveClosed(
                f"The archive at {self.host} refuses access (HTTP {answer.status}). {said}",
                "Give the user with --user. The password comes from FOVEATE_PACS_PASSWORD, the "
                "keyring or a prompt; a token from FOVEATE_PACS_TOKEN.",
            )
        if 300 <= answer.status < 400:
            raise ImportStopped(
                f"The archive at {self.host} redirects to another address. Use that address "
                "instead; credentials are sent only to the host you name."
            )
        return answer


def _is_whole(kind: str, body: bytearray) -> bool:
    """Tell whether an answer without a length is complete.

    A connection cut within the headers looks like an answer without a length and a body.
    """
    if kind.startswith("multipart/"):
        return len(body) > 0  # shown by its last boundary
    return "json" in kind and body.rstrip().endswith(b"]")


def _parts_of(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ImportStopped(f"{url} is not a URL ({error}).") from error
    if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
        raise ImportStopped(
            f"{url} is not the URL of a DICOMweb service, such as https://host/dicom-web."
        )
    if parts.username or parts.password:
        raise ImportStopped(
            "Remove the user and password from the URL. Give the user separately; the password "
            "is never part of a command."
        )
    return parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/")


def _connection(
    scheme: str, host: str, port: int, authority: Path | None
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ImportStopped(f"{authority} is not a file of certificates (PEM).") from error
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
