"""The process that decodes: a hostile file may kill it, but never the station.

It speaks JSON over one pipe (nothing is unpickled from it) and imports nothing heavy at module
level, so that the spawning side can cheaply name its entry.
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

    {path, folder} decodes a file into a folder; {path} alone lists the files of a DICOMDIR. After
    {sent}, the file itself, which is on no disk, follows on the pipe.
    """
    # A decoder's output must not mix with the station's own.
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    from app.images.decoding.decode_file import answer_to

    watch_crashes("image decoder")
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
        limit()  # what a stack was allowed to map does not count for the next file


def limit_memory(memory_bytes: int) -> Callable[[], None]:
    """Limit how much address space this process may add; return a function that renews the limit.

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
