"""A page of docs/recipes as steps: files to save, commands to run; only downloads are skipped."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import main
from tests import ROOT

RECIPES = ROOT / "docs" / "recipes"
DOWNLOADS = ("wget", "git", "hf", "unzip")
"""First words of lines that fetch the data: the tests have made them already."""
TINY = {
    "similarity": "--measure density",
    "train": "--epochs 1 --size 32 --batch 4 --encoder resnet10 --positive-rate 0.2 "
    "--measure density --set onnx=false --device cpu",
    "probe": "--repeats 2 --label-budget all --probes knn --device cpu",
}
"""Added behind what the page says, so that a net of no use is trained in seconds."""
_BLOCK = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a page asks for: a file to save, or a line to run."""

    words: tuple[str, ...] = ()
    name: str = ""
    text: str = ""


def steps(recipe: str) -> list[Step]:
    """Return what a page asks for, in its order."""
    text = (RECIPES / f"{recipe}.md").read_text(encoding="utf-8")
    found: list[Step] = []
    for kind, title, content in _BLOCK.findall(text):
        if title:
            found.append(Step(name=title, text=content))
        elif kind != "text":
            lines = (line.strip() for line in content.splitlines())
            found += [Step(tuple(shlex.split(line))) for line in lines if line]
    return found


def run(recipe: str, folder: Path) -> None:
    """Do what a page asks for, in a folder that has the data."""
    os.chdir(folder)
    for step in steps(recipe):
        if step.name:
            Path(step.name).write_text(step.text, encoding="utf-8")
        elif step.words[0] not in DOWNLOADS:
            _run(step.words)


def _run(words: tuple[str, ...]) -> None:
    assert words[0] == "python", words
    if words[1] == "main.py":
        command = words[2]
        code = main.main([*words[2:], *TINY.get(command, "").split()])
    else:
        code = subprocess.run([sys.executable, *words[1:]], check=False).returncode
    assert code == 0, " ".join(words)
