"""A method is one file: its declaration is read without running it, its nets are found by it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import trainer.methods
from tests.trainer.pretrain.test_loop import job_in, run
from trainer.config.form_description import describe
from trainer.config.layers import make_config
from trainer.config.methods import METHODS, read_methods
from trainer.errors import ConfigError

FILE = '''
"""Views of one image are drawn together, with no care for collapse."""

from torch import nn

from trainer.config.methods import MethodSpec
from trainer.methods.base import Method, StepOutput
from trainer.methods.losses import masked_cosine

METHOD = MethodSpec(
    title="Attraction",
    net="Attraction",
    kind="siamese",
    aliases=("draw_together",),
    settings={"radiograph": {"lr": 5e-4, "warmup_epochs": 0.0}},
)


class Attraction(Method):
    def __init__(self, encoder, features, widths, temperature=0.5):
        super().__init__()
        self.encoder, self.temperature = encoder, temperature
        self.projector = nn.Linear(features, 8)

    def trainable(self):
        return self.parameters()

    def step_output(self, view_1, view_2, ids, pairs):
        z_1, z_2 = (self.projector(self.encoder(view)) for view in (view_1, view_2))
        mask = pairs.mask
        return StepOutput(-masked_cosine(z_1, z_2, mask), z_1.detach(), mask)

    def after_step(self, step, steps):
        pass
'''


@pytest.fixture
def attraction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put one file more among the methods."""
    folder = tmp_path / "methods"
    folder.mkdir()
    (folder / "attraction.py").write_text(FILE)
    monkeypatch.setattr(trainer.methods, "__path__", [*trainer.methods.__path__, str(folder)])
    monkeypatch.setitem(METHODS, "attraction", read_methods(folder)["attraction"])
    yield
    sys.modules.pop("trainer.methods.attraction", None)


@pytest.mark.usefixtures("attraction", "tiny_encoder")
def test_a_method_is_added_by_one_file_and_trains(tmp_path: Path) -> None:
    settings = {"size": 16, "batch": 4, "epochs": 1, "temperature": 0.2, "device": "cpu"}
    config = make_config({"method": "draw_together", **settings})
    assert (config.method, config.lr, config.warmup) == ("attraction", 5e-4, 0)
    outcome, _ = run(job_in(tmp_path / "run", config))
    assert (outcome.finished, outcome.step) == (True, 2)
    assert outcome.method.temperature == 0.2
    assert -1 <= outcome.loss_last < 0


@pytest.mark.usefixtures("attraction")
def test_the_station_is_told_of_an_added_method() -> None:
    table = json.loads(describe())
    (method,) = [f for f in table["fields"] if f["name"] == "method"]
    assert "attraction" in method["choices"]
    assert method["titles"]["attraction"] == "Attraction"
    assert table["recipes"]["radiograph"]["attraction"]["lr"] == 5e-4
    assert table["recipes"]["mammo"]["attraction"]["accumulate"] == 16


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('METHOD = MethodSpec(title="A", net="A", kind="new")', "kind is 'new'"),
        ('METHOD = MethodSpec(title="A", net="A", kind=KIND)', "METHOD cannot be read"),
        ('METHOD = MethodSpec(title="A")', "missing 2 required"),
    ],
)
def test_a_declaration_that_cannot_be_read_names_its_file(
    line: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "wrong.py").write_text(line)
    with pytest.raises(ValueError, match=rf"wrong\.py: .*{said}"):
        read_methods(tmp_path)


def test_an_unknown_method_is_refused_by_naming_those_there_are() -> None:
    with pytest.raises(ConfigError, match="method is 'byoll'; it must be one of byol, mocov2"):
        make_config({"method": "byoll"})


def test_settings_and_their_description_need_no_torch() -> None:
    code = (
        "import sys; from trainer.config.form_description import describe; describe();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
