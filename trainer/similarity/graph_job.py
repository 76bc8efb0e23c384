"""Graphs of the similarity command: searched whole, in parts, or merged of parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from migrations.study.processes import as_typed
from trainer.similarity.cohort_pass import COHORT_SUFFIX, beside, read_fitted, write_fitted
from trainer.similarity.comparison import Comparison
from trainer.similarity.findings import Matches, odd_of_counts, partners_among
from trainer.similarity.graph import Graph, graph_of_nearest, graph_of_pairs
from trainer.similarity.output import write_graph, write_json
from trainer.similarity.pair_search import WHOLE, FoundNearest, FoundPairs, Part
from trainer.similarity.parts import features_hash, merge, write_part
from trainer.similarity.request import DEFAULT_THRESHOLD, Job, Request
from trainer.similarity.tables import print_matches


def make_graph(job: Job, comparison: Comparison, path: Path, facts: dict[str, Any]) -> None:
    """Search the pairs that are asked for and write them: the whole graph, or a part of it."""
    request = job.request
    facts = {**facts, "top_k": request.top_k}
    if request.approximate and request.top_k is not None:
        _approximate(job, comparison, request.top_k, path, facts)
        return
    found = _search(comparison, request, request.part or WHOLE)
    if request.part is not None:
        write_part(path, request.part, found, facts, features_hash(comparison))
        job.report.close()
        job.console.print(
            as_typed(
                f"Part {request.part.number} of {request.part.count}: {path}. Then: python main.py "
                "similarity merge PARTS --graph FILE"
            ),
            highlight=False,
            soft_wrap=True,
        )
        return
    graph = graph_of_pairs(found) if isinstance(found, FoundPairs) else graph_of_nearest(found)
    job.report.close()
    keep_graph(job.console, path, graph, facts)


def _approximate(
    job: Job, comparison: Comparison, neighbours: int, path: Path, facts: dict[str, Any]
) -> None:
    made = comparison.nearly_nearest(neighbours)
    job.report.close()
    job.console.print(
        f"Approximate: {made.recall:.2%} of the true {neighbours} nearest are found, measured on "
        f"a sample of readings; each reading was compared with {made.looked_at:.1%} of the cells.",
        highlight=False,
        soft_wrap=True,
    )
    keep_graph(job.console, path, graph_of_nearest(made.found), {**facts, "recall": made.recall})


def merge_parts(console: Console, parts: Sequence[Path], path: Path) -> None:
    """Write the graph that parts make, as one run would have, and what was learnt of the cohort.

    Files that hold what was learnt are passed over among the parts, so that P*.npz names the parts.

    Raises
    ------
    SimilarityError
        If they do not belong together, or the file cannot be written.
    """
    named = [part for part in parts if not part.name.endswith(COHORT_SUFFIX)]
    found = merge(named)
    keep_graph(console, path, found.graph, found.facts)
    if beside(named[0]).is_file():  # the same beside each part: their features are the same
        fitted = read_fitted(beside(named[0]), str(found.facts["measure"]))
        write_fitted(beside(path), str(found.facts["measure"]), fitted)


def keep_graph(console: Console, path: Path, graph: Graph, facts: Mapping[str, Any]) -> None:
    """Write a graph with its JSON, and tell what is in it."""
    ids = tuple(facts["ids"])
    write_graph(path, graph, ids, str(facts["measure"]))
    degrees = np.diff(graph.matrix.indptr)
    counted = {
        "threshold": graph.threshold,
        "valid_pairs": graph.pairs,
        "stored_pairs": graph.positive_pairs,
        "positive_rate": graph.positive_rate,
        "unmatched": int((degrees == 0).sum()),
        "largest_degree": int(degrees.max()) if len(degrees) else 0,
    }
    told = write_json(path, {**facts, **counted})
    console.print(
        f"{graph.positive_pairs:,} pairs of {len(ids):,} items, {graph.positive_rate:.3%} of "
        f"valid pairs: {path} and {told.name}",
        highlight=False,
        soft_wrap=True,
    )
    if graph.threshold is not None:
        names = dict(zip(ids, facts["names"], strict=True))
        print_matches(console, _odd_of_graph(graph, ids, degrees), names)


def _search(comparison: Comparison, request: Request, part: Part) -> FoundPairs | FoundNearest:
    if request.top_k is not None:
        return comparison.part_nearest(request.top_k, part)
    threshold = DEFAULT_THRESHOLD if request.threshold is None else request.threshold
    if request.positive_rate is not None:
        threshold = comparison.threshold_of_rate(request.positive_rate)
    return comparison.part_above(threshold, part)


def _odd_of_graph(graph: Graph, ids: tuple[str, ...], degrees: Any) -> Matches:
    partners = partners_among(graph.valid)
    return odd_of_counts(degrees, partners, ids, graph.threshold or 0.0, graph.positive_rate)
