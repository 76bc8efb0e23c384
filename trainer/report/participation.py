"""Who took part in pre-training: which images, whose readings, and what was held back."""

from collections import Counter

from migrations.study.plurals import counted
from trainer.report.data import ReportData, RunFigures
from trainer.report.page import Cell, Section, missing, paragraph, table


def participation_section(data: ReportData) -> Section:
    """Return, for each run, what it was trained on and whose gaze made its pairs."""
    title = "Pre-training data"
    if not data.runs:
        return Section("took-part", title, missing("No training has been run yet."))
    html = table(
        "Runs and their data",
        ["run", "images", "held out for testing", "readings", "readers", "pairs from",
         "test images seen"],
        [_row(data, run) for run in data.runs],
    )  # fmt: skip
    html += _readers(data)
    for run in data.runs:
        if run.run.cohort_fingerprint not in ("", data.cohort.fingerprint):
            html += paragraph(
                f"The cohort has changed since {run.run.name} was trained. Numbers of images and "
                "readings that the run did not record are those of the current cohort.",
                "missing",
            )
    return Section("took-part", title, html)


def transductive(run: RunFigures) -> bool:
    """Return whether a run was trained on test images too."""
    return bool(setting(run, "transductive"))


def setting(run: RunFigures, name: str) -> object:
    """Return a setting of a run, wherever its config keeps it."""
    inner = run.config.get("config")
    return inner.get(name) if isinstance(inner, dict) else run.config.get(name)


def measure_of(run: RunFigures) -> str:
    """Return the measure that a run's pairs come from; "" where it is not said.

    Where the config left it to evidence, the one that was chosen, as soon as it is.
    """
    return str(run.run.details.get("measure") or setting(run, "measure") or "")


def _row(data: ReportData, run: RunFigures) -> list[Cell]:
    held = run.held_back
    if held is None:
        held = sum(1 for m in data.cohort.members if m.split == "test")
    used = [m for m in data.cohort.members if transductive(run) or m.split != "test"]
    gaze = setting(run, "pairs") in ("mcgip", "gzpt")
    readings = [r for m in used for r in m.readings] if gaze else []
    known = data.schema is not None or not gaze  # a relation file does not say whose gaze it is
    images = run.run.details.get("images")
    return [
        run.run.name,
        int(images) if isinstance(images, int) else len(used),
        0 if transductive(run) else held,
        len({r.reading_id for r in readings}) if known else None,
        len({r.reader_id for r in readings}) if known else None,
        _source(data, run, gaze=gaze),
        "yes (transductive)" if transductive(run) else "no",
    ]


def _source(data: ReportData, run: RunFigures, *, gaze: bool) -> str:
    if not gaze:
        return {"label": "labels", "none": "each image itself"}.get(
            str(setting(run, "pairs")), "not recorded"
        )
    if data.schema is None:
        return "gaze, from a relation file"
    return f"gaze: {measure_of(run) or 'not recorded'}"


def _readers(data: ReportData) -> str:
    """Return how many readings of each reader count; a shared report counts readers only."""
    by_id = {r.id: r.reader for r in data.readings}
    kept = Counter(
        by_id.get(reading, "unknown")
        for reading in {r.reading_id for m in data.cohort.members for r in m.readings}
    )
    recorded = Counter(r.reader for r in data.readings)
    if data.share and recorded:
        count, total = sum(kept.values()), sum(recorded.values())
        readers = counted(len(recorded), "reader")
        return paragraph(f"{count} of {total} readings by {readers} were included.")
    rows: list[list[Cell]] = [
        [reader, recorded[reader], kept[reader], recorded[reader] - kept[reader]]
        for reader in sorted(recorded)
    ]
    head = ["reader", "recorded", "included", "excluded"]
    return table("Readers (pseudonyms)", head, rows) if rows else ""
