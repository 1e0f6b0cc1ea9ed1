"""`zilzal serve` and the console beside other commands."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.app.short import Ran
from tests.cli.conftest import Call
from zilzal.app.synthetic import Synthetic
from zilzal.cli.main import app
from zilzal.cli.serve.beside import console_beside
from zilzal.core.errors import ConfigError
from zilzal.core.pick import EvaluationMode
from zilzal.io.store import Store
from zilzal.web.access.accounts import is_right, read_accounts
from zilzal.web.access.roles import Role

PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_accounts_are_added_listed_and_removed(call: Call, refuse: Call, tmp_path: Path):
    path = tmp_path / "accounts.toml"
    command = ["serve", "accounts", "add", "mina", "--role", "analyst", "--accounts", str(path)]
    done = CliRunner().invoke(app, command, input=f"{PASSWORD}\n", catch_exceptions=False)
    assert done.exit_code == 0
    account = read_accounts(path)["mina"]
    assert account.role is Role.ANALYST
    assert is_right(account, PASSWORD)
    said = call("serve", "accounts", "list", "--accounts", path)
    assert "mina" in said
    assert PASSWORD not in said
    assert "--role" in refuse("serve", "accounts", "add", "x", "--role", "king", "--accounts", path)
    call("serve", "accounts", "remove", "mina", "--accounts", path)
    assert read_accounts(path) == {}
    assert f"no accounts in {path}; " in call("serve", "accounts", "list", "--accounts", path)


def test_what_cannot_be_served_is_told(refuse: Call, short_run: Ran, tmp_path: Path):
    assert "no results" in refuse("serve", tmp_path)
    assert "no store" in refuse("serve", tmp_path / "none.db")
    assert "go together" in refuse("serve", short_run.output, "--key", tmp_path / "key.pem")
    assert "--analyst" in refuse("serve", short_run.output, "--host", "0.0.0.0", "--analyst", "me")
    assert "of this machine" in refuse("serve", short_run.output, "--host", "192.0.2.1")
    assert "of this machine" in refuse("serve", short_run.output, "--host", "no.such.invalid")
    (tmp_path / "empty.db").touch()
    assert "holds no results" in refuse("serve", tmp_path / "empty.db")
    assert (tmp_path / "empty.db").stat().st_size == 0
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert "another port" in refuse("serve", short_run.output, "--port", port)
        beside = console_beside(port, tmp_path / "zilzal.db", inventory=[], waveforms=[])
        with pytest.raises(ConfigError, match="another port"), beside:
            pass


def test_console_beside_a_command_shows_its_store(short: Synthetic, short_run: Ran, tmp_path: Path):
    folder, port = tmp_path / "out", free_port()
    shutil.copytree(short_run.output, folder)
    beside = console_beside(
        port, folder / "zilzal.db", inventory=[short.inventory], waveforms=[short.waveforms]
    )
    # Tries again with growing pauses until the other process listens.
    patient = httpx.HTTPTransport(retries=9)
    with beside, httpx.Client(transport=patient, timeout=120) as client:
        address = f"http://127.0.0.1:{port}/api"
        assert client.get(f"{address}/events").json()["total"] == 2
        assert client.get(f"{address}/session").json()["role"] == "viewer"
        assert client.get(f"{address}/stations").json()["total"] == 6
    with pytest.raises(httpx.ConnectError), httpx.Client() as client:
        client.get(address)


KILLED = """
import os, signal, sys
from zilzal.cli.serve.beside import console_beside
if __name__ == "__main__":
    with console_beside(int(sys.argv[1]), sys.argv[2], inventory=(), waveforms=()):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_command_leaves_its_port_to_the_next(tmp_path: Path):
    script, port = tmp_path / "killed.py", free_port()
    script.write_text(KILLED)
    done = subprocess.run([sys.executable, script, str(port), tmp_path / "zilzal.db"], check=False)
    assert done.returncode == -signal.SIGKILL
    for _ in range(600):  # The console begins, sees that it is alone, and ends.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    pytest.fail("the console outlives what it was beside")


def test_what_analysts_judged_becomes_a_set(
    call: Call, refuse: Call, short: Synthetic, short_run: Ran, tmp_path: Path
):
    pytest.importorskip("h5py")
    from zilzal.train.dataset import read_seisbench

    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    export = ["dataset", "export", folder, "-i", short.inventory, "-w", short.waveforms,
              "--length", 30, "--noise-after", 20]  # fmt: skip
    assert "nobody has judged" in refuse(*export, "-o", tmp_path / "none")
    judged = replace(short_run.events[0], evaluation_mode=EvaluationMode.MANUAL)
    with Store.open(folder / "zilzal.db") as store:
        store.put_review([judged], {judged.id: 1}, author="mina")
    said = call(*export, "-o", tmp_path / "set")
    assert "1 judged events" in said
    records = read_seisbench(tmp_path / "set")
    stations = {p.channel_id.station_id for p in judged.picks}
    labelled = [r for r in records if r.onsets]
    assert len(labelled) == len(stations)
    assert sum(len(r.onsets) for r in labelled) == len(judged.picks)
