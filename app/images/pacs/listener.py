"""A C-STORE listener: what a sender sends waits in memory until it has become a case.

Success is reported to a sender only when the image is in the study, so that it keeps and resends
whatever was lost to a broken connection or a stopped station.
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
from typing import Any, Self

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

from app.errors import ImportStopped
from app.images.importing.results import ImportResult
from app.images.limits import MAX_FILE_BYTES

QUIET_S = 2.0
"""After this long without a sender, the images received are hung as cases."""
_LOOK_EVERY_S = 0.1
_MOST_SENDERS = 4
_ECHO = "1.2.840.10008.1.1"
"""Verification: whether someone is listening."""
_SUCCESS, _NO_ROOM, _NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_]{0,63}")


@dataclass(frozen=True, slots=True)
class _Sent:
    name: Path
    data: bytes
    answer: "queue.Queue[tuple[int, str]]" = field(default_factory=lambda: queue.Queue(1))


class Listener:
    """Listens from its construction until it is closed.

    Parameters
    ----------
    host, port
        Its address; port 0 lets the system choose.
    title
        The application entity title that senders call.
    senders
        Titles that may send; empty: anyone who reaches the port.

    Raises
    ------
    ImportStopped
        If the port is not available.
    """

    def __init__(
        self, host: str, port: int, title: str = "FOVEATE", senders: Sequence[str] = ()
    ) -> None:
        for name in ("pynetdicom", "pydicom"):  # they would log what identifies
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
                f"Port {port} of {host} cannot be opened: {error.strerror}."
            ) from error
        self._entity = entity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def next_names(self, until: float) -> Iterator[Path]:
        """Yield what arrives, one by one, until all senders have been gone for a while.

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
        """Return the file that was yielded last."""
        assert self._now is not None
        return self._now.data

    def answer(self, result: ImportResult) -> None:
        """Report to its sender what happened to the file yielded last."""
        if self._now is not None:
            refused = result.status == "refused"
            said = (_NOT_UNDERSTOOD, result.reason) if refused else (_SUCCESS, "")
            self._now.answer.put(said)
        self._now = None

    def close(self) -> None:
        """Stop listening; senders that wait for an answer are told that nothing was accepted."""
        self._closed.set()
        left = [] if self._now is None else [self._now]
        while not self._waiting.empty():
            left.append(self._waiting.get_nowait())
        for sent in left:
            sent.answer.put((_NO_ROOM, "the station was stopped; send it again"))
        self._server.shutdown()

    def _on_store(self, event: Any) -> Dataset:
        """Accept a file; in the thread of its sender."""
        status = Dataset()
        status.Status, said = self._taken(event)
        if said:
            status.ErrorComment = said.encode("ascii", "replace").decode()[:64]
        return status

    def _taken(self, event: Any) -> tuple[int, str]:
        size = event.request.DataSet.getbuffer().nbytes
        if self._closed.is_set() or size > MAX_FILE_BYTES:
            return _NO_ROOM, "it is too large, or the station is stopping"
        data = event.encoded_dataset()
        sent = _Sent(_name_of(data, str(event.request.AffectedSOPInstanceUID)), data)
        self._waiting.put(sent)
        while True:
            try:
                return sent.answer.get(timeout=1.0)
            except queue.Empty:
                if self._closed.is_set():
                    return _NO_ROOM, "the station was stopped; send it again"


def _name_of(data: bytes, image: str) -> Path:
    """Return the name of a file; a part that is not a UID becomes a question mark."""
    tags = ("StudyInstanceUID", "SeriesInstanceUID")
    try:
        said = pydicom.dcmread(io.BytesIO(data), specific_tags=[*tags], stop_before_pixels=True)
        parts = [_undecoded(said, tag) for tag in tags]
    except Exception:  # the decoder reports what is wrong with it
        parts = ["", ""]
    return Path(*(part if _UID.fullmatch(part) else "-" for part in (*parts, image)))


def _undecoded(data: Dataset, keyword: str) -> str:
    """Return a UID as it was sent: decoding an invalid one would quote it in a warning."""
    element = data.get_item(keyword)
    value = b"" if element is None or element.value is None else element.value
    text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return text.rstrip("\0 ")
