"""Whether every dependency of the station and the trainer has a wheel for Windows and macOS.

python .ci/platforms.py [win_amd64 | macosx_14_0_arm64 …]: asks pip to resolve the versions of
constraints.txt for that platform and Python 3.11, from wheels alone. Nothing is installed. Needs a
package index.
"""

import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("station", "train")
_MACHINE = {"arm64": "arm64", "x86_64": "x86_64", "amd64": "AMD64"}
PLATFORMS = ("win_amd64", "macosx_14_0_arm64")


def environment_of(platform: str) -> dict[str, str]:
    """Return the markers of a platform that differ from those of this computer."""
    machine = next(m for end, m in _MACHINE.items() if platform.endswith(end))
    if platform.startswith("win"):
        given = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}
    else:
        given = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"}
    return {**given, "platform_machine": machine, "python_version": "3.11",
            "python_full_version": "3.11.9", "implementation_name": "cpython"}  # fmt: skip


def own() -> list[str]:
    """Return what pyproject.toml asks for, with both extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(line for extra in EXTRAS for line in optional[extra])]


def closure(platform: str) -> list[str]:
    """Return what a platform needs for both extras, each with its version of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {n.partition("==")[0]: n for n in lines if not n.startswith("#")}
    environment = environment_of(platform)
    found: dict[str, str] = {}
    waiting = [("foveate", frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        try:
            requires = own() if name == "foveate" else metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # only that platform needs it: its own are few
            continue
        for needed in map(Requirement, requires):
            marker = needed.marker
            if marker and not any(marker.evaluate({**environment, "extra": e})
                                  for e in extras | {""}):  # fmt: skip
                continue
            key = needed.name.lower().replace("_", "-")
            if key == "foveate" or (key in found and not needed.extras):
                continue
            found[key] = pinned.get(key, str(Requirement(f"{needed.name}{needed.specifier}")))
            waiting.append((needed.name, frozenset(needed.extras)))
    return sorted(found.values())


def resolved(platform: str) -> subprocess.CompletedProcess[str]:
    """Let pip look for a wheel of each; it downloads no more than what an index makes it."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps",
            "--only-binary=:all:", "--platform", platform, "--python-version", "3.11",
            "--target", folder, *closure(platform),
        ]  # fmt: skip
        return subprocess.run(words, capture_output=True, text=True, check=False)


def main(platforms: list[str]) -> int:
    """Print the outcome for each platform; 1 where one lacks a wheel."""
    failed = 0
    for platform in platforms or PLATFORMS:
        done = resolved(platform)
        failed |= done.returncode != 0
        said = done.stderr.strip() if done.returncode else f"{len(closure(platform))} wheels"
        sys.stdout.write(f"{platform}: {said}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
