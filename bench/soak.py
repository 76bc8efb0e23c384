"""Twenty minutes of recording beside all that may run with it: python -m bench.soak --study DEMO.

A session at 1,200 Hz, both eyes, is recorded as in `bench.recording`. Meanwhile `similarity` and
`train` go over another study (the demo's, say) and `db push` sends the one that is recorded to a
real PostgreSQL, each again and again as a process of its own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.push import new_server
from bench.recording import soak
from migrations.study.processes import MAIN
from tests.postgres import Cluster


class Beside:
    """A command that is run again and again until it is enough; counts how each run ended."""

    def __init__(self, words: Sequence[str], environment: dict[str, str]) -> None:
        self.words, self.environment = words, environment
        self.ended: Counter[int] = Counter()
        self.failure = ""
        self._enough = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._go_on, name=words[0])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it meanwhile; what runs at the end is stopped and not counted."""
        self._thread.start()
        try:
            yield
        finally:
            self._enough.set()
            if self._child is not None:
                self._child.terminate()
            self._thread.join()

    def line(self) -> str:
        """Return how often it ended and how."""
        return (
            f"{self.words[0]}: ended {dict(self.ended)} (exit code: times) {self.failure}".rstrip()
        )

    def _go_on(self) -> None:
        while not self._enough.wait(1.0):
            self._child = subprocess.Popen(
                [sys.executable, str(MAIN), *self.words],
                env={**os.environ, **self.environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            _, errors = self._child.communicate()
            if not self._enough.is_set():
                self.ended[self._child.returncode] += 1
                if self._child.returncode:
                    self.failure = errors[-400:]


def main() -> int:
    """Print what was recorded and what ran beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--study", type=Path, required=True, help="a study with readings, copied")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foveate-soak-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        shutil.copytree(options.study, folder / "other")
        (folder / "server").mkdir()
        other, recorded = str(folder / "other"), str(folder / "recorded")
        cluster = Cluster(folder / "server", safe=True)
        try:
            server = {"FOVEATE_DATABASE_URL": new_server(cluster)}
            commands = [
                Beside(["similarity", "--study", other, "--out", f"{other}.npz"], {}),
                Beside(["train", "--study", other, "--epochs", "50"], {}),
                Beside(["db", "push", "--study", recorded], server),
            ]
            with commands[0].running(), commands[1].running(), commands[2].running():
                soak(folder / "recorded", options.minutes)
        finally:
            cluster.stop()
        for command in commands:
            print(command.line())
    return 0


if __name__ == "__main__":
    sys.exit(main())
