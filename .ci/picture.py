"""A picture of what an X server without a screen shows: python .ci/picture.py FRAMEBUFFER PICTURE.

The framebuffer is what Xvfb writes with -fbdir (X window dump, 24 bits in 32). The exit code is 1
where next to nothing is drawn on it.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = 500
"""An empty screen has one colour, a window that says Opening some hundred, the worklist 1700."""


def picture(dump: bytes) -> np.ndarray:
    """Return the pixels, (height, width, 3), of an X window dump."""
    header = np.frombuffer(dump, ">u4", 25)
    width, height, depth, row_bytes, colours = (int(header[n]) for n in (4, 5, 11, 12, 19))
    if depth != 32 or header[7] != 0:
        sys.exit(f"the dump has {depth} bits a pixel; 32, least byte first, can be read")
    begin = int(header[0]) + 12 * colours
    rows = np.frombuffer(dump, np.uint8, height * row_bytes, begin).reshape(height, row_bytes)
    return rows[:, : 4 * width].reshape(height, width, 4)[..., 2::-1]


def main(dump: Path, out: Path) -> int:
    """Write the picture; 1 where it is empty."""
    pixels = picture(dump.read_bytes())
    Image.fromarray(np.ascontiguousarray(pixels)).save(out)
    colours = len(np.unique(pixels.reshape(-1, 3), axis=0))
    height, width = pixels.shape[:2]
    sys.stdout.write(f"{out.name}: {width} x {height}, {colours} colours\n")
    return int(colours < COLOURS)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
