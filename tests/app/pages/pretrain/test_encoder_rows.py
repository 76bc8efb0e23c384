"""Any encoder of torchvision or timm is chosen on the page, with a file that it starts from."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton

from app.pages.pretrain.basic_settings import OTHER_NET
from app.pages.pretrain.controller import TrainingController
from app.pages.pretrain.encoder_told import EncoderTold
from app.pages.pretrain.form import TrainingForm
from app.pages.pretrain.run_settings import RunSettings
from app.station import Station
from app.workspace.estimate import NetFigures, estimate
from migrations.study.folder import Study
from tests.app.workspace.cohort_study import make_study
from trainer.config.form_description import describe

TOLD = {
    "problem": "", "view": [126, 126], "parameters": 22_056_576, "learning": 3_551_232,
    "activations": 3_000_000, "blocks": 12, "made_for": 518, "left_out": 2,
}  # fmt: skip


@pytest.fixture
def form(qtbot) -> TrainingForm:
    made = TrainingForm()
    qtbot.addWidget(made)
    made.show()
    return made


def press_other(qtbot, form: TrainingForm, name: str) -> None:
    """Choose the last entry of the encoders and type a name, as a user does."""
    combo = form.basic.editors["encoder"]
    combo.setCurrentIndex(combo.count() - 1)
    qtbot.keyClicks(form.basic.editors["net_name"], name)


def choose_file(qtbot, form: TrainingForm, path: str, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, **_k: (path, ""))
    form.findChild(QPushButton, "choose_init").click()


def test_a_net_of_a_library_is_typed_and_its_file_chosen(qtbot, form, monkeypatch) -> None:
    plain = form.options()
    rows = {n: form.basic.editors[n] for n in ("net_name", "train_blocks", "layer_decay")}
    assert not any(editor.isVisibleTo(form) for editor in rows.values())
    assert form.encoder_question() == []
    press_other(qtbot, form, "timm:vit_small_patch14_dinov2")
    assert rows["net_name"].isVisibleTo(form)
    choose_file(qtbot, form, "/weights/dino.pth", monkeypatch)
    assert rows["train_blocks"].isVisibleTo(form)
    assert rows["train_blocks"].text() == "All"
    form.preset(train_blocks=2, layer_decay=0.75, size=126)
    start = ["--init", "/weights/dino.pth", "--set", "train_blocks=2", "--set", "layer_decay=0.75"]
    for words in (form.options(), form.sweep_options(3)):
        assert words[words.index("--encoder") + 1] == "timm:vit_small_patch14_dinov2"
        assert words[-6:] == start
    assert form.values()["encoder"] == "timm:vit_small_patch14_dinov2"
    assert form.encoder_question() == [
        "--method", "byol", "--encoder", "timm:vit_small_patch14_dinov2", "--size", "126", *start,
    ]  # fmt: skip
    form.reset()
    assert form.options() == plain


def test_without_a_file_how_it_is_used_is_not_told(form) -> None:
    plain = form.options()
    form.preset(train_blocks=2, layer_decay=0.5)
    assert form.options() == plain


def test_an_encoder_without_a_name_is_asked_for(qtbot, form) -> None:
    press_other(qtbot, form, "")
    assert form.problem().startswith("Type the name of the encoder")
    assert form.encoder_question() == []


def test_all_of_it_is_said_again(qtbot, form) -> None:
    settings = RunSettings.from_json(describe())
    form.show_settings(settings)
    form.preset(encoder="torchvision:densenet121", init="/weights/file.pth", train_blocks=3)
    assert form.basic.values()["encoder"] == OTHER_NET
    again = TrainingForm()
    qtbot.addWidget(again)
    again.restore(form.said())
    assert again.options() == form.options()
    again.show_settings(settings)
    assert again.options() == form.options()
    assert not {"init", "train_blocks", "layer_decay"} & again.rest.editors.keys()


def test_a_form_kept_before_these_rows_stood_here_is_filled_in(qtbot, form) -> None:
    said = form.said()
    for name in ("net_name", "init", "train_blocks", "layer_decay"):
        del said["basic"][name]
    said["further"] = {"init": "/weights/file.pth", "train_blocks": 2, "seed": 4}
    form.restore(said)
    assert form.options()[-8:] == [
        "--init", "/weights/file.pth", "--set", "train_blocks=2", "--set", "layer_decay=1.0",
        "--set", "seed=4",
    ]  # fmt: skip


def test_what_the_trainer_says_is_told_in_words() -> None:
    told = EncoderTold.from_json(json.dumps(TOLD))
    assert told.text(2) == (
        "22.1 million parameters; the last 2 of 12 blocks learn, with 3.6 million of them. It is "
        "made for images of 518 px; here they have 126 px. 2 tensors of the file are not part of "
        "the encoder and are not used."
    )
    plain = json.dumps({**TOLD, "made_for": 126, "left_out": 0})
    assert EncoderTold.from_json(plain).text(0) == ("22.1 million parameters; all 12 blocks learn.")
    values = {"encoder": "timm:any", "size": 126, "batch": 8}
    assert estimate((), values).memory_bytes is None
    whole = NetFigures(1_000_000, 1_000_000, 500_000)
    assert estimate((), values, whole).memory_bytes == 4 * (5e6 + 3 * 5e5 * 16)
    last = NetFigures(1_000_000, 200_000, 500_000)
    assert estimate((), values, last).memory_bytes == 4 * (2.6e6 + 3 * 5e5 * 16)


_TRAINER = """import json, sys
words = sys.argv[1:]
assert words[:2] == ["train", "--describe-encoder"], words
name = words[words.index("--encoder") + 1]
told = {told!r}
print(json.dumps({{"problem": f"timm has no net {{name}}."}} if "nothing" in name else told))
"""


def test_the_page_asks_the_trainer_and_starts_nothing_that_it_refuses(
    qtbot, tmp_path: Path, monkeypatch
) -> None:
    make_study(tmp_path / "study", 4, pictures=False).close()
    trainer = tmp_path / "trainer.py"
    trainer.write_text(_TRAINER.format(told=TOLD), encoding="utf-8")
    station = Station(
        Study.open(tmp_path / "study"), reader="R1", consented=True, full_screen=False
    )
    qtbot.addWidget(station.window, before_close_func=lambda _w: station.close())
    job = station.job(TrainingController)
    page, started = job.page, []
    job.queue.program = [sys.executable, str(trainer)]
    monkeypatch.setattr(job.queue, "start", lambda words, agreed, _c: started.append(agreed))
    station.shell.enter_workspace()
    station.go("training")
    said = page.findChild(QLabel, "encoder_told")
    press_other(qtbot, page.form, "timm:nothing")
    assert said.text() == "Asking the trainer about this encoder…"
    qtbot.waitUntil(lambda: said.text() == "timm has no net timm:nothing.", timeout=60_000)
    assert said.property("role") == "warning"
    page.pretrain.click()
    assert not started
    assert "timm has no net timm:nothing." in page.message

    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    line = page.form.basic.editors["net_name"]
    assert isinstance(line, QLineEdit)
    line.setText("timm:vit_small_patch14_dinov2")
    choose_file(qtbot, page.form, str(weights), monkeypatch)
    page.form.preset(train_blocks=2, size=126)
    qtbot.waitUntil(lambda: said.text().startswith("22.1 million parameters"), timeout=60_000)
    assert "GB of memory" in page.advice.estimate.text()
    page.pretrain.click()
    assert started == [[str(weights)]]
    page.form.preset(encoder="resnet18", init="")
    assert said.isHidden()
