"""Parts of a graph as files, searched one by one or on many machines, and merged into the whole.

What is merged equals what one run gives, bit for bit: a part names the gaze, the settings and the
rule that it was searched with, and parts that do not belong together are refused.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from trainer.errors import SimilarityError
from trainer.similarity.base import FeatureTable
from trainer.similarity.comparison import Comparison
from trainer.similarity.graph import Graph, graph_of_nearest, graph_of_pairs
from trainer.similarity.items import ItemTable
from trainer.similarity.output import whole
from trainer.similarity.pair_search import FoundNearest, FoundPairs, Part

KIND = "foveate_similarity_part"
Found = FoundPairs | FoundNearest


@dataclass(frozen=True, slots=True)
class Whole:
    """What parts make together.

    Attributes
    ----------
    graph, ids, measure
        As one run gives them.
    facts
        What one run says of them in its JSON, but for what counts the pairs.
    """

    graph: Graph
    ids: tuple[str, ...]
    measure: str
    facts: dict[str, Any]


def write_part(path: Path, part: Part, found: Found, facts: dict[str, Any], hash_: str) -> None:
    """Write what a part found.

    Parameters
    ----------
    path
        An npz file.
    part, found
        Which part, and its pairs.
    facts
        What is the same for all parts: ids, measure, settings, rule.
    hash_
        Of the features, so that parts of other gaze are told apart.

    Raises
    ------
    SimilarityError
        If the file cannot be written.
    """
    about = {KIND: 1, "part": part.number, "of": part.count, "gaze": hash_, **facts}
    arrays: dict[str, Any] = {"about": np.array(json.dumps(about)), "has_value": found.has_value}
    arrays["valid"] = np.array(found.valid)
    if isinstance(found, FoundPairs):
        rows, columns, values = found.joined()
        arrays |= {"rows": rows, "columns": columns, "values": values}
        arrays["threshold"] = np.array(found.threshold)
    else:
        arrays |= {"best": found.best, "names": found.names}
    with whole(path) as file:
        np.savez(file, **arrays)


def features_hash(comparison: Comparison) -> str:
    """Return 32 hex digits of the features that a comparison rests on."""
    table = comparison.table
    readings = table.readings if isinstance(table, ItemTable) else table
    assert isinstance(readings, FeatureTable)
    digest = hashlib.sha256()
    for array in (readings.flat, readings.starts, getattr(table, "starts", readings.starts)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def merge(paths: Sequence[Path]) -> Whole:
    """Return the graph that all parts make.

    Raises
    ------
    SimilarityError
        Naming the part that is missing, there twice, damaged or of another search.
    """
    found: Found | None = None
    first: dict[str, Any] = {}
    taken: dict[int, Path] = {}
    for path in paths:
        about, one = _read(path)
        first = first or about
        _check(path, about, first, paths[0], taken)
        found = one if found is None else _joined(found, one)
    if found is None:
        raise SimilarityError("No parts are named. Name the files that --part wrote.")
    missing = [str(k) for k in range(1, first["of"] + 1) if k not in taken]
    if missing:
        raise SimilarityError(
            f"Part {', '.join(missing)} of {first['of']} is missing. Create it with --part "
            f"{missing[0]}/{first['of']}."
        )
    graph = graph_of_pairs(found) if isinstance(found, FoundPairs) else graph_of_nearest(found)
    facts = {k: v for k, v in first.items() if k not in (KIND, "part", "of", "gaze")}
    return Whole(graph, tuple(first["ids"]), str(first["measure"]), facts)


def _check(
    path: Path, about: dict[str, Any], first: dict[str, Any], other: Path, taken: dict[int, Path]
) -> None:
    for name in {*about, *first} - {"part"}:
        if about.get(name) != first.get(name):
            what = "other gaze" if name in ("gaze", "ids") else f"another {name}"
            raise SimilarityError(f"{path} belongs to {what} than {other}; they cannot be merged.")
    if about["part"] in taken:
        raise SimilarityError(f"{path} and {taken[about['part']]} are the same part.")
    taken[about["part"]] = path


def _joined(found: Found, one: Found) -> Found:
    if isinstance(found, FoundPairs) and isinstance(one, FoundPairs):
        found.keep(one.parts[0], one.valid)
        found.has_value |= one.has_value
        return found
    assert isinstance(found, FoundNearest)
    assert isinstance(one, FoundNearest)
    return found.with_other(one)


def _read(path: Path) -> tuple[dict[str, Any], Found]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if KIND not in about:
                raise KeyError(KIND)
            valid = int(file["valid"])
            if "best" in file:
                return about, FoundNearest(file["best"], file["names"], valid, file["has_value"])
            found = FoundPairs(float(file["threshold"]), len(file["has_value"]))
            found.has_value |= file["has_value"]
            found.keep((file["rows"], file["columns"], file["values"]), valid)
            return about | {"threshold": found.threshold}, found
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise SimilarityError(
            f"{path} is not a readable part of a similarity graph: {error}. Recompute it with "
            "--part."
        ) from error
