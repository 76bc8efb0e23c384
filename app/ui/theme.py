"""The only look: a dark, neutral palette for a reading room, one type scale, an 8-px grid.

Greys have no tint, so that they do not colour the radiograph beside them. The accent marks what can
be acted on; amber and red only what needs the reader's attention now. Text has a contrast of at
least 4.5.
"""

from pathlib import Path

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

WINDOW = "#16181b"
PANEL = "#1d2023"
RAISED = "#272a2e"
LINE = "#373b40"
TEXT = "#d8dadd"
MUTED = "#9ba0a6"
FAINT = "#6f757b"
ACCENT = "#6cb0e0"
ACCENT_DEEP = "#2c6a97"
AMBER = "#dba54a"
RED = "#ec7168"
CASE_BACKGROUND = "#0b0c0d"
"""Behind an image and behind calibration targets: near the luminance of the cases, so that the
pupil is as wide while calibrating as while reading."""

GRID = 8
"""Device-independent pixels; every margin and gap is a multiple of it (or half of it)."""

WIDEST_FORM = 150 * GRID
"""A form is no wider, however wide the screen: a field stays near its name."""

SCALE = {"small": 0.9, "body": 1.0, "lead": 1.15, "heading": 1.4, "title": 2.1}
"""Type sizes as multiples of the body size."""

_COLOURS = {
    "window": WINDOW,
    "panel": PANEL,
    "raised": RAISED,
    "line": LINE,
    "text": TEXT,
    "muted": MUTED,
    "faint": FAINT,
    "accent-deep": ACCENT_DEEP,
    "accent": ACCENT,
    "amber": AMBER,
    "red": RED,
    "case": CASE_BACKGROUND,
}
_BODY_POINTS = 10.0


def apply(application: QApplication) -> None:
    """Give an application Foveate's look; safe to call twice."""
    application.setStyle("Fusion")
    application.setPalette(palette())
    application.setFont(font("body"))
    application.setStyleSheet(style_sheet())


def font(size: str = "body", *, bold: bool = False) -> QFont:
    """Return the system's font in a size of the scale.

    Raises
    ------
    KeyError
        If the scale has no such size.
    """
    chosen = QFont(QApplication.font().family())
    chosen.setPointSizeF(_BODY_POINTS * SCALE[size])
    chosen.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return chosen


def palette() -> QPalette:
    """Return the palette of all widgets."""
    role = QPalette.ColorRole
    colours = {
        role.Window: WINDOW,
        role.WindowText: TEXT,
        role.Base: PANEL,
        role.AlternateBase: "#212427",
        role.Text: TEXT,
        role.PlaceholderText: MUTED,
        role.Button: RAISED,
        role.ButtonText: TEXT,
        role.BrightText: "#ffffff",
        role.ToolTipBase: RAISED,
        role.ToolTipText: TEXT,
        role.Highlight: ACCENT_DEEP,
        role.HighlightedText: "#ffffff",
        role.Link: ACCENT,
        role.LinkVisited: ACCENT,
        role.Light: LINE,
        role.Midlight: RAISED,
        role.Mid: LINE,
        role.Dark: "#101214",
        role.Shadow: "#000000",
    }
    made = QPalette()
    for which, colour in colours.items():
        made.setColor(which, QColor(colour))
    for which in (role.Text, role.ButtonText, role.WindowText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(FAINT))
    return made


def style_sheet() -> str:
    """Return `theme.qss` with its ``@colour`` names and point sizes filled in."""
    text = (Path(__file__).parent / "theme.qss").read_text(encoding="utf-8")
    text = text.replace("@assets", Path(__file__).parent.as_posix())
    for name, colour in _COLOURS.items():
        text = text.replace(f"@{name};", f"{colour};").replace(f"@{name} ", f"{colour} ")
    for name, factor in SCALE.items():
        text = text.replace(f"@size-{name};", f"{_BODY_POINTS * factor:.1f}pt;")
    return text


def readable_on(ground: QColor) -> QColor:
    """Return a grey that stands out quietly from a grey ground, near black or near white."""
    return QColor("#d8dadd" if ground.lightness() < 128 else "#16181b")


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    a, b = sorted((_luminance(QColor(first)), _luminance(QColor(second))), reverse=True)
    return (a + 0.05) / (b + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(v) for v in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
