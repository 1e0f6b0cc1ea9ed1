"""Cuts of a sensor: sample by sample what was recorded, on one grid, in the order ZNE."""

import numpy as np
import pytest

from tests.train.sets.made import SENSOR, START, archive, counts, inventory, trace
from zilzal.signal import align
from zilzal.signal.orientation import orient
from zilzal.train.sets.window import read_window


def test_counts_of_any_size_stay_as_they_are(tmp_path):
    samples = {c: counts(2_000, seed=n, largest=2**29) for n, c in enumerate("ZNE")}
    opened = archive(tmp_path, [trace(row, c) for c, row in samples.items()])
    window = read_window(opened, inventory(), SENSOR, START + 3.0, 10.0)
    assert (window.start, window.length, window.sampling_rate) == (START + 3.0, 1_000, 100.0)
    assert window.samples.dtype == np.int32
    for row, letter in zip(window.samples, "ZNE", strict=True):
        np.testing.assert_array_equal(row, samples[letter][300:1_300])
    assert window.present.all()
    assert window.dead == ""


def test_a_vertical_that_points_down_is_turned_without_losing_its_type(tmp_path):
    opened = archive(tmp_path, [trace(counts(500))])
    window = read_window(opened, inventory({"Z": (0.0, 90.0)}), SENSOR, START, 5.0)
    assert window.samples.dtype == np.int32
    np.testing.assert_array_equal(window.samples[0], -counts(500))
    assert window.dead == "NE"


def test_turned_horizontals_are_those_of_operation(tmp_path):
    directions = {"Z": (0.0, -90.0), "1": (30.0, 0.0), "2": (120.0, 0.0)}
    traces = [trace(counts(3_000, seed=n), c) for n, c in enumerate(directions)]
    stations = inventory(directions)
    window = read_window(archive(tmp_path, traces), stations, SENSOR, START, 30.0)
    state = align.start(SENSOR, orient("Z12", stations.sensor(SENSOR, START)))
    state, windows = align.step(state, traces, START + 31.0)
    (expected,) = [*windows, *align.finish(state)]
    np.testing.assert_allclose(window.samples, expected.samples, rtol=1e-6, atol=1e-3)
    assert window.samples.dtype == np.float32
    assert [c.channel for c in window.channels] == ["HHZ", "HH1", "HH2"]


def test_without_an_inventory_the_letters_tell_and_it_is_noted(tmp_path):
    traces = [trace(counts(3_000, seed=n), c) for n, c in enumerate("Z12")]
    window = read_window(archive(tmp_path, traces), None, SENSOR, START, 30.0)
    np.testing.assert_array_equal(window.samples[1], counts(3_000, seed=1))
    assert "1 is taken to point to azimuth 0" in window.notes[0]


def test_gaps_are_absent_and_told(tmp_path):
    samples = counts(3_000)
    parts = [trace(samples[:1_000]), trace(samples[1_200:], start=START + 12.0)]
    window = read_window(archive(tmp_path, parts), inventory(), SENSOR, START, 30.0)
    assert window.missing_spans("Z") == [(1_000, 1_199)]
    assert not window.samples[0, 1_000:1_200].any()
    np.testing.assert_array_equal(window.samples[0, 1_200:], samples[1_200:])
    assert window.is_seen(START + 9.0, 0.25)
    assert not window.is_seen(START + 9.9, 0.25)
    assert not window.is_seen(START + 31.0, 0.25)


def test_beyond_the_records_ends_nothing_is_present(tmp_path):
    opened = archive(tmp_path, [trace(counts(1_000))])
    window = read_window(opened, inventory(), SENSOR, START - 5.0, 20.0)
    # The grid is that of the first sample; it need not begin at the span's start.
    assert window.length == 2_000
    assert window.missing_spans("Z") == [(0, 499), (1_500, 1_999)]
    assert read_window(opened, inventory(), SENSOR, START + 100.0, 20.0) is None


def test_the_first_sample_is_the_first_at_or_after_the_start(tmp_path):
    opened = archive(tmp_path, [trace(counts(1_000), start=START + 0.004)])
    window = read_window(opened, inventory(), SENSOR, START + 1.0, 5.0)
    assert window.start - START == pytest.approx(1.004, abs=1e-9)
    np.testing.assert_array_equal(window.samples[0], counts(1_000)[100:600])
    assert window.number(START + 2.0) == pytest.approx(99.6, abs=1e-6)


def test_horizontals_go_to_the_vertical_s_nearest_sample(tmp_path):
    traces = [trace(counts(1_000)), trace(counts(1_000, seed=1), "N", start=START + 0.003)]
    window = read_window(archive(tmp_path, traces), inventory(), SENSOR, START + 1.0, 5.0)
    np.testing.assert_array_equal(window.samples[1], counts(1_000, seed=1)[100:600])


def test_components_of_another_rate_are_left_out_with_a_word(tmp_path):
    traces = [trace(counts(1_000)), trace(counts(500, seed=1), "N", rate=50.0)]
    window = read_window(archive(tmp_path, traces), inventory(), SENSOR, START, 9.0)
    assert window.dead == "NE"
    assert window.notes == ("XX.ALFA..HHN has another rate than XX.ALFA..HHZ",)


def test_a_flat_component_is_dead(tmp_path):
    flat = np.full(1_000, 7, np.int32)
    window = read_window(
        archive(tmp_path, [trace(counts(1_000)), trace(flat, "N")]), None, SENSOR, START, 9.0
    )
    assert window.dead == "NE"
    assert window.present[1].all()


def test_what_the_gap_policy_takes_out_is_absent(tmp_path):
    samples = counts(3_000)
    samples[1_000:1_200] = 0  # a filler
    opened = archive(tmp_path, [trace(samples)])
    window = read_window(opened, None, SENSOR, START, 30.0)
    assert window.missing_spans("Z") == [(1_000, 1_199)]
