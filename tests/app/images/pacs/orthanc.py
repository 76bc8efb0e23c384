"""An Orthanc of the tests' own, on its own ports and folder; and a line that is cut."""

import json
import random
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BINARY = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
MISSING = BINARY is None or not PLUGIN.exists()
REASON = "Orthanc (packages orthanc and orthanc-dicomweb) is missing"


@dataclass(frozen=True)
class Orthanc:
    """A running archive."""

    port: int
    dicom_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def store(self, data: bytes) -> bool:
        """Put a DICOM file in; tell whether it was taken."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/instances", data)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False

    def studies(self) -> list[str]:
        """Return the UIDs of the studies it has."""
        address = f"http://127.0.0.1:{self.port}/studies?expand"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return [one["MainDicomTags"]["StudyInstanceUID"] for one in json.load(answer)]


@contextmanager
def orthanc(folder: Path, more: dict[str, object] | None = None) -> Iterator[Orthanc]:
    """Start one; it is ended with the block."""
    assert BINARY is not None
    port, dicom_port = free_ports(2)
    configuration = {
        "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
        "HttpPort": port, "DicomPort": dicom_port, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True},
        "SaveJobs": False, "StableAge": 1, "DicomAlwaysAllowStore": True,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration | (more or {})))
    process = subprocess.Popen(
        [BINARY, str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_it_answers(port, process)
        yield Orthanc(port, dicom_port)
    finally:
        process.terminate()
        process.wait(20)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    opened = [socket.socket() for _ in range(count)]
    try:
        for one in opened:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in opened]
    finally:
        for one in opened:
            one.close()


def _until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Orthanc does not start")


class CutLine:
    """A proxy in front of a server that cuts its lines after so many bytes.

    Parameters
    ----------
    cuts
        How many bytes of each connection's answers pass; when they are used up, all pass.
    """

    def __init__(self, port: int, cuts: Iterable[int]) -> None:
        self._target, self._cuts = port, iter(cuts)
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            left = next(self._cuts, None)
            threads = [
                threading.Thread(target=self._pass, args=(client, server, None), daemon=True),
                threading.Thread(target=self._pass, args=(server, client, left), daemon=True),
            ]
            for thread in threads:
                thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, left: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if left is not None and len(data) >= left:
                    self.cut += 1
                    target.sendall(data[:left])
                    break
                target.sendall(data)
                left = None if left is None else left - len(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def random_cuts(count: int, seed: int = 1) -> list[int]:
    """Return after how many bytes lines are cut: within headers, small answers and images."""
    chosen = random.Random(seed)
    return [chosen.randrange(1, 400 if i % 3 == 0 else 6_000) for i in range(count)]
