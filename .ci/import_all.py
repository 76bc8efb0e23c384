"""Import every module of the rooms; what needs a library that is missing here is named.

python .ci/import_all.py
"""

import importlib
import sys
from collections import Counter, defaultdict
from pathlib import Path

MAY_BE_MISSING = {"torch", "torchvision", "tensorboard"}
ROOMS = ("app", "devices", "migrations", "trainer")


def main() -> int:
    """Import all; 1 if one fails for another reason than a library that may be missing."""
    sys.path.insert(0, ".")
    skipped: defaultdict[str, list[str]] = defaultdict(list)
    imported = 0
    for module in ("main", *_modules()):
        try:
            importlib.import_module(module)
            imported += 1
        except ModuleNotFoundError as error:
            missing = str(error.name).partition(".")[0]
            if missing not in MAY_BE_MISSING:
                raise
            skipped[missing].append(module)
    version = ".".join(map(str, sys.version_info[:3]))
    sys.stdout.write(f"Python {version}: {imported} modules imported\n")
    for missing, modules in skipped.items():
        folders = Counter(module.rpartition(".")[0] for module in modules)
        named = ", ".join(f"{count} of {folder}" for folder, count in folders.items())
        sys.stdout.write(f"  skipped, as they need {missing}, which is not installed: {named}\n")
    return 0


def _modules() -> list[str]:
    files = [path for room in ROOMS for path in sorted(Path(room).rglob("*.py"))]
    names = (path.with_suffix("").as_posix().replace("/", ".") for path in files)
    return [
        name.removesuffix(".__init__")
        for name in names
        # Alembic runs these; a module that is a command runs when it is imported.
        if ".versions." not in name and not name.endswith(("__main__", "versions.env", ".env"))
    ]


if __name__ == "__main__":
    sys.exit(main())
