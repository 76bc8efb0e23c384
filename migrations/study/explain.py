"""What went wrong with the database, in words that tell the user what to do."""

from migrations.study.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DiskFull
from migrations.study.processes import as_typed
from migrations.study.server_errors import explain_server, is_of_server


def explain(error: Exception, name: str, waited_s: int) -> Exception:
    """Return our error that explains what went wrong with the database, else the same error."""
    origin = getattr(error, "orig", error)
    if origin is not None and is_of_server(origin):
        return explain_server(origin, name)
    said = str(origin).lower()
    if "locked" in said or "busy" in said:
        return DatabaseBusy(
            f"{name} has been locked by another program for {waited_s} s. Close the other "
            "program that writes to this study, then try again."
        )
    if "full" in said or "disk i/o" in said:
        return DiskFull(
            f"The disk that holds {name} is full or failing; everything saved so far is safe. "
            "Free some space, then continue."
        )
    if "malformed" in said or "not a database" in said or "could not decode to utf-8" in said:
        return DatabaseDamaged(
            as_typed(
                f"{name} is damaged or not a database. Do not delete it. Run `python main.py db "
                "check` to see what is wrong; `python main.py db restore` replaces it with the "
                "newest backup."
            )
        )
    if "unable to open" in said or "readonly" in said or "connection" in said:
        return DatabaseError(f"{name} cannot be opened or written: {getattr(error, 'orig', error)}")
    return error
