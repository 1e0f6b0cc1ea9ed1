"""Write the reference pages that are made from the code: commands and settings.

`python docs/make_reference.py` writes them; a test holds the files to what it would write.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import click
import typer.main

HERE = Path(__file__).parent
COMMANDS_INTRODUCTION = """\
Every command explains itself with `--help`. Exit status: 0 done, 1 stopped, 2 an error of the
input or the settings, 130 interrupted.
"""
SETTINGS_INTRODUCTION = """\
One TOML file holds all settings; what it leaves out has the value below. Unknown keys and values
out of range are refused before any work, all at once. The settings in force are written beside
every result (`zilzal.toml`), and that file can be used again.

Tables that choose a replaceable part take its name as `use`; the other keys are those of the
chosen part. `[earth] model` holds for every part that has a key `earth_model` and does not set it.
"""
FLAGS = re.DOTALL | re.MULTILINE
NOTE = "<!-- Made by docs/make_reference.py; edit the code, not this page. -->\n"


def commands_page() -> str:
    """Every command with its arguments and options."""
    from zilzal.cli.main import app

    parts = ["# Commands\n", NOTE, COMMANDS_INTRODUCTION]
    parts += [_command(c, path) for path, c in walk(typer.main.get_command(app), "zilzal")]
    return "\n".join(parts)


def walk(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """All commands below one, with what is typed to reach them."""
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        return [
            found
            for name, inner in command.commands.items()
            for found in walk(inner, f"{path} {name}")
        ]
    return [(path, command)]


def _command(command: click.Command, path: str) -> str:
    lines = [f"## {path}\n", f"{inspect.cleandoc(command.help or '')}\n"]
    rows = [
        (_usage(p), " ".join((getattr(p, "help", "") or "").split()))
        for p in command.params
        if p.name != "help"
    ]
    if rows:
        lines += ["| argument or option | meaning |", "| --- | --- |"]
        lines += [f"| `{usage}` | {meaning} |" for usage, meaning in rows]
        lines.append("")
    return "\n".join(lines)


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper()
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def settings_page() -> str:
    """Every table and key of the configuration file."""
    from zilzal.app import registry
    from zilzal.app.configuration import PARTS, PLAIN

    parts = ["# Settings\n", NOTE, SETTINGS_INTRODUCTION]
    for name, kind in PLAIN.items():
        parts.append(_table(f"[{name}]", kind))
    for name, (kind, default) in PARTS.items():
        for part in registry.available(kind):
            chosen = " (used unless told otherwise)" if part == default else ""
            parts.append(_table(f'[{name}] use = "{part}"{chosen}', registry.load(kind, part)))
    return "\n".join(parts)


def _table(title: str, kind: type) -> str:
    meanings = argument_meanings(kind)
    lines = [f"## {title}\n", f"{(inspect.getdoc(kind) or '').splitlines()[0]}\n"]
    rows = [field for field in dataclasses.fields(kind) if field.init]
    if rows:
        lines += ["| key | default | meaning |", "| --- | --- | --- |"]
    for field in rows:
        lines.append(f"| `{field.name}` | {_default(field)} | {meanings.get(field.name, '')} |")
    lines.append("")
    return "\n".join(lines)


def argument_meanings(kind: type) -> dict[str, str]:
    """What the Args section of a docstring says of each field."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.getdoc(kind) or "", FLAGS)
    if section is None:
        return {}
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section[1], FLAGS)
    return {name: " ".join(text.split()) for name, text in entries}


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return "required"
    if value is None:
        return "derived or none"
    if dataclasses.is_dataclass(value):
        return "see the reference of the part"
    if isinstance(value, tuple | list) and value and dataclasses.is_dataclass(value[0]):
        return f"{len(value)} entries"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


PAGES = {"reference/commands.md": commands_page, "reference/settings.md": settings_page}


if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
