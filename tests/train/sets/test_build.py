"""A synthetic network's archive and truth to a set: labels lie on the true arrivals."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from zilzal.app.synthetic import make_synthetic
from zilzal.core.errors import ConfigError
from zilzal.core.ids import SensorId
from zilzal.core.pick import Phase, Polarity
from zilzal.core.time import Time
from zilzal.core.waveform import COMPONENTS
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.phases import Phases, ReportedEvent, ReportedPick, Status
from zilzal.io.tables import CatalogueRow
from zilzal.synth.scenario import parse_scenario
from zilzal.train.dataset import read_metadata, read_seisbench
from zilzal.train.seisbench_writer import FIRST_COLUMNS, read_notes
from zilzal.train.sets import build as building
from zilzal.train.sets.arrivals import Taking
from zilzal.train.sets.build import Choices, Sources, build_set
from zilzal.train.sets.cut import loudest_ratio
from zilzal.train.sets.expected import Expectation
from zilzal.train.sets.plan import Cutting
from zilzal.train.sets.window import SensorWindow
from zilzal.travel import built_in

h5py = pytest.importorskip("h5py")

SCENARIO = """
name = "set"
seed = 5
start = "2024-03-05T11:50:00Z"
duration_s = 480
latitude = 47.75
longitude = 12.75
sampling_rate = 50

[network]
n_stations = 4
aperture_m = 30_000

[noise]
level = 0.3
bursts_per_hour = 0

[[events]]
after_s = 60
east_m = 2_000
north_m = -3_000
depth_m = 7_000
magnitude = 2.2

[[events]]
after_s = 85
east_m = -3_000
north_m = 4_000
depth_m = 9_000
magnitude = 2.6

[[events]]
after_s = 400
east_m = 5_000
north_m = 1_000
depth_m = 8_000
magnitude = 1.8
"""
CHOICES = Choices(
    cutting=Cutting(length_s=40.0, noise=0.25, seed=3),
    taking=Taking(before_s=5.0, after_s=40.0),
    expectation=Expectation(model=built_in("ak135")),
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return make_synthetic(parse_scenario(SCENARIO), tmp_path_factory.mktemp("network"))


def phases_of(network, *, leave_out=()):
    """The truth as an analyst's catalogue: times by the stations' clocks."""
    picks: dict[str, list[ReportedPick]] = {}
    for a in network.network.arrivals:
        if (a.event_id, a.station_id.station, a.phase) not in leave_out:
            one = ReportedPick(
                station_id=a.station_id, phase=a.phase, time=a.stamped_time,
                status=Status.MANUAL, uncertainty_s=0.05, polarity=a.polarity,
            )  # fmt: skip
            picks.setdefault(a.event_id, []).append(one)
    events = [
        ReportedEvent(
            event_id=e.id, picks=tuple(picks[e.id]),
            source=CatalogueRow(
                event_id=e.id, time=e.time, latitude=e.latitude, longitude=e.longitude,
                depth_m=e.depth_m, magnitude=e.magnitude, magnitude_type="ML",
            ),
        )
        for e in network.network.events
    ]  # fmt: skip
    return Phases(tuple(events))


def sources_of(network, phases=None):
    return Sources(
        archive=Archive.open([network.waveforms]),
        phases=phases or phases_of(network),
        inventory=read_inventory([network.inventory]),
        notes={"licence": "none needed"},
    )


@pytest.fixture(scope="module")
def built(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "set"
    return folder, build_set(sources_of(network), CHOICES, folder)


def truth(network, line):
    """(phase, sample) of the true arrivals within a window."""
    start = Time.parse(line.text("trace_start_time"))
    code = line.text("station_code")
    places = (
        (a.phase, (a.stamped_time - start) * line.number("trace_sampling_rate_hz"))
        for a in network.network.arrivals
        if a.station_id.station == code
    )
    inside = [(p, s) for p, s in places if 0 <= s <= line.number("trace_npts") - 1]
    return sorted(inside, key=lambda one: one[1])


def test_every_true_arrival_in_a_window_is_labelled_where_it_is(network, built):
    folder, _ = built
    lines = read_metadata(folder)
    assert sum(line.text("trace_category") == "earthquake" for line in lines) == 12
    for record, line in zip(read_seisbench(folder, sampling_rate=50.0), lines, strict=True):
        expected = truth(network, line)
        assert [onset.phase for onset in record.onsets] == [phase for phase, _ in expected]
        # To a thousandth of a sample; the window's start is written to the microsecond.
        assert [o.sample for o in record.onsets] == pytest.approx(
            [sample for _, sample in expected], abs=2e-3
        )
        assert all(onset.weight == 1.0 for onset in record.onsets)
        assert record.unknown == ()


def test_energy_rises_at_the_labels(built):
    """Independent of any time written down: the samples themselves."""
    folder, _ = built
    rises = []
    for record in read_seisbench(folder, sampling_rate=50.0):
        for sample in record.onset_samples(Phase.P):
            p, steps = round(sample), np.abs(np.diff(record.samples[0]))
            if p > 60:
                rises.append(steps[p : p + 50].mean() / steps[p - 55 : p - 5].mean())
    assert len(rises) > 8
    assert np.median(rises) > 3


def test_windows_of_two_events_list_both(network, built):
    folder, _ = built
    several = [
        line for line in read_metadata(folder)
        if len(line.numbers("trace_p_arrival_samples")) == 2
    ]  # fmt: skip
    assert several
    for line in several:
        ids = line.parts("trace_p_source_ids", 2)
        assert len(set(ids)) == 2
        own = line.numbers("trace_p_arrival_samples")[ids.index(line.text("source_id"))]
        assert line.number("trace_p_arrival_sample") == own


def test_noise_is_far_from_every_arrival(network, built):
    folder, done = built
    noise = [line for line in read_metadata(folder) if line.text("trace_category") == "noise"]
    assert len(noise) == done.n_noise > 0
    for line in noise:
        start = Time.parse(line.text("trace_start_time"))
        for arrival in network.network.arrivals:
            if arrival.station_id.station == line.text("station_code"):
                after_s = start - arrival.stamped_time
                assert after_s >= 40.0 or after_s <= -(40.0 + 5.0)
        assert line.text("source_id").startswith(f"noise_SY.{line.text('station_code')}_2024")
    assert {r.kind for r in read_seisbench(folder) if r.quiet} == {"noise"}


def test_samples_are_those_of_the_archive(network, built):
    folder, _ = built
    opened = Archive.open([network.waveforms])
    with h5py.File(folder / "waveforms.hdf5") as file:
        for line in read_metadata(folder)[:4]:
            stored = file[f"data/{line.text('trace_name')}"][()]
            assert stored.dtype == np.int32
            start = Time.parse(line.text("trace_start_time"))
            for row, code in zip(stored, line.text("trace_channel").split(","), strict=True):
                channel = next(
                    c for c in opened.channel_ids()
                    if c.channel == code and c.station == line.text("station_code")
                )  # fmt: skip
                (piece,) = opened.read(channel, start + -1e-4, start + 39.99)
                np.testing.assert_array_equal(row[: len(piece.samples)], piece.samples)


def test_rows_tell_place_path_source_and_labels(network, built):
    folder, _ = built
    line = read_metadata(folder)[0]
    station = next(
        s.station for s in network.network.stations
        if s.station.station_id.station == line.text("station_code")
    )  # fmt: skip
    arrival = next(
        a for a in network.network.arrivals
        if (a.station_id, a.event_id, a.phase)
        == (station.station_id, line.text("source_id"), Phase.P)
    )  # fmt: skip
    assert line.number("station_latitude_deg") == pytest.approx(station.latitude, abs=1e-5)
    assert line.number("path_ep_distance_km") == pytest.approx(arrival.distance_m / 1e3, abs=0.01)
    assert line.number("path_azimuth_deg") == pytest.approx(arrival.azimuth_deg, abs=0.1)
    assert line.text("trace_p_status") == "manual"
    assert line.number("trace_p_uncertainty_s") == 0.05
    assert Polarity(line.text("trace_polarity")) is arrival.polarity
    assert line.text("trace_s_labelled") == "True"
    assert line.number("trace_snr_db") > 6
    assert line.text("trace_component_order") == COMPONENTS


def test_notes_say_how_it_was_made(built):
    notes = read_notes(built[0])
    assert notes["licence"] == "none needed"
    assert notes["choices"]["cutting"]["seed"] == 3
    assert notes["choices"]["taking"]["after_s"] == 40.0
    assert notes["choices"]["expectation"]["model"] == "ak135"
    assert notes["traces"] == built[1].n_traces


def test_what_nobody_picked_is_unknown_where_it_truly_came(network, tmp_path):
    events = [event.id for event in network.network.events]
    codes = sorted({a.station_id.station for a in network.network.arrivals})
    gone = {(events[2], code, Phase.S) for code in codes}
    gone |= {(events[1], codes[0], phase) for phase in Phase}
    build_set(sources_of(network, phases_of(network, leave_out=gone)), CHOICES, tmp_path / "set")
    n_checked = 0
    lines = read_metadata(tmp_path / "set")
    for record, line in zip(
        read_seisbench(tmp_path / "set", sampling_rate=50.0), lines, strict=True
    ):
        labelled = {(o.phase, round(o.sample)) for o in record.onsets}
        for phase, sample in truth(network, line):
            if (phase, round(sample)) not in labelled:
                n_checked += 1
                spans = [u for u in record.unknown if u.phase is phase]
                assert any(span.first <= sample <= span.last for span in spans)
                if phase is Phase.S:
                    assert line.text("trace_s_labelled") == "False"
    assert n_checked >= 4


def test_a_stopped_build_goes_on_to_the_same_set(network, built, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_write_part", stop_after(3, building._write_part))
    with pytest.raises(KeyboardInterrupt):
        build_set(sources_of(network), CHOICES, tmp_path / "set")
    assert not (tmp_path / "set" / "metadata.csv").exists()
    monkeypatch.undo()
    done = build_set(sources_of(network), CHOICES, tmp_path / "set")
    assert done.n_kept == 3
    assert not (tmp_path / "set" / "parts").exists()
    for name in ("metadata.csv", "dataset.json"):
        assert (tmp_path / "set" / name).read_bytes() == (built[0] / name).read_bytes()
    with (
        h5py.File(tmp_path / "set/waveforms.hdf5") as a,
        h5py.File(built[0] / "waveforms.hdf5") as b,
    ):
        assert list(a["data"]) == list(b["data"])
        for name in a["data"]:
            np.testing.assert_array_equal(a["data"][name], b["data"][name])


def stop_after(number, write):
    left = [number]

    def written(*arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(*arguments)

    return written


def test_parts_of_another_build_are_not_touched(network, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_write_part", stop_after(1, building._write_part))
    with pytest.raises(KeyboardInterrupt):
        build_set(sources_of(network), CHOICES, tmp_path / "set")
    monkeypatch.undo()
    other = Choices(
        cutting=Cutting(length_s=40.0, seed=4), taking=CHOICES.taking,
        expectation=CHOICES.expectation,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="other sources or options"):
        build_set(sources_of(network), other, tmp_path / "set")
    assert (tmp_path / "set" / "parts" / "000000.hdf5").exists()


def test_a_finished_set_is_not_written_over(network, built):
    with pytest.raises(ConfigError, match="holds a data set"):
        build_set(sources_of(network), CHOICES, built[0])


def test_a_window_that_fails_stops_nothing(network, tmp_path, monkeypatch):
    from zilzal.train.sets import cut

    read = cut.read_window

    def read_or_fail(archive, inventory, sensor_id, start, length_s):
        if sensor_id.station == "S01":
            raise OSError("the disk is gone")
        return read(archive, inventory, sensor_id, start, length_s)

    monkeypatch.setattr(cut, "read_window", read_or_fail)
    done = build_set(sources_of(network), CHOICES, tmp_path / "set")
    assert done.tally.counts["window that could not be cut"] >= 3
    assert "the disk is gone" in done.tally.examples["window that could not be cut"][0]
    codes = {line.text("station_code") for line in read_metadata(tmp_path / "set")}
    assert codes == {"S02", "S03", "S04"}
    told = json.loads((tmp_path / "set" / "dataset.json").read_text())["left_out"]
    assert "window that could not be cut" in {one["reason"] for one in told}


def test_manual_picks_alone_may_be_taken(network, tmp_path):
    choices = Choices(
        cutting=CHOICES.cutting, taking=Taking(statuses=frozenset({Status.AUTOMATIC})),
        expectation=CHOICES.expectation,
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"24 × manual pick, not asked for"):
        build_set(sources_of(network), choices, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_noise_with_transients_can_be_left_out(network, tmp_path):
    def n_noise(limit, name):
        choices = Choices(
            cutting=Cutting(length_s=40.0, noise=0.25, seed=3, noise_below=limit),
            taking=CHOICES.taking,
            expectation=CHOICES.expectation,
        )
        return build_set(sources_of(network), choices, tmp_path / name).n_noise

    assert n_noise(1.0, "none") == 0
    assert n_noise(1e9, "all") == 4


def test_a_transient_sticks_out_whatever_the_level():
    rng = np.random.default_rng(0)
    quiet = rng.normal(size=(3, 6_000))
    bump = np.zeros(6_000)
    bump[3_000:3_100] = np.sin(2 * np.pi * 5 * np.arange(100) / 100)

    def ratio(samples):
        return loudest_ratio(
            SensorWindow(
                sensor_id=SensorId("XX", "ALFA", "", "HH"), start=Time(0), sampling_rate=100.0,
                samples=samples, present=np.ones((3, 6_000), bool), channels=(),
            )
        )  # fmt: skip

    assert ratio(quiet) < 5
    assert ratio(quiet + 3 * bump) > 10
    assert ratio(1e6 + 1e4 * quiet) == pytest.approx(ratio(quiet), rel=0.05)


def test_traces_have_names_of_their_own(built):
    names = [line.text("trace_name") for line in read_metadata(built[0])]
    assert all(a != b for a, b in combinations(names, 2))


def test_every_column_is_in_the_reference(built):
    page = (Path(__file__).parents[3] / "docs" / "reference" / "sets.md").read_text()
    columns = {*FIRST_COLUMNS, *read_metadata(built[0])[0].columns}
    assert sorted(c for c in columns if f"`{c}`" not in page) == []


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
def test_seisbench_reads_the_set(built):
    data = pytest.importorskip("seisbench.data")
    dataset = data.WaveformDataset(built[0], component_order="ZNE")
    assert len(dataset) == built[1].n_traces
    rows = read_metadata(built[0])
    for number in (0, len(dataset) - 1):
        samples, line = dataset.get_sample(number)
        assert samples.shape == (3, 2_000)
        assert line["trace_name"] == rows[number].text("trace_name")
        p_sample = rows[number].number("trace_p_arrival_sample")
        np.testing.assert_equal(
            float(line["trace_p_arrival_sample"]), np.nan if p_sample is None else p_sample
        )
