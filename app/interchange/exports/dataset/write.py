"""`export dataset`: a study as a data set that can be published."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from app.errors import ExportError
from app.images.clearing import to_clear
from app.interchange.exports.bids import export_bids
from app.interchange.exports.bids_files import write_json
from app.interchange.exports.dataset import croissant, datasheet
from app.interchange.exports.dataset.check import SUMS, check_dataset
from app.interchange.exports.dataset.terms import Terms
from app.interchange.exports.readings import Content, ExportCase, Progress
from app.interchange.exports.tables import export_tables
from migrations.study.cohort_rules import STAND_IN, choice_of, stand_in_sessions
from migrations.study.database import foveate_version
from migrations.study.export_manifest import MANIFEST, sha256_of, write_manifest
from migrations.study.plurals import counted
from migrations.study.processes import as_typed
from migrations.study.schema import Reader, Reading, Session

_BESIDE_BIDS = (MANIFEST, croissant.NAME, datasheet.NAME, "LICENSE.md", SUMS, "tables")
_EXCLUDED, _STAND_IN = "excluded by hand", "gaze of a stand-in, not of a person"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The part of a study that goes into a data set.

    Attributes
    ----------
    content
        Its finished readings, without those excluded by hand or not from a person.
    left_out
        Reasons with the number of readings left out.
    """

    content: Content
    left_out: dict[str, int]


def chosen(content: Content) -> Chosen:
    """Leave out readings excluded by hand and, except in a trial, the gaze of stand-ins.

    Raises
    ------
    ExportError
        If nothing is left.
    """
    study, left_out = content.study, Counter[str]()
    kept = []
    with study.database.read() as rows:
        stand_ins = stand_in_sessions(rows)
        found = {r.id: r for r in rows.scalars(select(Reading))}
        for reading_id in content.reading_ids:
            reading = found[reading_id]
            choice = choice_of(reading)
            stand_in = reading.details.get(STAND_IN) or stand_ins.get(reading.session_id)
            if stand_in and not study.settings.trial:
                left_out[_STAND_IN] += 1
            elif choice is not None and not choice["keep"]:
                left_out[_EXCLUDED] += 1
            else:
                kept.append(reading_id)
    if not kept:
        why = ", ".join(f"{reason} ({count})" for reason, count in left_out.items())
        raise ExportError(f"No reading of {study.folder} may go into a data set: {why}.")
    return Chosen(replace(content, reading_ids=tuple(kept)), dict(left_out))


def export_dataset(
    content: Content, out: Path, terms: Terms, progress: Progress, *, with_images: bool
) -> str:
    """Write a data set into an empty folder and read it back; return the final message.

    Parameters
    ----------
    with_images
        Whether to include the pictures, except those not yet cleared.

    Raises
    ------
    ExportError
        If nothing may be published, or the result is inconsistent.
    """
    picked = chosen(content)
    content = picked.content
    files = export_bids(content, out, progress)
    tables = out / "tables"
    tables.mkdir()
    files += export_tables(content, tables, "csv", progress, leave_out=("samples",))
    cases = _cases_read(content)
    images = {image_id for case in cases for _, image_id in case.images}
    waiting: set[str] = set()
    pictures: list[Path] | None = None
    if with_images:
        waiting = images & {image.image_id for image in to_clear(content.study)}
        pictures = list(_pictures(content, out, images - waiting))
    copied = None if pictures is None else len(pictures)
    facts = _facts(picked, len(cases), images, copied, len(waiting))
    files += [*(pictures or ()), *_about(content, out, terms, facts)]
    hashes = [image.sha256 for image in content.images.values()]
    write_manifest(out, "dataset", files, content.readers(), hashes)
    _sums(out, [*files, out / MANIFEST])
    said = check_dataset(out)
    lacking = (
        as_typed(f" Not given and left open: {', '.join(terms.lacking)} (see --help).")
        if terms.lacking
        else ""
    )
    return f"{counted(len(content.reading_ids), 'reading')} in {out}. {said.text}{lacking}"


def _about(content: Content, out: Path, terms: Terms, facts: datasheet.Facts) -> list[Path]:
    """Write licence, datasheet and Croissant, and tell BIDS which files are not BIDS."""
    described = out / "dataset_description.json"
    _set_licence(described, terms)
    text = (
        f"Gaze of {counted(facts.readers, 'reader')} in {counted(facts.readings, 'reading')} of "
        f"medical images, recorded with Foveate. Question put to the readers: {facts.question}"
    )
    people = {
        "participant_id": "The reader's label in the BIDS folder names",
        "pseudonym": "The reader's pseudonym in the study",
        **dict.fromkeys(facts.attributes, "A coarse class chosen by the reader"),
    }
    written = {
        ".bidsignore": "".join(f"{name}\n" for name in _BESIDE_BIDS),
        "LICENSE.md": _licence_text(facts.name, terms),
        datasheet.NAME: datasheet.datasheet(facts, terms),
    }
    for name, words in written.items():
        (out / name).write_text(words, encoding="utf-8")
    made = croissant.croissant(out, facts.name, text, terms, people)
    return [*(out / name for name in written), write_json(out / croissant.NAME, made)]


def _set_licence(path: Path, terms: Terms) -> None:
    table = json.loads(path.read_text(encoding="utf-8")) | {"License": terms.licence}
    if terms.creators:
        table["Authors"] = list(terms.creators)
    write_json(path, table)


def _licence_text(name: str, terms: Terms) -> str:
    if terms.licence.startswith("LicenseRef-"):
        return (
            f"# {terms.licence}\n\n{datasheet.OPEN} Write here the terms under which "
            f"“{name}” may be used.\n"
        )
    return f"“{name}” is licensed under {terms.licence}: {terms.licence_url}\n"


def _pictures(content: Content, out: Path, images: set[str]) -> Iterable[Path]:
    """Copy the pictures of images, named by the hash of their pixels."""
    folder = out / "stimuli"
    folder.mkdir()
    for image_id in sorted(images):
        source = content.study.presentation(image_id)
        target = folder / f"{content.sha256(image_id)}.png"
        if source.is_file() and not target.exists():
            yield Path(shutil.copyfile(source, target))


def _cases_read(content: Content) -> list[ExportCase]:
    wanted = set(content.reading_ids)
    with content.study.database.read() as rows:
        found = rows.execute(select(Reading.id, Reading.case_id))
        read = {case_id for reading_id, case_id in found if reading_id in wanted}
    return [case for case in content.cases() if case.case_id in read]


def _facts(
    picked: Chosen, cases: int, image_ids: set[str], pictures: int | None, held_back: int
) -> datasheet.Facts:
    content = picked.content
    settings, wanted = content.study.settings, set(content.reading_ids)
    people = content.readers()
    images = [content.images[image_id] for image_id in sorted(image_ids)]
    query = (
        select(Reading.id, Reading.verdict, Session.tracker_kind, Session.tracker_rate_hz)
        .join(Session, Session.id == Reading.session_id)
        .order_by(Reading.id)
    )
    with content.study.database.read() as rows:
        read = [row for row in rows.execute(query) if row[0] in wanted]
        agreed = rows.scalars(select(Reader.pseudonym).where(Reader.consent_utc.is_not(None)))
        count_agreed = len(set(agreed) & set(people))
    trackers = Counter(f"{kind}, {rate:g} Hz" if rate else kind for _, _, kind, rate in read)
    return datasheet.Facts(
        name=settings.name,
        question=settings.question,
        classes=settings.classes,
        version=foveate_version(),
        readers=len(people),
        agreed=count_agreed,
        readings=len(content.reading_ids),
        cases=cases,
        images=len(images),
        labels=Counter(image.label or "" for image in images),
        modalities=Counter(image.modality or "" for image in images),
        trackers=trackers,
        ratings=Counter(verdict or "" for _, verdict, _, _ in read),
        left_out=picked.left_out,
        attributes=sorted({name for said in people.values() for name in said}),
        pictures=pictures,
        held_back=held_back,
    )


def _sums(out: Path, files: Iterable[Path]) -> None:
    """Write the checksums as `sha256sum -c` reads them."""
    lines = [f"{sha256_of(path)}  {path.relative_to(out).as_posix()}\n" for path in sorted(files)]
    (out / SUMS).write_text("".join(lines), encoding="utf-8")
