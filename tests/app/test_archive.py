"""From an archive to a catalogue: resumed, repeated, changed, damaged."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.app.short import Ran, assert_same, run, settings, table
from tests.infer.networks import SPEC, tiny_network
from zilzal.app.archive import Summary, pick_archive, run_archive
from zilzal.app.configuration import SensorOptions, read_configuration
from zilzal.app.display.holdings import Places, open_holdings
from zilzal.app.events import LEARNED, LESSON, instructed
from zilzal.app.sensors import distinct
from zilzal.app.synthetic import Synthetic
from zilzal.core.coverage import Reason
from zilzal.core.errors import SourceError, SpecError, StoreError
from zilzal.core.event import Origin, Unlocated
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.pick import Phase, in_order
from zilzal.core.station import Inventory
from zilzal.infer.spec import attach_spec
from zilzal.io.archive import Archive
from zilzal.io.inventory import read_inventory
from zilzal.io.sds_writer import write_sds
from zilzal.io.store import Store
from zilzal.io.tables import read_arrivals, read_catalogue, read_coverage, read_picks


def located(ran: Ran) -> list[str]:
    return [event.id for event in ran.events if isinstance(event.origin, Origin)]


def test_both_events_are_found_where_they_were(short_run, short):
    origins = [event.origin for event in short_run.events]
    assert len(origins) == 2
    for origin, true in zip(origins, short.network.events, strict=True):
        assert isinstance(origin, Origin)
        assert abs(origin.time - true.time) < 0.5
        assert abs(origin.latitude - true.latitude) < 0.02
        assert abs(origin.longitude - true.longitude) < 0.03


def test_summary_counts_what_the_tables_hold(short_run):
    summary = short_run.summary
    assert summary.sensors == 6
    assert summary.station_hours == pytest.approx(6 * 200 / 3_600)
    assert summary.picks == len(list(read_picks(short_run.output / "picks.csv"))) > 20
    assert summary.events == len(read_catalogue(short_run.output / "catalogue.csv")) == 2
    assert (summary.unlocated, summary.noise) == (0, 0)
    assert (summary.failures, summary.bad_files) == ([], [])
    assert set(summary.seconds) == {"scan", "pick", "learn", "events", "write"}


def test_tables_read_back_as_what_the_store_holds(short_run):
    event_of = {pick.id: event.id for event in short_run.events for pick in event.picks}
    read = list(read_picks(short_run.output / "picks.csv"))
    assert [(str(p.channel_id), p.phase, str(p.time), owner) for p, owner in read] == [
        (str(p.channel_id), p.phase, str(p.time), event_of.get(p.id, "")) for p in short_run.picks
    ]
    rows = read_catalogue(short_run.output / "catalogue.csv")
    assert [(row.event_id, str(row.time)) for row in rows] == [
        (event.id, str(event.time)) for event in short_run.events
    ]
    for row, event in zip(rows, short_run.events, strict=True):
        assert row.magnitude == pytest.approx(event.magnitude.magnitude, abs=5e-4)
        assert row.depth_m == pytest.approx(event.origin.depth_m, abs=0.06)
    arrivals = list(read_arrivals(short_run.output / "arrivals.csv"))
    assert [(owner, a.pick_id) for owner, a in arrivals] == [
        (event.id, arrival.pick_id)
        for event in short_run.events
        for arrival in event.origin.arrivals
    ]


def test_ledger_accounts_for_the_whole_recording(short_run):
    hours = read_coverage(short_run.output / "coverage.csv")
    assert len({hour.channel_id for hour in hours}) == 18
    assert sum(hour.seconds for hour in hours) == pytest.approx(18 * 200)
    assert sum(h.seconds for h in hours if h.reason is Reason.ANALYSED) == pytest.approx(18 * 200)


@pytest.mark.parity
def test_quakeml_reads_in_obspy_with_its_picks_and_arrivals(short_run):
    from obspy import read_events

    theirs = read_events(str(short_run.output / "catalogue.xml"))
    assert len(theirs) == 2
    for their, our in zip(sorted(theirs, key=lambda e: e.origins[0].time), short_run.events,
                          strict=True):  # fmt: skip
        origin = their.preferred_origin()
        assert abs(origin.time.ns - our.time.ns) < 1_000
        assert origin.latitude == pytest.approx(our.origin.latitude)
        assert origin.depth == pytest.approx(our.origin.depth_m)
        assert their.preferred_magnitude().mag == pytest.approx(our.magnitude.magnitude)
        assert len(origin.arrivals) == len(our.origin.arrivals)
        assert {pick.time.ns // 1_000 for pick in their.picks} == {
            round(pick.time.ns / 1_000) for pick in our.picks
        }


def test_effective_configuration_is_written_beside_the_results(short_run):
    written = (short_run.output / "zilzal.toml").read_text(encoding="utf-8")
    assert written == settings().to_toml()
    with Store.open(short_run.output / "zilzal.db") as store:
        key = short_run.events[0].origin.provenance.configuration
        assert key == settings().sha256
        assert store.configuration(key) == settings().to_toml(results_only=True)
        assert store.configuration(settings().picking_sha256) == settings().to_toml(picking=True)


def test_same_run_again_changes_nothing(short, short_run, tmp_path):
    shutil.copytree(short_run.output, tmp_path / "out")
    again = run(short, tmp_path / "out")
    assert_same(again, short_run)
    assert [event.version for event in again.events] == [1, 1]


@pytest.mark.parametrize("after", [1, 5, 9])
def test_interrupted_run_goes_on_and_ends_the_same(short, short_run, tmp_path, after):
    """In jobs of 3 min at six stations, of which each has two."""
    configuration = settings(run={"chunk_h": 0.05})

    def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path, configuration, interrupt)
    with Store.open(tmp_path / "zilzal.db") as store:
        assert len(store.done_keys(configuration.picking_sha256)) == after
        assert len(store.picks()) < len(short_run.picks)
    steps: list[int] = []

    def count(stage: str, done: int, total: int, note: str = "") -> None:
        steps.extend([total] if stage == "pick" else [])

    resumed = run(short, tmp_path, configuration, count)
    assert steps == [12 - after] * (12 - after)
    assert_same(resumed, short_run)
    assert [event.version for event in resumed.events] == [1, 1]


def test_run_interrupted_after_picking_goes_on(short, short_run, tmp_path):
    def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "locate":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path, report=interrupt)
    stages: set[str] = set()
    resumed = run(short, tmp_path, report=lambda stage, done, total, note="": stages.add(stage))
    assert stages == {"scan", "learn", "associate", "locate", "measure"}
    assert_same(resumed, short_run)


@pytest.mark.slow
@pytest.mark.parametrize("chunk_h", [0.05, 24.0])
def test_two_processes_give_what_one_gives(short, short_run, tmp_path, chunk_h):
    ran = run(short, tmp_path, settings(run={"workers": 2, "chunk_h": chunk_h}))
    assert_same(ran, short_run)


@pytest.mark.slow
def test_interrupted_run_of_two_processes_goes_on(short, short_run, tmp_path):
    configuration = settings(run={"workers": 2, "chunk_h": 0.05})

    def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "pick" and done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(short, tmp_path, configuration, interrupt)
    assert_same(run(short, tmp_path, configuration), short_run)


def test_other_associator_keeps_the_picks(short, short_run, tmp_path):
    shutil.copytree(short_run.output, tmp_path / "out")
    stages: set[str] = set()
    again = run(
        short, tmp_path / "out", settings(associator={"min_picks": 8}),
        lambda stage, done, total, note="": stages.add(stage),
    )  # fmt: skip
    assert "pick" not in stages
    assert table(again, "picks.csv") == table(short_run, "picks.csv")
    key = settings(associator={"min_picks": 8}).sha256
    assert {event.origin.provenance.configuration for event in again.events} == {key}


def test_what_was_learned_is_written_for_a_monitor(short, short_run):
    text = (short_run.output / LESSON).read_text(encoding="utf-8")
    learned = settings().associator.remembering(text)
    with Store.open(short_run.output / "zilzal.db") as store:
        picks = store.picks()
    stations = read_inventory([short.inventory]).stations()
    asked = settings().associator.settled(picks, stations)
    assert learned.associate(picks, stations) == asked.associate(picks, stations)


def test_events_that_are_gone_are_retracted_and_come_back(short, short_run, tmp_path):
    """More picks are asked for than six stations can give; then no more."""
    shutil.copytree(short_run.output, tmp_path / "out")
    none = run(short, tmp_path / "out", settings(associator={"min_picks": 13}))
    assert none.summary.events == 0
    assert read_catalogue(tmp_path / "out" / "catalogue.csv") == []
    assert [event.id for event in none.events] == located(short_run)
    for event in none.events:
        assert isinstance(event.origin, Unlocated)
        assert event.origin.reason == "not found again by a later run"
        assert event.version == 2
    with Store.open(tmp_path / "out" / "zilzal.db") as store:
        assert isinstance(store.versions(none.events[0].id)[0].origin, Origin)
    back = run(short, tmp_path / "out")
    assert located(back) == located(short_run)
    assert [event.version for event in back.events] == [3, 3]


def test_other_picker_leaves_nothing_of_the_one_before(short, short_run, tmp_path):
    shutil.copytree(short_run.output, tmp_path / "both")
    neural = settings(picker={"use": "neural"})
    after, alone = run(short, tmp_path / "both", neural), run(short, tmp_path / "alone", neural)
    for name in ("picks.csv", "arrivals.csv"):
        assert table(after, name) == table(alone, name)
    # An event whose first pick both have keeps its name, and counts one more version.
    rows = [pd.read_csv(ran.output / "catalogue.csv") for ran in (after, alone)]
    assert rows[0].drop(columns="version").equals(rows[1].drop(columns="version"))
    with Store.open(tmp_path / "both" / "zilzal.db") as store:
        current = [e for e in store.events() if isinstance(e.origin, Origin)]
    makers = {d.provenance.method for event in current for d in event.detections}
    assert makers == {d.provenance.method for event in alone.events for d in event.detections}


def test_settings_of_picking_can_be_taken_back(short, short_run, tmp_path):
    """Picks that both settings make are not lost to the first."""
    shutil.copytree(short_run.output, tmp_path / "out")
    run(short, tmp_path / "out", settings(picker={"on": 6.5}))
    back = run(short, tmp_path / "out")
    assert back.summary.picks == short_run.summary.picks
    for name in ("picks.csv", "arrivals.csv"):
        assert table(back, name) == table(short_run, name)


def test_archive_that_grows_is_picked_where_it_grew(short, short_run, tmp_path):
    """First the second event alone, then the time before it as well."""
    late = tmp_path / "late"
    shutil.copytree(short.waveforms, late)
    whole = {path: path.read_bytes() for path in late.rglob("*.D.2024.065")}
    for path in whole:
        cut_off_the_start(path)
    configuration = settings(run={"chunk_h": 0.05})
    first = run(short, tmp_path / "out", configuration, waveforms=late)
    assert first.summary.events == 1
    for path, content in whole.items():
        path.write_bytes(content)
    grown = run(short, tmp_path / "out", configuration, waveforms=late)
    assert {p.id for p in grown.picks} >= {p.id for p in short_run.picks}
    assert grown.summary.events == 2


def test_data_that_come_late_are_picked(short, short_run, tmp_path):
    """The first event falls into a gap that is filled later."""
    late = tmp_path / "late"
    shutil.copytree(short.waveforms, late)
    whole = {path: path.read_bytes() for path in late.rglob("*.D.2024.065")}
    for path in whole:
        cut_out_the_first_event(path)
    configuration = settings(run={"chunk_h": 0.05})
    first = run(short, tmp_path / "out", configuration, waveforms=late)
    assert first.summary.events == 1
    for path, content in whole.items():
        path.write_bytes(content)
    filled = run(short, tmp_path / "out", configuration, waveforms=late)
    assert located(filled) == located(short_run)
    assert table(filled, "coverage.csv") == table(short_run, "coverage.csv")


def test_of_two_picks_for_one_onset_the_more_probable_counts(short_run):
    first, *others = (p for p in short_run.picks if p.channel_id.station == "S01")
    before = replace(first, time=first.time - 0.004, probability=first.probability / 2)
    elsewhere = replace(before, channel_id=replace(first.channel_id, station="S99"))
    assert distinct([first, before, *others]) == [first, *others]
    assert distinct([before, elsewhere, first]) == in_order([elsewhere, first])


def cut_out_the_first_event(path: Path) -> None:
    from obspy import UTCDateTime, read

    begin, end = UTCDateTime(2024, 3, 5, 11, 58, 20), UTCDateTime(2024, 3, 5, 11, 59, 20)
    read(str(path)).cutout(begin, end).write(str(path), format="MSEED")


def cut_off_the_start(path: Path) -> None:
    from obspy import UTCDateTime, read

    read(str(path)).trim(UTCDateTime(2024, 3, 5, 11, 59, 25)).write(str(path), format="MSEED")


def test_damaged_file_is_told_and_the_rest_goes_on(short, short_run, tmp_path):
    damaged = tmp_path / "waveforms"
    shutil.copytree(short.waveforms, damaged)
    (victim,) = damaged.rglob("SY.S02..HHZ.D.2024.065")
    victim.write_bytes(b"this was a file once" * 100)
    ran = run(short, tmp_path / "out", waveforms=damaged)
    assert len(ran.summary.bad_files) == 1
    assert str(victim) in ran.summary.bad_files[0]
    assert ran.summary.events == 2
    others = {p.id for p in short_run.picks if p.channel_id.station != "S02"}
    assert others <= {p.id for p in ran.picks}


def test_damaged_record_is_told_in_the_ledger(short, tmp_path):
    damaged = tmp_path / "waveforms"
    shutil.copytree(short.waveforms, damaged)
    (victim,) = damaged.rglob("SY.S02..HHZ.D.2024.065")
    content = bytearray(victim.read_bytes())
    content[10 * 512 : 11 * 512] = b"\xff" * 512
    victim.write_bytes(content)
    ran = run(short, tmp_path / "out", waveforms=damaged)
    hours = read_coverage(ran.output / "coverage.csv")
    lost = [h for h in hours if h.reason is not Reason.ANALYSED]
    assert {str(h.channel_id) for h in lost} == {"SY.S02..HHZ"}
    assert sum(hour.seconds for hour in hours) == pytest.approx(18 * 200)
    assert ran.summary.events == 2


def test_empty_folder_is_a_clear_error(short, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no waveforms in 0 files"):
        run(short, tmp_path / "out", waveforms=tmp_path / "empty")


def test_missing_folder_is_a_clear_error(short, tmp_path):
    with pytest.raises(SourceError, match=r"absent: no such file or folder"):
        run(short, tmp_path / "out", waveforms=tmp_path / "absent")


def test_output_that_is_a_file_is_a_clear_error(short, tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot write .*out"):
        run(short, tmp_path / "out")
    with pytest.raises(StoreError, match=r"cannot write .*out"):
        run(short, tmp_path / "out" / "below")


def test_settings_file_that_cannot_be_written_is_a_clear_error(short, tmp_path):
    (tmp_path / "out" / "zilzal.toml").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"cannot write .*zilzal\.toml"):
        run(short, tmp_path / "out")


def test_unknown_stations_are_left_out_and_told(short, tmp_path):
    known = read_inventory(short.inventory)
    some = Inventory.of(c for c in known.channels if c.channel_id.station != "S06")
    summary = run_archive([short.waveforms], some, tmp_path, settings())
    assert summary.sensors == 5
    hours = read_coverage(tmp_path / "coverage.csv")
    left = [h for h in hours if h.reason is Reason.NO_METADATA]
    assert {h.channel_id.station for h in left} == {"S06"}
    assert sum(h.seconds for h in left) == pytest.approx(3 * 200)
    assert summary.unused == ["SY.S06..HH: not in the inventory"]


def test_inventory_of_other_stations_is_a_clear_error(short, tmp_path):
    words = r"none of 6 sensors can be used, as SY\.S01\.\.HH: not in the inventory; "
    with pytest.raises(SourceError, match=words):
        run_archive([short.waveforms], Inventory.of(()), tmp_path, settings())
    assert not (tmp_path / "catalogue.csv").exists()


def test_picking_tells_the_ledger_of_sensors_that_it_leaves_out(short, tmp_path):
    some = replace(settings(), sensors=SensorOptions(preference=("HH",)))
    trace = next(iter(Archive.open(short.waveforms).traces()))
    odd = replace(trace, channel_id=ChannelId.parse("SY.ODD..LHZ"))
    write_sds([odd], tmp_path / "odd")
    summary = pick_archive([short.waveforms, tmp_path / "odd"], None, tmp_path / "p.csv", some)
    assert summary.unused == ["SY.ODD..LH: band LH is not among HH"]
    with Store.open(tmp_path / "p.db") as store:
        told = store.coverage(reason=Reason.NOT_CHOSEN)
    assert {str(span.channel_id) for span in told} == {"SY.ODD..LHZ"}


def test_output_within_the_archive_does_no_harm(short, short_run, tmp_path):
    shutil.copytree(short.waveforms, tmp_path / "waveforms")
    for _ in range(2):
        ran = run(short, tmp_path / "waveforms" / "out", waveforms=tmp_path / "waveforms")
        assert ran.summary.bad_files == []
    assert_same(ran, short_run)


def picked(short: Synthetic, output: Path, inventory: Inventory | None = None) -> Summary:
    return pick_archive([short.waveforms], inventory, output, settings())


def test_picking_alone_gives_the_picks_of_a_run(short, short_run, tmp_path):
    summary = picked(short, tmp_path / "picks.csv", read_inventory(short.inventory))
    assert summary.picks == short_run.summary.picks
    times = [(str(p.channel_id), str(p.time)) for p, _ in read_picks(tmp_path / "picks.csv")]
    assert times == [(str(p.channel_id), str(p.time)) for p in short_run.picks]


def test_picking_needs_no_inventory(short, tmp_path):
    picked(short, tmp_path / "picks.csv")
    phases = {pick.phase for pick, _ in read_picks(tmp_path / "picks.csv")}
    assert phases == {Phase.P, Phase.S}


def test_picking_again_changes_nothing(short, tmp_path):
    picked(short, tmp_path / "picks.csv")
    before = (tmp_path / "picks.csv").read_bytes()
    picked(short, tmp_path / "picks.csv")
    assert (tmp_path / "picks.csv").read_bytes() == before


def test_component_that_does_not_go_with_the_others_counts_once_in_the_ledger(short, tmp_path):
    sensor = SensorId.parse("SY.S01..HH")
    for trace in Archive.open(short.waveforms).traces(sensor):
        if trace.channel_id.component == "E":
            trace = replace(trace, samples=trace.samples[::2], sampling_rate=25.0)
        write_sds([trace], tmp_path / "mixed")
        if trace.channel_id.component == "Z":
            odd = replace(trace, channel_id=sensor.channel_id("U"))
            write_sds([odd], tmp_path / "mixed")
    pick_archive([tmp_path / "mixed"], None, tmp_path / "p.csv", settings())
    told: dict[tuple[str, Reason], float] = {}
    with Store.open(tmp_path / "p.db") as store:
        for hour in store.coverage_hours():
            key = hour.channel_id.component, hour.reason
            told[key] = told.get(key, 0.0) + hour.seconds
    assert told == {
        ("E", Reason.RATE_CHANGE): pytest.approx(200),
        ("N", Reason.ANALYSED): pytest.approx(200),
        ("U", Reason.NOT_CHOSEN): pytest.approx(200),
        ("Z", Reason.ANALYSED): pytest.approx(200),
    }


def test_picks_do_not_overwrite_their_own_store(short, tmp_path):
    with pytest.raises(StoreError, match=r"picks\.db"):
        picked(short, tmp_path / "picks.db")


def test_network_that_cannot_be_used_ends_the_run_before_it_begins(short, tmp_path):
    spec = replace(SPEC, thresholds={})
    network = attach_spec(tiny_network(np.random.default_rng(1)), spec)
    (tmp_path / "bare.onnx").write_bytes(network)
    picker = {"use": "neural", "model": str(tmp_path / "bare.onnx")}
    with pytest.raises(SpecError, match="no thresholds for"):
        run(short, tmp_path / "out", settings(picker=picker))
    assert not (tmp_path / "out").exists()


def test_locator_takes_the_terms_that_the_associator_learned(short):
    configuration = settings()
    assert configuration.locator.corrections == ()
    settled = configuration.associator.remembering(lesson(term_s=0.25))
    taught = instructed(configuration, settled).locator
    assert {(c.station, c.phase): c.correction_s for c in taught.corrections} == {
        ("SY.S01", Phase.P): 0.25,
        ("SY.S01", Phase.S): 0.5,
    }
    other_earth = settings(locator={"earth_model": "hadley-kanamori"})
    assert instructed(other_earth, settled).locator.corrections == ()
    own = settings(
        locator={"corrections": [{"station": "SY.S02", "phase": "P", "correction_s": 0.1}]}
    )
    assert instructed(own, settled).locator == own.locator


def test_reviews_locate_with_the_terms_of_the_run(short_run, tmp_path):
    output = tmp_path / "out"
    shutil.copytree(short_run.output, output)
    with Store.open(output / "zilzal.db") as store:
        key = read_configuration(output / "zilzal.toml").sha256
        store.save_checkpoint(LEARNED, lesson(term_s=0.25).encode(), key, done=True)
    with open_holdings(output, Places()) as held:
        terms = {
            (c.station, c.phase): c.correction_s for c in held.configuration.locator.corrections
        }
    assert terms == {("SY.S01", Phase.P): 0.25, ("SY.S01", Phase.S): 0.5}


def lesson(term_s: float) -> str:
    row = {"term_s": [term_s, 2 * term_s], "deafness": [0, 0], "works": [True, True]}
    learned = {
        "share": 0.02,
        "marks": {"edges": [[0.5] * 5] * 2, "log_odds": [[0.0] * 6] * 2},
        "known": {"latitude": [], "longitude": [], "span_s": 1.0},
        "stations": {"SY.S01": {**row, "interval_s": 30.0}},
    }
    return json.dumps({"least_odds": 3.0, "learned": learned})
