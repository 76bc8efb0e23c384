"""The line to an archive: HTTP that is kept open, verified, and taken up again when it is cut.

No redirect is followed: credentials go to the host that was named, and to no other.
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
"""Before each further try; an answer in between begins them anew."""
_BLOCK = 1 << 20
_PORTS = {"http": 80, "https": 443}
_AGAIN = (408, 429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an archive answered."""

    status: int
    kind: str
    body: bytes


class Line:
    """A line to one archive.

    Parameters
    ----------
    url
        Of its DICOMweb, such as `https://pacs.example.org/dicom-web`.
    authority
        A file of certificates that sign the archive's; None: those that the system trusts.
    wait
        Sleeps between two tries.

    Raises
    ------
    ImportStopped
        If the URL is none, or may not be asked.
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
                f"{url} is not encrypted: patients' names would pass in the clear. Name its "
                "https:// address, or a tunnel that ends on this computer."
            )
        self._header: dict[str, str] = {}
        self._wait = wait
        self._connection = _connection(scheme, self.host, port, authority)

    def authorise(self, credentials: Credentials) -> None:
        """Say from now on who we are."""
        self._header = credentials.header

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def get(self, path: str, accept: str) -> Answer:
        """Ask for something below the archive's URL; a line that is cut is taken up again.

        Raises
        ------
        ArchiveClosed
            If the archive does not let us in, or is not to be trusted.
        ImportStopped
            If it cannot be reached.
        ImportRefused
            If what it sends is larger than a file may be.
        """
        for wait_s in (*_WAITS_S, None):
            try:
                answer = self._asked(path, accept)
            except ssl.SSLCertVerificationError as error:
                raise ArchiveClosed(
                    f"The certificate of {self.host} is not to be trusted "
                    f"({error.verify_message}). Name the file of the authority that signed it.",
                    "--authority FILE names it.",
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
            f"The archive at {self.host} does not answer ({failed}). What came before is in the "
            "study; import again to go on."
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
                    f"it is larger than {MAX_FILE_BYTES / 1e6:,.0f} MB, the limit of what an "
                    "archive may send: export it as a file"
                )
        if answer.length:  # read(n) does not say itself that the end is missing
            raise http.client.IncompleteRead(bytes(body), answer.length)
        kind = answer.headers.get("Content-Type", "")
        if answer.status == 200 and not is_framed and not _is_whole(kind, body):
            raise http.client.IncompleteRead(bytes(body))
        return Answer(answer.status, kind, bytes(body))

    def _let_in(self, answer: Answer) -> Answer:
        if answer.status in (401, 403):
            said = "User or password is wrong." if self._header else "It asks for a user."
            if self._header.get("Authorization", "").startswith("Bearer "):
                said = "It does not take the token."
            raise ArchiveClosed(
                f"The archive at {self.host} does not let us in (HTTP {answer.status}). {said}",
                "--user names the user; the password comes from FOVEATE_PACS_PASSWORD, the "
                "keyring or a question, a token from FOVEATE_PACS_TOKEN.",
            )
        if 300 <= answer.status < 400:
            raise ImportStopped(
                f"The archive at {self.host} sends us to another address. Name that one instead: "
                "credentials go to the named host only."
            )
        return answer


def _is_whole(kind: str, body: bytearray) -> bool:
    """Tell whether an answer that does not say its length came whole.

    A line that is cut among the headers looks like an answer without a length and a body.
    """
    if kind.startswith("multipart/"):
        return len(body) > 0  # its last boundary tells
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
            "Leave user and password out of the URL. The user is named beside it, and the "
            "password is never part of a command."
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
