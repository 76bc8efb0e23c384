"""What is said where a library is missing fits how Foveate was installed."""

import sys

from migrations.study.missing_library import missing_text


def test_a_missing_library_is_named_with_the_extra_that_brings_it() -> None:
    error = ModuleNotFoundError("No module named 'torch'", name="torch.nn")
    assert 'torch is not installed here; it comes with the extra "train"' in missing_text(error)


def test_in_a_bundle_no_one_is_sent_to_pip(monkeypatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    said = missing_text(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert said.startswith("torch is not part of this package")
    assert "pip install" not in said
