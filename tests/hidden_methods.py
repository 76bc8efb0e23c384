"""Attributes of our Qt classes that hide a method of Qt's from whoever calls it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets


def hidden_methods(root: Path) -> set[str]:
    """Return each attribute of a class of `root` that hides a Qt method, as "module.Class.name"."""
    made = [(file, each) for file in sorted(root.rglob("*.py")) for each in _classes(file)]
    ours = {each.name: each for _, each in made}
    return {
        f"{file.relative_to(root).with_suffix('').as_posix().replace('/', '.')}.{each.name}.{name}"
        for file, each in made
        for qt in _qt_bases(each, ours)
        for name in _attributes(each)
        if callable(getattr(qt, name, None)) and not isinstance(getattr(qt, name), QtCore.Signal)
    }


def _classes(file: Path) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node


def _qt_bases(made: ast.ClassDef, ours: dict[str, ast.ClassDef]) -> Iterator[type]:
    """Yield the Qt classes that one of ours stems from, over other classes of ours."""
    for base in made.bases:
        called = ast.unparse(base).rpartition(".")[2]
        for module in (QtWidgets, QtGui, QtCore):
            if isinstance(getattr(module, called, None), type):
                yield getattr(module, called)
        if called in ours and ours[called] is not made:
            yield from _qt_bases(ours[called], ours)


def _attributes(made: ast.ClassDef) -> Iterator[str]:
    """Yield what a class assigns to itself, in its body or in a method; not what it defines."""
    for node in made.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield from (t.id for t in _targets(node) if isinstance(t, ast.Name))
    for node in ast.walk(made):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in _targets(node):
                if (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
                        and target.value.id == "self"):  # fmt: skip
                    yield target.attr


def _targets(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.expr]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]
