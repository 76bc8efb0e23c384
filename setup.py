"""What pyproject.toml cannot say: a wheel and an sdist tell which commit they were built from."""

import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent
BUILD = Path("migrations/study/build.txt")
"""Read by `migrations.study.program_version.build`."""


def commit() -> str:
    """Return the commit of a checkout, what an sdist was told of its own, or "unknown"."""
    if (HERE / ".git").exists():
        words = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
        try:
            return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return "unknown"
    path = HERE / BUILD
    return path.read_text(encoding="utf-8").strip() if path.is_file() else "unknown"


class BuildPy(build_py):
    """Builds into an empty folder: a module that is gone is not carried over from last time."""

    def run(self) -> None:
        """Copy the packages and write the commit beside them."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            (Path(self.build_lib) / BUILD).write_text(f"{commit()}\n", encoding="utf-8")


class Sdist(sdist):
    """Writes the commit, which an unpacked sdist could not ask git for."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files and write the commit among them."""
        super().make_release_tree(base_dir, files)
        (Path(base_dir) / BUILD).write_text(f"{commit()}\n", encoding="utf-8")


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist})
