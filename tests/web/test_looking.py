"""Waveforms, curves, spectra and stations over HTTP, and what happens as it happens."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.app.short import Ran
from tests.web.conftest import Served, serving
from zilzal.app.display.holdings import Places, open_holdings, remember_places
from zilzal.app.display.tail import FIRST_S, in_steps, peaks
from zilzal.app.display.traces import Segment, envelope
from zilzal.app.synthetic import Synthetic
from zilzal.core.errors import ConfigError, StoreError
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time
from zilzal.io.archive import Archive
from zilzal.io.store import Store
from zilzal.web.access.gate import Access

START, END = "2024-03-05T11:58:45.000000Z", "2024-03-05T11:59:05.000000Z"
SPAN = {"start": START, "end": END}
SENSOR = "SY.S01..HH"


def test_waveforms_are_the_samples_of_the_archive(console: Served, short: Synthetic):
    found = console.get("/api/waveforms", sensor=SENSOR, **SPAN)
    assert [c["component"] for c in found["channels"]] == ["Z", "E", "N"]
    segment = found["channels"][0]["segments"][0]
    archive = Archive.open(short.waveforms)
    ours = archive.read(ChannelId.parse(f"{SENSOR}Z"), Time.parse(START), Time.parse(END))[0]
    assert segment["start"] == START
    assert segment["step_s"] == 0.02
    assert segment["samples"] == ours.samples.tolist()


def test_long_waveforms_are_envelopes_that_hold_every_extreme(console: Served, short: Synthetic):
    found = console.get("/api/waveforms", sensor=SENSOR, points=100, **SPAN)
    segment = found["channels"][0]["segments"][0]
    archive = Archive.open(short.waveforms)
    ours = archive.read(ChannelId.parse(f"{SENSOR}Z"), Time.parse(START), Time.parse(END))[0]
    assert segment["samples"] is None
    assert len(segment["minimum"]) == len(segment["maximum"]) == 100
    assert min(segment["minimum"]) == ours.samples.min()
    assert max(segment["maximum"]) == ours.samples.max()


def test_last_step_of_an_envelope_may_be_shorter():
    low, high = envelope(np.array([1.0, 5.0, 2.0, -3.0, 4.0]), 2)
    assert (low.tolist(), high.tolist()) == ([1, -3, 4], [5, 2, 4])


def test_ground_motion_is_the_counts_over_the_sensitivity_in_the_passband(console: Served):
    # Above, the phase of the sensor's own poles is seen.
    view = {"sensor": SENSOR, "low_hz": 1, "high_hz": 4, **SPAN}
    counts = console.get("/api/waveforms", **view)["channels"][0]["segments"][0]["samples"]
    ground = console.get("/api/waveforms", units="m/s", **view)
    channel = console.get("/api/stations/SY.S01")["channels"]
    sensitivity = next(c["sensitivity"] for c in channel if c["channel"] == f"{SENSOR}Z")
    moved = np.array(ground["channels"][0]["segments"][0]["samples"]) * sensitivity
    assert np.corrcoef(moved, counts)[0, 1] > 0.99
    assert np.std(moved) == pytest.approx(np.std(counts), rel=0.1)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"sensor": "SY.NONE..HH", **SPAN}, 404),
        ({"sensor": "nonsense", **SPAN}, 422),
        ({"sensor": SENSOR, "start": END, "end": START}, 422),
        ({"sensor": SENSOR, "start": "2024-01-01", "end": "2024-02-01"}, 422),
        ({"sensor": SENSOR, "low_hz": 10, "high_hz": 2, **SPAN}, 422),
        ({"sensor": SENSOR, "units": "furlongs", **SPAN}, 422),
    ],
)
def test_what_cannot_be_shown_is_told(console: Served, query, status):
    assert console.get("/api/waveforms", status, **query)["detail"]


def test_probabilities_rise_where_the_network_picks(console: Served):
    found = console.get("/api/probabilities", sensor=SENSOR, **SPAN)
    segment = found["segments"][0]
    assert {"P", "S"} <= set(segment["values"])
    curve = np.array([v or 0 for v in segment["values"]["P"]])
    assert len(curve) * segment["step_s"] == pytest.approx(20, abs=0.1)
    picks = [
        Time.parse(p["time"])
        for line in console.get("/api/events")["items"]
        for p in console.get(f"/api/events/{line['id']}")["picks"]
        if (p["station"], p["phase"]) == ("SY.S01", "P")
    ]
    peak = Time.parse(segment["start"]) + int(curve.argmax()) * segment["step_s"]
    assert curve.max() > 0.3
    assert min(abs(peak - pick) for pick in picks) < 0.3
    assert console.get("/api/probabilities", sensor=SENSOR, **SPAN) == found


def test_spectrogram_has_a_row_a_frequency(console: Served):
    found = console.get("/api/spectrogram", channel=f"{SENSOR}Z", **SPAN)["segments"][0]
    power = np.array(found["power_db"])
    assert power.shape[0] == len(found["frequency_hz"])
    assert found["frequency_hz"][-1] == 25
    assert power.shape[1] * found["step_s"] == pytest.approx(18, abs=0.5)


def test_stations_of_an_archive_are_recorded(console: Served, short: Synthetic):
    found = console.get("/api/stations")
    ours = {str(s.station_id): s for s in short.network.inventory.stations()}
    assert found["total"] == len(ours) == 6
    for line in found["items"]:
        assert line["state"] == "recorded"
        assert line["latitude"] == pytest.approx(ours[line["code"]].latitude)
        assert line["data_age_s"] is None
        assert line["picks"] > 0
    assert len(console.get("/api/stations/SY.S01")["channels"]) == 3
    console.get("/api/stations/SY.NONE", 404)
    console.get("/api/stations/nonsense", 422)


def test_helicorder_holds_the_day(console: Served):
    sheet = console.get("/api/stations/SY.S01/helicorder", day=START, row_min=30, points=100)
    assert len(sheet["rows"]) == 48
    assert sheet["rows"][0]["minimum"] == [None] * 100
    noon = [row for row in sheet["rows"] if any(v is not None for v in row["minimum"])]
    assert [row["start"] for row in noon] == [
        "2024-03-05T11:30:00.000000Z", "2024-03-05T12:00:00.000000Z",
    ]  # fmt: skip
    console.get("/api/stations/SY.S01/helicorder", 422, day=START, row_min=7)


def test_noise_lies_between_petersons_models(console: Served):
    found = console.get(
        "/api/stations/SY.S01/noise", start="2024-03-05T11:58:00Z", end="2024-03-05T12:02:00Z"
    )
    frequency_hz, median = np.array(found["frequency_hz"]), np.array(found["power_db"]["10"])
    quiet = (frequency_hz > 0.1) & (frequency_hz < 0.5)
    assert np.all(median[quiet] > np.array(found["low_noise_db"])[quiet])
    assert np.all(median[quiet] < np.array(found["high_noise_db"])[quiet])
    refused = console.get("/api/stations/SY.S01/noise", 422, **SPAN)
    assert "gap-free" in refused["detail"]


def test_coverage_and_picks_of_a_station(console: Served, short_run: Ran):
    span = {"start": "2024-03-05", "end": "2024-03-06"}
    found = console.get("/api/stations/SY.S01/coverage", **span)["items"]
    seconds = sum(x["seconds"] for x in found if x["channel"] == f"{SENSOR}Z")
    assert seconds == pytest.approx(200, abs=0.1)
    phases = console.get("/api/stations/SY.S01/picks")["items"]
    mine = [p for p in short_run.picks if str(p.channel_id.station_id) == "SY.S01"]
    assert sum(line["picks"] for line in phases) == len(mine)
    assert all(abs(line["median_residual_s"]) < 0.5 for line in phases if line["used"])


def messages(answer: httpx.Response):
    """Server-sent events as (id, kind, content)."""
    held: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, text = line.partition(": ")
            held[name] = text
        elif "data" in held:
            yield held.get("id"), held["event"], json.loads(held["data"])
            held = {}


def test_stream_tells_versions_and_picks_and_goes_on_where_it_broke(desk: Served, short_run: Ran):
    event = short_run.events[0]
    with desk.client.stream("GET", "/api/live") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = messages(answer)
        begun, kind, _ = next(told)
        assert kind == "start"

        def write() -> None:
            with Store.open(desk.folder / "zilzal.db") as store:
                store.put_event(replace(event, comment="revised"))
                moved = replace(event.picks[0], time=event.picks[0].time + 7)
                store.put_picks([moved])

        thread = threading.Thread(target=write)
        thread.start()
        seen: dict[str, dict] = {}
        while {"events", "picks"} - seen.keys():
            _, kind, content = next(told)
            seen[kind] = content
        thread.join()
    assert [(e["id"], e["version"]) for e in seen["events"]["items"]] == [(event.id, 2)]
    assert len(seen["picks"]["items"]) == 1
    with desk.client.stream("GET", "/api/live", headers={"Last-Event-ID": begun}) as answer:
        told = messages(answer)
        kinds = {next(told)[1] for _ in range(3)}
    assert kinds == {"start", "events", "picks"}


def test_stream_gives_what_a_monitor_records(short_run: Ran, short: Synthetic, tmp_path: Path):
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    noon = Time.parse("2024-03-05T12:00:00Z")
    places = Places(inventory=(short.inventory,), waveforms=(short.waveforms,))
    with serving(folder, places, Access(), now=lambda: noon) as served:
        query = {"sensor": SENSOR, "probabilities": "false"}
        with served.client.stream("GET", "/api/live", params=query) as answer:
            found = [content for _, kind, content in _some(messages(answer), 4)
                     if kind == "waveform"]  # fmt: skip
    assert {c["channel"] for c in found} == {f"{SENSOR}{c}" for c in "ZNE"}
    assert found[0]["segments"][0]["start"] == str(noon - FIRST_S)


def test_stream_gives_chosen_components_in_steps(short_run: Ran, short: Synthetic, tmp_path: Path):
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    noon = Time.parse("2024-03-05T12:00:00Z")
    places = Places(inventory=(short.inventory,), waveforms=(short.waveforms,))
    query = {"sensor": SENSOR, "component": ["Z", "E"], "step_s": 0.1}
    with serving(folder, places, Access(), now=lambda: noon) as served:
        with served.client.stream("GET", "/api/live", params=query) as answer:
            found = [content for _, kind, content in _some(messages(answer), 4)]
        served.get("/api/live", 422, component="ZE")
        served.get("/api/live", 422, step_s=0)
    traces = {c["channel"]: c["segments"] for c in found if c["kind"] == "waveform"}
    assert set(traces) == {f"{SENSOR}Z", f"{SENSOR}E"}
    (segment,) = traces[f"{SENSOR}Z"]
    start = Time.parse(segment["start"])
    ours = Archive.open(short.waveforms).read(ChannelId.parse(f"{SENSOR}Z"), start, noon + 60)[0]
    steps = np.array(ours.samples[: len(ours.samples) // 5 * 5]).reshape(-1, 5)
    assert segment["step_s"] == pytest.approx(0.1)
    assert segment["samples"] is None
    np.testing.assert_allclose(segment["minimum"], steps.min(axis=1), rtol=1e-4)
    np.testing.assert_allclose(segment["maximum"], steps.max(axis=1), rtol=1e-4)
    (curves,) = [c["segments"][0] for c in found if c["kind"] == "probabilities"]
    assert curves["step_s"] == pytest.approx(0.1)
    assert len(curves["values"]["P"]) > 100


def test_growing_pieces_join_without_a_short_step():
    samples = np.random.default_rng(1).normal(size=103)

    def segment(first: int, end: int) -> Segment:
        start = Time.parse(START) + first * 0.01
        return Segment(start=start, step_s=0.01, minimum=samples[first:end])

    shown, end = in_steps([segment(0, 57)], 0.05)
    assert len(shown[0].minimum) == 11
    # A gap of ten samples, after which the record goes on.
    more, last = in_steps([segment(55, 63), segment(73, 103)], 0.05)
    assert end == Time.parse(START) + 0.545
    assert [len(s.minimum) for s in more] == [2, 6]
    assert last == Time.parse(START) + 1.025
    assert (more[0].minimum[1], more[0].maximum[1]) == (samples[60:63].min(), samples[60:63].max())
    assert in_steps([segment(0, 4)], 0.05) == ([], None)
    assert in_steps([segment(0, 4)], None)[0][0].maximum is None


def test_peaks_of_curves_are_kept():
    values = np.array([[0.1, np.nan, 0.9, 0.2, 0.3, 0.8, 0.4]], np.float32)
    curves = Probabilities(
        sensor_id=SensorId("SY", "S01", "", "HH"), start=Time.parse(START), sampling_rate=100.0,
        labels=("P",), values=values,
    )  # fmt: skip
    found = peaks(curves, 0.02, is_growing=True)
    np.testing.assert_array_equal(found.values, np.float32([[0.1, 0.9, 0.8]]))
    assert found.next_start == curves.start + 0.06
    np.testing.assert_array_equal(
        peaks(curves, 0.02, is_growing=False).values, np.float32([[0.1, 0.9, 0.8, 0.4]])
    )


def _some(told, count: int):
    return [next(told) for _ in range(count)]


def test_store_remembers_where_things_lie(short_run: Ran, short: Synthetic, tmp_path: Path):
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(short_run.output, folder)
    with Store.open(folder / "zilzal.db") as store:
        remember_places(store, Places(inventory=(short.inventory,), waveforms=(short.waveforms,)))
    for place in (folder, folder / "zilzal.db", f"sqlite:///{folder / 'zilzal.db'}"):
        with open_holdings(place) as held:
            assert len(held.inventory.stations()) == 6
            assert len(held.waveforms.channel_ids()) == 18


def test_what_is_missing_is_told(tmp_path: Path, short_run: Ran):
    for place in (tmp_path, tmp_path / "none.db"):
        with pytest.raises(StoreError, match=r"no results|no store"), open_holdings(place):
            pass
    wrong = Places(waveforms=(tmp_path / "none",))
    with pytest.raises(ConfigError, match="waveforms"), open_holdings(short_run.output, wrong):
        pass
