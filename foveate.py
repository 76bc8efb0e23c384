"""The installed command `foveate`, also `python -m foveate`: main.py, if its packages are its own.

Foveate's packages have common names. Where another distribution brings one of the same name, half
a program would run; so all are looked at before the first is imported.
"""

import base64
import hashlib
import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

NAMES = ("app", "devices", "migrations", "trainer", "main")
WAY_OUT = (
    "Foveate works in an environment of its own only: pipx install foveate, uv tool install "
    "foveate, or a new virtual environment with nothing else in it."
)
_HERE = Path(__file__).resolve().parent


def run() -> int:
    """Run the command line as a process; 1 and a sentence where another package is in the way."""
    refusal = in_the_way(_HERE)
    if refusal:
        sys.stderr.write(f"{refusal}\n{WAY_OUT}\n")
        return 1
    return int(import_module("main").run())


def in_the_way(folder: Path) -> str:
    """Return which package of another's is in the way of those in a folder; nothing for none."""
    for name in NAMES:
        wanted = folder / ("main.py" if name == "main" else f"{name}/__init__.py")
        found = _origin(name)
        if found != wanted:
            where = "it is not there at all" if found is None else f"Python finds {found} instead"
            return f"{name} is not Foveate's: {where}."
    return _overwritten(folder)


def _origin(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).resolve()


def _overwritten(folder: Path) -> str:
    """Return which file of these packages another distribution wrote over, by what pip noted."""
    noted = _files_of("foveate", folder)
    for name in NAMES:
        path = "main.py" if name == "main" else f"{name}/__init__.py"
        if path in noted and _digest(folder / path) != noted[path]:
            others = ", ".join(_others_with(path)) or "something else"
            return f"{folder / path} is not Foveate's any more: {others} wrote over it."
    return ""


def _files_of(distribution: str, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that was installed into a folder; none of a checkout."""
    try:
        files = metadata.distribution(distribution).files or []
    except metadata.PackageNotFoundError:
        return {}
    return {
        each.as_posix(): each.hash.value
        for each in files
        if each.hash is not None and Path(str(each.locate())).resolve().is_relative_to(folder)
    }


def _digest(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _others_with(path: str) -> list[str]:
    return [
        f"{each.metadata['Name']} {each.version}"
        for each in metadata.distributions()
        if each.metadata["Name"] != "foveate" and path in {f.as_posix() for f in each.files or []}
    ]


if __name__ == "__main__":
    sys.exit(run())
