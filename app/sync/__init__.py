"""Several stations, and the right to erasure; Qt only in `background`."""

from migrations.study.folder import URL_VARIABLE

__all__ = ["URL_VARIABLE"]
