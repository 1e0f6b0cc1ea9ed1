"""A network from elsewhere, normalised by windows, through the same picker: PhaseNet."""

import warnings

import numpy as np
import pytest

from tests.pick.cases import START, run, sensor
from zilzal.core.pick import Phase
from zilzal.core.waveform import Window
from zilzal.infer.spec import ModelSpec, attach_spec
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.prepare import Preparation

pytestmark = [pytest.mark.torch, pytest.mark.parity, pytest.mark.slow]

SPEC = ModelSpec(
    name="phasenet-original",
    version="190703-214543",
    task="pick",
    sampling_rate=100.0,
    components="ENZ",
    labels=("noise", "P", "S"),
    window_samples=3_001,
    hop_samples=1_501,
    blind_samples=250,
    preparation=Preparation(
        highpass_hz=None, normalisation="window_std", compression="none", sampling_rate=100.0
    ),
    thresholds={"P": 0.3, "S": 0.3},
    uncertainty={"P": ((0.3, 0.1), (1.0, 0.03)), "S": ((0.3, 0.15), (1.0, 0.06))},
    training_data="northern California, Zhu & Beroza (2019)",
    licence="MIT",
    seed=0,
    commit="",
    created="2019-07-03",
)


def build_phasenet(weights):
    """The network of Zhu & Beroza (2019), doi:10.1093/gji/ggy423, for windows of 3001 samples."""
    import torch
    from torch import nn
    from torch.nn import functional

    def norm(width):
        return nn.BatchNorm1d(width, eps=1e-3)

    class PhaseNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.inc, self.in_bn = nn.Conv1d(3, 8, 7, padding="same"), norm(8)
            self.down_branch, self.up_branch = nn.ModuleList(), nn.ModuleList()
            widths = (8, 8, 16, 32, 64, 128)
            for level in range(5):
                before, width = widths[level : level + 2]
                parts = [nn.Conv1d(before, width, 7, padding="same", bias=False), norm(width)]
                if level < 4:
                    padding = 3 if level == 0 else 0
                    down = nn.Conv1d(width, width, 7, stride=4, padding=padding, bias=False)
                    parts += [down, norm(width)]
                self.down_branch.append(nn.ModuleList(parts))
            for width in (64, 32, 16, 8):
                self.up_branch.append(
                    nn.ModuleList(
                        [
                            nn.ConvTranspose1d(2 * width, width, 7, stride=4, bias=False),
                            norm(width),
                            nn.Conv1d(2 * width, width, 7, padding="same", bias=False),
                            norm(width),
                        ]
                    )
                )
            self.out = nn.Conv1d(8, 3, 1)

        def forward(self, waveforms):
            x = torch.relu(self.in_bn(self.inc(waveforms)))
            skips, padding = [], {1: (2, 3), 2: (1, 3), 3: (2, 3)}
            for level, (same, norm_same, *down) in enumerate(self.down_branch):
                x = torch.relu(norm_same(same(x)))
                if down:
                    skips.append(x)
                    x = functional.pad(x, padding.get(level, (0, 0)))
                    x = torch.relu(down[1](down[0](x)))
            for up, norm_up, same, norm_same in self.up_branch:
                skip = skips.pop()
                x = torch.relu(norm_up(up(x)))[:, :, 1:-2]
                extra = (x.shape[-1] - skip.shape[-1]) // 2
                x = torch.cat([skip, x[:, :, extra : extra + skip.shape[-1]]], dim=1)
                x = torch.relu(norm_same(same(x)))
            return torch.softmax(self.out(x), dim=1)

    network = PhaseNet()
    network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in np.load(weights).items()})
    return network.eval()


@pytest.fixture(scope="module")
def picker(shared, tmp_path_factory):
    import torch

    path = tmp_path_factory.mktemp("networks") / "phasenet.onnx"
    network = build_phasenet(shared / "peers" / "weights" / "phasenet_original.npz")
    batch = torch.export.Dim("batch", min=1, max=512)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # raised inside the exporter
        torch.onnx.export(
            network, (torch.zeros(2, 3, 3_001),), str(path), dynamo=True, verbose=False,
            external_data=False, dynamic_shapes=({0: batch},),
        )  # fmt: skip
    path.write_bytes(attach_spec(path.read_bytes(), SPEC))
    return NeuralPicker(model=str(path))


@pytest.fixture(scope="module")
def windows(shared):
    """Windows of 60 s and what PhaseNet in SeisBench picked on them, by trace."""
    import h5py
    import pandas

    peers = shared / "peers" / "picks"
    text = {"trace_name": str}
    table = pandas.read_csv(peers / "windows_used.csv", keep_default_na=False, dtype=text)
    chosen = table[(table.set == "ncedc_phasenet") & (table.window_start_sample_100hz >= 0)]
    peer = pandas.read_csv(peers / "ncedc_phasenet__phasenet_original.csv", dtype=text)
    cut = {}
    with h5py.File(shared / "data" / "picks" / "ncedc_phasenet" / "waveforms.hdf5") as file:
        for row in chosen.head(60).itertuples():
            first = row.window_start_sample_100hz
            record = file[f"data/{row.trace_name}"][:, first : first + 6_000].astype(np.float32)
            if record.shape[1] == 6_000:
                cut[row.trace_name] = record
    return cut, peer[peer.score >= 0.5]


def test_picks_are_those_of_seisbench_on_real_records(picker, windows):
    records, peer = windows
    matched, total = 0, 0
    for name, samples in records.items():
        window = Window(
            sensor_id=sensor(), start=START, sampling_rate=100.0, samples=samples,
            present=np.ones(samples.shape, bool),
        )  # fmt: skip
        ours = run(picker, [[window]]).picks
        theirs = peer[(peer.trace_name == name) & peer.window_sample.between(300, 5_700)]
        for each in theirs.itertuples():
            near = [
                abs((p.time - START) * 100 - each.window_sample)
                for p in ours
                if p.phase is Phase(each.phase)
            ]
            matched += bool(near) and min(near) <= 5
            total += 1
    # Windows lie elsewhere (grid of the epoch), and PhaseNet minds that for weak onsets.
    assert total >= 80
    assert matched >= 0.93 * total


def test_gain_and_units_do_not_matter_either(picker, windows):
    name, samples = next(iter(windows[0].items()))
    assert name
    told = []
    for gain in (1.0, 1e-12):
        window = Window(
            sensor_id=sensor(), start=START, sampling_rate=100.0,
            samples=(samples * gain).astype(np.float32), present=np.ones(samples.shape, bool),
        )  # fmt: skip
        told.append(
            [(p.phase, round((p.time - START) * 100)) for p in run(picker, [[window]]).picks]
        )
    assert told[0] == told[1]
    assert told[0]
