"""Ctrl-C on a terminal reaches the driver and all that it has started, at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.app.short import Ran, table

DRIVER = """
import os, signal
from contextlib import contextmanager
import zilzal.cli.progress as progress

@contextmanager
def interrupting(console):
    def report(stage, done, total, note=""):
        if (stage, done) == ("pick", 3):
            os.killpg(0, signal.SIGINT)
    yield report

if __name__ == "__main__":
    progress.showing = interrupting
    from zilzal.cli.main import main
    main()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
@pytest.mark.parametrize("cluster", [[], ["--cluster", "local"]], ids=["processes", "dask"])
def test_ctrl_c_ends_everything_quietly(call, short, short_run: Ran, tmp_path, cluster):
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    arguments = [
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "--picker", "stalta", "-j", 2,
    ]  # fmt: skip
    driver = subprocess.Popen(
        [sys.executable, script, *map(str, arguments), *cluster],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        # Who began the tests may ignore Ctrl-C, as a shell does for what it has in the background.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    # It comes back when nobody has the end of the pipe any more: all that was started has ended.
    said = driver.communicate(timeout=600)[1]
    assert driver.returncode == 130, said
    assert "stopped; what is done is kept in" in said
    assert "Traceback" not in said
    call(*arguments[:-1], 1)
    for name in ("picks.csv", "catalogue.csv", "coverage.csv"):
        assert Path(tmp_path, "out", name).read_text() == table(short_run, name)
