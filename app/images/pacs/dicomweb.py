"""Images of an archive by DICOMweb: QIDO-RS finds them, WADO-RS sends each as it is stored."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pydicom.datadict import tag_for_keyword

from app.errors import ImportRefused, ImportStopped
from app.images.pacs.asked import Asked, require_uid
from app.images.pacs.line import Answer, Line
from app.images.pacs.multipart import CutShort, file_in

PAGE = 100
_MOST_PAGES = 10_000
_TRIES = 6
_JSON = "application/dicom+json"
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_ALWAYS_TOLD = ("AccessionNumber", "PatientID", "StudyInstanceUID")
"""Of each study, as PS3.18 demands."""
_STUDY, _SERIES, _IMAGE = "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One study of an archive.

    Attributes
    ----------
    date, modalities
        As given by the archive, such as 2024-01-31 and MG; "" if it does not give them.
    """

    uid: str
    date: str = ""
    modalities: str = ""

    @property
    def text(self) -> str:
        """A description that identifies it for a person."""
        return ", ".join(part for part in (self.date, self.modalities, self.uid) if part)


@dataclass(frozen=True, slots=True)
class Found:
    """What an archive has for the queries.

    Attributes
    ----------
    names
        Its images, as `study UID/series UID/image UID`, each once.
    nothing
        The queries that found no study.
    several
        The accession numbers that found more than one study, and those studies.
    """

    names: tuple[Path, ...]
    nothing: tuple[Asked, ...]
    several: tuple[tuple[Asked, tuple[FoundStudy, ...]], ...] = ()


class DicomWeb:
    """An archive with DICOMweb.

    Parameters
    ----------
    page
        How many results are requested at once; an archive that returns fewer is asked again.
    """

    def __init__(self, line: Line, *, page: int = PAGE) -> None:
        self._line = line
        self._page = page

    def find(self, asked: Sequence[Asked]) -> Found:
        """Return which images there are.

        Raises
        ------
        ImportStopped
            If the archive cannot be queried, or ignores the query.
        """
        names: dict[Path, None] = {}
        nothing, several = [], []
        for one in asked:
            studies = list(self._studies(one))
            if not studies:
                nothing.append(one)
            if len(studies) > 1 and "AccessionNumber" in dict(one.keys):
                several.append((one, tuple(studies)))
            for study in studies:
                names.update(dict.fromkeys(self._images(study.uid)))
        return Found(tuple(names), tuple(nothing), tuple(several))

    def read(self, name: Path) -> bytes:
        """Return an image's DICOM file as the archive stores it.

        Raises
        ------
        ImportRefused
            If the archive does not send it.
        ImportStopped
            If the archive can no longer be reached.
        """
        study, series, image = (quote(part) for part in name.parts)
        path = f"studies/{study}/series/{series}/instances/{image}"
        for _ in range(_TRIES):
            answer = self._line.get(path, _AS_STORED)
            if answer.status != 200:
                raise ImportRefused(f"the archive does not send it (HTTP {answer.status})")
            try:
                return file_in(answer.kind, answer.body)
            except CutShort:
                continue
        raise ImportRefused("the archive repeatedly sends it cut short")

    def _studies(self, asked: Asked) -> Iterator[FoundStudy]:
        keys = [*asked.keys, *(("includefield", key) for key, _ in asked.keys)]
        for result in self._all("studies", keys, _STUDY):
            self._require_heeded(asked, result)
            yield FoundStudy(
                require_uid(_text(result, _STUDY)),
                _date(_text(result, "StudyDate")),
                "/".join(_values(result, "ModalitiesInStudy")),
            )

    def _images(self, study: str) -> Iterator[Path]:
        for result in self._all(f"studies/{quote(study)}/instances", [], _IMAGE):
            series, image = _text(result, _SERIES), _text(result, _IMAGE)
            if not series:
                raise ImportStopped(
                    f"The archive at {self._line.host} does not give the series of its images."
                )
            yield Path(study, require_uid(series), require_uid(image))

    def _all(self, path: str, keys: list[tuple[str, str]], own: str) -> Iterator[dict[str, Any]]:
        """Yield all results, page by page: an archive may return fewer than requested.

        An archive without paging returns the same results again: then nothing is new.
        """
        seen: set[str] = set()
        read = 0
        for _ in range(_MOST_PAGES):
            query = urlencode(
                [*keys, ("limit", self._page), ("offset", read)], quote_via=quote
            )  # some archives do not read a plus sign as a space
            results = self._results(self._line.get(f"{path}?{query}", _JSON))
            new = [one for one in results if _text(one, own) not in seen]
            for one in new:
                if _text(one, own) not in seen:
                    seen.add(_text(one, own))
                    yield one
            if not new and len(results) == self._page:
                raise ImportStopped(
                    f"The archive at {self._line.host} keeps returning its first {self._page} "
                    "results, so there may be more that it does not return. Request fewer "
                    "studies."
                )
            if not new:
                return
            read += len(results)

    def _results(self, answer: Answer) -> list[dict[str, Any]]:
        if answer.status == 204:
            return []
        if answer.status != 200:
            raise ImportStopped(
                f"The archive at {self._line.host} does not answer the query (HTTP "
                f"{answer.status}). Check that the URL is that of its DICOMweb service."
            )
        try:
            found = json.loads(answer.body or b"[]")
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ImportStopped(
                f"{self._line.host} does not answer with DICOM JSON. Check that the URL is that "
                "of its DICOMweb service."
            )
        return found

    def _require_heeded(self, asked: Asked, result: dict[str, Any]) -> None:
        """Refuse an archive that returns studies that do not match: it does not support a key."""
        for keyword, value in asked.keys:
            said = _values(result, keyword)
            is_range = keyword.endswith(("Date", "Time")) and "-" in value
            is_plain = not is_range and not any(one in value for one in "*?,\\")
            must_be_told = said or keyword in _ALWAYS_TOLD
            if (
                must_be_told
                and is_plain
                and value.casefold() not in [one.casefold() for one in said]
            ):
                raise ImportStopped(
                    f"The archive at {self._line.host} returned studies whose {keyword} is not "
                    f"{value}, so it does not search by {keyword}. Nothing was fetched."
                )


def _text(result: dict[str, Any], keyword: str) -> str:
    return next(iter(_values(result, keyword)), "")


def _date(stored: str) -> str:
    is_date = len(stored) == 8 and stored.isdigit()
    return f"{stored[:4]}-{stored[4:6]}-{stored[6:]}" if is_date else stored


def _values(result: dict[str, Any], keyword: str) -> list[str]:
    """Return a result's values of a keyword as texts; a person's name by its letters."""
    element = result.get(f"{tag_for_keyword(keyword):08X}")
    values = element.get("Value") if isinstance(element, dict) else None
    found = values if isinstance(values, list) else []
    plain = [one.get("Alphabetic") if isinstance(one, dict) else one for one in found]
    return [str(one).strip() for one in plain if one not in (None, "")]
