"""The process that reads a file of gaze: a hostile file may kill it, but never the station.

It sends messages over one pipe (`wire`; nothing is unpickled) and imports nothing heavy at module
level, so that the spawning side can cheaply name its entry.
"""

import os
from multiprocessing.connection import Connection

from app.images.decoding.worker import limit_memory


def serve(connection: Connection, memory_bytes: int) -> None:
    """Answer requests until the pipe closes; the entry of the process.

    A request names format, path and options; the answers are readings, progress from time to time,
    and finally the result for the file.
    """
    # A library's output must not mix with the station's own.
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    from app.interchange.parsing import answer

    limit_memory(memory_bytes)
    connection.send_bytes(b'{"kind": "ready", "arrays": {}}\n')
    while True:
        try:
            request = connection.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            for message in answer(request):
                connection.send_bytes(message)
        except (BrokenPipeError, OSError):
            return
