"""Counts in messages: "1 reading", "2 readings"."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun in the singular or the plural.

    Parameters
    ----------
    count
        How many there are; from 1,000 on it is written with separators.
    one
        The noun for a single one.
    many
        The noun for any other count; by default `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
