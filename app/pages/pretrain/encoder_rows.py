"""Which encoder is trained and what it starts from: the trainer's own, or any other by name."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QLineEdit, QSpinBox, QWidget

from app.pages.pretrain.basic_settings import OTHER_NET
from app.pages.pretrain.encoder_told import EncoderTold
from app.ui import theme
from app.ui.fields import Field
from app.ui.form import Form
from app.ui.small_widgets import button, label, row, say
from app.ui.text import tr

FIELDS = (
    Field(
        "net_name", "Its name", "text", default="",
        help="timm: or torchvision:, then the name that the library gives it, such as "
             "timm:vit_small_patch14_dinov2 or torchvision:densenet121.",
    ),
    Field(
        "init", "Weights file", "text", default="",
        help="A file on this computer that the encoder's weights start from. Nothing is "
             "downloaded. If this is empty, they start at random.",
    ),
    Field(
        "train_blocks", "Trained blocks", "int", low=0, high=1000, default=0,
        help="How many of the encoder's last blocks are trained. The others stay as the file has "
             "them. 0 trains all.",
    ),
    Field(
        "layer_decay", "Rate per block", "float", low=0.01, high=1.0, step=0.05, default=1.0,
        help="A block's learning rate is multiplied by this once for each block after it, so that "
             "the first blocks change less. 1 leaves all rates the same.",
    ),
)  # fmt: skip
_OF_A_FILE = ("train_blocks", "layer_decay")
_FILES = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt);;All files (*)"

Add = Callable[[QLabel, QWidget], None]


class EncoderRows(QObject):
    """The rows under the choice of an encoder, and what the trainer says of it.

    Parameters
    ----------
    form
        Has the field "encoder"; gets those of `FIELDS`.
    add
        Puts a row under the others.

    Attributes
    ----------
    said
        What the trainer says of the encoder; the page has a place for it.
    """

    def __init__(self, form: Form, add: Add) -> None:
        super().__init__()
        self._form = form
        self._told: EncoderTold | None = None
        self._parts: dict[str, tuple[QWidget, QWidget]] = {}
        for field in FIELDS:
            text, editor = form.add(field)
            shown = self._with_button(editor) if field.name == "init" else editor
            self._parts[field.name] = text, shown
            add(text, shown)
        name, blocks = form.editors["net_name"], form.editors["train_blocks"]
        assert isinstance(name, QLineEdit)
        assert isinstance(blocks, QSpinBox)
        name.setPlaceholderText(tr("such as {name}", name="timm:resnet50"))
        blocks.setSpecialValueText(tr("All"))
        line = form.editors["init"]
        assert isinstance(line, QLineEdit)
        line.setMinimumWidth(0)
        self._line = line
        line.setPlaceholderText(tr("none"))
        self.said = label("", "hint")
        self.said.setObjectName("encoder_told")
        self.said.hide()
        form.changed.connect(self._show_rows)
        self._show_rows()

    def problem(self) -> str:
        """Return why this encoder cannot be trained, as far as is known; empty for nothing."""
        chosen = self._form.values()
        if chosen["encoder"] == OTHER_NET and not chosen["net_name"]:
            return tr("Type the name of the encoder, such as {example}.",
                      example="timm:vit_small_patch14_dinov2")  # fmt: skip
        return self._told.problem if self._told is not None else ""

    def show_asked(self) -> None:
        """Say that the trainer is being asked."""
        self._told = None
        self._say(tr("Asking the trainer about this encoder…"), "hint")

    def show_told(self, told: EncoderTold | None) -> None:
        """Show what the trainer says of the encoder; None: nothing."""
        self._told = told
        if told is None:
            self._say("", "hint")
            return
        blocks = int(self._form.values()["train_blocks"])
        self._say(told.text(blocks), "warning" if told.problem else "hint")

    def _say(self, text: str, role: str) -> None:
        say(self.said, text, role)
        self.said.setVisible(bool(text))

    def _show_rows(self) -> None:
        chosen = self._form.values()
        shown = {
            "net_name": chosen["encoder"] == OTHER_NET,
            **dict.fromkeys(_OF_A_FILE, bool(chosen["init"])),
        }
        for name, is_shown in shown.items():
            for part in self._parts[name]:
                part.setVisible(is_shown)

    def _with_button(self, line: QWidget) -> QWidget:
        choose = button("choose_init", tr("Choose…"), self._choose)
        made = QWidget()
        made.setLayout(row(line, choose, gap=theme.GRID // 2))
        return made

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._line, tr("Weights file"), self._line.text(), tr(_FILES)
        )
        if path:
            self._line.setText(path)


def choose_encoder(form: Form, name: str) -> None:
    """Choose an encoder by name: one that is offered, or any other of a library."""
    combo = form.editors["encoder"]
    assert isinstance(combo, QComboBox)
    if combo.findData(name) < 0 and ":" in name:
        form.set_value("net_name", name)
        name = OTHER_NET
    form.set_value("encoder", name)
