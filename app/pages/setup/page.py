"""The station: its screen measured with a bank card, its monitor, its room, its keys."""

from dataclasses import replace
from datetime import date
from typing import Any

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDateEdit,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from app.pages.setup.bank_card import BankCard
from app.pages.setup.key_table import KeyTable
from app.recording.screen_setup import StationSetup, card_width_view, size_from_card
from app.ui import theme
from app.ui.keys import KeyMap
from app.ui.page import Page
from app.ui.small_widgets import button, column, indented, label, panel, row, scrolled
from app.ui.text import tr, trn
from devices.gaze.geometry import ScreenGeometry

_NO_DATE = QDate(2000, 1, 1)


class SetupPage(Page):
    """Shows and takes what is known about the screen used for reading.

    Signals
    -------
    saved : object
        The set-up (`StationSetup`) to store.
    keys_saved : object
        The keys (`KeyMap`) to use from now on.
    """

    saved = Signal(object)
    keys_saved = Signal(object)

    def __init__(self) -> None:
        super().__init__("setup", tr("Station"))
        self._geometry: ScreenGeometry | None = None
        self._setup = StationSetup()
        self._measured = False
        self.save = button("save_setup", tr("Save"), self._save, role="primary")
        self.head.addWidget(self.save)
        self.card = BankCard()
        self.card.changed.connect(self._card_changed)
        self._size = label("", "lead")
        self._screen = label("", "hint")
        self._warnings = label("", "warning")
        self.keys = KeyTable()
        self.keys.saved.connect(self.keys_saved)
        self._make_fields()
        inside = QWidget()
        layout = column(inside, gap=2 * theme.GRID)
        for part in (self._warnings, self._make_screen(), self._make_monitor(), self._make_keys()):
            layout.addWidget(part)
        layout.addStretch(1)
        inside.setMaximumWidth(theme.WIDEST_FORM)
        self.body.addWidget(scrolled(inside), 1)

    @property
    def values(self) -> StationSetup:
        """The input on the page."""
        measured: dict[str, Any] = {}
        if self._measured and self._geometry is not None:
            width, height = size_from_card(self.card.card_width, self._geometry)
            today = date.today().isoformat()
            measured = {"width_mm": width, "height_mm": height, "card_checked_on": today}
        geometry = self._geometry
        return replace(
            self._setup,
            **measured,
            monitor=self.monitor.text().strip(),
            calibrated_on=_iso(self.calibrated),
            luminance_cd_m2=self.luminance.value() or None,
            room_light_lux=self.room_light.value() or None,
            night_light_off=self.night_light.isChecked(),
            hdr_off=self.hdr.isChecked(),
            device_pixel_ratio=geometry.device_pixel_ratio if geometry else None,
            refresh_hz=geometry.refresh_hz if geometry else None,
        )

    def show_setup(self, setup: StationSetup, geometry: ScreenGeometry) -> None:
        """Show what is known about a screen; `geometry` is what the monitor reports now."""
        self._setup, self._geometry = setup, geometry
        self.card.set_width(card_width_view(setup.applied(geometry)))
        self._measured = False
        self._show_size()
        self.monitor.setText(setup.monitor or geometry.name)
        entered = QDate.fromString(setup.calibrated_on, Qt.DateFormat.ISODate)
        self.calibrated.setDate(entered if entered.isValid() else _NO_DATE)
        self.luminance.setValue(setup.luminance_cd_m2 or 0)
        self.room_light.setValue(setup.room_light_lux or 0)
        self.night_light.setChecked(setup.night_light_off)
        self.hdr.setChecked(setup.hdr_off)
        ratio = geometry.device_pixel_ratio
        self._screen.setText(
            tr(
                "{name}: {width:.0f} × {height:.0f} pixels, scaling {scaling:.0%}, {rate:.0f} Hz. "
                "The monitor reports {width_mm:.0f} × {height_mm:.0f} mm.",
                name=geometry.name, width=geometry.width_screen * ratio,
                height=geometry.height_screen * ratio, scaling=ratio, rate=geometry.refresh_hz,
                width_mm=geometry.width_mm, height_mm=geometry.height_mm,
            )
        )  # fmt: skip

    def show_warnings(self, warnings: list[str]) -> None:
        """Give the reasons not to trust the screen."""
        self._warnings.setText("\n".join(f"⚠ {warning}" for warning in warnings))
        self._warnings.setVisible(bool(warnings))
        count = len(warnings)
        if count:
            self.say_state(trn("{count} warning.", "{count} warnings.", count), "warning")
        else:
            self.say_state(tr("The station is set up."))

    def show_keys(self, keys: KeyMap, problem: str = "") -> None:
        """Show the keys in force."""
        self.keys.show_keys(keys, problem)

    def _card_changed(self, _width: float) -> None:
        self._measured = True
        self._show_size()

    def _show_size(self) -> None:
        if self._geometry is None:
            return
        width, height = size_from_card(self.card.card_width, self._geometry)
        when = self._setup.card_checked_on
        size = f"{width:.0f} × {height:.0f} mm"
        if self._measured:
            said = tr("The screen is {size}.", size=size)
        elif when:
            said = tr("The screen is {size}, measured on {date}.", size=size, date=when)
        else:
            said = tr("The screen is {size}; it has not been measured yet.", size=size)
        self._size.setText(said)

    def _save(self) -> None:
        self.saved.emit(self.values)

    def _make_fields(self) -> None:
        self.monitor = QLineEdit()
        self.calibrated = indented(QDateEdit())
        self.calibrated.setDisplayFormat("yyyy-MM-dd")
        self.calibrated.setMinimumDate(_NO_DATE)
        self.calibrated.setSpecialValueText(tr("not entered"))
        self.calibrated.setCalendarPopup(False)
        self.luminance, self.room_light = indented(QDoubleSpinBox()), indented(QDoubleSpinBox())
        for box, unit, most in ((self.luminance, " cd/m²", 5000), (self.room_light, " lux", 5000)):
            box.setRange(0, most)
            box.setDecimals(0)
            box.setSuffix(unit)
            box.setSpecialValueText(tr("not entered"))
        self.night_light = QCheckBox(tr("Checked: off"))
        self.hdr = QCheckBox(tr("Checked: off"))

    def _make_screen(self) -> QWidget:
        frame, layout = panel()
        layout.addWidget(label(tr("Size of the screen"), "heading"))
        layout.addWidget(
            label(
                tr(
                    "Hold a bank card against the outline and change its width with the arrow "
                    "keys until both are the same (Shift: larger steps). Degrees of gaze and true "
                    "size depend on it."
                ),
                "hint",
            )
        )
        layout.addWidget(self.card)
        narrower = button("card_narrower", tr("Narrower"), lambda: self._step(-1))
        wider = button("card_wider", tr("Wider"), lambda: self._step(1))
        layout.addLayout(row(narrower, wider, stretch=True))
        layout.addWidget(self._size)
        layout.addWidget(self._screen)
        return frame  # fmt: skip

    def _step(self, by: float) -> None:
        self.card.set_width(self.card.card_width + by)

    def _make_monitor(self) -> QWidget:
        frame, layout = panel()
        layout.addWidget(label(tr("Monitor and room"), "heading"))
        form = QFormLayout()
        form.setHorizontalSpacing(3 * theme.GRID)
        form.setVerticalSpacing(theme.GRID)
        for words, widget in (
            (tr("Monitor"), self.monitor),
            (tr("Calibrated on"), self.calibrated),
            (tr("Luminance of white"), self.luminance),
            (tr("Room light"), self.room_light),
            (tr("Night light"), self.night_light),
            (tr("HDR"), self.hdr),
        ):
            widget.setAccessibleName(words)
            form.addRow(label(words, wrap=False), widget)
        layout.addLayout(form)
        return frame

    def _make_keys(self) -> QWidget:
        frame, layout = panel()
        layout.addWidget(label(tr("Keys and mouse"), "heading"))
        layout.addWidget(self.keys)
        return frame


def _iso(edit: QDateEdit) -> str:
    chosen = edit.date()
    return "" if chosen == _NO_DATE else str(chosen.toString(Qt.DateFormat.ISODate))
