"""Settings of a run as people write them: `run.toml` and `--set name=value`, unchecked."""

import ast
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainer.errors import ConfigError


def read_config(path: Path) -> dict[str, Any]:
    """Return what a `run.toml` says, unchecked.

    Raises
    ------
    ConfigError
        If it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return what `--set name=value` says; `measure_parameters.NAME=value` reaches into the table.

    Examples
    --------
    >>> parse_settings(["batch=16", "flip=false", "encoder=resnet50", "measure_parameters.grid=8"])
    {'batch': 16, 'flip': False, 'encoder': 'resnet50', 'measure_parameters': {'grid': 8}}
    """
    table: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"--set {setting}: use the form NAME=VALUE, e.g. --set batch=16.")
        outer, dot, inner = name.strip().partition(".")
        if dot:
            table.setdefault(outer, {})[inner] = _literal(text.strip())
        else:
            table[outer] = _literal(text.strip())
    return table


def _literal(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
