"""A C-STORE listener: what a sender brings waits in memory until it has become a case.

A sender hears of success only when the image is in the study, so that it keeps, and sends again,
what a line that was cut or a station that went down did not take.
"""

import io
import logging
import queue
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

from app.errors import ImportStopped
from app.images.importing.results import ImportResult
from app.images.limits import MAX_FILE_BYTES

QUIET_S = 2.0
"""After so long without a sender what came in hangs as cases."""
_LOOK_EVERY_S = 0.1
_MOST_SENDERS = 4
_ECHO = "1.2.840.10008.1.1"
"""Verification: whether somebody listens."""
_SUCCESS, _NO_ROOM, _NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_]{0,63}")


@dataclass(frozen=True, slots=True)
class _Sent:
    name: Path
    data: bytes
    answer: "queue.Queue[tuple[int, str]]" = field(default_factory=lambda: queue.Queue(1))


class Listener:
    """Listens from its construction on, until it is closed.

    Parameters
    ----------
    host, port
        Where; port 0 lets the system choose.
    title
        The application entity title that senders call.
    senders
        Titles that may send; empty: whoever reaches the port.

    Raises
    ------
    ImportStopped
        If the port cannot be had.
    """

    def __init__(
        self, host: str, port: int, title: str = "FOVEATE", senders: Sequence[str] = ()
    ) -> None:
        for name in ("pynetdicom", "pydicom"):  # they write down what identifies
            logging.getLogger(name).propagate = False
        self._waiting: queue.Queue[_Sent] = queue.Queue()
        self._now: _Sent | None = None
        self._closed = Event()
        entity = AE(ae_title=title)
        entity.maximum_associations = _MOST_SENDERS
        entity.require_called_aet = True
        entity.require_calling_aet = list(senders)
        entity.add_supported_context(_ECHO)
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        try:
            self._server: Any = entity.start_server(
                (host, port), block=False, evt_handlers=[(evt.EVT_C_STORE, self._on_store)]
            )
        except OSError as error:
            raise ImportStopped(
                f"Port {port} of {host} cannot be had: {error.strerror}."
            ) from error
        self._entity = entity

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def next_names(self, until: float) -> Iterator[Path]:
        """Give what comes in, one by one, until all senders are gone for a while.

        Parameters
        ----------
        until
            When to stop waiting for a first one, by `time.monotonic`.
        """
        quiet_since = None
        while True:
            try:
                sent = self._waiting.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                now = time.monotonic()
                if self._entity.active_associations:
                    quiet_since = None
                    continue
                quiet_since = quiet_since or now
                if now - quiet_since >= QUIET_S or now >= until:
                    return
                continue
            quiet_since, self._now = None, sent
            yield sent.name

    def read(self, _name: Path) -> bytes:
        """Return the file that was given last."""
        assert self._now is not None
        return self._now.data

    def answer(self, result: ImportResult) -> None:
        """Tell its sender what became of the file that was given last."""
        if self._now is not None:
            refused = result.status == "refused"
            said = (_NOT_UNDERSTOOD, result.reason) if refused else (_SUCCESS, "")
            self._now.answer.put(said)
        self._now = None

    def close(self) -> None:
        """Stop listening; who waits for an answer hears that nothing was taken."""
        self._closed.set()
        left = [] if self._now is None else [self._now]
        while not self._waiting.empty():
            left.append(self._waiting.get_nowait())
        for sent in left:
            sent.answer.put((_NO_ROOM, "the station was stopped: send it again"))
        self._server.shutdown()

    def _on_store(self, event: Any) -> Dataset:
        """Take a file; in the thread of its sender."""
        status = Dataset()
        status.Status, said = self._taken(event)
        if said:
            status.ErrorComment = said.encode("ascii", "replace").decode()[:64]
        return status

    def _taken(self, event: Any) -> tuple[int, str]:
        size = event.request.DataSet.getbuffer().nbytes
        if self._closed.is_set() or size > MAX_FILE_BYTES:
            return _NO_ROOM, "it is larger than a station takes, or the station stops"
        data = event.encoded_dataset()
        sent = _Sent(_name_of(data, str(event.request.AffectedSOPInstanceUID)), data)
        self._waiting.put(sent)
        while True:
            try:
                return sent.answer.get(timeout=1.0)
            except queue.Empty:
                if self._closed.is_set():
                    return _NO_ROOM, "the station was stopped: send it again"


def _name_of(data: bytes, image: str) -> Path:
    """Return what a file goes by; a part that is no UID is a question mark."""
    tags = ("StudyInstanceUID", "SeriesInstanceUID")
    try:
        said = pydicom.dcmread(io.BytesIO(data), specific_tags=[*tags], stop_before_pixels=True)
        parts = [_undecoded(said, tag) for tag in tags]
    except Exception:  # the decoder says what is wrong with it
        parts = ["", ""]
    return Path(*(part if _UID.fullmatch(part) else "-" for part in (*parts, image)))


def _undecoded(data: Dataset, keyword: str) -> str:
    """Return a UID as it was sent: decoded, one that is wrong would be quoted in a warning."""
    element = data.get_item(keyword)
    value = b"" if element is None or element.value is None else element.value
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return text.rstrip("\0 ")
