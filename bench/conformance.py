"""Files rendered by the station and by DCMTK: `python -m bench.conformance [--every N] [FOLDER…]`.

Prints how many pictures are alike and how many differ for which reason, as the table in
docs/conformance.md, and names what nothing explains. Without a folder: made files and pydicom's.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.app.images.conformance.compared import (
    REASONS,
    SAME,
    Tally,
    compare_colours,
    compare_files,
    compare_made,
)
from tests.app.images.conformance.made_colours import colour_matrix
from tests.app.images.conformance.made_files import SHUTTERS, matrix
from tests.app.images.conformance.renderings import DCMJ2PNM
from tests.app.images.test_from_file_to_grey import NAMED
from tests.app.images.test_import_corpus import FILES


def main() -> int:
    """Print the table; 1 where something differs that nothing explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=101, help="of the made matrix")
    arguments = parser.parse_args()
    if DCMJ2PNM is None:
        print("dcmj2pnm is missing: install the package dcmtk.")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.folders:
            tallies = {str(f): compare_files(_files(f), folder) for f in arguments.folders}
        else:
            tallies = {
                "matrix": compare_made(matrix(arguments.every), folder),
                "kinds": compare_made([*NAMED, *SHUTTERS], folder),
                "colours": compare_colours(colour_matrix(), folder),
                "pydicom-data": compare_files(FILES, folder),
            }
    _print_table(tallies)
    for source, tally in tallies.items():
        for line in tally.unexplained:
            print(f"unexplained, {source}: {line}")
    return int(any(tally.unexplained for tally in tallies.values()))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)


def _print_table(tallies: dict[str, Tally]) -> None:
    print("| | " + " | ".join(tallies) + " |")
    print("|---|" + "---|" * len(tallies))
    for reason in (SAME, *REASONS):
        cells = [str(tally.counts[reason]) for tally in tallies.values()]
        print(f"| {reason} | " + " | ".join(cells) + " |")
    print("| refused | " + " | ".join(str(len(t.refused)) for t in tallies.values()) + " |")


if __name__ == "__main__":
    sys.exit(main())
