"""Who imports whom, read from the source: what `tests/test_house.py` asks about.

Imports below `if TYPE_CHECKING:` do not count anywhere; those inside functions do.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("app", "devices", "migrations", "trainer")


@dataclass(frozen=True, slots=True)
class Import:
    """One name that one module imports: `target` is dotted, `inside` a function or not."""

    module: str
    line: int
    target: str
    inside: bool


@dataclass(frozen=True, slots=True)
class House:
    """All modules of the rooms by dotted name, and all they import."""

    modules: Mapping[str, Path]
    imports: tuple[Import, ...]

    @classmethod
    def read(cls, root: Path) -> "House":
        """Read every Python file of the rooms below a folder."""
        modules = {_dotted(path.relative_to(root)): path for path in _files(root)}
        found = (each for name, path in modules.items() for each in _imports_of(name, path))
        return cls(modules, tuple(found))

    def ours(self, target: str) -> str | None:
        """Return the module of ours that an import reaches; None if it is another's library."""
        while target and target not in self.modules:
            target = target.rpartition(".")[0]
        return target or None

    def folder(self, module: str) -> str:
        """Return the dotted name of the folder that a module's file lies in."""
        is_folder = self.modules[module].name == "__init__.py"
        return module if is_folder else module.rpartition(".")[0]

    def arrows(self, *, inside: bool = True) -> dict[str, set[str]]:
        """Return which modules of ours each imports, with or without imports inside functions."""
        arrows: dict[str, set[str]] = {name: set() for name in self.modules}
        for each in self.imports:
            target = self.ours(each.target)
            if target not in (None, each.module) and (inside or not each.inside):
                arrows[each.module].add(target)
        return arrows

    def that_load(self, names: tuple[str, ...]) -> set[str]:
        """Return the modules that load one of these libraries or modules when imported."""
        direct = {i.module for i in self.imports if not i.inside and is_among(i.target, names)}
        return reaching(self.arrows(inside=False), direct | {n for n in names if n in self.modules})


def is_among(target: str, names: tuple[str, ...]) -> bool:
    """Return whether a dotted name is one of these or lies below one."""
    return any(target == name or target.startswith(f"{name}.") for name in names)


def reaching(arrows: Mapping[str, set[str]], goals: set[str]) -> set[str]:
    """Return the goals and all from which an arrow leads to one, over any number of steps."""
    found = set(goals)
    while more := {a for a, targets in arrows.items() if targets & found} - found:
        found |= more
    return found


def circles(arrows: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Return the groups of modules that can each reach all others of their group."""
    back = _reversed(arrows)
    onward = {name: reaching(back, {name}) for name in _in_circles(arrows)}
    return {
        frozenset(other for other in onward if other in onward[name] and name in onward[other])
        for name in onward
    }


def _in_circles(arrows: Mapping[str, set[str]]) -> set[str]:
    # Whoever imports nothing that is left, or is imported by nothing that is left, is in none.
    left = set(arrows)
    while True:
        imported = {target for name in left for target in arrows[name]}
        kept = {name for name in left if arrows[name] & left and name in imported}
        if kept == left:
            return left
        left = kept


def _reversed(arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in arrows}
    for name, targets in arrows.items():
        for target in targets:
            found[target].add(name)
    return found


def _files(root: Path) -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((root / room).rglob("*.py"))


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports_of(module: str, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, inside in _statements(tree, inside=False):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (Import(module, node.lineno, target, inside) for target in targets)


def _statements(
    node: ast.AST, *, inside: bool
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, inside
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), inside=inside)
        else:
            within = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _statements(child, inside=within)
