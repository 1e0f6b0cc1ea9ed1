"""Seismograms start when they must, point where they must, and are as large as they must be."""

from dataclasses import replace

import numpy as np
import pytest

from tests.synth.conftest import event, make_scenario
from zilzal.core.pick import Phase, Polarity
from zilzal.core.time import sample_number
from zilzal.synth.instrument import BROADBAND
from zilzal.synth.network import build_network
from zilzal.synth.path import Medium
from zilzal.synth.record import record_station
from zilzal.synth.scenario import NetworkPlan, NoisePlan, Seismicity, Site
from zilzal.synth.seismogram import event_signal
from zilzal.synth.source import radiate


def quiet(**changes):
    return build_network(make_scenario(**{"noise": NoisePlan(level=0.0), **changes}))


def pairs(network):
    return [(i, j) for i in range(len(network.events)) for j in range(len(network.stations))]


def test_nothing_moves_before_p():
    network = quiet(
        events=(event(20.0037, magnitude=3.0), event(80, depth_m=0.0, kind="quarry blast"))
    )
    for i, j in pairs(network):
        signal = event_signal(network, i, j)
        p, _ = network.arrivals_at(i, j)
        before = sample_number(p.time, 100.0) - signal.first
        peak = np.abs(signal.samples).max()
        assert np.abs(signal.samples[:, : before - 1]).max(initial=0) < 0.01 * peak


def test_first_motion_is_the_radiation_patterns():
    network = quiet(
        seismicity=Seismicity(rate_per_hour=600, smallest=2.0, largest=2.5), duration_s=60.0
    )
    right = 0
    for i, j in pairs(network):
        signal = event_signal(network, i, j)
        p, _ = network.arrivals_at(i, j)
        start = sample_number(p.time, 100.0) - signal.first
        vertical = signal.samples[0]
        is_up = vertical[start : start + 5].sum() > 0
        right += is_up == (p.polarity is Polarity.POSITIVE)
    # Near the nodes the scattered field may move the ground first.
    assert right / len(pairs(network)) > 0.93


def test_turned_sensor_feels_the_same_ground():
    straight = Site(code="A", east_m=9_000, north_m=4_000)
    turned = replace(straight, components="Z12", azimuth_deg=35.0)
    north, east = event_signal(quiet(events=(event(20),), sites=(straight,)), 0, 0).samples[1:]
    one, two = event_signal(quiet(events=(event(20),), sites=(turned,)), 0, 0).samples[1:]
    angle = np.radians(35)
    assert np.allclose(one, north * np.cos(angle) + east * np.sin(angle), atol=1e-6 * one.max())
    assert np.allclose(two, east * np.cos(angle) - north * np.sin(angle), atol=1e-6 * one.max())


def test_p_is_on_the_vertical_and_s_on_the_horizontals():
    network = quiet(events=tuple(event(30 * i, magnitude=2.0) for i in range(5)))
    p_share, s_share, s_over_p = [], [], []
    for i, j in pairs(network):
        signal = event_signal(network, i, j)
        p, s = network.arrivals_at(i, j)
        first = [sample_number(a.time, 100.0) - signal.first for a in (p, s)]
        power = [(signal.samples[:, n : n + 60] ** 2).mean(axis=1) for n in first]
        p_share.append(power[0][0] / power[0].sum())
        s_share.append(power[1][1:].sum() / power[1].sum())
        s_over_p.append(np.sqrt(power[1].sum() / power[0].sum()))
    assert np.median(p_share) > 0.5
    assert np.median(s_share) > 0.6
    assert 2 < np.median(s_over_p) < 8


def test_blasts_have_stronger_p_than_earthquakes():
    def ratio(kind):
        network = quiet(events=tuple(event(30 * i, depth_m=0.0, kind=kind) for i in range(5)))
        values = []
        for i, j in pairs(network):
            signal = event_signal(network, i, j)
            arrivals = network.arrivals_at(i, j)
            n = [sample_number(a.time, 100.0) - signal.first for a in arrivals]
            # Above 3 Hz, where there is no Rg.
            steep = np.diff(signal.samples, 3, axis=1)
            p, s = (np.sqrt((steep[:, k : k + 60] ** 2).mean()) for k in n)
            values.append(np.log10(p / s))
        return np.mean(values)

    assert ratio("quarry blast") > ratio("earthquake") + 0.3


def direct_waves(**changes):
    """A network in rock that scatters nothing."""
    clear = Medium(
        forward_energy=0.0, forward_path_m=1e12, p_scattering_per_m=0.0, s_scattering_per_m=0.0
    )
    return build_network(make_scenario(**changes), medium=clear)


def test_magnitude_scales_displacement_as_the_moment():
    # Below both corners the displacement goes with M0: 1.2 units of log10 for a unit of ML.
    levels = []
    for magnitude in (1.0, 2.0):
        network = direct_waves(events=(event(20, magnitude=magnitude),))
        spectrum = np.abs(np.fft.rfft(event_signal(network, 0, 0).samples[1], 2**15))
        frequency = np.fft.rfftfreq(2**15, 0.01)
        levels.append(np.log10(spectrum[(frequency > 0.5) & (frequency < 2)].mean()))
    assert levels[1] - levels[0] == pytest.approx(1.2, abs=0.02)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")
def test_waves_point_where_obspys_rotation_looks_for_them():
    from obspy.signal.rotate import rotate_ne_rt

    network = direct_waves(events=tuple(event(10 * i) for i in range(6)))
    right = 0
    for i, j in pairs(network):
        signal = event_signal(network, i, j)
        p, s = network.arrivals_at(i, j)
        radial, transverse = rotate_ne_rt(*signal.samples[1:], (p.azimuth_deg + 180) % 360)
        first = [sample_number(a.time, 100.0) - signal.first for a in (p, s)]
        assert np.abs(transverse[: first[1] - 2]).max() < 0.02 * np.abs(radial).max()
        sh = radiate(network.events[i].mechanism, s.azimuth_deg, s.takeoff_angle_deg)[2]
        # P leaves nothing on T, so that its first swing is SH alone; positive is clockwise.
        right += (transverse[first[1] : first[1] + 4].sum() > 0) == (sh > 0)
    assert right == len(pairs(network))


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:SelectableGroups:DeprecationWarning")
def test_local_magnitudes_measured_by_obspy_are_the_true_ones():
    sizes = (1.2, 1.8, 2.2, 2.6, 3.0, 3.6)
    # Far enough apart in time that no coda reaches the next event.
    events = tuple(
        event(300.0 * i, east_m=4_000.0 * i - 12_000, depth_m=5_000 + 1_500.0 * i, magnitude=size)
        for i, size in enumerate(sizes)
    )
    plan = NetworkPlan(n_stations=7, aperture_m=90_000)
    network = build_network(make_scenario(network=plan, duration_s=2_000.0, events=events))
    found = np.array([measured_magnitude(network, i) for i in range(len(network.events))])
    true = np.array(sizes)
    assert abs(np.mean(found - true)) < 0.2
    assert np.std(found - true) < 0.3


def measured_magnitude(network, number):
    """ML by IASPEI's formula, the median of stations, from noisy counts."""
    from obspy import Trace
    from obspy.signal.invsim import paz_2_amplitude_value_of_freq_resp

    source = network.events[number]
    shape = {"poles": list(BROADBAND.poles), "zeros": list(BROADBAND.zeros), "gain": 1.0}
    scale = 1 / paz_2_amplitude_value_of_freq_resp(shape, 1.0)
    sensor = {**shape, "gain": scale, "sensitivity": BROADBAND.sensitivity}
    # Applied to velocity: one zero less than to displacement.
    wood_anderson = {
        "poles": [-5.49779 + 5.60886j, -5.49779 - 5.60886j], "zeros": [0j], "gain": 1.0,
        "sensitivity": 1.0,
    }  # fmt: skip
    values = []
    for j, station in enumerate(network.stations):
        p, s = network.arrivals_at(number, j)
        cut = record_station(network, station, p.time + -5, s.time + 15)
        peaks = []
        for piece in cut[1:3]:
            trace = Trace(piece.samples.astype(float), {"sampling_rate": 100.0})
            trace.detrend("linear").taper(0.05).filter("highpass", freq=0.8, corners=2)
            trace.simulate(paz_remove=sensor, paz_simulate=wood_anderson)
            peaks.append(np.abs(trace.data).max() * 1e9)
        r = np.hypot(p.distance_m, source.depth_m) / 1e3
        values.append(np.log10(np.mean(peaks)) + 1.11 * np.log10(r) + 0.00189 * r - 2.09)
    return np.median(values)


def test_phases_are_in_order(small):
    for i, j in pairs(small):
        p, s = small.arrivals_at(i, j)
        assert (p.phase, s.phase) == (Phase.P, Phase.S)
        assert p.station_id == s.station_id == small.stations[j].station.station_id
        assert p.event_id == small.events[i].id
        assert p.time < s.time
