"""Wheels built of copies of the tree, and environments that they are installed into."""

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from tests import ROOT


def files_of_the_tree() -> list[str]:
    """Return what git tracks or would track, as a fresh clone has it."""
    words = ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_of_the_tree(folder: Path) -> Path:
    for name in files_of_the_tree():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(ROOT / name, target)
    return folder


def built(kind: str, source: Path, out: Path) -> Path:
    """Build a "wheel" or an "sdist" of a folder with the setuptools that is installed here."""
    code = f"import setuptools.build_meta as b, sys; print(b.build_{kind}(sys.argv[1]))"
    words = [sys.executable, "-c", code, str(out)]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / done.stdout.strip().splitlines()[-1]


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees the libraries installed here, and none of this checkout."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, *wheels: Path) -> "Environment":
        venv.create(folder, with_pip=False)
        made = cls(folder)
        (made.packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
        words = [sys.executable, "-m", "pip", "--python", str(made.program("python")), "install"]
        quiet = ["--no-deps", "--no-index", "--no-compile", "--force-reinstall", "-q"]
        subprocess.run([*words, *quiet, *map(str, wheels)], check=True, capture_output=True)
        return made

    @property
    def packages(self) -> Path:
        found = self.folder.glob("lib/python*/site-packages")
        return next(found, self.folder / "Lib" / "site-packages")

    def program(self, name: str) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / name

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an installed program in an empty folder of the environment."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        given = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
        return subprocess.run(
            [str(self.program(name)), *words], cwd=work, env=given, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
