"""Phase files of other programs, and our tables: what a label needs survives each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.io.examples import event, pick
from zilzal.core.errors import DataError, FormatError
from zilzal.core.ids import StationId
from zilzal.core.pick import EvaluationMode, Phase, Polarity
from zilzal.core.time import Time
from zilzal.io.phases import Status, clusters, phase_of, read_phases
from zilzal.io.quakeml import write_quakeml
from zilzal.io.tables import write_catalogue, write_picks

pytestmark = [
    pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # ObsPy's writers, of what they leave out
]

ORIGIN = Time.parse("2024-03-05T11:58:50.25Z")
P, S = ORIGIN + 3.11, ORIGIN + 5.37


def foreign():
    """An ObsPy catalogue of one event with a manual P (up, 0.05 s), an automatic S and an Lg."""
    from obspy import UTCDateTime
    from obspy.core.event import (
        Arrival,
        Catalog,
        Event,
        Magnitude,
        Origin,
        Pick,
        QuantityError,
        WaveformStreamID,
    )

    def one(phase, time, channel, **more):
        code = WaveformStreamID("XX", "ALFA", "", channel)
        return Pick(time=UTCDateTime(ns=time.ns), waveform_id=code, phase_hint=phase, **more)

    picks = [
        one("Pg", P, "HHZ", evaluation_mode="manual", polarity="positive", onset="impulsive",
            time_errors=QuantityError(uncertainty=0.05)),
        one("S", S, "HHN", evaluation_mode="automatic", onset="emergent"),
        one("Lg", S + 2, "HHN"),
        one("P", P + 9, "HHZ", evaluation_status="rejected"),
    ]  # fmt: skip
    origin = Origin(
        time=UTCDateTime(ns=ORIGIN.ns), latitude=47.71, longitude=12.86, depth=8_100.0,
        arrivals=[Arrival(pick_id=p.resource_id, phase=p.phase_hint, time_weight=0.5,
                          distance=0.2, azimuth=10.0, time_residual=0.1) for p in picks],
    )  # fmt: skip
    magnitude = Magnitude(mag=2.3, magnitude_type="ML")
    return Catalog([Event(picks=picks, origins=[origin], magnitudes=[magnitude])])


def written(tmp_path: Path, kind: str, name: str) -> Path:
    path = tmp_path / name
    catalogue = foreign()
    if kind == "NORDIC":
        catalogue[0].picks = catalogue[0].picks[:2]  # it has no word for the others
    catalogue.write(str(path), format=kind)
    return path


def read_one(*paths: Path):
    (found,) = read_phases(paths).events
    return found


@pytest.mark.parametrize(
    ("kind", "name", "resolution_s"),
    [
        ("QUAKEML", "a.xml", 0.0),
        ("SCML", "a.scml", 0.0),
        ("NORDIC", "05-1158-50L.S202403", 0.01),
        ("HYPODDPHA", "a.pha", 1e-4),
        ("NLLOC_OBS", "a.obs", 1e-4),
    ],
)
def test_direct_waves_come_with_their_times(tmp_path, kind, name, resolution_s):
    found = read_one(written(tmp_path, kind, name))
    direct = [p for p in found.picks if abs(p.time - P) < 1 or abs(p.time - S) < 1]
    direct.sort(key=lambda p: p.time)
    assert [p.phase for p in direct] == [Phase.P, Phase.S]
    for one, time in zip(direct, (P, S), strict=True):
        assert abs(one.time - time) <= resolution_s
        assert one.station_id.station == "ALFA"
    if kind in ("QUAKEML", "SCML", "NORDIC"):
        assert len(found.picks) == 2  # neither the Lg nor what was rejected
        assert [p.status for p in found.picks] == [Status.MANUAL, Status.AUTOMATIC]
        assert [p.polarity for p in found.picks] == [Polarity.POSITIVE, None]
    else:
        assert {p.status for p in found.picks} == {Status.UNKNOWN}


def test_source_is_the_preferred_origin_and_magnitude(tmp_path):
    source = read_one(written(tmp_path, "QUAKEML", "a.xml")).source
    assert (source.time, source.latitude, source.longitude) == (ORIGIN, 47.71, 12.86)
    assert (source.depth_m, source.magnitude, source.magnitude_type) == (8_100.0, 2.3, "ML")


def test_a_location_s_weight_is_no_trust_but_hypodd_s_is(tmp_path):
    assert read_one(written(tmp_path, "QUAKEML", "a.xml")).picks[0].weight is None
    assert read_one(written(tmp_path, "HYPODDPHA", "a.pha")).picks[0].weight == 0.5


@pytest.mark.parametrize(("digit", "weight"), [(" ", 1.0), ("0", 1.0), ("1", 0.75), ("4", 0.0)])
def test_nordic_digits_become_weights(tmp_path, digit, weight):
    path = written(tmp_path, "NORDIC", "05-1158-50L.S202403")
    text = path.read_text()
    line = next(row for row in text.splitlines() if row.startswith(" ALFA"))
    # Column 15 of a phase line.
    path.write_text(text.replace(line, f"{line[:14]}{digit}{line[15:]}"))
    assert read_one(path).picks[0].weight == weight


@pytest.mark.parametrize("kind", ["NORDIC", "HYPODDPHA", "NLLOC_OBS"])
def test_events_are_called_the_same_at_each_reading(tmp_path, kind):
    path = written(tmp_path, kind, "a.obs" if kind == "NLLOC_OBS" else "a.txt")
    assert read_one(path).event_id == read_one(path).event_id


OBSERVATIONS = """\
# STATION instrument component onset phase motion day minute second error size coda amplitude period
ALFA   HHZ  Z    i Pn     D 20240305 1158 -0.50 GAU 2.00e-02 -1.00e+00 -1.00e+00 -1.00e+00 0
BETA   ?    ?    ? S      ? 20240305 1158 61.25 GAU 0.00e+00 -1.00e+00 -1.00e+00 -1.00e+00
BETA   ?    ?    ? PmP    ? 20240305 1158 64.00 GAU 1.00e-01 -1.00e+00 -1.00e+00 -1.00e+00

PUBLIC_ID ev7
GAMA   ?    N    ? P      + 20240305  958 12.00 GAU 1.00e-01 -1.00e+00 -1.00e+00 -1.00e+00 1
"""


def test_nonlinloc_observations_are_read_line_by_line(tmp_path):
    path = tmp_path / "two.obs"
    path.write_text(OBSERVATIONS)
    second, first = read_phases([path]).events
    assert (first.event_id, second.event_id) == ("two_20240305T115759500", "ev7")
    assert [str(p.time) for p in first.picks] == [
        "2024-03-05T11:57:59.500000Z", "2024-03-05T11:59:01.250000Z",
    ]  # fmt: skip
    assert [p.phase for p in first.picks] == [Phase.P, Phase.S]
    assert [p.uncertainty_s for p in first.picks] == [0.02, None]
    assert [p.weight for p in first.picks] == [0.0, None]
    assert [p.polarity for p in first.picks] == [Polarity.NEGATIVE, None]
    (pick,) = second.picks
    assert (str(pick.time), pick.channel) == ("2024-03-05T09:58:12.000000Z", "N")
    assert second.source is None


def test_a_broken_line_of_observations_is_named(tmp_path):
    path = tmp_path / "bad.obs"
    path.write_text(OBSERVATIONS.replace("61.25", "6l.25"))
    with pytest.raises(FormatError, match=r"bad\.obs, line 3"):
        read_phases([path])


def test_our_tables_and_our_quakeml_tell_the_same(tmp_path):
    made = event()
    ids = {one.id: made.id for one in made.picks}
    stray = pick(9, evaluation_mode=EvaluationMode.MANUAL)
    write_picks(tmp_path / "picks.csv", [*made.picks, stray], ids)
    write_catalogue(tmp_path / "catalogue.csv", [made])
    write_quakeml(tmp_path / "other.xml", [made])
    tables = read_phases([tmp_path / "picks.csv", tmp_path / "catalogue.csv"]).events
    ours = next(e for e in tables if not e.is_loose)
    quakeml = read_one(tmp_path / "other.xml")
    assert ours.event_id == quakeml.event_id == made.id
    assert [(p.station_id, p.phase, p.status) for p in ours.picks] == [
        (p.station_id, p.phase, p.status) for p in quakeml.picks
    ]
    assert [p.weight for p in ours.picks] == pytest.approx([p.weight for p in quakeml.picks])
    assert ours.source.latitude == pytest.approx(quakeml.source.latitude, abs=1e-6)
    (loose,) = [e for e in tables if e.is_loose]
    assert [(p.status, p.weight) for p in loose.picks] == [(Status.MANUAL, None)]


def test_a_table_of_four_columns_is_enough_and_a_bad_line_stops_nothing(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "station,network,phase,time\n"
        "ALFA,XX,P,2024-03-05T11:58:53Z\nALFA,XX,S,soon\nALFA,XX,pP,2024-03-05T11:58:55Z\n"
        "BETA,XX,Sn,2024-03-05T11:58:57Z\n"
    )
    phases = read_phases([path])
    (cluster,) = phases.events
    assert [(p.station_id, p.phase) for p in cluster.picks] == [
        (StationId("XX", "ALFA"), Phase.P), (StationId("XX", "BETA"), Phase.S),
    ]  # fmt: skip
    (fault,) = phases.faults
    assert "line 3, column time: 'soon'" in fault.message


def test_loose_picks_gather_until_a_minute_passes_without_one(tmp_path):
    path = tmp_path / "mine.csv"
    seconds = (0, 50, 100, 170)
    lines = [f"XX,ALFA,P,{ORIGIN + s}" for s in seconds]
    path.write_text("network,station,phase,time\n" + "\n".join(lines) + "\n")
    events = read_phases([path]).events
    assert [len(e.picks) for e in events] == [3, 1]
    assert all(e.is_loose for e in events)
    assert clusters(events[0].picks) == [events[0]]


def test_folders_are_searched_and_other_files_passed_over(tmp_path):
    written(tmp_path, "QUAKEML", "a.xml")
    (tmp_path / "notes.txt").write_text("nothing of the kind\n")
    (tmp_path / "data.mseed").write_bytes(b"000001D \0\0\0")
    (tmp_path / "stations.csv").write_text("network,station,latitude\nXX,ALFA,47\n")
    damaged = tmp_path / "b.xml"
    damaged.write_text((tmp_path / "a.xml").read_text()[:-200])
    phases = read_phases([tmp_path])
    assert len(phases.events) == 1
    (fault,) = phases.faults
    assert fault.message == f"{damaged}: begins as QuakeML, but is no whole XML document"


def test_what_is_named_must_be_readable(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of the kind\n")
    with pytest.raises(FormatError, match="neither an event format that ObsPy knows"):
        read_phases([tmp_path / "notes.txt"])
    with pytest.raises(FileNotFoundError):
        read_phases([tmp_path / "absent"])
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError):
        read_phases([tmp_path / "bad.csv"])


def test_events_that_are_none_are_left_out(tmp_path):
    catalogue = foreign()
    catalogue[0].event_type = "not existing"
    catalogue.write(str(tmp_path / "a.xml"), format="QUAKEML")
    assert read_phases([tmp_path / "a.xml"]).events == ()


@pytest.mark.parametrize(
    ("name", "phase"),
    [("P", Phase.P), ("PG", Phase.P), ("Sn", Phase.S), ("s", Phase.S), ("P*", Phase.P),
     ("pP", None), ("PcP", None), ("Lg", None), ("", None), (None, None)],
)  # fmt: skip
def test_names_of_direct_and_head_waves(name, phase):
    assert phase_of(name) is phase
