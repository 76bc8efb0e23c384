"""What a researcher decides by hand: readings included or excluded, labels, splits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from app.errors import AppError
from migrations.study.audit import add_audit
from migrations.study.clean_text import clean
from migrations.study.cohort_rules import CHOICE
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, Reading, new_id, utc_now
from migrations.study.sync.edits import Change, make

SPLITS = ("train", "val", "test")
Told = Literal["label", "split"]


class EditRefused(AppError):
    """What was typed is not a label or split of these images."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The outcome of an edit: how many images changed, and how many of them are in other cases."""

    images: int
    elsewhere: int


def decide(
    study: Study,
    reading_ids: Iterable[str],
    keep: bool | None,
    reason: str,
    *,
    person: str | None = None,
) -> None:
    """Include or exclude readings by hand, or (None) let their rating decide; kept in `audit`.

    Parameters
    ----------
    person
        Code of the person who decides; None: whoever uses this computer.

    Raises
    ------
    ValueError
        If a reason is missing.
    """
    if keep is not None and not reason.strip():
        raise ValueError("Give a reason. It is shown in the report.")
    action = {True: "keep reading", False: "drop reading", None: "undo keep or drop"}[keep]
    with study.database.write() as session:
        for reading_id in reading_ids:
            session.get_one(Reading, reading_id)
            choice = {"keep": keep, "reason": reason.strip(), "time_utc": utc_now()}
            make(session, [Change("reading", reading_id, CHOICE, choice)])
            add_audit(session, action, reading_id, person=person, reason=reason)


def tell_images(
    study: Study, case_id: str, what: Told, typed: str, *, person: str | None = None
) -> Edited:
    """Give the images of a case a label or split; the audit keeps their previous values.

    One word applies to all of the case's images; several, separated by semicolons, to each in order
    of tile. All images of a patient go to one split, so that a split also moves those of other
    cases. `person` is the code of who edits; None: whoever uses this computer.

    Raises
    ------
    EditRefused
        If there are more or fewer words than images, a split is invalid, or a patient would be in
        two.
    """
    with study.database.write() as session:
        query = select(Image).join(CaseImage, CaseImage.image_id == Image.id)
        images = session.scalars(query.where(CaseImage.case_id == case_id).order_by(CaseImage.tile))
        hung = images.all()
        wanted = dict(zip(hung, _words(typed, len(hung), what), strict=True))
        meant = wanted if what == "label" else _with_patients(session, wanted)
        changed = {i: word for i, word in meant.items() if (getattr(i, what) or "") != word}
        before = {image.id: getattr(image, what) for image in changed}
        said = {image.id: word or None for image, word in changed.items()}
        edits = {id_: new_id() for id_ in said}
        make(session, [Change("image", i, what, word, edits[i]) for i, word in said.items()])
        for id_, word in said.items():
            details = {"from": before[id_], "to": word}
            add_audit(
                session, f"{what} changed", id_, details,
                person=person, reason="edited in the cohort", row_id=edits[id_],
            )  # fmt: skip
        return Edited(len(said), len(set(said) - {image.id for image in hung}))


def _words(typed: str, images: int, what: Told) -> Sequence[str]:
    words = [clean(word).strip() for word in typed.split(";")]
    if len(words) == 1:
        words *= images
    if len(words) != images:
        raise EditRefused(
            f"The case has {images} images and {len(words)} words were typed. Type one word for "
            "all of them, or one for each, separated by semicolons."
        )
    if what == "split":
        for word in words:
            if word not in ("", *SPLITS):
                raise EditRefused(
                    f"{word!r} is not a split. Type train, val or test, or leave it empty."
                )
    return words


def _with_patients(session: OrmSession, wanted: dict[Image, str]) -> dict[Image, str]:
    """Return the same for all images of the patients, each of whom goes to one split."""
    of_patient: dict[str, str] = {}
    for image, word in wanted.items():
        if of_patient.setdefault(image.source_group, word) != word:
            raise EditRefused(
                "Images of one patient belong to one split. Type one word for all of them."
            )
    images = session.scalars(select(Image).where(Image.source_group.in_(list(of_patient))))
    return {image: of_patient[image.source_group] for image in images}
