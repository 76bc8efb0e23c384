"""How large a file and a picture may be; checked before anything is decoded."""

from app.errors import ImportRefused

MAX_FILE_BYTES = 1 << 30
MAX_PIXEL_BYTES = 256 << 20
MAX_STACK_BYTES = 768 << 20
"""Of all frames of a stack together; each frame keeps to `MAX_PIXEL_BYTES`."""
MAX_SIDE = 30_000
"""OpenCV's resampling counts source pixels in 16 bits."""
MAX_HEADER_BYTES = 64 << 20
"""What a data set may hold beside its pixels."""
OUT_OF_MEMORY = "it needs more memory to decode than an import may take"


def require_file_size(size_bytes: int) -> None:
    """Refuse an empty or a huge file."""
    if size_bytes == 0:
        raise ImportRefused("the file is empty")
    if size_bytes > MAX_FILE_BYTES:
        raise ImportRefused(
            f"the file has {size_bytes / 1e6:,.0f} MB; the limit is {MAX_FILE_BYTES / 1e6:,.0f} MB"
        )


def require_pixel_size(rows: int, columns: int, frames: int, bytes_per_pixel: int) -> None:
    """Refuse a picture that says it is empty or larger than any radiograph."""
    if min(rows, columns, frames) < 1:
        raise ImportRefused(f"it says it is {rows} × {columns} pixels, {frames} frames")
    frame = rows * columns * bytes_per_pixel
    total = frame * frames
    if max(rows, columns) > MAX_SIDE or frame > MAX_PIXEL_BYTES or total > MAX_STACK_BYTES:
        raise ImportRefused(
            f"it says it is {rows:,} × {columns:,} pixels, {frames:,} frames "
            f"({total / 1e6:,.0f} MB); the limit is {MAX_SIDE:,} a side, "
            f"{MAX_PIXEL_BYTES / 1e6:,.0f} MB a frame and {MAX_STACK_BYTES / 1e6:,.0f} MB in all"
        )
