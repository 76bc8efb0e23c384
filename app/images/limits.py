"""How large a file and a picture may be; checked before anything is decoded."""

import sys

from app.errors import ImportRefused

MAX_FILE_BYTES = 1 << 30
"""For a PNG, JPEG or TIFF, a deflated file or one in an archive; others are limited by the disk."""
MAX_PIXEL_BYTES = 256 << 20
MAX_SIDE = 30_000
"""OpenCV's resampling counts source pixels with 16 bits."""
MAX_HEADER_BYTES = 64 << 20
"""What a data set may contain besides its pixels."""
OUT_OF_MEMORY = "it needs more memory to decode than an import may take"


def allow_mapping(size_bytes: int) -> None:
    """Let this process map a file of this size in addition to its memory limit."""
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        room = soft + size_bytes
        allowed = room if hard == resource.RLIM_INFINITY else min(room, hard)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


def require_file_size(size_bytes: int) -> None:
    """Refuse a huge file of a kind that is read as a whole."""
    if size_bytes > MAX_FILE_BYTES:
        raise ImportRefused(
            f"the file is {size_bytes / 1e6:,.0f} MB; the limit is {MAX_FILE_BYTES / 1e6:,.0f} MB"
        )


def require_pixel_size(rows: int, columns: int, frames: int, bytes_per_pixel: int) -> None:
    """Refuse a picture that is declared as empty or larger than any radiograph."""
    if min(rows, columns, frames) < 1:
        raise ImportRefused(f"it declares {rows} × {columns} pixels, {frames} frames")
    frame = rows * columns * bytes_per_pixel
    total = frame * frames
    if max(rows, columns) > MAX_SIDE or frame > MAX_PIXEL_BYTES:
        raise ImportRefused(
            f"it declares {rows:,} × {columns:,} pixels, {frames:,} frames ({total / 1e6:,.0f} "
            f"MB); the limits are {MAX_SIDE:,} per side and {MAX_PIXEL_BYTES / 1e6:,.0f} MB per "
            "frame"
        )
