"""A TCP proxy on loopback that cuts every connection after so many bytes."""

import contextlib
import random
import socket
import threading


class CuttingProxy:
    """Passes bytes to a server; each connection is cut after a number of bytes drawn anew."""

    def __init__(self, port: int, seed: int, at_most: int) -> None:
        self._port, self._at_most = port, at_most
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        self.cutting = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            left = [self._random.randint(200, self._at_most)]
            for source, target in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pass, args=(source, target, left), daemon=True
                ).start()

    def _pass(self, source: socket.socket, target: socket.socket, left: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if self.cutting:
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
