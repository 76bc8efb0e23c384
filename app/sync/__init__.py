"""More than one station, and the right to be forgotten; Qt only in `background`."""

from migrations.study.folder import URL_VARIABLE

__all__ = ["URL_VARIABLE"]
