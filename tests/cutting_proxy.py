"""A TCP proxy on loopback that cuts connections after so many bytes."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests import PATIENCE_S


class CuttingProxy:
    """Passes bytes to a server; half of what came with the last byte allowed still arrives.

    Parameters
    ----------
    allowed
        How many bytes of each connection pass; None, or its end, for all.
    answers_only
        Whether only what the server says counts.
    """

    def __init__(
        self, port: int, allowed: Iterator[int | None], *, answers_only: bool = False
    ) -> None:
        self._port, self._allowed, self._answers_only = port, allowed, answers_only
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        self.cutting = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            left = [next(self._allowed, None)]
            asked = [None] if self._answers_only else left
            for way in ((client, server, asked), (server, client, left)):
                threading.Thread(target=self._pass, args=way, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, left: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if self.cutting and left[0] is not None:
                    left[0] -= len(data)
                    if left[0] < 0:
                        self.cuts += 1
                        # Half of what came still arrives: a line is cut in the middle of things.
                        target.sendall(data[: len(data) // 2])
                        break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
