"""Views of mammograms: every code of CID 4014 and 4015, in both coding schemes."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from app.images.dicom.breast_views import LOWER, MODIFIERS, UPPER, VIEWS, BreastView, view_of
from app.images.dicom.elements import Elements

BY_NAME = {
    "cranio-caudal": "CC", "medio-lateral oblique": "MLO", "medial-lateral": "ML",
    "latero-medial": "LM", "latero-medial oblique": "LMO", "caudo-cranial": "FB",
    "superolateral to inferomedial oblique": "SIO",
    "inferomedial to superolateral oblique": "ISO",
    "cranio-caudal exaggerated laterally": "XCCL", "cranio-caudal exaggerated medially": "XCCM",
    "tissue specimen from breast": "SPECIMEN",
}  # fmt: skip


def coded(value: str, *modifiers: str, position: str | None = None) -> Dataset:
    dataset, view = Dataset(), Dataset()
    view.CodeValue = value
    items = []
    for modifier in modifiers:
        item = Dataset()
        item.CodeValue = modifier
        items.append(item)
    view.ViewModifierCodeSequence = Sequence(items)
    dataset.ViewCodeSequence = Sequence([view])
    if position is not None:
        dataset.ViewPosition = position
    return dataset


def codes_of(cid: int) -> list[tuple[str, str]]:
    """Return name and code of a context group, each in SNOMED CT and in SRT."""
    found = [next(iter(concepts["SCT"][name].items())) for name in cid_concepts[cid]["SCT"]]
    names = {code: meaning for code, (meaning, _) in found}
    legacy = [(meaning, srt) for srt, code in mapping["SRT"].items()
              if (meaning := names.get(code))]  # fmt: skip
    return [*((meaning, code) for code, meaning in names.items()), *legacy]


@pytest.mark.parametrize(("name", "code"), codes_of(4014))
def test_every_view_of_the_standard_is_known(name: str, code: str) -> None:
    assert view_of(Elements(coded(code))).view == BY_NAME[name]


def test_every_modifier_of_the_standard_is_known() -> None:
    found = {view_of(Elements(coded("399162004", code))).modifiers for _, code in codes_of(4015)}
    assert found == {(modifier,) for modifier in MODIFIERS}


def test_a_code_counts_more_than_view_position_and_a_stranger_less() -> None:
    assert view_of(Elements(coded("399196006", position="CC"))).view == "FB"
    assert view_of(Elements(coded("X-1", position="CC"))).view == "CC"
    assert view_of(Elements(coded("Y-X1770"))).view == "XCCL"


@pytest.mark.parametrize(
    ("said", "view"),
    [
        ("CC", BreastView("CC")), ("X CCL", BreastView("XCCL")), ("SCC", BreastView("CC", ("S",))),
        ("MMLO", BreastView("MLO", ("M",))), ("MLOID", BreastView("MLO", ("ID",))),
        ("ML", BreastView("ML")), ("TAN", BreastView(None, ("TAN",))), ("PA", BreastView("PA")),
        ("CCWEBER", BreastView()), ("", BreastView()),
    ],
)  # fmt: skip
def test_view_position_is_read_in_the_abbreviations_of_the_standard(said, view) -> None:
    dataset = Dataset()
    dataset.ViewPosition = said
    assert view_of(Elements(dataset)) == view


def test_each_view_lies_in_one_row() -> None:
    assert not set(UPPER) & set(LOWER)
    assert {*UPPER, *LOWER, "SPECIMEN"} == set(VIEWS)
