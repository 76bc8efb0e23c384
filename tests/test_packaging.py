"""What the extras bring, and what the README promises."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import ROOT


def _closure(extra: str) -> set[str]:
    """Return every distribution that `pip install -e .[extra]` brings on this machine."""
    found: set[str] = set()
    waiting = [("foveate", frozenset({extra}))]
    while waiting:
        name, extras = waiting.pop()
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, requires):
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": e}) for e in extras | {""}):
                continue
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            if key not in found or requirement.extras:
                found.add(key)
                waiting.append((requirement.name, frozenset(requirement.extras)))
    return found


@pytest.mark.parametrize(
    ("extra", "has", "lacks"),
    [
        ("station", {"pyside6-essentials", "pydicom", "pylsl"}, {"torch", "torchvision"}),
        ("train", {"torch", "torchvision", "safetensors"}, {"pyside6-essentials", "pylsl"}),
        ("demo", {"torch", "pyside6-essentials", "pydicom-data"}, {"pytest"}),
        ("test", {"torch", "pyside6-essentials", "pytest", "mypy"}, set()),
    ],
)
def test_an_extra_brings_what_it_should_and_no_more(extra, has, lacks) -> None:
    brought = _closure(extra)
    assert has <= brought
    assert not lacks & brought


def test_no_copyleft_package_is_asked_for() -> None:
    copyleft = {"pylibjpeg-libjpeg", "dtw", "dtw-python", "pygazeanalyser"}
    assert not copyleft & _closure("test")


def test_the_readme_has_both_commands_each_on_one_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    venv = "python3 -m venv .venv && .venv/bin/pip install"
    blocks = re.findall(r"<!-- (run|test) -->\n```sh\n(.*)\n```", readme)
    assert dict(blocks) == {
        "run": f'{venv} -e ".[demo]" && .venv/bin/python main.py --demo',
        "test": f'{venv} -e ".[test]" && .venv/bin/pytest',
    }


def test_every_file_that_the_docs_link_is_there() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        for link in links:
            assert (page.parent / link).exists(), f"{page.name} links {link}"


def test_the_changelog_names_this_version_or_what_is_unreleased() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"[{version}]" in changelog or "[Unreleased]" in changelog


def test_the_constraints_are_versions_alone_and_hold_all_that_the_extra_dev_brings() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert [line for line in pinned if not re.fullmatch(r"[a-z0-9-]+==[\w.!]+", line)] == []
    assert _closure("dev") - {"foveate", "setuptools"} <= {line.split("==")[0] for line in pinned}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.py", b"x" * 500_000, "it has 500,000 bytes; at most 400,000"),
        ("b.md", b"fine\nsee /ho" + b"me/ann/study\n", "line 2: a path of one machine"),
        ("c d.txt", b"", "its name holds a character that some systems refuse"),
    ],
)
def test_a_file_that_is_too_large_or_of_one_machine_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    line = [sys.executable, str(ROOT / ".ci" / "check_files.py"), name]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, f"{name}: {said}\n")
