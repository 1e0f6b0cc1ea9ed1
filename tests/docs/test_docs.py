"""The pages say what the code does."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest
import typer.main

from zilzal.app.replay import read_telemetry
from zilzal.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = typer.main.get_command(app)


def load_maker():
    spec = importlib.util.spec_from_file_location("maker", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = load_maker()


@pytest.mark.parametrize("name", MAKER.PAGES)
def test_reference_page_is_what_the_code_says(name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == MAKER.PAGES[name](), "run: python docs/make_reference.py"


def test_every_setting_has_a_meaning():
    from zilzal.app import registry
    from zilzal.app.configuration import PARTS, PLAIN

    kinds = [*PLAIN.values()]
    kinds += [registry.load(k, n) for k, _ in PARTS.values() for n in registry.available(k)]
    silent = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, field in kind.__dataclass_fields__.items()
        if field.init and name not in MAKER.argument_meanings(kind)
    ]
    assert silent == []


def test_every_command_and_option_has_help():
    for path, command in MAKER.walk(COMMANDS, "zilzal"):
        assert command.help, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{path} {parameter.name}"


def lines_of_consoles() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in re.findall(
            r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
        ):
            joined = re.sub(r"\\\n\s*", "", block)
            found += [
                (page.name, line.removeprefix("$ ").strip())
                for line in joined.splitlines()
                if re.match(r"(\$ )?zilzal ", line)
            ]
    return found


def default_of(command: click.Command) -> str | None:
    """The command that a group takes where none of its own is named."""
    return getattr(command, "default_command", None)


@pytest.mark.parametrize(("page", "line"), lines_of_consoles())
def test_command_in_the_pages_is_understood(page, line):
    words = shlex.split(line, comments=True)[1:]
    command, context = COMMANDS, click.Context(COMMANDS)
    while hasattr(command, "commands"):
        assert words or default_of(command), line
        if default_of(command) and (not words or words[0] not in command.commands):
            words = [default_of(command), *words]
        assert words[0] in command.commands, f"{page}: no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"https?://|mailto:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_figure_was_forgotten_in_a_sentence(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"\{\w+\}", prose) == []


def faults_of_pages() -> list[tuple[str, str]]:
    return [
        (page.name, block)
        for page in PAGES
        for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        if "[[links]]" in block
    ]


@pytest.mark.parametrize(("page", "faults"), faults_of_pages())
def test_faults_in_the_pages_can_be_played(page, faults, tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(faults, encoding="utf-8")
    assert read_telemetry(path).links, page
