"""Text of others, cleaned on its way into a study: no NUL, no control characters, bounded length.

A server refuses a NUL, a terminal obeys control characters, and a name of a million characters
stops every table that shows it. Each column is cleaned (`migrations.study.schema`), whatever wrote
the row; what a person should be told is refused earlier, by name.
"""

import json
import math
import re
import unicodedata
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator

LONGEST = 100_000
"""Characters of a text in a column: far beyond any note, so that nothing real is ever cut."""
LONGEST_SHOWN = 400
# All C0 and C1 controls but tab and new line; what turns or hides text around it (CVE-2021-42574);
# halves of surrogate pairs, which are no text and cannot be encoded.
_CONTROL = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)


def clean(text: str) -> str:
    """Return a text without control characters, no longer than a column may hold."""
    if len(text) > LONGEST:
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
        Whether NaN and infinity stand in it, which SQLite's side reads back; else null, since a
        server refuses the whole row for them.
    """
    try:
        text = json.dumps(value, allow_nan=keeps_nan)
    except ValueError:
        text = "\\u"
    # What is not plain ASCII is written as an escape: most values are done here.
    if not any(sign in text for sign in ("\\u", "\\r", "\x7f")):
        return text
    return json.dumps(_cleaned(value, keeps_nan), allow_nan=keeps_nan)


def _cleaned(value: Any, keeps_nan: bool) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if keeps_nan or math.isfinite(value) else None
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(item, keeps_nan) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, keeps_nan) for item in value]
    return value


class CleanText(TypeDecorator[str]):
    """A column of text that holds clean text only, whatever writes it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a text as it is stored and compared."""
        return clean(value) if isinstance(value, str) else value


def name_of(text: str) -> str:
    """Return a name as it is kept: one line, composed (NFC), without blanks at its ends."""
    return unicodedata.normalize("NFC", " ".join(clean(text).split()))


def shown(text: str) -> str:
    """Return a text of others for a terminal or a log: one line, cut where it is long."""
    line = name_of(text)
    return line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]}…"


def _odd(text: str) -> bool:
    return "\r" in text or _CONTROL.search(text) is not None
