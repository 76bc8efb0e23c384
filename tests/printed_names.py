"""The names of our code that a page prints in backticks, and whether each of them exists.

A page is read as `docs/architecture.md` is written:

- `## trainer` opens a room: names below it are looked for in `trainer`; of `## app, without Qt` the
  first word counts.
- In a table whose first heading is `module`, the first cell names modules, relative to the room:
  `pretrain.loop`, several with commas, or all of a folder as `measures.*`. The names of the other
  cells are looked for in these modules, then in the room, then as they stand (`devices.clock`,
  `torch.nn.Module`).
- Elsewhere a name is looked for in the modules that its paragraph has printed so far, then as in
  a table.
- What counts as a name: `name(arguments) -> result`, `Class`, `Class.method`, `module.name`, and
  `.method()` or `method()` of the class printed before it in the row or paragraph. Arguments and
  results are not looked at.
- What does not: a lower-case word alone outside a module's cell, anything with a space before its
  bracket (a command), a slash, a leading `-` or `_`, or the ending of a file.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

_SPAN = re.compile(r"`([^`]+)`")
_NAME = re.compile(r"\.?[A-Za-z]\w*(\.\w+)*(?=$|\(|\.\*$| ->)")
_FILE = re.compile(
    r"\.(py|md|toml|json|jsonl|sqlite|npy|npz|png|svg|html|csv|log|txt|pt|onnx|cu|safetensors)$"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A name as printed, and the modules it is looked for in, the nearest first."""

    line: int
    name: str
    scopes: tuple[str, ...]

    def exists(self) -> bool:
        """Return whether it can be imported from one of its places."""
        return any(_resolves(f"{scope}.{self.name}".lstrip(".")) for scope in self.scopes)


def printed_names(page: str) -> Iterator[Printed]:
    """Read the names of a page in Markdown, in their order."""
    room, in_table, near, owner = "", False, (), ""
    for number, line in enumerate(_without_blocks(page), start=1):
        if line.startswith("## "):
            room = re.split(r"[ ,]", line[3:])[0]
            continue
        in_table = line.startswith("|") and (in_table or line.startswith("| module"))
        if in_table or not line.strip():
            near, owner = (), ""
        first, *rest = line.strip("|").split(" | ", 1) if in_table else ("", line)
        if in_table:
            near = tuple(_head(text).removesuffix(".*") for text in _SPAN.findall(first))
            yield from (Printed(number, name, (room, "")) for name in near if name)
        for text in _SPAN.findall(" ".join(rest)):
            name = f"{owner}{_head(text)}" if text.startswith(".") else _head(text)
            if _is_name(text, name):
                yield Printed(number, name, _scopes(room, near, owner))
                owner = _class_of(name) or owner
                near = near if in_table else (*near, name)


def _without_blocks(page: str) -> Iterator[str]:
    inside = False
    for line in page.splitlines():
        inside ^= line.startswith("```")
        yield "" if inside or line.startswith("```") else line


def _head(text: str) -> str:
    found = _NAME.match(text)
    return found.group() if found else ""


def _is_name(text: str, name: str) -> bool:
    if not name or _FILE.search(name) or "/" in text.partition("(")[0]:
        return False
    return "." in name or "(" in text or name[0].isupper()


def _class_of(name: str) -> str:
    """Return a name up to its class: `a.b.Class.method` to `a.b.Class`."""
    parts = name.split(".")
    classes = [k for k, part in enumerate(parts) if part[0].isupper() and not part.isupper()]
    return ".".join(parts[: classes[0] + 1]) if classes else ""


def _scopes(room: str, near: Sequence[str], owner: str) -> tuple[str, ...]:
    scopes = (*(f"{room}.{module}" for module in near), *near, room, "")
    return (*scopes, *(f"{scope}.{owner}".lstrip(".") for scope in scopes if owner))


@cache
def _resolves(dotted: str) -> bool:
    """Return whether a dotted name is a module, or reached from one attribute by attribute."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        return _has(found, parts[count:])
    return False


def _has(found: object, names: Sequence[str]) -> bool:
    for name in names:
        fields = getattr(found, "__dataclass_fields__", {})
        if not hasattr(found, name):
            return name in fields or name in getattr(found, "__annotations__", {})
        found = getattr(found, name)
    return True
