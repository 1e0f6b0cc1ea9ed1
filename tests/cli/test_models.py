"""`zilzal models`."""

import json

import numpy as np
import pytest

from tests.infer.networks import save_network
from zilzal.infer.packaged import packaged_models


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """The user's networks lie elsewhere while tests run."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))


def test_packaged_networks_are_listed(call):
    said = call("models", "list")
    assert packaged_models()
    assert [name for name in packaged_models() if name not in said] == []


def test_list_fits_a_terminal_of_eighty_columns(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (row,) = [line for line in call("models", "list").splitlines() if line.startswith("zilzal ")]
    assert row.split()[1:5] == ["pick", "P", "S", "detection"]
    assert row.split()[-1] == "Apache-2.0"


def test_networks_of_a_folder_are_listed_and_others_named(call, tmp_path):
    save_network(tmp_path, name="mine", multiply_adds=25_000_000)
    (tmp_path / "alien.onnx").write_bytes(b"nothing")
    said = call("models", "list", tmp_path)
    row = next(line for line in said.splitlines() if "mine" in line)
    # 25 million for each 500 samples at 100 Hz.
    for part in ("P S detection", "CC0-1.0", "5.00"):
        assert part in row
    assert "not an ONNX file" in next(line for line in said.splitlines() if "alien" in line)


def test_card_is_shown_with_all_that_the_file_says(call, tmp_path):
    path = save_network(
        tmp_path, card="# Ours\n\nGood at nothing.", citation="Nobody (2026)", origin="a draw",
        peaks="excursions", bf16_difference=0.031,
    )  # fmt: skip
    said = call("models", "show", path)
    for part in (
        "Good at nothing.", "P 0.6, S 0.6, detection 0.7", "customary, not measured",
        "0.3: 0.2, 1: 0.02", "8 s every 5 s", "1 s at the start, 1 s at the end", "Nobody (2026)",
        "a draw", "mean, padded, excursions", "0.031", "seed 0", str(path),
    ):  # fmt: skip
        assert part in said
    packaged = call("models", "show", packaged_models()[0])
    assert f"{packaged_models()[0]}.onnx" in packaged


@pytest.mark.filterwarnings("ignore")  # raised inside OpenVINO on import
def test_speed_is_measured_on_demand(call, tmp_path):
    path = save_network(tmp_path, window_samples=1_600, hop_samples=1_000)
    said = call("models", "show", path, "--measure")
    assert "s per station-day" in said
    for engine in ("onnxruntime", "openvino", "openvino-bf16"):
        assert engine in said


@pytest.mark.filterwarnings("ignore")
def test_sound_network_passes_the_checks(call, tmp_path):
    said = call("models", "check", save_network(tmp_path, window_samples=1_600, hop_samples=1_000))
    assert "company in a batch" in said
    assert "fails" not in said


@pytest.mark.filterwarnings("ignore")
def test_network_that_breaks_a_law_ends_in_status_1(tmp_path):
    from typer.testing import CliRunner

    from tests.app.test_networks import TWO, flawed, helper
    from zilzal.cli.main import app

    path = flawed(
        tmp_path / "linear.onnx", helper.make_node("Conv", ["x", "two"], ["y"]), constants=[TWO]
    )
    done = CliRunner().invoke(app, ["models", "check", str(path)])
    assert done.exit_code == 1
    assert "fails" in done.stdout


def test_unknown_network_is_refused(refuse):
    said = refuse("models", "show", "phasenett")
    assert "ModelError: no network 'phasenett'" in said
    assert packaged_models()[0] in said


def test_file_that_is_no_network_is_refused(refuse, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(b"nothing")
    assert "SpecError: not an ONNX file" in refuse("models", "show", path)


@pytest.mark.torch
def test_import_without_its_libraries_names_them(refuse, monkeypatch):
    monkeypatch.setattr("zilzal.cli.extras.find_spec", lambda name: None)
    said = refuse("models", "import", "PhaseNet/original")
    assert "seisbench" in said
    assert 'pip install "zilzal[seisbench,train]"' in said


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # raised inside SeisBench and PyTorch
def test_import_writes_a_network_that_list_show_and_settings_find(call, tmp_path):
    pytest.importorskip("seisbench", reason="extra seisbench")
    import seisbench.models as sbm
    import torch

    torch.save(sbm.PhaseNetLight().state_dict(), tmp_path / "weights.pt")
    said = call(
        "models", "import", tmp_path / "weights.pt", "--class", "PhaseNetLight",
        "--annotate", json.dumps({"overlap": 1_001, "S_threshold": 0.2}), "--licence", "MIT",
        "--name", "light", "--training-data", "nothing",
    )  # fmt: skip
    assert 'model = "light"' in said
    assert "light" in call("models", "list")
    shown = call("models", "show", "light")
    for part in ("P 0.3, S 0.2", "30.01 s every 20 s", "MIT", "parameters in the file weights.pt"):
        assert part in shown
    from zilzal.pick.neural import NeuralPicker

    assert NeuralPicker(model="light").start() == {}


@pytest.mark.torch
def test_arguments_that_are_no_json_object_are_refused(refuse, tmp_path):
    pytest.importorskip("seisbench", reason="extra seisbench")
    said = refuse("models", "import", "PhaseNet/original", "--kwargs", "phases=NPS")
    assert "--kwargs is not JSON" in said
    said = refuse("models", "import", "PhaseNet/original", "--annotate", "[1]")
    assert "give an object" in said


def write_set(folder, n_records=60):
    """A SeisBench folder: noise with a spike on the vertical at the P, every third noise alone."""
    import h5py

    rng = np.random.default_rng(3)
    folder.mkdir()
    lines = ["trace_name,trace_sampling_rate_hz,split,trace_category,trace_p_arrival_sample"]
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        for number in range(n_records):
            samples = rng.standard_normal((3, 9_000))
            place = int(rng.integers(4_000, 5_000))
            if number % 3:
                samples[0, place] += rng.uniform(20, 60)
            file[f"data/t{number}"] = samples.astype(np.float32)
            kind, arrival = ("earthquake", place) if number % 3 else ("noise", "")
            lines.append(f"t{number},100,dev,{kind},{arrival}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.torch
def test_calibrated_network_says_what_was_measured_on_what(call, tmp_path):
    from tests.pick.test_neural import spike_network

    folder = write_set(tmp_path / "made")
    out = tmp_path / "out" / "calibrated.onnx"
    path = spike_network(tmp_path / "spike.onnx")
    said = call("models", "calibrate", path, folder, "-o", out, "--shifts", 1)
    assert "threshold before" in said
    shown = call("models", "show", out)
    assert "60 records (20 of noise) of made" in shown


@pytest.mark.torch
def test_calibration_wants_records(refuse, tmp_path):
    folder = write_set(tmp_path / "made", n_records=3)
    path = save_network(tmp_path)
    said = refuse(
        "models", "calibrate", path, folder, "-o", tmp_path / "o.onnx", "--splits", "test"
    )
    assert "no records of the splits test" in said
