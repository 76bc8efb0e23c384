"""Croissant 1.0: all files, and every column of every table, for machines.

The context is that of the specification (docs.mlcommons.org/croissant/docs/croissant-spec.html).
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.interchange.exports.dataset.terms import Terms
from app.interchange.exports.table_columns import TABLES
from migrations.study.export_manifest import sha256_of

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
NAME = "croissant.json"
VERSION = "1.0.0"
PARTICIPANTS = "participants"
_TYPES = {"text": "sc:Text", "whole": "sc:Integer", "number": "sc:Float", "truth": "sc:Boolean"}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(
    out: Path, name: str, description: str, terms: Terms, people: Mapping[str, str]
) -> dict[str, Any]:
    """Return the metadata of a data set whose tables and participants are written.

    Parameters
    ----------
    people
        What each column of participants.tsv means.
    """
    tables = {table: out / "tables" / f"{table}.csv" for table in TABLES}
    there = {table: path for table, path in tables.items() if path.is_file()}
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": description,
        "conformsTo": CONFORMS_TO,
        "license": terms.licence_url,
        "version": VERSION,
    }
    if terms.creators:
        found["creator"] = [{"@type": "sc:Organization", "name": each} for each in terms.creators]
    if terms.url:
        found["url"] = terms.url
    if terms.cite:
        found["citeAs"] = terms.cite
    if terms.published:
        found["datePublished"] = terms.published
    files = [*there.values(), out / "participants.tsv"]
    found["distribution"] = [_file(path, out) for path in files]
    found["recordSet"] = [_records_of_table(name) for name in there]
    found["recordSet"].append(_participants(out / "participants.tsv", people))
    return found


def _file(path: Path, out: Path) -> dict[str, Any]:
    place = path.relative_to(out).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": place,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "text/csv" if path.suffix == ".csv" else "text/tab-separated-values",
        "sha256": sha256_of(path),
    }


def _records_of_table(table: str) -> dict[str, Any]:
    fields = [
        _field(
            table,
            f"{table}.csv",
            column.name,
            f"{column.meaning} [{column.unit}]" if column.unit else column.meaning,
            _TYPES[column.kind],
        )
        for column in TABLES[table]
    ]
    return {"@type": "cr:RecordSet", "@id": table, "name": table, "field": fields}


def _participants(path: Path, people: Mapping[str, str]) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file, delimiter="\t"))
    fields = [
        _field(PARTICIPANTS, path.name, column, people.get(column, column), "sc:Text")
        for column in columns
    ]
    return {"@type": "cr:RecordSet", "@id": PARTICIPANTS, "name": PARTICIPANTS, "field": fields}


def _field(records: str, file: str, column: str, text: str, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{column}",
        "name": column,
        "description": text,
        "dataType": kind,
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
    }
