"""One word for each habit, in the environment that nox itself runs in: `nox -s lint`.

Words after `--` go on to the tool: `nox -s test -- tests/devices/gaze`.
"""

import os
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "test"]

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
"""Where pytest, ruff and the others lie, whether that environment is activated or not."""


def _run(session: nox.Session, *words: str) -> None:
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    session.run(*words, *session.posargs, env={"PATH": path}, external=True)


@nox.session
def test(session: nox.Session) -> None:
    """Run the fast tests, or those of a path: -- tests/devices/gaze."""
    _run(session, "python", "-m", "pytest")


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that take longer."""
    _run(session, "python", "-m", "pytest", "-m", "slow")


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the fast tests and print which share of the lines of each room they run."""
    rooms = [f"--cov={room}" for room in ("app", "devices", "migrations", "trainer")]
    _run(session, "python", "-m", "pytest", *rooms, "--cov-report=term:skip-covered")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, layout, arrows between rooms, and what a file may hold."""
    _run(session, "ruff", "check", ".")
    _run(session, "ruff", "format", "--check", ".")
    _run(session, "lint-imports")
    _run(session, "python", ".ci/check_files.py")


@nox.session
def fix(session: nox.Session) -> None:
    """Mend what ruff can mend."""
    _run(session, "ruff", "check", "--fix", ".")
    _run(session, "ruff", "format", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Run mypy, strict."""
    _run(session, "mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into build/site; a warning is an error."""
    session.env["NO_MKDOCS_2_WARNING"] = "1"
    _run(session, "mkdocs", "build", "--strict", "--quiet")


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo: a cohort, a reading session, a training, a report."""
    _run(session, "python", "main.py", "--demo")


@nox.session
def screenshots(session: nox.Session) -> None:
    """Write every page and state, on screens of several sizes, into build/screenshots."""
    _run(session, "python", "-m", "app.screenshots", "--out", "build/screenshots")


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the pictures of docs/images again."""
    _run(session, "python", "-m", "tests.app.screenshots", "--out", "docs/images")


@nox.session
def constraints(session: nox.Session) -> None:
    """Write constraints.txt anew from the versions installed here."""
    words = [sys.executable, "-m", "pip", "list", "--format=freeze", "--exclude-editable"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    tools = ("pip==", "setuptools==", "wheel==")
    head = [line for line in _constraints().splitlines() if line.startswith("#")]
    kept = [line for line in listed if not line.startswith(tools)]
    (HERE / "constraints.txt").write_text("\n".join([*head, *kept]) + "\n", encoding="utf-8")
    session.log(f"{len(kept)} versions")


def _constraints() -> str:
    return (HERE / "constraints.txt").read_text(encoding="utf-8")
