"""QuakeML: nothing lost through ObsPy's own reader, valid, and other programs' files read."""

from __future__ import annotations

import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.io.examples import classification, event, magnitude, origin, pick, plain, unlocated
from zilzal.core.catalogue import Catalogue
from zilzal.core.errors import DataError, FormatError, StoreError
from zilzal.core.event import Event, EventType, Origin, Unlocated
from zilzal.core.pick import EvaluationMode, Onset, Phase
from zilzal.core.time import Time
from zilzal.io.quakeml import QuakeMLReader, QuakeMLWriter, quakeml, read_quakeml, write_quakeml

pytestmark = pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")


def _obspy(document: bytes):
    from obspy import read_events

    return read_events(BytesIO(document), format="QUAKEML")


def _foreign(body: str) -> bytes:
    return (
        '<?xml version="1.0"?><q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" '
        'xmlns:q="http://quakeml.org/xmlns/quakeml/1.2"><eventParameters publicID="smi:abc/cat">'
        f"{body}</eventParameters></q:quakeml>"
    ).encode()


EVENTS = {
    "whole": event(),
    "unlocated": unlocated(1),
    "bare": event(2, picks=(), detections=(), magnitudes=(), classification=None, comment=""),
    "reviewed": event(3, evaluation_mode=EvaluationMode.MANUAL, version=4, author="mina \x07 ä"),
    "not_known": event(
        4, origin=origin((pick(1),), covariance=np.full((4, 4), np.nan), rms_s=float("nan"),
                         depth_fixed=True, quality="D"),
    ),
    "awkward": event(
        5, id="ci38473503/ä b%", comment="line\nbreak \x07 <&> \r tab\t",
        picks=(pick(0, amplitude_counts=None, onset=None, polarity=None), pick(1, snr=None)),
        origin=origin((pick(0), pick(9))),
        magnitudes=(magnitude(magnitude=None, uncertainty=None), magnitude(id="magnitude/2")),
    ),
    "noise": event(6, classification=classification(event_type=EventType.NOT_EXISTING)),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_nothing_is_lost(tmp_path: Path, name: str):
    file = tmp_path / "event.xml"
    write_quakeml(file, [EVENTS[name]])
    (found,) = read_quakeml(file)
    assert plain(found) == plain(EVENTS[name])


def test_nothing_is_lost_through_obspy(tmp_path: Path):
    file, again = tmp_path / "events.xml", tmp_path / "again.xml"
    write_quakeml(file, EVENTS.values())
    _obspy(file.read_bytes()).write(str(again), format="QUAKEML")
    found = read_quakeml(again)
    assert [plain(e) for e in found] == [plain(e) for e in Catalogue.of(EVENTS.values())]


@pytest.mark.parametrize("authority", ["local", "org.gfz-potsdam.de"])
def test_document_is_valid(authority: str):
    from obspy.io.quakeml.core import _validate

    document = quakeml(EVENTS.values(), QuakeMLWriter(authority=authority, agency="GFZ"))
    assert _validate(BytesIO(document), verbose=True)


def test_every_type_of_event_can_be_written():
    events = [
        event(n, classification=classification(event_type=t)) for n, t in enumerate(EventType)
    ]
    assert [e.event_type for e in _obspy(quakeml(events))] == [str(t) for t in EventType]


def test_authority_that_is_none_is_refused():
    with pytest.raises(ValueError, match="authority 'x y'"):
        quakeml([event()], QuakeMLWriter(authority="x y"))


def test_obspy_sees_the_pick():
    seen = _obspy(quakeml([event()]))[0].picks[1]
    made = event().picks[1]
    assert seen.resource_id.id == f"smi:local/{made.id}"
    assert abs(seen.time.ns - made.time.ns) <= 500
    assert seen.time_errors.uncertainty == made.uncertainty_s
    assert seen.waveform_id.get_seed_string() == "CI.S000..HHE"
    assert (seen.phase_hint, seen.onset, seen.evaluation_mode) == ("S", None, "automatic")
    assert seen.creation_info.author == "neural"
    assert _obspy(quakeml([event()]))[0].picks[0].polarity == "negative"


def test_obspy_sees_the_origin():
    document = quakeml([event()], QuakeMLWriter(agency="GFZ"))
    seen = _obspy(document)[0].preferred_origin()
    made = event().origin
    assert (seen.latitude, seen.longitude, seen.depth) == (35.8585, -117.6676667, 6680.1)
    assert seen.depth_errors.uncertainty == pytest.approx(made.covariance[2, 2] ** 0.5)
    assert seen.time_errors.uncertainty == pytest.approx(made.covariance[3, 3] ** 0.5)
    assert seen.latitude_errors.uncertainty == pytest.approx(
        made.covariance[1, 1] ** 0.5 / 111_194.93
    )
    assert seen.longitude_errors.uncertainty == pytest.approx(
        made.covariance[0, 0] ** 0.5 / (111_194.93 * np.cos(np.radians(35.8585)))
    )
    ellipse = seen.origin_uncertainty
    assert (ellipse.max_horizontal_uncertainty, ellipse.confidence_level) == (301.1, 68.0)
    assert ellipse.preferred_description == "uncertainty ellipse"
    assert (seen.quality.azimuthal_gap, seen.quality.standard_error) == (77.1, made.rms_s)
    assert (seen.quality.used_phase_count, seen.quality.used_station_count) == (4, 2)
    assert seen.depth_type == "from location"
    assert seen.earth_model_id.id == "smi:local/earthmodel/hadley-kanamori"
    assert seen.creation_info.agency_id == "GFZ"


def test_obspy_sees_arrivals_and_their_picks():
    seen = _obspy(quakeml([event()]))[0]
    arrival, made = seen.origins[0].arrivals[2], event().origin.arrivals[2]
    assert arrival.pick_id.get_referred_object() is seen.picks[2]
    assert (arrival.phase, arrival.azimuth) == ("P", made.azimuth_deg)
    assert arrival.distance == pytest.approx(made.distance_m / 111_194.93)
    assert (arrival.time_residual, arrival.time_weight, arrival.time_correction) == (
        made.residual_s, made.weight, made.correction_s,
    )  # fmt: skip
    assert arrival.takeoff_angle == made.takeoff_angle_deg


def test_obspy_sees_magnitudes_stations_and_amplitudes():
    seen = _obspy(quakeml([event()]))[0]
    network, made = seen.preferred_magnitude(), event().magnitudes[0]
    assert (network.mag, network.magnitude_type, network.station_count) == (2.59, "ML", 1)
    assert network.mag_errors.uncertainty == made.uncertainty
    assert network.comments[0].text == "flat responses"
    (contribution,) = network.station_magnitude_contributions
    assert (contribution.residual, contribution.weight) == (0.01, 1.0)
    (station,) = seen.station_magnitudes
    assert contribution.station_magnitude_id == station.resource_id
    assert (station.mag, station.waveform_id.station_code) == (2.6, "S000")
    (amplitude,) = seen.amplitudes
    assert amplitude.resource_id == station.amplitude_id
    assert (amplitude.generic_amplitude, amplitude.unit, amplitude.type) == (
        made.station_magnitudes[0].amplitude_m, "m", "AML",
    )  # fmt: skip
    assert (amplitude.period, amplitude.snr) == (0.3, 30.1)


def test_obspy_sees_the_kind_of_event_and_its_version():
    first, second = _obspy(quakeml([event(version=3), EVENTS["reviewed"]]))
    assert (first.event_type, first.event_type_certainty) == ("quarry blast", "suspected")
    assert second.event_type_certainty == "known"
    assert first.creation_info.version == "3"
    assert first.comments[0].text == "felt in Ridgecrest – “strongly”"


def test_obspy_sees_why_an_event_has_no_place():
    (seen,) = _obspy(quakeml([unlocated()]))
    assert seen.origins == []
    assert len(seen.picks) == 4
    assert "not located: three stations are too few" in [c.text for c in seen.comments]


def test_depth_that_was_fixed_is_said():
    fixed = event(origin=origin((), depth_fixed=True))
    assert _obspy(quakeml([fixed]))[0].origins[0].depth_type == "operator assigned"


def test_what_another_program_changed_is_believed(tmp_path: Path):
    from obspy.core.event import Catalog

    (seen,) = _obspy(quakeml([event()]))
    seen.picks[0].time += 0.25
    seen.picks[0].onset = "emergent"
    seen.origins[0].arrivals[0].distance = 1.0
    seen.event_type = "earthquake"
    file = tmp_path / "changed.xml"
    Catalog([seen]).write(str(file), format="QUAKEML")
    (found,) = read_quakeml(file)
    assert found.picks[0].time == Time(pick().time.ns // 1000 * 1000) + 0.25 or (
        abs(found.picks[0].time - pick().time - 0.25) < 1e-6
    )
    assert found.picks[0].onset is Onset.EMERGENT
    assert found.origin.arrivals[0].pick_id == found.picks[0].id
    assert found.origin.arrivals[0].distance_m == pytest.approx(111_194.93)
    assert found.classification.event_type is EventType.EARTHQUAKE
    assert found.picks[1:] == event().picks[1:]


def test_file_of_another_program_is_read(tmp_path: Path):
    file = tmp_path / "event.xml"
    file.write_bytes(_foreign("""
      <event publicID="quakeml:us.anss.org/event/1">
        <preferredOriginID>smi:abc/o2</preferredOriginID>
        <preferredMagnitudeID>smi:abc/m2</preferredMagnitudeID><type>mining explosion</type>
        <comment><text>felt</text></comment>
        <pick publicID="smi:abc/p1"><time><value>2019-07-07T00:00:05.25Z</value>
          <uncertainty>0.05</uncertainty></time>
          <waveformID networkCode="CI" stationCode="CCC" channelCode="HHZ"/>
          <phaseHint>Pn</phaseHint><evaluationMode>manual</evaluationMode>
          <creationInfo><author>jane</author></creationInfo></pick>
        <pick publicID="smi:abc/p2"><time><value>2019-07-07T00:00:09Z</value></time>
          <waveformID networkCode="CI" stationCode="CCC"/></pick>
        <pick publicID="smi:abc/p3"><time><value>2019-07-07T00:00:11Z</value></time>
          <waveformID networkCode="CI" stationCode="CCC"/><phaseHint>AML</phaseHint></pick>
        <origin publicID="smi:abc/o1"><time><value>2000-01-01T00:00:00Z</value></time>
          <latitude><value>1</value></latitude><longitude><value>2</value></longitude></origin>
        <origin publicID="smi:abc/o2"><time><value>2019-07-07T00:00:01Z</value></time>
          <latitude><value>35.5</value><uncertainty>0.01</uncertainty></latitude>
          <longitude><value>-117.5</value></longitude>
          <depth><value>8000</value><uncertainty>500</uncertainty></depth>
          <evaluationMode>manual</evaluationMode>
          <originUncertainty><horizontalUncertainty>700</horizontalUncertainty>
          </originUncertainty>
          <arrival publicID="smi:abc/a1"><pickID>smi:abc/p1</pickID><phase>Pn</phase>
            <distance>0.5</distance><timeResidual>-0.1</timeResidual></arrival>
          <arrival publicID="smi:abc/a2"><pickID>smi:abc/p2</pickID><phase>Sg</phase></arrival>
          <arrival publicID="smi:abc/a3"><pickID>smi:abc/p3</pickID><phase>AML</phase></arrival>
        </origin>
        <magnitude publicID="smi:abc/m1"><mag><value>3.1</value></mag><type>mb</type></magnitude>
        <magnitude publicID="smi:abc/m2"><mag><value>3.3</value></mag><type>Mw</type></magnitude>
      </event>"""))  # fmt: skip
    (found,) = read_quakeml(file, QuakeMLReader(uncertainty_s=0.2))
    assert (found.id, found.comment) == ("quakeml:us.anss.org/event/1", "felt")
    assert found.evaluation_mode is EvaluationMode.MANUAL
    first, second = found.picks
    assert (first.phase, first.uncertainty_s, first.provenance.method) == (Phase.P, 0.05, "jane")
    assert (second.phase, second.uncertainty_s, second.probability) == (Phase.S, 0.2, 1.0)
    assert isinstance(found.origin, Origin)
    assert (found.origin.latitude, found.origin.depth_m) == (35.5, 8000.0)
    assert found.origin.covariance[1, 1] ** 0.5 == pytest.approx(1111.9493)
    assert found.origin.depth_uncertainty_m == 500.0
    assert np.isnan(found.origin.covariance[0, 1])
    assert found.origin.ellipse.semi_minor_m == 700.0
    assert [a.pick_id for a in found.origin.arrivals] == [first.id, second.id]
    assert found.origin.arrivals[0].distance_m == pytest.approx(55_597.465)
    assert [m.magnitude for m in found.magnitudes] == [3.3, 3.1]
    assert found.classification.event_type is EventType.OTHER
    assert found.classification.label == "mining explosion"

    write_quakeml(file, [found])
    (again,) = read_quakeml(file)
    assert plain(again) == plain(found)


def test_event_without_origin_takes_its_first_pick(tmp_path: Path):
    file = tmp_path / "event.xml"
    file.write_bytes(_foreign(
        '<event publicID="smi:abc/e1"><pick publicID="smi:abc/p1"><time><value>'
        '2019-07-07T00:00:05Z</value></time><waveformID networkCode="CI" stationCode="CCC"/>'
        '<phaseHint>P</phaseHint></pick></event><event publicID="smi:abc/e2"></event>'
    ))  # fmt: skip
    (found,) = read_quakeml(file)
    assert found.origin == Unlocated(
        reason="its file gives no origin", time=Time.parse("2019-07-07T00:00:05Z")
    )


@pytest.mark.parametrize("content", [b"", b"<a/>", b"event_id,time\n", b"<q:quakeml>"])
def test_what_is_not_quakeml_is_told(tmp_path: Path, content: bytes):
    file = tmp_path / "event.xml"
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"event\.xml is not QuakeML"):
        read_quakeml(file)


def test_places_that_cannot_be_used_are_told(tmp_path: Path):
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        read_quakeml(tmp_path / "none.xml")
    with pytest.raises(StoreError, match=r"cannot write .*No such file"):
        write_quakeml(tmp_path / "no" / "event.xml", [event()])


@pytest.mark.parity
def test_catalogues_that_obspy_carries_are_read():
    import obspy

    folder = Path(obspy.__file__).parent / "io" / "quakeml" / "tests" / "data"
    file = folder / "neries_events.xml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_quakeml(file)
        seen = obspy.read_events(str(file))
    assert len(found) == len(seen) == 3
    by_id = {e.resource_id.id: e for e in seen}
    for made in found:
        assert isinstance(made, Event)
        stated = by_id[made.id].preferred_origin() or by_id[made.id].origins[0]
        assert (made.time.ns, made.origin.latitude) == (stated.time.ns, stated.latitude)
        assert replace(made, version=1).magnitude.magnitude == by_id[made.id].magnitudes[0].mag
