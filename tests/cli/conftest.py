"""Calling commands as a user would, in this process."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from tests.app.conftest import short, short_run
from zilzal.cli.main import app, main

__all__ = ["short", "short_run"]

Call = Callable[..., str]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that breaks no line, without colours."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("ZILZAL_LOG_LEVEL", raising=False)


@pytest.fixture
def call() -> Call:
    """Run a command that must succeed; what it printed."""

    def call(*arguments: object) -> str:
        done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return call


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command that must end in a message and exit status 2; the message."""

    def refuse(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["zilzal", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr().err
        assert caught.value.code == 2, said
        assert "Traceback" not in said
        return said

    return refuse
