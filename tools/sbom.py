"""What an environment with Foveate holds: an SBOM (CycloneDX 1.5), licences, checksums.

python tools/sbom.py --out FOLDER [--wheels FOLDER]
  sbom.cdx.json   every distribution that Foveate needs here, with version, licence and hash
  licences.txt    the same as a table, and every library bundled inside a wheel that carries a
                  copyleft part we know of
  SHA256SUMS      of the files of --wheels
"""

import argparse
import hashlib
import json
import re
import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

EXTRAS = ("station", "train", "onnx", "postgresql", "interchange", "api")
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
)
"""Names of files inside wheels, whose they are, and their licence."""


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


def bom(found: list[metadata.Distribution]) -> dict[str, Any]:
    """Return the whole bill; its serial number follows from what is in it."""
    parts = [component(dist) for dist in found]
    told = json.dumps(parts, sort_keys=True)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, told)}",
        "metadata": {"component": {"type": "application", "name": "foveate"}},
        "components": parts,
    }  # fmt: skip


def licences(found: list[metadata.Distribution]) -> str:
    """Return the table for people."""
    lines = [f"{d.metadata['Name']:32s} {d.version:16s} {licence_of(d)}" for d in found]
    inside = [f"{d.metadata['Name']}: {name}, {licence} ({path})"
              for d in found for name, licence, path in bundled_in(d)]  # fmt: skip
    return "\n".join(
        [*lines, "", "Libraries inside wheels that carry copyleft parts:", *inside, ""]
    )


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
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    found = closure()
    text = json.dumps(bom(found), indent=1)
    (options.out / "sbom.cdx.json").write_text(f"{text}\n", encoding="utf-8")
    (options.out / "licences.txt").write_text(licences(found), encoding="utf-8")
    if options.wheels:
        (options.wheels / "SHA256SUMS").write_text(sums(options.wheels), encoding="utf-8")
    sys.stdout.write(f"{len(found)} distributions: {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
