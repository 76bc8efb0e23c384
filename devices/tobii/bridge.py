"""The process under Python 3.10 in which Tobii's SDK runs; started by `homes.BridgeHome`.

Standard library and the SDK alone. Commands come as JSON lines on standard input
(`{"id", "name", "arguments"}`); on standard output go frames: one letter (J JSON, G rows of gaze),
the length as four bytes, little-endian, and the content. It ends when its input ends.
"""

import importlib
import json
import os
import struct
import sys
import threading
import time
from typing import Any

FRAME = struct.Struct("<cI")
PUMP_EVERY_S = 0.004


class Bridge:
    """Answers commands and pumps the streams of one session."""

    def __init__(self, out: Any, session: Any) -> None:
        self._out, self._session = out, session
        self._lock = threading.Lock()

    def send(self, kind: bytes, content: bytes) -> None:
        """Write one frame."""
        with self._lock:
            self._out.write(FRAME.pack(kind, len(content)) + content)
            self._out.flush()

    def say(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self.send(b"J", json.dumps(message, default=str).encode())

    def pump(self) -> None:
        """Send what the session's queues hold, for ever."""
        while True:
            rows, messages = self._session.drain()
            for message in messages:
                self.say(message)
            if rows:
                self.send(b"G", rows)
            time.sleep(PUMP_EVERY_S)

    def answer(self, line: str) -> None:
        """Run one command and send its result or its error."""
        command = json.loads(line)
        try:
            result = self._session.call(command["name"], command["arguments"])
        except Exception as error:  # the SDK's errors have no common parent
            reply = {"error": type(error).__name__, "detail": str(error)}
        else:
            reply = {"result": result}
        self.say({"event": "answer", "id": command["id"], **reply})


def main() -> None:
    """Serve until standard input ends."""
    # What the SDK prints must not get among the frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        session = importlib.import_module("session").SdkSession(
            importlib.import_module("tobii_research")
        )
    except BaseException as error:
        message = {"event": "failed", "error": type(error).__name__, "detail": str(error)}
        Bridge(out, None).say(message)
        return
    bridge = Bridge(out, session)
    bridge.say({"event": "ready", "python": sys.version.split()[0]})
    threading.Thread(target=bridge.pump, daemon=True).start()
    for line in sys.stdin:
        bridge.answer(line)
    session.close()


if __name__ == "__main__":
    main()
