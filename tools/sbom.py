"""What an environment with Foveate holds: an SBOM (CycloneDX 1.5), licences, checksums.

python tools/sbom.py --out FOLDER [--wheels FOLDER] [--bundle FOLDER]
  sbom.cdx.json   every distribution that Foveate needs here, with version, licence and hash
  licences.txt    the same as a table, and every library bundled inside a wheel that carries a
                  copyleft part we know of
  SHA256SUMS      of the files of --wheels
With --bundle, a folder made by PyInstaller, only what lies in it counts, with Python itself and the
system's libraries, and licences/ has the texts. The exit code is 1 where a part is under the GPL or
AGPL without an exception or another licence to choose.
"""

import argparse
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

EXTRAS = ("station", "train", "onnx", "timm", "postgresql", "interchange", "pacs", "api")
BUNDLED = (
    (r"(^|/)libQt6|(^|/)Qt6\w+\.(dll|so)", "Qt 6", "LGPL-3.0-only; replaceable shared library"),
    (r"libshiboken6|libpyside6", "PySide6", "LGPL-3.0-only; replaceable shared library"),
    (r"libav(codec|format|util|device|filter)", "FFmpeg", "LGPL-2.1-or-later, or GPL if built so"),
    (r"libswscale|libswresample", "FFmpeg", "LGPL-2.1-or-later, or GPL if built so"),
    (r"libx26[45]", "x264/x265", "GPL-2.0-or-later"),
    (r"libpq[-.]", "libpq", "PostgreSQL"),
    (r"psycopg_binary", "psycopg", "LGPL-3.0-only"),
    (r"libgomp", "GNU OpenMP", "GPL-3.0 with GCC runtime exception"),
    (r"libgfortran|libquadmath", "GNU Fortran runtime", "GPL-3.0 with GCC runtime exception"),
    (r"libstdc\+\+|libgcc_s", "GCC runtime", "GPL-3.0 with GCC runtime exception"),
    (r"libraw|libheif|libde265", "image codec", "LGPL"),
    (r"libkeyutils", "keyutils", "LGPL-2.1-or-later"),
    (r"liblzo2", "LZO", "GPL-2.0-or-later"),
    (r"libjbig[-.]", "JBIG-KIT", "GPL-2.0-or-later"),
    (r"libimagequant", "libimagequant", "GPL-3.0-or-later"),
    (r"libreadline", "GNU Readline", "GPL-3.0-or-later"),
    (r"libgmp|libnettle|libhogweed|libgnutls", "GnuTLS and its parts", "LGPL-3.0-or-later"),
)
"""Names of files inside wheels, whose they are, and their licence."""
PYINSTALLER = "pyinstaller"
BOOTLOADER = "GPL-2.0-or-later WITH Bootloader-exception: the program it starts is free of it"
_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_COPYLEFT = re.compile(r"\bA?GPL|General Public License|Affero")
_FREE = re.compile(r"[Ee]xception| OR |^LGPL[^,]*$|Lesser")


def closure() -> list[metadata.Distribution]:
    """Return Foveate and all installed distributions that it needs, with every extra of it."""
    found: dict[str, metadata.Distribution] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [("foveate", EXTRAS)]
    while waiting:
        name, extras = waiting.pop()
        try:
            dist = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        key = _key(name)
        if key in found and not extras:
            continue
        found[key] = dist
        requires = own() if key == "foveate" else dist.requires or []
        waiting += [
            (needed.name, tuple(needed.extras))
            for needed in map(Requirement, requires)
            if _key(needed.name) not in found and _is_asked_for(needed, extras)
        ]
    return [found[key] for key in sorted(found)]


def inside(bundle: Path) -> list[metadata.Distribution]:
    """Return the distributions of which a PyInstaller folder holds a file or, packed, the code."""
    names = {p.name for p in bundle.rglob("*")}
    packed = _packed(bundle)
    return [
        dist
        for dist in sorted(metadata.distributions(), key=lambda d: _key(d.metadata["Name"]))
        if any(_lies_in(file.as_posix(), names, packed) for file in dist.files or [])
    ]


def _packed(bundle: Path) -> set[str]:
    """Return the names of the modules in the program's own archive."""
    from PyInstaller.archive.readers import CArchiveReader  # only where a bundle is made

    program = CArchiveReader(str(bundle / "foveate"))
    return {name for part in program.toc if part.endswith(".pyz")
            for name in program.open_embedded_archive(part).toc}  # fmt: skip


def _lies_in(file: str, names: set[str], packed: set[str]) -> bool:
    if file.endswith(".py"):
        return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") in packed
    return ".so" in file and file.rpartition("/")[2] in names


def system_parts(bundle: Path, found: list[metadata.Distribution]) -> list[tuple[str, str, str]]:
    """Return name, version and licence of what comes from no wheel: Python and its libraries."""
    known = {Path(file.as_posix()).name for dist in found for file in dist.files or []}
    parts = [
        ("Python", platform.python_version(), "PSF-2.0"),
        ("PyInstaller bootloader", metadata.version(PYINSTALLER), BOOTLOADER),
    ]
    for path in sorted((bundle / "_internal").glob("lib*.so*")):
        if path.name in known or path.is_symlink() or path.name.startswith("libpython"):
            continue
        package = _package_of(path.name)
        parts.append((path.name, *(package or ("unknown", "not told"))))
    return parts


def _package_of(library: str) -> tuple[str, str] | None:
    """Return version and copyright file of the Debian package that a library came from."""
    done = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True)
    name = done.stdout.partition(":")[0]
    if done.returncode or not name:
        return None
    asked = ["dpkg-query", "-W", "-f", "${Version}", name]
    version = subprocess.run(asked, capture_output=True, text=True).stdout
    return f"{name.partition(' ')[0]} {version}", f"/usr/share/doc/{name}/copyright"


def write_texts(found: list[metadata.Distribution], parts: list[tuple[str, str, str]],
                folder: Path) -> None:  # fmt: skip
    """Copy the texts of the licences that distributions and packages bring."""
    folder.mkdir(parents=True, exist_ok=True)
    for dist in found:
        for file in dist.files or []:
            if _LICENCE.match(Path(file.as_posix()).name) and "dist-info" in file.as_posix():
                name = f"{_key(dist.metadata['Name'])}-{Path(file.as_posix()).name}"
                shutil.copyfile(str(dist.locate_file(file)), folder / name)
    for name, _, licence in parts:
        if licence.startswith("/") and Path(licence).is_file():
            shutil.copyfile(licence, folder / f"{name}-copyright")


def own() -> list[str]:
    """Return what pyproject.toml asks for: an environment may be older than the checkout."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(line for extra in EXTRAS for line in optional[extra])]


def _is_asked_for(needed: Requirement, extras: tuple[str, ...]) -> bool:
    marker = needed.marker
    return marker is None or any(marker.evaluate({"extra": e}) for e in (*extras, ""))


def licence_of(dist: metadata.Distribution) -> str:
    """Return a licence in a few words; "not told" where the distribution says none."""
    told = dist.metadata
    classified = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or []
                  if c.startswith("License ::")]  # fmt: skip
    text = told.get("License-Expression") or "; ".join(classified) or told.get("License") or ""
    return text.strip().splitlines()[0][:80] if text.strip() else "not told"


def bundled_in(dist: metadata.Distribution) -> list[tuple[str, str, str]]:
    """Return library, licence and first file of each copyleft part inside a distribution."""
    found: dict[str, tuple[str, str, str]] = {}
    for path in (f.as_posix() for f in dist.files or []):
        for pattern, library, licence in BUNDLED:
            if library not in found and re.search(pattern, path):
                found[library] = (library, _as_built(library, licence, dist, path), path)
    return list(found.values())


def _as_built(library: str, licence: str, dist: metadata.Distribution, path: str) -> str:
    """Return FFmpeg's licence by how this file says that it was configured."""
    if library != "FFmpeg":
        return licence
    content = Path(str(dist.locate_file(path))).read_bytes()
    if b"--enable-gpl" in content:
        return "GPL-2.0-or-later: it was built with --enable-gpl"
    return (
        "LGPL-2.1-or-later: it was not built with --enable-gpl"
        if b"--prefix" in content
        else licence
    )


def component(dist: metadata.Distribution) -> dict[str, Any]:
    """Return a distribution as CycloneDX has it; the hash is of its RECORD of all files."""
    name, record = dist.metadata["Name"], (dist.read_text("RECORD") or "").encode()
    purl = f"pkg:pypi/{_key(name)}@{dist.version}"
    made: dict[str, Any] = {
        "type": "library", "bom-ref": purl, "name": name, "version": dist.version, "purl": purl,
        "licenses": [{"license": {"name": licence_of(dist)}}],
    }  # fmt: skip
    if record:
        digest = hashlib.sha256(record).hexdigest()
        made["properties"] = [{"name": "foveate:record-sha256", "value": digest}]
    parts = [{"type": "library", "name": n, "licenses": [{"license": {"name": licence}}]}
             for n, licence, _ in bundled_in(dist)]  # fmt: skip
    return made | ({"components": parts} if parts else {})


def bom(found: list[metadata.Distribution], more: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the whole bill; its serial number follows from what is in it."""
    parts = [component(dist) for dist in found]
    parts += [{"type": "library", "name": name, "version": version,
               "licenses": [{"license": {"name": licence}}]}
              for name, version, licence in more]  # fmt: skip
    told = json.dumps(parts, sort_keys=True)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, told)}",
        "metadata": {"component": {"type": "application", "name": "foveate"}},
        "components": parts,
    }  # fmt: skip


def licences(found: list[metadata.Distribution], more: list[tuple[str, str, str]]) -> str:
    """Return the table for people."""
    rows = [*((d.metadata["Name"], d.version, licence_of(d)) for d in found), *more]
    lines = [f"{name:32s} {version:16s} {licence}" for name, version, licence in rows]
    held = [f"{d.metadata['Name']}: {name}, {licence} ({path})"
              for d in found for name, licence, path in bundled_in(d)]  # fmt: skip
    return "\n".join([*lines, "", "Libraries inside wheels that carry copyleft parts:", *held, ""])


def refused(found: list[metadata.Distribution], more: list[tuple[str, str, str]]) -> list[str]:
    """Return what is under the GPL or AGPL alone: Foveate is not delivered with it."""
    named = [(d.metadata["Name"], licence_of(d)) for d in found]
    named += [(f"{d.metadata['Name']}: {name}", licence)
              for d in found for name, licence, _ in bundled_in(d)]  # fmt: skip
    named += [(name, licence) for name, _, licence in more]
    return [f"{name}: {licence}" for name, licence in named
            if _COPYLEFT.search(licence) and not _FREE.search(licence)]  # fmt: skip


def sums(folder: Path) -> str:
    """Return lines as `sha256sum` writes and checks them."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in files)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(argv: list[str]) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--bundle", type=Path)
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    bundle = options.bundle
    found = inside(bundle) if bundle else closure()
    parts = system_parts(bundle, found) if bundle else []
    text = json.dumps(bom(found, parts), indent=1)
    (options.out / "sbom.cdx.json").write_text(f"{text}\n", encoding="utf-8")
    (options.out / "licences.txt").write_text(licences(found, parts), encoding="utf-8")
    if bundle:
        write_texts(found, parts, options.out / "licences")
    if options.wheels:
        (options.wheels / "SHA256SUMS").write_text(sums(options.wheels), encoding="utf-8")
    sys.stdout.write(f"{len(found)} distributions: {options.out}\n")
    bad = refused(found, parts)
    sys.stdout.write("".join(f"not to be delivered: {line}\n" for line in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
