"""A stand-in for Gazepoint Control, written from the Open Gaze API's published manual.

It was written before and apart from the adapter, and knows nothing of it. It speaks XML lines over
TCP on loopback: SET and GET with ACK and NACK, REC records of what was enabled only, CAL records of
a calibration. Its clock starts anew at every calibration, as the manual says of TIME.
"""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests import PATIENCE_S

_COMMAND = re.compile(r'<(SET|GET)\s+ID="([A-Z_]+)"([^>]*?)/?>')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
FREQUENCY = 10_000_000
"""Ticks a second of the server's PC."""

# What each switch adds to a record, as attribute → format of the sample's value.
FIELDS: dict[str, tuple[str, ...]] = {
    "ENABLE_SEND_COUNTER": ("CNT",),
    "ENABLE_SEND_TIME": ("TIME",),
    "ENABLE_SEND_TIME_TICK": ("TIME_TICK",),
    "ENABLE_SEND_POG_FIX": ("FPOGX", "FPOGY", "FPOGS", "FPOGD", "FPOGID", "FPOGV"),
    "ENABLE_SEND_POG_LEFT": ("LPOGX", "LPOGY", "LPOGV"),
    "ENABLE_SEND_POG_RIGHT": ("RPOGX", "RPOGY", "RPOGV"),
    "ENABLE_SEND_POG_BEST": ("BPOGX", "BPOGY", "BPOGV"),
    "ENABLE_SEND_PUPIL_LEFT": ("LPCX", "LPCY", "LPD", "LPS", "LPV"),
    "ENABLE_SEND_PUPIL_RIGHT": ("RPCX", "RPCY", "RPD", "RPS", "RPV"),
    "ENABLE_SEND_EYE_LEFT": ("LEYEX", "LEYEY", "LEYEZ", "LPUPILD", "LPUPILV"),
    "ENABLE_SEND_EYE_RIGHT": ("REYEX", "REYEY", "REYEZ", "RPUPILD", "RPUPILV"),
    "ENABLE_SEND_PUPILMM": ("LPMM", "LPMMV", "RPMM", "RPMMV"),
    "ENABLE_SEND_BLINK": ("BKID", "BKDUR", "BKPMIN"),
}
_DEFAULTS: dict[str, float | int | str] = {
    "FPOGX": 0.9, "FPOGY": 0.9, "FPOGS": 0.0, "FPOGD": 0.2, "FPOGID": 1, "FPOGV": 1,
    "LPCX": 0.4, "LPCY": 0.5, "LPD": 21.0, "LPS": 1.0, "LPV": 1,
    "RPCX": 0.6, "RPCY": 0.5, "RPD": 20.0, "RPS": 1.0, "RPV": 1,
    "LEYEX": -0.032, "LEYEY": 0.01, "LEYEZ": 0.6, "LPUPILD": 0.0034, "LPUPILV": 1,
    "REYEX": 0.031, "REYEY": 0.01, "REYEZ": 0.61, "RPUPILD": 0.0033, "RPUPILV": 1,
    "LPMM": 3.4, "LPMMV": 1, "RPMM": 3.3, "RPMMV": 1,
    "BKID": 0, "BKDUR": 0.0, "BKPMIN": 12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """Gaze that the stand-in sends: fractions of the screen, and whether each eye is valid."""

    time_s: float
    left: tuple[float, float]
    right: tuple[float, float]
    left_valid: bool = True
    right_valid: bool = True
    other: Mapping[str, float | int | str] = field(default_factory=dict)

    def values(self, count: int) -> dict[str, float | int | str]:
        """Return every attribute that a record of it could hold."""
        valid = [
            p for p, ok in ((self.left, self.left_valid), (self.right, self.right_valid)) if ok
        ]
        best = (
            [sum(axis) / len(valid) for axis in zip(*valid, strict=True)] if valid else [0.0, 0.0]
        )
        return {
            **_DEFAULTS,
            "CNT": count, "TIME": f"{self.time_s:.5f}", "TIME_TICK": round(self.time_s * FREQUENCY),
            "LPOGX": f"{self.left[0]:.5f}", "LPOGY": f"{self.left[1]:.5f}",
            "LPOGV": int(self.left_valid),
            "RPOGX": f"{self.right[0]:.5f}", "RPOGY": f"{self.right[1]:.5f}",
            "RPOGV": int(self.right_valid),
            "BPOGX": f"{best[0]:.5f}", "BPOGY": f"{best[1]:.5f}", "BPOGV": int(bool(valid)),
            **self.other,
        }  # fmt: skip


@dataclass
class Control:
    """The server's state; tests set its faults and read what clients asked.

    Attributes
    ----------
    refused
        IDs answered with NACK, as an older Control does with what it does not know.
    silent
        IDs that are not answered at all.
    residual_norm
        How far the estimated gaze of a calibration point lies from it, per eye; None: not valid.
    split
        Bytes a packet: records arrive cut anywhere, as TCP may.
    commands
        Every (verb, ID, attributes) that came.
    """

    product: str = "GP3HD"
    rate: str = "150"
    screen: tuple[int, int, int, int] = (0, 0, 1920, 1080)
    refused: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    residual_norm: tuple[float | None, float | None] = (0.005, 0.005)
    split: int | None = None
    commands: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    points: list[tuple[float, float]] = field(default_factory=list)
    count: int = 0
    _clients: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def streaming(self) -> bool:
        """Whether a client asked for data."""
        return self.state.get("ENABLE_SEND_DATA") == "1"

    def wait_for(self, verb: str, id_: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a client has sent a command."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: any(c[:2] == (verb, id_) for c in self.commands), timeout_s
            ):
                raise AssertionError(f"no client sent {verb} {id_}; got {self.commands}")

    def send(self, *samples: Sent) -> None:
        """Send records with the attributes that are switched on, if data are."""
        if not self.streaming():
            return
        for sample in samples:
            self.count += 1
            values = sample.values(self.count)
            on = [n for id_, names in FIELDS.items() if self.state.get(id_) == "1" for n in names]
            self.send_line("<REC " + " ".join(f'{n}="{values[n]}"' for n in on) + " />")

    def send_line(self, line: str) -> None:
        """Send any line to every client, whole or in pieces."""
        content = (line + "\r\n").encode()
        step = self.split or len(content)
        with self._lock:
            for client in list(self._clients):
                try:
                    for start in range(0, len(content), step):
                        client.sendall(content[start : start + step])
                except OSError:
                    self._clients.remove(client)

    def cut(self) -> None:
        """Close every connection, as Control does when it is closed."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            with suppress(OSError):  # one that has gone by itself
                client.shutdown(socket.SHUT_RDWR)
            client.close()

    def serve(self, client: socket.socket) -> None:
        """Answer one client until it goes."""
        with self._lock:
            self._clients.append(client)
        with client:
            self._converse(client)
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)

    def _converse(self, client: socket.socket) -> None:
        pending = ""
        while True:
            try:
                received = client.recv(4096)
            except OSError:
                return
            if not received:
                return
            pending += received.decode()
            *lines, pending = pending.split("\r\n")
            for line in lines:
                self._answer(line)

    def _answer(self, line: str) -> None:
        match = _COMMAND.match(line)
        if match is None:
            self.send_line('<NACK ID="UNKNOWN" />')
            return
        verb, id_, attributes = match[1], match[2], dict(_ATTRIBUTE.findall(match[3]))
        if id_ not in self.silent:
            refused = id_ in self.refused
            self.send_line(
                f'<NACK ID="{id_}" />' if refused else self._reply(verb, id_, attributes)
            )
        with self._changed:
            self.commands.append((verb, id_, attributes))
            self._changed.notify_all()
        if (verb, id_, attributes.get("STATE")) == ("SET", "CALIBRATE_START", "1"):
            self._calibrate()

    def _reply(self, verb: str, id_: str, attributes: dict[str, str]) -> str:
        if verb == "SET":
            attributes = {**attributes, **self._set(id_, attributes)}
        else:
            attributes = self._get(id_)
        return f'<ACK ID="{id_}" ' + " ".join(f'{k}="{v}"' for k, v in attributes.items()) + " />"

    def _set(self, id_: str, attributes: dict[str, str]) -> dict[str, str]:
        if id_ in ("CALIBRATE_CLEAR", "CALIBRATE_RESET"):
            five = [(0.5, 0.5), (0.85, 0.15), (0.85, 0.85), (0.15, 0.85), (0.15, 0.15)]
            self.points = [] if id_ == "CALIBRATE_CLEAR" else five
            return {"PTS": str(len(self.points))}
        if id_ == "CALIBRATE_ADDPOINT":
            self.points.append((float(attributes["X"]), float(attributes["Y"])))
            return {"PTS": str(len(self.points))}
        if id_ == "SCREEN_SIZE":
            x, y, width, height = (int(attributes[k]) for k in ("X", "Y", "WIDTH", "HEIGHT"))
            self.screen = (x, y, width, height)
            return {}
        self.state[id_] = attributes.get("STATE", attributes.get("VALUE", ""))
        return {}

    def _get(self, id_: str) -> dict[str, str]:
        x, y, width, height = self.screen
        known = {
            "PRODUCT_ID": {"VALUE": self.product, "BUS": "USB3", "RATE": self.rate},
            "SERIAL_ID": {"VALUE": "18050123"},
            "COMPANY_ID": {"VALUE": "GAZEPOINT"},
            "API_ID": {"VALUE": "2.8"},
            "TIME_TICK_FREQUENCY": {"FREQ": str(FREQUENCY)},
            "CAMERA_SIZE": {"WIDTH": "752", "HEIGHT": "480"},
            "SCREEN_SIZE": {"X": str(x), "Y": str(y), "WIDTH": str(width), "HEIGHT": str(height)},
            "CALIBRATE_RESULT_SUMMARY": self._summary(),
        }
        return known.get(id_, {"STATE": self.state.get(id_, "0")})

    def _summary(self) -> dict[str, str]:
        valid = [r for r in self.residual_norm if r is not None]
        error_px = sum(valid) / len(valid) * self.screen[2] if valid else 0.0
        return {
            "AVE_ERROR": f"{error_px:.2f}",
            "VALID_POINTS": str(len(self.points) if valid else 0),
        }

    def _calibrate(self) -> None:
        result = '<CAL ID="CALIB_RESULT" '
        for k, (x, y) in enumerate(self.points, 1):
            place = f'PT="{k}" CALX="{x:.5f}" CALY="{y:.5f}"'
            self.send_line(f'<CAL ID="CALIB_START_PT" {place} />')
            self.send_line(f'<CAL ID="CALIB_RESULT_PT" {place} />')
            result += f'CALX{k}="{x:.5f}" CALY{k}="{y:.5f}" '
            for eye, off in zip("LR", self.residual_norm, strict=True):
                found = (x + off, y) if off is not None else (0.0, 0.0)
                result += f'{eye}X{k}="{found[0]:.5f}" {eye}Y{k}="{found[1]:.5f}" '
                result += f'{eye}V{k}="{int(off is not None)}" '
        self.send_line(result + "/>")
        self.count = 0


@contextmanager
def gazepoint_control(control: Control | None = None) -> Iterator[tuple[Control, int]]:
    """Serve on a free port of loopback; give the server's state and its port."""
    control = control or Control()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=control.serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield control, port
        finally:
            control.cut()
            server.shutdown(socket.SHUT_RDWR)
