"""An Orthanc of the tests' own, on its own ports and folder; and a line that is cut."""

import base64
import json
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import PATIENCE_S

BINARY = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
MISSING = BINARY is None or not PLUGIN.exists()
REASON = "Orthanc (packages orthanc and orthanc-dicomweb) is missing"


@dataclass(frozen=True)
class Orthanc:
    """A running archive; with a login where it was started so."""

    port: int
    dicom_port: int
    login: tuple[str, str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def ask(self, path: str, data: bytes | None = None, method: str | None = None) -> bytes:
        """Ask its own interface, as its keeper does."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}", data, method=method
        )
        if self.login is not None:
            pair = base64.b64encode(":".join(self.login).encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return bytes(answer.read())

    def store(self, data: bytes) -> bool:
        """Put a DICOM file in; tell whether it was taken."""
        try:
            self.ask("instances", data)
        except urllib.error.HTTPError:
            return False
        return True

    def studies(self) -> list[str]:
        """Return the UIDs of the studies it has."""
        found = json.loads(self.ask("studies?expand"))
        return [one["MainDicomTags"]["StudyInstanceUID"] for one in found]

    def send_all(self, title: str, port: int) -> bool:
        """Send every image to a C-STORE listener here; tell whether all were taken."""
        known = json.dumps({"AET": title, "Host": "127.0.0.1", "Port": port}).encode()
        self.ask("modalities/station", known, "PUT")
        try:
            self.ask("modalities/station/store", self.ask("instances"))
        except urllib.error.HTTPError:
            return False
        return True


@contextmanager
def orthanc(
    folder: Path,
    more: dict[str, object] | None = None,
    *,
    login: tuple[str, str] | None = None,
) -> Iterator[Orthanc]:
    """Start one; it is ended with the block.

    Parameters
    ----------
    login
        The one user it has, with the password.
    """
    found, process = _started(folder, more or {}, login)
    try:
        yield found
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _started(
    folder: Path, more: dict[str, object], login: tuple[str, str] | None
) -> "tuple[Orthanc, subprocess.Popen[bytes]]":
    """Start one; again where somebody took one of its ports before it did."""
    assert BINARY is not None
    for _ in range(5):
        port, dicom_port = free_ports(2)
        configuration = {
            "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
            "HttpPort": port, "DicomPort": dicom_port, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True}, "SaveJobs": False, "StableAge": 1,
            "DicomAlwaysAllowStore": True, "DicomScuTimeout": int(PATIENCE_S),
        }  # fmt: skip
        if login is not None:
            configuration |= {"AuthenticationEnabled": True, "RegisteredUsers": dict([login])}
        (folder / "orthanc.json").write_text(json.dumps(configuration | more))
        process = subprocess.Popen(
            [BINARY, str(folder / "orthanc.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        found = Orthanc(port, dicom_port, login)
        if _answers(found, process):
            return found, process
        process.kill()
        process.wait(PATIENCE_S)
    raise RuntimeError("Orthanc does not start")


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


def _answers(archive: Orthanc, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until it does; False if it ended."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            archive.ask("system")
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def random_cuts(count: int, seed: int = 1) -> list[int]:
    """Return after how many bytes lines are cut: within headers, small answers and images."""
    chosen = random.Random(seed)
    return [chosen.randrange(1, 400 if i % 3 == 0 else 6_000) for i in range(count)]
