"""The process that reads a file of gaze: it may be killed by a hostile file, never the station.

It speaks messages over one pipe (`wire`; nothing is unpickled) and imports nothing heavy at module
level, so that the spawning side can name its entry cheaply.
"""

import os
from multiprocessing.connection import Connection

from app.images.decoding.worker import limit_memory


def serve(connection: Connection, memory_bytes: int) -> None:
    """Answer requests until the pipe closes; the entry of the process.

    A request names format, path and options; the answers are readings, at times how far reading
    is, and last what became of the file.
    """
    # What a library prints must not mix with the station's own output.
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
