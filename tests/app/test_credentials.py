"""What another process must have in common with the driver."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.short import settings
from zilzal.app.credentials import Credentials
from zilzal.app.synthetic import Synthetic
from zilzal.io.archive import Archive

LAYERS = "top_m,p_speed_m_per_s,s_speed_m_per_s\n0,5500,3200\n30000,8000,4500\n"


@pytest.fixture
def credentials(short: Synthetic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Credentials:
    """Of a run with an earth model of its own, named without its folder."""
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text(LAYERS)
    configuration = settings(earth={"model": "mine.csv"})
    return Credentials.of(configuration, Archive.open(short.waveforms))


def test_this_process_has_no_objections(credentials):
    assert credentials.objections() == []
    assert credentials.remarks() == []
    assert set(credentials.files) == {"mine.csv"}
    assert 0 < len(credentials.archive) <= 8


def test_other_code_is_objected_to(credentials):
    (objection,) = replace(credentials, package="f" * 32).objections()
    assert "the run 0.1.0 (ffffffff): install the same here" in objection


def test_other_file_of_the_settings_is_objected_to(credentials, tmp_path, monkeypatch):
    Path("mine.csv").write_text(LAYERS.replace("5500", "5600"))
    assert credentials.objections() == ["its file mine.csv is another one"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (objection,) = credentials.objections()
    assert objection == f"it has no file mine.csv; its folder is {tmp_path / 'elsewhere'}"


def test_other_version_of_a_plugin_is_objected_to(credentials):
    (objection,) = replace(credentials, plugins={"no-such-picker": "1.2"}).objections()
    assert objection == "it has no-such-picker missing, the run 1.2"


def test_archive_that_is_elsewhere_is_objected_to(credentials):
    seen = next(iter(credentials.archive))
    away = replace(credentials, archive={**credentials.archive, "/no/such/file": 3, seen: 1})
    (objection,) = away.objections()
    total = len(away.archive)
    assert objection.startswith(f"it does not see 2 of {total} files of the archive")
    assert objection.endswith("mount it there under the same path")


def test_other_library_is_remarked_on(credentials):
    away = replace(credentials, libraries={**credentials.libraries, "numpy": "0.1"})
    assert away.objections() == []
    (remark,) = away.remarks()
    assert remark.endswith(", 0.1 in the run")
