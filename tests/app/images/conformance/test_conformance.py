"""File to grey beside DCMTK (`dcmj2pnm`): alike, or different for a reason the manual gives."""

import re
from pathlib import Path

import pydicom
import pytest

from tests import ROOT
from tests.app.images.conformance.compared import (
    REASONS,
    SAME,
    compare_colours,
    compare_files,
    compare_made,
)
from tests.app.images.conformance.made_colours import colour_matrix
from tests.app.images.conformance.made_files import SHUTTERS, matrix
from tests.app.images.conformance.renderings import DCMJ2PNM
from tests.app.images.test_from_file_to_grey import NAMED
from tests.app.images.test_import_corpus import FILES, readable

needs_dcmtk = pytest.mark.skipif(DCMJ2PNM is None, reason="dcmj2pnm (package dcmtk) is missing")


@needs_dcmtk
@pytest.mark.slow
def test_a_thinned_matrix_of_all_combinations_is_alike_or_explained(tmp_path: Path) -> None:
    made = matrix(every=211)  # the manual's counts are of each 101st
    tally = compare_made(made, tmp_path)
    assert tally.unexplained == []
    assert tally.refused == []
    assert tally.counts[SAME] > 70
    assert sum(tally.counts.values()) == len(made) > 190


@needs_dcmtk
def test_what_archives_hold_beside_the_standard_is_alike_or_explained(tmp_path: Path) -> None:
    tally = compare_made([*NAMED, *SHUTTERS], tmp_path)
    assert tally.unexplained == []
    assert tally.refused == []


@needs_dcmtk
def test_each_way_to_store_a_colour_is_alike_or_explained(tmp_path: Path) -> None:
    tally = compare_colours(colour_matrix(), tmp_path)
    assert tally.unexplained == []
    assert tally.refused == []
    assert tally.counts[SAME] > 40


@needs_dcmtk
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_file_of_pydicom_is_alike_or_explained(tmp_path: Path) -> None:
    files = [path for path in FILES if readable(pydicom.dcmread(path, force=True))]
    tally = compare_files(files, tmp_path)
    assert tally.unexplained == []
    assert tally.counts[SAME] >= 60


def test_the_manual_lists_each_reason_for_a_difference_and_at_most_ten() -> None:
    manual = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \*\*(.+?)\*\* \|", manual, re.MULTILINE)
    assert listed == [*REASONS]
    assert len(REASONS) <= 10
