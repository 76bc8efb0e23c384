"""An Orthanc of the tests' own, on its own ports and folder; and a line that is cut."""

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


def random_cuts(count: int, seed: int = 1) -> list[int]:
    """Return after how many bytes lines are cut: within headers, small answers and images."""
    chosen = random.Random(seed)
    return [chosen.randrange(1, 400 if i % 3 == 0 else 6_000) for i in range(count)]
