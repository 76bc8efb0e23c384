"""One thread and, on demand, a net small enough for a loop to be tested in a second."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch = sys.modules.get("torch")  # tests that do not import torch need not wait for it
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture
def tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let "resnet18" be a net of two convolutions, with an `fc` as torchvision's nets have."""
    from torch import nn

    from trainer.encoders import nets

    class Tiny(nn.Module):
        def __init__(self, weights: None) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 8, 3, 2, 1)
            self.bn1 = nn.BatchNorm2d(8)
            self.layer1 = nn.Conv2d(8, 16, 3, 2, 1)
            self.fc = nn.Linear(16, 10)

        def forward(self, x):
            return self.fc(self.layer1(self.bn1(self.conv1(x)).relu()).mean((2, 3)))

    monkeypatch.setitem(nets._MAKERS, "resnet18", Tiny)
