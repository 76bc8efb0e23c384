"""The Python 3.10 that runs Tobii's SDK, and the environment that `setup-tobii` creates for it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from devices.errors import TrackerNotFound
from devices.program import as_typed

REQUIREMENT = "tobii-research==2.1.0"
"""As in the dependency group `tobii` of pyproject.toml."""
VERSION = (3, 10)
PYTHON_VARIABLE = "FOVEATE_TOBII_PYTHON"
FOLDER_VARIABLE = "FOVEATE_TOBII_FOLDER"
_ASK = (
    "import importlib.util as u, json, sys; "
    "print(json.dumps([list(sys.version_info[:2]), u.find_spec('tobii_research') is not None]))"
)
_GET_PYTHON = as_typed(
    "Install Python 3.10 (Windows: winget install Python.Python.3.10; macOS: brew install "
    "python@3.10; Linux: pyenv install 3.10 or uv python install 3.10), or name one: "
    "python main.py devices setup-tobii --python PATH"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that responded.

    Attributes
    ----------
    has_sdk
        Whether tobii-research is installed in it.
    """

    path: Path
    version: tuple[int, int]
    has_sdk: bool


def environment_folder() -> Path:
    """Return the folder of `setup-tobii`'s environment (`FOVEATE_TOBII_FOLDER` changes it)."""
    configured = os.environ.get(FOLDER_VARIABLE)
    return Path(configured) if configured else user_data_path("foveate") / "tobii-py310"


def environment_python(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def ask(path: Path) -> Interpreter | None:
    """Ask an interpreter for its version and the SDK; None if it does not answer."""
    try:
        answer = subprocess.run(
            [str(path), "-c", _ASK], capture_output=True, timeout=20, check=True, text=True
        )
        version, has_sdk = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(path, (version[0], version[1]), bool(has_sdk))


def interpreter_with_sdk() -> Interpreter | None:
    """Return the interpreter the bridge runs under: named, made by `setup-tobii`, or found.

    Raises
    ------
    TrackerNotFound
        If `FOVEATE_TOBII_PYTHON` names one that cannot be used.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        return _named(Path(named))
    own = environment_python(environment_folder())
    for path in (*([own] if own.exists() else []), *candidates()):
        found = ask(path)
        if found is not None and found.version == VERSION and found.has_sdk:
            return found
    return None


def candidates() -> Iterator[Path]:
    """Yield interpreters that may be Python 3.10: on the path, of pyenv, of the py launcher."""
    on_path = shutil.which("python3.10")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    if pyenv.is_dir():
        yield from (environment_python(v) for v in sorted(pyenv.glob("3.10.*"), reverse=True))
    launcher = shutil.which("py") if sys.platform == "win32" else None
    if launcher:
        words = [launcher, "-3.10", "-c", "import sys; print(sys.executable)"]
        answer = subprocess.run(words, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def make_environment(python: Path | None, folder: Path) -> Interpreter:
    """Create (or complete) the bridge's environment and verify that the SDK can be imported in it.

    Parameters
    ----------
    python
        A Python 3.10 to make it from; None looks for one.
    folder
        Where to make it.

    Raises
    ------
    TrackerNotFound
        The message says exactly what is missing, and the way out.
    """
    base = _base(python)
    own = environment_python(folder)
    if not own.exists():
        _run([str(base.path), "-m", "venv", str(folder)], _no_venv(base.path))
    install = [str(own), "-m", "pip", "install", "--disable-pip-version-check", REQUIREMENT]
    _run(
        install,
        f"pip cannot install {REQUIREMENT} into {folder}. An internet connection is needed once.",
    )
    _run(
        [str(own), "-c", "import tobii_research"],
        f"{REQUIREMENT} is installed in {folder}, but cannot be started.",
    )
    return Interpreter(own, VERSION, has_sdk=True)


def _base(python: Path | None) -> Interpreter:
    if python is not None:
        found = ask(python)
        if found is None:
            raise TrackerNotFound(f"{python} cannot be started as Python. {_GET_PYTHON}")
        if found.version != VERSION:
            version = ".".join(map(str, found.version))
            raise TrackerNotFound(
                f"{python} is Python {version}, but Tobii's SDK works only with 3.10. {_GET_PYTHON}"
            )
        return found
    for path in candidates():
        found = ask(path)
        if found is not None and found.version == VERSION:
            return found
    raise TrackerNotFound(f"There is no Python 3.10 on this computer. {_GET_PYTHON}")


def _named(path: Path) -> Interpreter:
    found = ask(path)
    if found is None:
        raise TrackerNotFound(f"{PYTHON_VARIABLE} names {path}, which cannot be started.")
    if not found.has_sdk:
        raise TrackerNotFound(
            f"{PYTHON_VARIABLE} names {path}, which has no tobii-research. "
            f"Run: {path} -m pip install {REQUIREMENT}"
        )
    return found


def _no_venv(python: Path) -> str:
    return (
        f"{python} cannot create a virtual environment. On Debian and Ubuntu: sudo apt install "
        "python3.10-venv."
    )


def _run(words: list[str], what: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise TrackerNotFound(f"{what} Its message: {said[-1] if said else 'none'}")
