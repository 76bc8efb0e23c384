"""Ratings in the documented layouts of other tools: iMRMC's text file and RJafroc's workbook.

Written from their descriptions (the manual of iMRMC; the data format chapter of RJafroc's guide).
Neither tool was run here.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainer.analysis.performance.ratings import Ratings
from trainer.errors import PerformanceError


def write_imrmc(path: Path, ratings: Ratings, title: str) -> None:
    """Write an `.imrmc` file: counts, `BEGIN DATA:`, then rows of truth and rows of ratings.

    A row of truth is `-1,case,truth,0` or `1`; a row of rating `reader,case,modality,rating`.

    Raises
    ------
    PerformanceError
        A name holds a comma, quote, line break or control character, which the layout cannot hold.
    """
    positive = int(ratings.truth.sum())
    head = [
        title, f"N0:{len(ratings.cases) - positive}", f"N1:{positive}",
        f"NR:{len(ratings.readers)}", f"NM:{len(ratings.arms)}", "BEGIN DATA:",
    ]  # fmt: skip
    truths = [
        f"-1,{_word(case)},truth,{int(positive)}"
        for case, positive in zip(ratings.cases, ratings.truth, strict=True)
    ]
    rows = [
        f"{_word(reader)},{_word(case)},{_word(arm)},{rating:.10g}"
        for arm, reader, case, rating in each_rating(ratings)
    ]
    path.write_text("\n".join([*head, *truths, *rows]) + "\n", encoding="utf-8")


def write_rjafroc(path: Path, ratings: Ratings) -> None:
    """Write an ROC study as RJafroc's workbook: sheets TRUTH, FP and TP.

    Ratings of normal cases are false positives, those of abnormal cases true positives of lesion
    1; cases are numbered, for RJafroc takes whole numbers.
    """
    from openpyxl import Workbook

    number = {case: k + 1 for k, case in enumerate(ratings.cases)}
    truth = dict(zip(ratings.cases, map(bool, ratings.truth), strict=True))
    book = Workbook()
    book.remove(book.active)
    sheet = book.create_sheet("TRUTH")
    sheet.append(["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"])
    readers, arms = ",".join(map(_word, ratings.readers)), ",".join(map(_word, ratings.arms))
    paradigm = ["ROC", "FCTRL", *[None] * len(truth)]
    for word, (case, positive) in zip(paradigm, truth.items(), strict=False):
        sheet.append([number[case], int(positive), int(positive), readers, arms, word])
    sheets = {False: book.create_sheet("FP"), True: book.create_sheet("TP")}
    sheets[False].append(["ReaderID", "ModalityID", "CaseID", "FP_Rating"])
    sheets[True].append(["ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating"])
    for arm, reader, case, rating in each_rating(ratings):
        lesion = [1] if truth[case] else []
        sheets[truth[case]].append([reader, arm, number[case], *lesion, rating])
    for cell in (cell for sheet in book for row in sheet.iter_rows() for cell in row):
        if isinstance(cell.value, str):
            cell.data_type = "s"  # a name that begins with "=" is no formula
    book.save(path)


def each_rating(ratings: Ratings) -> Iterator[tuple[str, str, str, float]]:
    """Yield arm, reader, case and rating of each rating that was given."""
    for i, j, k in np.argwhere(~np.isnan(ratings.rating)):
        yield ratings.arms[i], ratings.readers[j], ratings.cases[k], float(ratings.rating[i, j, k])


def _word(name: str) -> str:
    if any(sign in ',"' or unicodedata.category(sign) == "Cc" for sign in name):
        raise PerformanceError(
            f"{name!r} contains a comma, quote, line break or control character, which the file "
            "formats of iMRMC and RJafroc do not allow. Rename it."
        )
    return name
