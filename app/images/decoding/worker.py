"""The process that decodes: it may be killed by a hostile file, never the station.

It speaks JSON over one pipe (nothing is unpickled from it) and imports nothing heavy at module
level, so that the spawning side can name its entry cheaply.
"""

import json
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from app.crash_log import watch_crashes


def serve(connection: Connection, key: bytes, memory_bytes: int) -> None:
    """Answer requests until the pipe closes; the entry of the process.

    {path, folder} decodes a file into a folder, {path} alone lists the files of a DICOMDIR; after
    {sent} the file itself follows on the pipe: it lies on no disk.
    """
    # What a decoder prints must not mix with the station's own output.
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    from app.images.decoding.decode_file import answer_to

    watch_crashes("decoder of images")
    limit = limit_memory(memory_bytes)
    connection.send_bytes(b"{}")
    while True:
        try:
            request = json.loads(connection.recv_bytes())
            sent = connection.recv_bytes() if request.get("sent") else None
        except (EOFError, OSError):
            return
        connection.send_bytes(json.dumps(answer_to(request, key, sent)).encode())
        del sent
        limit()  # what a stack was allowed to map is no memory of the next file


def limit_memory(memory_bytes: int) -> Callable[[], None]:
    """Allow this process so much address space more than it has; return what does so again.

    On Linux only; elsewhere the parent watches the process's memory and ends it.
    """
    if sys.platform != "linux":
        return lambda: None
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)

    def again() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))

    again()
    return again
