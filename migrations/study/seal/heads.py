"""The last seal of each study, kept outside it: reveals a cut end or an older copy.

One small file per database path, in the user's configuration.
"""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from migrations.study.processes import partial_of
from migrations.study.seal.chain import Error, Head, has_chain, head_of
from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)


def remembered(database: Path) -> Head | None:
    """Return the last known seal of the database at a path; None where there is none."""
    try:
        said = json.loads(_file(database).read_text(encoding="ascii"))
        return Head(said["chain"], int(said["number"]), bytes.fromhex(said["hash"]),
                    bytes.fromhex(said["signature"]))  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(driver: Any, database: Path, *, anew: bool = False) -> None:
    """Keep the last seal of a database.

    A database without the seal kept before is another or an older copy; the earlier seal is kept
    until someone restores or accepts it (`anew`). Failures are logged.
    """
    try:
        head = head_of(driver) if has_chain(driver) else None
        if head is None:
            if anew:
                _file(database).unlink(missing_ok=True)
            return
        if anew or holds(driver, head, remembered(database)):
            _keep(_file(database), head)
    except (*Error, OSError) as error:
        log.warning(
            "The last seal of %s could not be stored outside the study: %s", database, error
        )


def holds(driver: Any, head: Head, known: Head | None) -> bool:
    """Tell whether the chain with this head still contains an earlier known seal."""
    if known is None:
        return True
    if known.chain != head.chain:
        return False
    query = "SELECT hash, signature FROM seal WHERE number = ?"
    row = driver.execute(query, (known.number,)).fetchone()
    return row is not None and (bytes(row[0]), bytes(row[1])) == (known.hash, known.signature)


def _file(database: Path) -> Path:
    place = hashlib.sha256(database.resolve().as_posix().encode()).hexdigest()[:32]
    return config_folder() / "seals" / f"{place}.json"


def _keep(file: Path, head: Head) -> None:
    said = {"chain": head.chain, "number": head.number, "hash": head.hash.hex(),
            "signature": head.signature.hex()}  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = partial_of(file)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        json.dump(said, out)
    partial.replace(file)
