"""What goes with a release: a bill of what is installed, licences, wheels for other systems."""

import hashlib
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests import ROOT

PLATFORMS = ("win_amd64", "macosx_14_0_arm64")


def test_the_bill_names_what_is_installed_and_copyleft_parts_inside_wheels(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "a.whl").write_bytes(b"abc")
    words = [sys.executable, "tools/sbom.py", "--out", str(tmp_path), "--wheels", str(wheels)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    found = {part["name"].lower().replace("_", "-"): part for part in bill["components"]}
    assert {"foveate", "numpy", "torch", "pyside6-essentials", "sqlalchemy"} <= set(found)
    assert "pytest" not in found
    assert found["numpy"]["purl"].startswith("pkg:pypi/numpy@")
    qt = {part["name"] for part in found["pyside6-essentials"]["components"]}
    assert {"Qt 6", "PySide6"} <= qt
    assert "psycopg-binary: psycopg, LGPL" in (tmp_path / "licences.txt").read_text()
    digest = hashlib.sha256(b"abc").hexdigest()
    assert (wheels / "SHA256SUMS").read_text() == f"{digest}  a.whl\n"


def test_the_bill_of_a_bundle_names_what_lies_in_it_python_and_the_systems_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    import sbom

    files = tmp_path / "_internal"
    (files / "PySide6").mkdir(parents=True)
    for name in ("PySide6/libpyside6.abi3.so.6.11", "libnobody.so.3"):
        (files / name).write_bytes(b"")
    monkeypatch.setattr(sbom, "_packed", lambda bundle: {"rich", "rich.console"})
    monkeypatch.setattr(sbom, "PYINSTALLER", "pytest")
    dist = metadata.distribution("PySide6_Essentials")
    library = next(Path(f).name for f in map(str, dist.files or []) if "libpyside6" in f)
    (files / "PySide6" / library).write_bytes(b"")
    found = sbom.inside(tmp_path)
    assert [d.metadata["Name"].lower() for d in found] == ["pyside6_essentials", "rich"]
    parts = sbom.system_parts(tmp_path, found)
    assert [name for name, _, _ in parts] == ["Python", "PyInstaller bootloader", "libnobody.so.3"]
    told = sbom.licences(found, parts)
    assert "libnobody.so.3                   unknown" in told
    assert "PySide6_Essentials: PySide6, LGPL-3.0-only" in told
    sbom.write_texts(found, parts, tmp_path / "licences")
    assert "rich-LICENSE" in {p.name for p in (tmp_path / "licences").iterdir()}


@pytest.mark.parametrize(
    ("licence", "is_refused"),
    [
        ("GPL-2.0-or-later", True),
        ("GNU Affero General Public License v3", True),
        ("AGPL-3.0-only", True),
        ("LGPL-2.1-or-later, or GPL if built so", True),
        ("LGPL-2.1-or-later: it was not built with --enable-gpl", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-3.0 with GCC runtime exception", False),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", False),
        ("BSD-3-Clause", False),
    ],
)
def test_a_part_under_the_gpl_alone_is_not_to_be_delivered(
    monkeypatch: pytest.MonkeyPatch, licence: str, is_refused: bool
) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    import sbom

    assert sbom.refused([], [("part", "1", licence)]) == [f"part: {licence}"] * is_refused


def test_a_newcomer_is_told_every_step_from_the_folder_of_wheels_to_the_report() -> None:
    line = [sys.executable, ".ci/told.py", "docs"]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    typed = [line for line in told.splitlines() if not line.startswith(("told", "set ", "begun"))]
    assert typed[:3] == ["cd", "cd ~/wheelhouse", "sha256sum --quiet -c SHA256SUMS"]
    assert sum("pip install --no-index --find-links ." in line for line in typed) == 1
    assert [line.split()[1] for line in typed if line.startswith("foveate ")] == [
        "--version", "demo", "import", "read", "db",
        "similarity", "train", "train", "probe", "report",
    ]  # fmt: skip
    assert not any(line.startswith(("uv ", "pipx ", "sudo ")) for line in typed)


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_dependency_has_a_wheel_for(platform: str) -> None:
    done = subprocess.run(
        [sys.executable, ".ci/platforms.py", platform], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if any(word in done.stdout for word in ("connection broken", "Max retries", "ConnectionError")):
        pytest.skip("no package index can be reached from here")
    assert done.returncode == 0, done.stdout
