"""Labels and splits edited by hand in the cohort: a push sends the last of each to a server.

Edits are recorded in the audit, one row per edit. The row's id is part of the edit's id, so that
the same edit is sent once, and a word that returns after another one is an edit of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from migrations.study.database import Database
from migrations.study.schema import Audit, Edit, Image
from migrations.study.sync.edits import Change, in_parts

CHANGED = {"label changed": "label", "split changed": "split"}
"""What an edit in the cohort changes, by its action in the audit."""


@dataclass(frozen=True, slots=True)
class ToldWord:
    """The last label or split that was given to an image by hand.

    Attributes
    ----------
    edit_id
        Id of the audit's row.
    what
        "label" or "split".
    word
        None where it was removed.
    """

    edit_id: str
    image_id: str
    what: str
    word: str | None


def told_words(session: OrmSession) -> list[ToldWord]:
    """Return what was edited in the cohort: the last label and split of each image."""
    query = select(Audit).where(Audit.action.in_(CHANGED)).order_by(Audit.time_utc, Audit.id)
    last = dict[tuple[str, str], ToldWord]()
    for row in session.scalars(query):
        what = CHANGED[row.action]
        if "to" in row.details:
            word = row.details["to"] or None
            last[row.subject, what] = ToldWord(row.id, row.subject, what, word)
    return list(last.values())


def word_changes(
    server: Database, words: Sequence[ToldWord], images: Mapping[str, str]
) -> list[Change]:
    """Return the edits that were not yet sent to the server.

    A word that the server already has is sent too: it may have been set before a later edit by
    someone else, which the next push must not undo.

    Parameters
    ----------
    images
        The server's id of each local image; those not in it are left out.
    """
    found = list[Change]()
    known = [word for word in words if word.image_id in images]
    for part in in_parts(known):
        changes = [
            Change("image", images[word.image_id], word.what, word.word, word.edit_id)
            for word in part
        ]
        with server.read() as session:
            told = set(session.scalars(select(Edit.id).where(Edit.id.in_([c.id for c in changes]))))
            if server.path is not None:  # a file keeps no edits
                told |= {c.id for c in changes if _stands(session, c)}
        found += [change for change in changes if change.id not in told]
    return found


def _stands(session: OrmSession, change: Change) -> bool:
    return bool(getattr(session.get_one(Image, change.row_id), change.what) == change.value)
