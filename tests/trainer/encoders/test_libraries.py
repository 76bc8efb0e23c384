"""Any encoder of torchvision and timm by name, exported for the library's own net."""

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from tests.trainer.pretrain.test_loop import CONFIG
from trainer.config.layers import make_config
from trainer.encoders import libraries
from trainer.encoders.blocks import block_numbers
from trainer.encoders.libraries import loading_code
from trainer.encoders.nets import initialise, load_encoder, make_encoder, seeded_weights
from trainer.errors import ConfigError, EncoderError

timm = pytest.importorskip("timm")
VIEWS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
NAMES = ("torchvision:squeezenet1_1", "torchvision:mnasnet0_5", "timm:test_resnet")


def drawn(name: str, **settings):
    with seeded_weights(1):
        net, width = make_encoder(name, **settings)
    return net.eval(), width


def saved(net, path: Path, **more) -> Path:
    save_file({k: v.contiguous() for k, v in net.state_dict().items()} | more, path)
    return path


@pytest.mark.parametrize(
    "name", [*NAMES, "timm:test_vit", pytest.param("torchvision:vit_b_32", marks=pytest.mark.slow)]
)
def test_an_encoder_loads_strictly_by_the_code_of_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    net, width = drawn(name, size=32)
    saved(net, tmp_path / "encoder.safetensors")
    monkeypatch.chdir(tmp_path)
    given: dict[str, torch.nn.Module] = {}
    code = loading_code(name, 3, (32, 32))
    assert "trainer" not in code
    assert "strict=True" in code
    exec(code, given)
    with torch.no_grad():
        features = net(VIEWS)
        torch.testing.assert_close(given["net"].eval()(VIEWS), features)
    assert features.shape == (2, width)


def test_a_file_of_torchvision_starts_its_net_less_the_head(tmp_path: Path) -> None:
    with seeded_weights(3):
        theirs = torchvision.models.mnasnet0_5().eval()
    path = tmp_path / "net.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in
                                           theirs.state_dict().items()}}, path)  # fmt: skip
    net, _ = drawn("torchvision:mnasnet0_5", size=32)
    left = initialise(net, path, "torchvision:mnasnet0_5")
    assert set(left) == {"module.classifier.1.weight", "module.classifier.1.bias"}
    theirs.classifier[1] = torch.nn.Identity()
    with torch.no_grad():
        torch.testing.assert_close(net(VIEWS), theirs(VIEWS))


def test_a_file_of_timm_is_found_again_by_its_name_and_takes_grey(tmp_path: Path) -> None:
    net, width = drawn("timm:test_resnet", size=32)
    path = saved(net, tmp_path / "net.safetensors")
    ours, info = load_encoder(path, name="timm:test_resnet")
    assert (info.name, info.features, info.in_channels) == ("timm:test_resnet", width, 3)
    grey, _ = drawn("timm:test_resnet", size=32, in_channels=1)
    initialise(grey, path, "timm:test_resnet")
    one = VIEWS[:, :1]
    with torch.no_grad():
        torch.testing.assert_close(ours(VIEWS), net(VIEWS))
        torch.testing.assert_close(grey(one), net(one.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4)
    again, told = load_encoder(saved(grey, tmp_path / "g.safetensors"), name="timm:test_resnet")
    assert told.in_channels == 1
    with torch.no_grad():
        torch.testing.assert_close(again(one), grey(one))


def test_what_does_not_fit_a_librarys_net_is_listed(tmp_path: Path) -> None:
    net, _ = drawn("timm:test_resnet", size=32)
    state = {k: v.contiguous() for k, v in net.state_dict().items()}
    lost = state.pop("layer1.0.conv1.weight")
    save_file(state | {"layer1.0.ls1.gamma": torch.ones(3)}, tmp_path / "cut.safetensors")
    with pytest.raises(EncoderError) as caught:
        initialise(net, tmp_path / "cut.safetensors", "timm:test_resnet")
    assert "missing: layer1.0.conv1.weight" in str(caught.value)
    assert "unknown: layer1.0.ls1.gamma" in str(caught.value)
    save_file({"layer1.0.conv1.weight": lost}, tmp_path / "other.safetensors")
    with pytest.raises(EncoderError, match="does not hold the encoder"):
        initialise(net, tmp_path / "other.safetensors", "torchvision:densenet121")


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("torchvision:fasterrcnn_resnet50_fpn", 64, "finds objects and gives their boxes"),
        ("torchvision:fcn_resnet50", 64, "assigns a class to each pixel"),
        ("torchvision:r3d_18", 64, "takes clips"),
        ("torchvision:raft_small", 64, "takes two images"),
        ("torchvision:quantized_resnet18", 64, "cannot be trained"),
        ("torchvision:resnet19", 64, "has no net 'resnet19'"),
        ("torchvision:maxvit_t", 64, "made for a size of 224 pixels"),
        ("torchvision:alexnet", 32, "does not take views of 32 × 32 pixels"),
        ("timm:resnet19", 64, "has no net 'resnet19'"),
        ("timm:hf-hub:someone/net", 64, "has no net 'hf-hub:someone/net'"),
        ("timm:vit_tiny_patch16_224", 40, "Choose a size that is a multiple, e.g. 32"),
    ],
)
def test_what_cannot_be_an_encoder_is_refused_before_the_start(
    name: str, size: int, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config({"encoder": name, "size": size, "pairs": "none"})
    assert said in str(caught.value)


def test_timm_is_asked_for_by_name_where_it_is_not_installed(monkeypatch) -> None:
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install foveate\[timm\]"):
        make_config({"encoder": "timm:test_vit"})


def test_names_of_torchvision_that_are_ours_are_ours() -> None:
    config = make_config({"encoder": "torchvision:resnet18"})
    assert config.encoder == "resnet18"
    named = make_config({"encoder": "torchvision:mnasnet0_5", "size": 32})
    assert named.encoder == "torchvision:mnasnet0_5"
    assert named.run_name == "byol-gzpt-torchvision-mnasnet0_5"
    with pytest.raises(ConfigError, match="torchvision:NAME and timm:NAME"):
        make_config({"encoder": "resnet19"})
    assert CONFIG.encoder in str(CONFIG.run_name)


@pytest.mark.parametrize(
    ("name", "stem", "top", "blocks"),
    [
        ("torchvision:squeezenet1_1", "features.0.weight", "features.12.squeeze.weight", 8),
        ("timm:test_resnet", "conv1.0.weight", "layer4.0.conv1.weight", 4),
        ("timm:test_vit", "cls_token", "norm.weight", 6),
    ],
)
def test_blocks_of_a_librarys_net_are_its_rows_of_modules(
    name: str, stem: str, top: str, blocks: int
) -> None:
    numbers = block_numbers(drawn(name, size=32)[0])
    assert (numbers[stem], numbers[top]) == (0, blocks)
    assert set(numbers.values()) == set(range(blocks + 1))


def test_the_state_dict_has_the_librarys_own_keys() -> None:
    net, _ = drawn("timm:test_vit", size=32)
    theirs = timm.create_model("test_vit", num_classes=0, img_size=32)
    assert list(net.state_dict()) == list(theirs.state_dict())
