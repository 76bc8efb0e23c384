"""Text from others, cleaned on its way into a study: no control characters, bounded length.

A server refuses a NUL, a terminal obeys control characters, and a name of a million characters
stalls every table that shows it. When a text is cut, the log names its field. Each column is
cleaned (`migrations.study.schema`), whatever wrote the row; what a person should know about is
refused earlier, by name.
"""

import json
import logging
import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Dialect, Table, Text, TypeDecorator

log = logging.getLogger(__name__)

LONGEST = 100_000
"""Characters of text in a column: far beyond any note, so that no real text is ever cut."""
LONGEST_SHOWN = 400
# All C0 and C1 controls but tab and new line; what turns or hides text around it (CVE-2021-42574);
# halves of surrogate pairs, which are no text and cannot be encoded.
_CONTROL = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


def clean(text: str, field: str = "a text") -> str:
    """Return a text without control characters, no longer than a column may hold.

    A longer text is cut, and the log says so without quoting it.

    Parameters
    ----------
    field
        Its name in the log.
    """
    if len(text) > LONGEST:
        log.warning("%s had %d characters: the first %d were kept", field, len(text), LONGEST)
        text = text[:LONGEST]
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")) if _odd(text) else text


def is_clean(text: str) -> bool:
    """Tell whether `clean` would leave a text as it is."""
    return clean(text) == text


def as_json(value: Any, *, keeps_nan: bool = False) -> str:
    """Return JSON text of a value whose texts are all cleaned.

    Parameters
    ----------
    keeps_nan
        Whether NaN and infinity are kept, which works in SQLite; otherwise they become null, since
        a server refuses a whole row because of them.
    """
    try:
        text = json.dumps(value, allow_nan=keeps_nan)
    except ValueError:
        text = "\\u"
    # Anything that is not plain ASCII is escaped: most values are done here.
    if not any(sign in text for sign in ("\\u", "\\r", "\x7f")):
        return text
    return json.dumps(_cleaned(value, keeps_nan), allow_nan=keeps_nan)


def _cleaned(value: Any, keeps_nan: bool, field: str = "a text of details") -> Any:
    if isinstance(value, str):
        return clean(value, field)
    if isinstance(value, float):
        return value if keeps_nan or math.isfinite(value) else None
    if isinstance(value, dict):
        named = {clean(str(key)): item for key, item in value.items()}
        return {
            key: _cleaned(item, keeps_nan, f"{field}.{shown(key)}") for key, item in named.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(item, keeps_nan, field) for item in value]
    return value


class CleanText(TypeDecorator[str]):
    """A text column that holds only clean text, whatever writes it.

    Parameters
    ----------
    field
        Table and column, for the log.
    """

    impl = Text
    cache_ok = True

    def __init__(self, field: str = "a text") -> None:
        super().__init__()
        self.field = field

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a text as it is stored and compared."""
        return clean(value, self.field) if isinstance(value, str) else value


def name_of(text: str) -> str:
    """Return a name as it is stored: one line, composed (NFC), without surrounding spaces."""
    return unicodedata.normalize("NFC", " ".join(clean(text).split()))


def shown(text: str) -> str:
    """Return a text from others for a terminal or a log: one line, cut where it is long."""
    line = name_of(text)
    return line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]}…"


def name_columns(tables: Iterable[Table]) -> None:
    """Tell each column of clean text its own name."""
    for table in tables:
        for column in table.columns:
            if isinstance(column.type, CleanText):
                column.type = CleanText(f"{table.name}.{column.name}")


def _odd(text: str) -> bool:
    return "\r" in text or _CONTROL.search(text) is not None
