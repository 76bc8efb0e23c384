"""Order of a similarity matrix: similar images are adjacent (python -m app.workspace.ordering).

Clustering holds the GIL for half a second at 5,000 images, so it runs in a separate process.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import AppError
from devices.gaze.cluster_order import cluster_order
from migrations.study.processes import MAIN


class OrderingFailed(AppError):
    """The order of a matrix could not be computed."""


def order_of(matrix_file: Path) -> NDArray[np.int64]:
    """Return the order of a stored matrix, stored beside it; waits for the other process.

    Raises
    ------
    OrderingFailed
        With the last lines of the process.
    """
    kept = matrix_file.with_suffix(".order.npy")
    if not kept.is_file():
        words = [sys.executable, "-m", "app.workspace.ordering", str(matrix_file), str(kept)]
        done = subprocess.run(words, cwd=MAIN.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise OrderingFailed(f"{matrix_file.name} could not be ordered: {' '.join(last)}")
    order: NDArray[np.int64] = np.load(kept, allow_pickle=False)
    return order


def main(matrix_file: Path, out: Path) -> None:
    """Order one matrix file."""
    with np.load(matrix_file, allow_pickle=False) as file:
        order = cluster_order(file["similarity"], file["valid"])
    partial = out.with_suffix(".partial.npy")
    np.save(partial, order)
    partial.replace(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
