"""Views of mammograms: the codes of CID 4014 and 4015 in SNOMED CT and SRT, DICOM's abbreviations.

Views along the body first (CC and related), then views from the side (MLO and related).
"""

from dataclasses import dataclass

from app.images.dicom.elements import Elements
from app.images.dicom.vocabulary import POSITIONS, word_of

_CODES = {
    "399162004": "CC", "R-10242": "CC",
    "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM",
    "399099002": "LMO", "R-10230": "LMO",
    "399196006": "FB", "R-10244": "FB",
    "399188001": "SIO", "R-102D0": "SIO",
    "441555000": "ISO", "R-40AAA": "ISO",
    "399265004": "XCC", "R-102CF": "XCC",
    "399192008": "XCCL", "R-1024A": "XCCL", "Y-X1770": "XCCL",
    "399101009": "XCCM", "R-1024B": "XCCM", "Y-X1771": "XCCM",
    "127457009": "SPECIMEN", "G-8310": "SPECIMEN",
}  # fmt: skip
_MODIFIER_CODES = {
    "399161006": "CV", "R-102D2": "CV",
    "399011000": "AT", "R-102D1": "AT",
    "399197002": "RL", "R-102D3": "RL",
    "399226006": "RM", "R-102D4": "RM",
    "414493004": "RI", "R-102CA": "RI",
    "415670009": "RS", "R-102C9": "RS",
    "399209000": "ID", "R-102D5": "ID",
    "399163009": "M", "R-102D6": "M",
    "399055006": "S", "R-102D7": "S",
    "399110001": "TAN", "R-102C2": "TAN",
    "442593008": "IMF", "R-40ABE": "IMF",
    "442580003": "AX", "R-40AB2": "AX",
    "442581004": "NP", "R-40AB3": "NP",
    "441752004": "AC", "P2-00161": "AC",
}  # fmt: skip
UPPER = ("CC", "FB", "XCC", "XCCL", "XCCM")
LOWER = ("MLO", "ML", "LM", "LMO", "SIO", "ISO")
VIEWS = (*UPPER, *LOWER, "SPECIMEN")
MODIFIERS = tuple(dict.fromkeys(_MODIFIER_CODES.values()))
"""Cleavage, axillary tail, rolled laterally, medially, inferiorly, superiorly, implant displaced,
magnification, spot compression, tangential, infra-mammary fold, axillary tissue, nipple in profile,
anterior compression."""
_TOMOSYNTHESIS = (
    "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast Tomosynthesis
    "1.2.840.10008.5.1.4.1.1.13.1.4",  # Breast Projection, for presentation
    "1.2.840.10008.5.1.4.1.1.13.1.5",  # Breast Projection, for processing
)
_BEFORE, _AFTER = ("M", "S"), ("ID", "RL", "RM", "RI", "RS", "AX", "NP", "AC")
_ALONE = ("CV", "AT", "TAN", "IMF")


@dataclass(frozen=True, slots=True)
class BreastView:
    """What a file says about the view it shows.

    Attributes
    ----------
    view
        DICOM's abbreviation: "CC", "MLO", …; for other projections a View Position such as "PA".
    modifiers
        Of `MODIFIERS`.
    """

    view: str | None = None
    modifiers: tuple[str, ...] = ()


def view_of(elements: Elements) -> BreastView:
    """Return the view of a data set: by code, else by View Position."""
    position = _position(elements)
    items = elements.items("ViewCodeSequence")
    view = next((v for item in items if (v := _CODES.get(_code(item)))), None)
    modifiers = [
        found
        for holder in (*items, elements)
        for item in holder.items("ViewModifierCodeSequence")
        if (found := _MODIFIER_CODES.get(_code(item)))
    ]
    # Some makers put the modifier in place of the view.
    modifiers += [m for item in items if (m := _MODIFIER_CODES.get(_code(item)))]
    return BreastView(
        view or position.view, tuple(dict.fromkeys((*modifiers, *position.modifiers)))
    )


def kind_of(elements: Elements, modality: str | None, is_stack: bool) -> str | None:
    """Return the kind of a mammogram: "2d", "synthetic", "tomosynthesis"; None for others."""
    if modality != "MG":
        return None
    kinds = elements.text("ImageType").upper()
    if "GENERATED_2D" in kinds or "SYNTHETIC" in kinds:
        return "synthetic"
    if is_stack or elements.text("SOPClassUID").startswith(_TOMOSYNTHESIS) or "TOMO" in kinds:
        return "tomosynthesis"
    return "2d"


def _code(item: Elements) -> str:
    return item.text("CodeValue").upper()


def _position(elements: Elements) -> BreastView:
    """Return what View Position means: CC; SCC is a spot view, MMLO magnified."""
    text = elements.text("ViewPosition").upper().replace(" ", "").replace("-", "")
    if not text:
        return BreastView()
    if text in VIEWS:
        return BreastView(text)
    if text in _ALONE:
        return BreastView(None, (text,))
    for view in sorted(VIEWS, key=len, reverse=True):
        before, found, after = text.partition(view)
        if not found or (after and after not in _AFTER):
            continue
        if all(letter in _BEFORE for letter in before):
            return BreastView(view, tuple(dict.fromkeys([*before, *([after] if after else [])])))
    word = word_of(text, POSITIONS)
    if word is None:
        elements.say("word-left-out", keyword="ViewPosition")
    return BreastView(word)
