"""The requirements of the project and of some of its extras, one a line.

python .ci/requirements.py EXTRA … [--without NAME …]
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path


def requirements(project: dict[str, object], extras: list[str]) -> Iterator[str]:
    """Yield what the project needs, then what each extra adds."""
    optional = project["optional-dependencies"]
    assert isinstance(optional, dict)
    yield from project["dependencies"]  # type: ignore[misc]
    for extra in extras:
        yield from optional[extra]


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*")
    parser.add_argument("--without", nargs="+", default=[])
    options = parser.parse_args()
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in requirements(project, options.extras):
        if re.match(r"[\w-]+", line).group() not in options.without:  # type: ignore[union-attr]
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
