"""Networks of SeisBench's through our picker: the same curves and the same picks.

SeisBench lays its windows from the first sample of a stream, we lay ours on a grid anchored at
1970-01-01. So that they coincide, the stream begins on that grid and ends with a window.
"""

import itertools
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="extra train")
pytest.importorskip("seisbench", reason="extra seisbench")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import seisbench.models as sbm

from tests.pick.cases import run  # noqa: E402
from zilzal.core.errors import ModelError, SpecError  # noqa: E402
from zilzal.core.ids import SensorId  # noqa: E402
from zilzal.core.time import Time, sample_number, sample_time  # noqa: E402
from zilzal.core.waveform import COMPONENTS, Window  # noqa: E402
from zilzal.infer.engine import EngineName  # noqa: E402
from zilzal.infer.spec import spec_of  # noqa: E402
from zilzal.io.archive import Archive  # noqa: E402
from zilzal.pick.neural import NeuralPicker  # noqa: E402
from zilzal.signal.prepare import normalise_windows  # noqa: E402
from zilzal.train.seisbench import About, import_seisbench  # noqa: E402
from zilzal.train.seisbench_family import blinding_of, preparation_of  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore"),  # raised inside SeisBench, PyTorch, OpenVINO
]

SENSOR = SensorId("CI", "CLC", "", "HH")
BEGIN = Time.parse("2019-07-07T08:20:00Z")


def weights(shared, name):
    with np.load(shared / "peers" / "weights" / name) as arrays:
        return {key: torch.from_numpy(arrays[key].copy()) for key in arrays.files}


@dataclass(frozen=True)
class Case:
    """An object of SeisBench's and its import."""

    model: object
    path: object
    spec: object


def case(model, folder, about=None):
    content = import_seisbench(model, about)
    path = folder / "network.onnx"
    path.write_bytes(content)
    return Case(model.eval(), path, spec_of(content))


@pytest.fixture(scope="module")
def phasenet(shared, tmp_path_factory):
    model = sbm.PhaseNet(component_order="ENZ", phases="NPS", norm="std")
    model.load_state_dict(weights(shared, "phasenet_original.npz"))
    return case(model, tmp_path_factory.mktemp("phasenet"), About(name="phasenet", licence="MIT"))


@pytest.fixture(scope="module")
def eqtransformer(shared, tmp_path_factory):
    model = sbm.EQTransformer(original_compatible="conservative", lstm_blocks=3)
    model.load_state_dict(weights(shared, "eqt_original_conservative.npz"))
    return case(model, tmp_path_factory.mktemp("eqt"))


@pytest.fixture(scope="module")
def gpd(tmp_path_factory):
    torch.manual_seed(7)
    model = sbm.GPD(phases="PSN")
    # Batch normalisation set to bursts in noise, and a steeper end, make random weights decide.
    begins = torch.randint(0, 400, (256, 1, 1))
    bursts = 1 + 20 * (torch.rand(256, 1, 1) > 0.5) * (torch.arange(400) > begins)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm1d):
                layer.momentum = None
        model.train()(torch.randn(256, 3, 400) * bursts)
        model.fc3.weight *= 4
    about = About(annotate={"P_threshold": 0.4, "S_threshold": 0.4})
    return case(model, tmp_path_factory.mktemp("gpd"), about)


@pytest.fixture(scope="module")
def counts(shared):
    """Samples of CI.CLC, components in the order ZNE, and the number of the first."""
    folder = shared / "data/continuous/ridgecrest_2019-07-07/2019/CI/CLC"
    archive = Archive.open([folder])
    rows = []
    for component in COMPONENTS:
        (channel,) = [c for c in archive.channel_ids() if c.component == component]
        traces = [t for step in archive.steps([channel]) for t in step.traces]
        assert all(a.next_start == b.start for a, b in itertools.pairwise(traces))
        rows.append(np.concatenate([t.samples for t in traces]))
    return sample_number(traces[0].start, 100.0), np.array(rows, np.float32)


def record(counts, spec, minutes):
    """A record that begins on the network's grid and ends with one of its windows."""
    first, samples = counts
    hop = spec.hop_samples
    start = -(-sample_number(BEGIN, 100.0) // hop) * hop
    n_windows = int((minutes * 6_000 - spec.window_samples) // hop) + 1
    length = (n_windows - 1) * hop + spec.window_samples
    cut = samples[:, start - first : start - first + length]
    assert cut.shape[1] == length
    return Window(
        sensor_id=SENSOR, start=sample_time(start, 100.0), sampling_rate=100.0, samples=cut,
        present=np.ones(cut.shape, bool),
    )  # fmt: skip


def stream_of(window):
    from obspy import Stream, Trace, UTCDateTime

    header = {
        "network": "CI", "station": "CLC", "sampling_rate": 100.0,
        "starttime": UTCDateTime(ns=window.start.ns),
    }  # fmt: skip
    return Stream(
        Trace(row.copy(), {**header, "channel": f"HH{component}"})
        for row, component in zip(window.samples, COMPONENTS, strict=True)
    )


def ours(case, window, engine: EngineName = "onnxruntime"):
    picker = NeuralPicker(model=str(case.path), engine=engine, with_probabilities=True)
    return run(picker, [[window]])


def largest_difference(case, window, told):
    """Between our curves and SeisBench's, wherever it has values; it must have them all along."""
    curves = np.concatenate([each.values for each in told.probabilities], axis=1)
    first = told.probabilities[0].start
    differences = []
    for trace in case.model.annotate(stream_of(window), **case.model.default_args):
        said = trace.stats.channel.partition("_")[2]
        label = {"N": "noise", "Detection": "detection"}.get(said, said)
        step = round(100 / trace.stats.sampling_rate)
        offset = round((trace.stats.starttime.ns - first.ns) / 1e9 * 100)
        assert offset == 0
        row = curves[case.spec.labels.index(label)][::step]
        assert len(row) == len(trace.data)
        differences.append(np.abs(row - trace.data).max())
    assert len(differences) == len(case.spec.labels)
    return max(differences)


def matched(case, window, told, **arguments):
    """Picks of SeisBench's `classify` as (phase, time, height) beside ours, in order of time."""
    theirs = case.model.classify(stream_of(window), **arguments).picks
    theirs = sorted((p.peak_time.ns / 1e9, p.phase, p.peak_value) for p in theirs)
    mine = sorted((p.time.ns / 1e9, p.phase.value, p.probability) for p in told.picks)
    return theirs, mine


def assert_same_picks(theirs, mine):
    assert [phase for _, phase, _ in mine] == [phase for _, phase, _ in theirs]
    # We interpolate the top between samples: half a sample at most.
    np.testing.assert_allclose([m[0] for m in mine], [t[0] for t in theirs], atol=0.0051, rtol=0)
    np.testing.assert_allclose([m[2] for m in mine], [t[2] for t in theirs], atol=1e-3)


@pytest.mark.slow
def test_phasenet_gives_the_curves_and_picks_of_annotate_and_classify(phasenet, counts):
    window = record(counts, phasenet.spec, 20)
    told = ours(phasenet, window)
    assert largest_difference(phasenet, window, told) < 1e-5
    theirs, mine = matched(phasenet, window, told)
    assert len(theirs) > 50
    assert_same_picks(theirs, mine)


@pytest.mark.slow
def test_eqtransformer_gives_the_curves_picks_and_detections(eqtransformer, counts):
    window = record(counts, eqtransformer.spec, 20)
    told = ours(eqtransformer, window)
    assert largest_difference(eqtransformer, window, told) < 2e-5
    theirs, mine = matched(eqtransformer, window, told)
    assert len(theirs) > 20
    assert_same_picks(theirs, mine)
    detections = eqtransformer.model.classify(stream_of(window)).detections
    longer = [d for d in detections if d.end_time - d.start_time >= 0.495]
    assert len(told.detections) == len(longer)
    for mine, theirs in zip(told.detections, longer, strict=True):
        assert mine.start.ns / 1e9 == pytest.approx(theirs.start_time.ns / 1e9, abs=0.001)
        # Our end is the first sample after, theirs the last one.
        assert mine.end.ns / 1e9 == pytest.approx(theirs.end_time.ns / 1e9 + 0.01, abs=0.001)


@pytest.mark.slow
def test_gpd_gives_the_curves_and_picks_of_windows_ten_samples_apart(gpd, counts):
    window = record(counts, gpd.spec, 2)
    told = ours(gpd, window)
    assert largest_difference(gpd, window, told) < 1e-5
    theirs, mine = matched(gpd, window, told, P_threshold=0.4, S_threshold=0.4)
    assert len(theirs) > 100
    assert_same_picks(theirs, mine)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["phasenet", "eqtransformer"])
def test_openvino_gives_the_same_picks_and_in_bf16_nearly_the_same(network, counts, request):
    pytest.importorskip("openvino", reason="extra fast")
    case = request.getfixturevalue(network)
    window = record(counts, case.spec, 20)
    plain = ours(case, window)
    curves = np.concatenate([each.values for each in plain.probabilities], axis=1)
    quick = ours(case, window, "openvino")
    said = np.concatenate([each.values for each in quick.probabilities], axis=1)
    np.testing.assert_allclose(said, curves, atol=1e-5)
    assert [(p.phase, p.channel_id) for p in quick.picks] == [
        (p.phase, p.channel_id) for p in plain.picks
    ]
    if case.spec.bf16_difference is None:
        pytest.skip("this processor has no bf16")
    short = ours(case, window, "openvino-bf16").picks
    # Bound of what bf16 may do: 4 % of the picks come, go or move by more than 0.03 s.
    for some, others in ((plain.picks, short), (short, plain.picks)):
        times = {phase: np.array([p.time.ns for p in others if p.phase == phase]) for phase in "PS"}
        near = [np.abs(times[p.phase] - p.time.ns).min() < 3e7 for p in some]
        assert np.mean(near) > 0.96
    assert case.spec.bf16_difference < 0.15


@pytest.mark.slow
def test_file_tells_what_the_object_and_the_class_say(phasenet, eqtransformer, gpd):
    spec = phasenet.spec
    assert (spec.name, spec.components, spec.labels) == ("phasenet", "ENZ", ("noise", "P", "S"))
    assert (spec.window_samples, spec.hop_samples, spec.blinding) == (3_001, 1_501, (0, 0))
    assert (spec.overlap, spec.edges, spec.peaks) == ("mean", "flush", "excursions")
    assert spec.thresholds == {"P": 0.3, "S": 0.3}
    assert spec.parameters == 268_443
    assert spec.multiply_adds == pytest.approx(19.5e6, rel=0.01)
    assert (spec.licence, spec.development_data) == ("MIT", "")
    assert "Zhu" in spec.citation
    assert "customary" in spec.card
    spec = eqtransformer.spec
    assert (spec.hop_samples, spec.blinding, spec.overlap) == (3_000, (500, 500), "max")
    assert spec.thresholds == {"detection": 0.3, "P": 0.1, "S": 0.1}
    assert (spec.preparation.jointly, spec.preparation.taper_samples) == (True, 6)
    assert spec.licence == "NOASSERTION"
    spec = gpd.spec
    assert (spec.point_sample, spec.hop_samples, spec.edges) == (200, 10, "whole")
    assert spec.thresholds == {"P": 0.4, "S": 0.4}


def objects():
    """Objects whose way of preparing a window is claimed to be known."""
    return {
        "PhaseNet": sbm.PhaseNet(),
        "PhaseNet, peak": sbm.PhaseNet(norm="peak"),
        "PhaseNet, PickBlue": sbm.PhaseNet(norm_amp_per_comp=True, norm_detrend=True),
        "PhaseNetLight": sbm.PhaseNetLight(),
        "VariableLengthPhaseNet": sbm.VariableLengthPhaseNet(),
        "VariableLengthPhaseNet, joint": sbm.VariableLengthPhaseNet(norm="std", norm_axis=(-1, -2)),
        "LFEDetect": sbm.LFEDetect(sampling_rate=20, in_samples=1200),
        "EQTransformer": sbm.EQTransformer(),
        "EQTransformer, peak": sbm.EQTransformer(norm="peak", norm_detrend=True),
        "OBSTransformer": sbm.OBSTransformer(),
        "GPD": sbm.GPD(phases="PSN"),
        "BasicPhaseAE": sbm.BasicPhaseAE(),
        "Skynet": sbm.Skynet(),
        "EQCCTP": sbm.EQCCTP(),
        "EQTP": sbm.EQTP(),
    }


@pytest.mark.parametrize("name", objects())
def test_windows_are_prepared_as_the_class_does(name):
    model = objects()[name]
    rng = np.random.default_rng(1)
    length = model.in_samples
    windows = (rng.standard_normal((2, 3, length)) * [[[900], [40], [7]]]).astype(np.float32)
    windows += np.linspace(-300, 500, length, dtype=np.float32) + 25
    expected = model.annotate_batch_pre(torch.from_numpy(windows.copy()), {}).numpy()
    if name == "GPD":  # its network divides by the largest value itself
        expected = expected / np.abs(expected).max((-1, -2), keepdims=True)
    said = normalise_windows(preparation_of(model), windows, np.ones(windows.shape, bool))
    np.testing.assert_allclose(said, expected, atol=3e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", objects())
def test_blind_samples_are_those_that_the_class_throws_away(name):
    model = objects()[name]
    n_labels = 3
    if "EQT" in name or "OBST" in name:
        said = model.annotate_batch_post((torch.zeros(1, model.in_samples),) * 3, None, {})
    elif model.output_type == "point":
        said = model.annotate_batch_post(torch.zeros(1, n_labels), None, {})[:, None]
    else:
        zeros = torch.zeros(1, n_labels, model.in_samples)
        said = model.annotate_batch_post(zeros, None, {})
    kept = torch.isfinite(said[0, :, 0]).numpy()
    usual = {key: value for key, (_, value) in type(model)._annotate_args.items()}
    before, after = blinding_of(model, lambda key, otherwise: usual.get(key, otherwise))
    assert int(np.argmax(kept)) == before
    assert int(np.argmax(kept[::-1])) == after


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((["highpass"], {"freq": 0.5}), (0.5, None, 4)),
        ((["bandpass"], {"freqmin": 1, "freqmax": 8, "corners": 2}), (1, 8, 2)),
        ((["lowpass"], {"freq": 20, "zerophase": False}), (None, 20, 4)),
        (({"??H": ["highpass"]}, {"??H": {"freq": 0.5}}), (None, None, 2)),
        (({"??[ZNE12]": ["highpass"]}, {"??[ZNE12]": {"freq": 0.5}}), (0.5, None, 4)),
        ((None, None), (None, None, 2)),
    ],
)
def test_filters_of_the_weights_are_taken_over(filters, expected):
    model = sbm.PhaseNet(filter_args=filters[0], filter_kwargs=filters[1])
    preparation = preparation_of(model)
    found = (preparation.highpass_hz, preparation.lowpass_hz, preparation.highpass_order)
    assert found == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sbm.CRED(), "CRED"),
        (lambda: sbm.DKPN(), "DKPN works on streams in a way of its own"),
        (lambda: sbm.GPD(), "neither P nor S"),
        (lambda: sbm.PhaseNet(sampling_rate=None), "sampling rate"),
        (lambda: sbm.PhaseNet(norm="none"), "norm = 'none'"),
        (lambda: sbm.PhaseNet(grouping="channel", in_channels=1), "one sensor together"),
        (
            lambda: sbm.PhaseNet(
                filter_args=["highpass"], filter_kwargs={"freq": 1, "zerophase": 1}
            ),
            "zero-phase",
        ),
        (lambda: torch.nn.Linear(3, 3), "no picker of SeisBench's"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(make, message):
    with pytest.raises(ModelError, match=message):
        import_seisbench(make())


def test_arguments_that_leave_samples_without_output_are_refused():
    about = About(annotate={"overlap": 500, "blinding": (500, 500)})
    with pytest.raises(SpecError, match="without output"):
        import_seisbench(sbm.EQTransformer(), about)


def test_object_that_works_otherwise_than_its_class_is_found_out():
    class Inverted(sbm.PhaseNetLight):
        def forward(self, x, logits=False):
            return super().forward(x) * (x[:, :1].mean() < 1e9) if x.shape[0] == 3 else x

    # What is exported are windows handed through; what runs in PyTorch is a network.
    with pytest.raises(ModelError, match="works in another way"):
        import_seisbench(Inverted())


@pytest.mark.slow
def test_component_that_we_do_not_have_is_fed_with_zeros_as_seisbench_does(tmp_path):
    torch.manual_seed(3)
    model = sbm.PhaseNet(in_channels=4, component_order="Z12H")
    four = case(model, tmp_path)
    assert four.spec.components == "ZNE"
    rng = np.random.default_rng(0)
    samples = 100 * rng.standard_normal((3, 3_001 + 1_501)).astype(np.float32)
    window = Window(
        sensor_id=SENSOR, start=sample_time(1_501 * 10**8, 100.0), sampling_rate=100.0,
        samples=samples, present=np.ones(samples.shape, bool),
    )  # fmt: skip
    assert largest_difference(four, window, ours(four, window)) < 1e-5


def test_replacing_the_annotate_arguments_replaces_them_alone():
    about = About(annotate={"overlap": 0.25, "P_threshold": 0.7, "stacking": "max"})
    model = sbm.PhaseNet(default_args={"S_threshold": 0.2, "overlap": 2_000, "blinding": (7, 9)})
    from zilzal.train.seisbench import _spec_of

    spec = _spec_of(model, about)
    assert spec.hop_samples == 3_001 - 750
    assert spec.thresholds == {"P": 0.7, "S": 0.2}
    assert (spec.overlap, spec.blinding) == ("max", (7, 9))
    assert replace(spec, overlap="mean") == _spec_of(
        model, About(annotate={**about.annotate, "stacking": "avg"})
    )
