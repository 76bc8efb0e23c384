"""Findings as tables in the terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from migrations.study.evidence import HEADERS, CohortEvidence
from trainer.similarity.findings import CaseSplit, Distribution, Findings, Matches


def print_findings(
    console: Console, findings: Findings, names: Mapping[str, str] | None = None
) -> None:
    """Print all that is known of one measure; items are called by `names` where they have one."""
    spread = findings.distribution
    _print_distribution(console, findings.measure, findings.items, spread)
    if findings.matches is not None:
        print_matches(console, findings.matches, names)
    if findings.case_split is not None:
        _print_case_split(console, findings.case_split)
    if findings.agreement:
        table = _table("Agreement with other measures", "measure", "rank correlation")
        for name, value in findings.agreement.items():
            table.add_row(name, f"{value:+.3f}")
        console.print(table)


def print_evidence(console: Console, evidence: CohortEvidence, *, recommends: bool) -> None:
    """Print what each measure carries, and which is recommended where one was asked for."""
    console.print(
        f"{evidence.items:,} items, {evidence.readings:,} readings of {evidence.images:,} images, "
        f"{evidence.labelled_images:,} of them with a label. Positive: {evidence.rule}.",
        highlight=False,
    )
    if evidence.note:
        console.print(evidence.note, highlight=False)
    table = _table("Evidence for each measure (joint 95 % intervals)", *HEADERS)
    for cells in evidence.table():
        table.add_row(*map(escape, cells))
    console.print(table)
    if recommends:
        style = "" if evidence.carries else "yellow"
        console.print(escape(evidence.reason), style=style, highlight=False, soft_wrap=True)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    return table


def _print_distribution(console: Console, measure: str, items: int, spread: Distribution) -> None:
    share = spread.valid_pairs / spread.pairs if spread.pairs else 0.0
    console.print(
        f"[bold]{escape(measure)}[/]: {items} items, {spread.pairs:,} pairs, {share:.1%} of them "
        "with a value",
        highlight=False,
    )
    if spread.percentiles:
        table = _table("Similarity of pairs", "percentile", *spread.percentiles)
        table.add_row("similarity", *(f"{v:.3f}" for v in spread.percentiles.values()))
        console.print(table)
    table = _table("Positive rate", "similarity above", "share of valid pairs")
    for threshold, rate in spread.positive_rates.items():
        table.add_row(threshold, _percent(rate))
    console.print(table)


def _percent(share: float) -> str:
    return f"{share:.2%}" if share < 0.1 else f"{share:.0%}"


def print_matches(console: Console, found: Matches, names: Mapping[str, str] | None = None) -> None:
    """Print what lies above the threshold, and the items that are odd, by their names."""
    called = names or {}
    console.print(
        f"Above {found.threshold:.4f}: {found.positive_rate:.2%} of valid pairs", highlight=False
    )
    if found.everything_count:
        most = [f"{called.get(item, item)} ({share:.0%})" for item, share in found.everything]
        _print_names(console, "are positive with most others", most, found.everything_count)
    nothing = [called.get(item, item) for item in found.nothing]
    _print_names(console, "are positive with none", nothing, found.nothing_count)
    without = [called.get(item, item) for item in found.without_value]
    _print_names(console, "have no value", without, found.without_value_count)
    if found.everything_count or found.without_value_count:
        console.print("  Check their gaze; it may be bad.", style="yellow")


def _print_names(console: Console, what: str, names: Sequence[str], count: int) -> None:
    if count:
        named = ", ".join(names[:5]) + (", …" if count > 5 else "")
        console.print(f"  {count} {what}: {escape(named)}", highlight=False, soft_wrap=True)


def _print_case_split(console: Console, split: CaseSplit) -> None:
    table = _table(
        f"Does gaze carry the case? ({split.who})", "readings", "pairs", "mean similarity"
    )
    table.add_row("of the same case", f"{split.within_pairs:,}", f"{split.within_mean:.3f}")
    table.add_row("of different cases", f"{split.between_pairs:,}", f"{split.between_mean:.3f}")
    console.print(table)
    console.print(
        f"Separation {split.separation:.3f} (0.5: gaze says nothing about the case; "
        "1: it separates all cases)",
        highlight=False,
    )
    if len(split.by_readers) > 1:
        pairs = _table("By pair of readers", "readers", "pairs", "same case", "different cases")
        for a, b, within, between, count in split.by_readers:
            pairs.add_row(
                f"{escape(a)}, {escape(b)}", f"{count:,}", f"{within:.3f}", f"{between:.3f}"
            )
        console.print(pairs)
