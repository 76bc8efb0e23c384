"""Results in the terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from trainer.probe.compare import Difference
from trainer.probe.evaluate import Row
from trainer.probe.run import Answer
from trainer.probe.write import told_rows

_HEADS = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced acc.",
    "mae": "MAE",
    "quadratic_kappa": "quadratic κ",
}


def show(answer: Answer, console: Console) -> None:
    """Print the figures, the comparisons, and everything a reader must know of them."""
    rows = told_rows(answer)
    console.print(_figures(answer, rows))
    compared = [d for d in answer.outcome.differences if d.metric == "auc"]
    if compared:
        console.print(_comparisons(compared))
    classes, images = len(answer.data.classes), answer.data.images
    patients = len({image.patient for image in images})
    part = answer.splits.parts[0]
    lines = [
        f"{len(images)} images of {patients} patients, {classes} classes. Split: "
        f"{answer.splits.origin}; {len(part.train)} images for training, {len(part.test)} for "
        "testing.",
        "[low, high] is a 95 % interval by bootstrap over patients and repeats.",
        *answer.notes,
        *_overlap_notes(answer),
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _figures(answer: Answer, rows: Sequence[Row]) -> Table:
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    table = Table(title="Probes of frozen features" if _frozen(rows) else "Probes")
    for head in ("probe", "labels", "encoder", "saw test images"):
        table.add_column(head, overflow="fold")
    for metric in metrics:
        table.add_column(_HEADS.get(metric, metric), justify="right", no_wrap=True)
    last = None
    for key, own in _grouped(rows):
        probe, budget, encoder = key
        if last not in (None, (probe, budget)):
            table.add_section()
        last = probe, budget
        overlap = answer.overlaps[encoder]
        shown = f"{overlap.text()}, TRANSDUCTIVE" if overlap.transductive else overlap.text()
        cells = [figure(own[m]) if m in own else "" for m in metrics]
        table.add_row(probe, str(budget), encoder, shown, *cells)
    return table


def figure(row: Row) -> str:
    """Return a figure with its interval.

    Examples
    --------
    >>> figure({"mean": 0.8123, "low": 0.75, "high": 0.8649})
    '0.812 [0.750, 0.865]'
    """
    if row["mean"] is None:
        return "–"
    if row["low"] is None or row["high"] is None:
        return f"{row['mean']:.3f}"
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def _frozen(rows: Iterable[Row]) -> bool:
    return all(row["probe"] != "finetune" for row in rows)


def _grouped(rows: Iterable[Row]) -> list[tuple[tuple[str, str, str], dict[str, Row]]]:
    groups: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        key = row["probe"], str(row["budget"]), row["encoder"]
        groups.setdefault(key, {})[row["metric"]] = row
    return list(groups.items())


def _comparisons(differences: Sequence[Difference]) -> Table:
    table = Table(title="Paired differences of AUC")
    for head in ("probe", "labels", "encoder", "minus"):
        table.add_column(head, overflow="fold")
    for head in ("difference", "p", "p (Holm)"):
        table.add_column(head, justify="right", no_wrap=True)
    table.caption = f"p: {', '.join(sorted({d.test for d in differences}))}; two-sided"
    for d in differences:
        value = f"{d.difference:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
        table.add_row(
            d.probe, str(d.budget), d.encoder, d.other, value, p_text(d.p), p_text(d.p_holm)
        )
    return table


def p_text(p: float) -> str:
    """Return a p-value as papers print it.

    Examples
    --------
    >>> p_text(0.00004), p_text(0.0312)
    ('< 0.001', '0.031')
    """
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _overlap_notes(answer: Answer) -> list[str]:
    unknown = [name for name, overlap in answer.overlaps.items() if overlap.count is None]
    notes = []
    if unknown:
        notes.append(
            f"{', '.join(unknown)}: the file does not say which images were used for "
            "pre-training, so it may have seen test images."
        )
    for name, overlap in answer.overlaps.items():
        if overlap.transductive:
            notes.append(f"TRANSDUCTIVE: {name} saw {overlap.text()} test images in pre-training.")
    return notes
