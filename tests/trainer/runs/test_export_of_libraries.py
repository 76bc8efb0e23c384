"""What a run with a library's encoder writes: read again without a name, loaded by its card."""

import re
from pathlib import Path

import pytest
import torch

from trainer.config.config import RunConfig
from trainer.encoders.nets import load_encoder, make_encoder, seeded_weights
from trainer.pretrain.checkpoint import Identity
from trainer.probe.candidates import view_of
from trainer.runs.export import export_encoder

VIEWS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["timm:test_vit", "torchvision:squeezenet1_1"])
def test_an_exported_encoder_says_which_net_it_is_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    with seeded_weights(0):
        encoder, width = make_encoder(name, size=32)
    config = RunConfig(encoder=name, size=32, onnx=False)
    path = export_encoder(tmp_path, encoder, Identity(config, "cohort", "pairs", 3), {})
    net, info = load_encoder(path)
    assert (info.name, info.features, info.size) == (name, width, 32)
    assert view_of(info, 64) == ((32, 32) if name.startswith("timm") else (64, 64))
    card = (tmp_path / "README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", card, re.S)[0]
    given: dict[str, torch.nn.Module] = {}
    monkeypatch.chdir(tmp_path)
    exec(code, given)
    with torch.no_grad():
        expected = encoder.eval()(VIEWS)
        torch.testing.assert_close(net(VIEWS), expected)
        torch.testing.assert_close(given["net"].eval()(VIEWS), expected)
