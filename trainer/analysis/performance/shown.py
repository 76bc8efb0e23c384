"""What `performance` prints: areas, their comparison, decisions, and what was left out."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print areas, their comparison, decisions, and what was left out."""
    table = Table(title="Area under the ROC curve (empirical)")
    table.add_column("Reader")
    for arm in found["arms"]:
        table.add_column(f"Arm {arm}", justify="right")
    by_reader = {(row["arm"], row["reader"]): row["auc"] for row in found["auc_by_reader"]}
    for reader in found["readers"]:
        table.add_row(reader, *(f"{by_reader[arm, reader]:.3f}" for arm in found["arms"]))
    table.add_section()
    table.add_row("Mean", *(f"{value:.3f}" for value in found["auc"]))
    table.add_row("95 %", *(_interval(*pair) for pair in found["auc_interval"]))
    console.print(table)
    console.print(f"Design: {found['design']}.", highlight=False)
    for line in (*_decided(found), *_sentences(found), *_by_afroc(found)):
        console.print(line, highlight=False)


def _decided(found: Mapping[str, Any]) -> list[str]:
    """Return a line for each reader of a study's decisions, and what was left out."""
    lines = [
        f"{row['reader']}, arm {row['arm']}: sensitivity {_share(row['sensitivity'])}, "
        f"specificity {_share(row['specificity'])}."
        for row in found.get("decisions", ())
    ]
    lines += [
        f"{row['reader']}, repeated: {100 * row['same_call']:.0f} % of {row['cases']} calls the "
        "same."
        for row in found.get("within_reader", ())
    ]
    lines += [
        f"{row['reader']}, arm {row['arm']}: {row['lesions_found']} of {row['lesions']} lesions "
        f"marked, {row['false_marks_per_case']:.2f} false marks per case, AFROC "
        f"{_area(row['afroc_area'])}, weighted AFROC {_area(row['wafroc_area'])}."
        for row in found.get("localisation", ())
    ]
    lines += [f"Note: {remark}." for remark in found.get("remarks", ())]
    return lines + [f"Left out: {note}." for note in found.get("left_out", ())]


def _area(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _by_afroc(found: Mapping[str, Any]) -> list[str]:
    """Return how arms differ in their AFROC, where marks were held against lesions."""
    named = (("localisation_comparison", "afroc", "AFROC areas"),
             ("wafroc_comparison", "wafroc", "Weighted AFROC areas"))  # fmt: skip
    return [line for key, area, words in named
            for line in _compared_by(found.get(key, {}), area, words)]  # fmt: skip


def _compared_by(compared: Mapping[str, Any], area: str, words: str) -> list[str]:
    if len(compared.get("arms", ())) < 2:
        return []
    if "not_compared" in compared or compared["F"] is None:
        why = compared.get("not_compared", "arms, readers and cases make no difference.")
        return [f"{words} not compared: {why}"]
    means = ", ".join(
        f"{arm} {value:.3f}" for arm, value in zip(compared["arms"], compared[area], strict=True)
    )
    return [f"{words} ({means}), equal arms: {_tested(compared)}."]


def _tested(compared: Mapping[str, Any]) -> str:
    ddf = "∞" if compared["ddf"] is None else f"{compared['ddf']:.1f}"
    return f"F({len(compared['arms']) - 1}, {ddf}) = {compared['F']:.3f}, p = {compared['p']:.4f}"


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "not known"
    return (
        f"{share['value']:.2f} [{share['low']:.2f}, {share['high']:.2f}] "
        f"({share['hits']} of {share['count']})"
    )


def _interval(low: float | None, high: float | None) -> str:
    return "not known" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _sentences(found: Mapping[str, Any]) -> list[str]:
    if "not_compared" in found:
        return [f"Not compared: {found['not_compared']}"]
    if len(found["arms"]) < 2:
        return ["There is only one arm, so there is nothing to compare."]
    if found["F"] is None:
        return ["Not compared: arms, readers and cases show no difference to test."]
    lines = [
        f"Equal arms: {_tested(found)} (Obuchowski-Rockette, jackknife, {found['random']} random)."
    ]
    if len(found["arms"]) == 2:
        first, second = found["arms"]
        lines.append(
            f"Difference {first} minus {second}: {found['difference']:.4f} [{found['low']:.4f}, "
            f"{found['high']:.4f}]."
        )
    return lines
