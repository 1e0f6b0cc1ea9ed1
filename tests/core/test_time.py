"""Instants in UTC."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.errors import FormatError
from zilzal.core.time import Time, sample_number, sample_time

INSTANTS = st.integers(-(10**18), 4 * 10**18).map(Time)
RATES = st.sampled_from([1.0, 20.0, 31.25, 40.0, 75.19, 100.0, 200.0, 500.0, 1000.0])


def test_text_is_read_to_the_nanosecond():
    assert Time.parse("2019-07-07T08:02:17.180000123Z").ns == 1_562_486_537_180_000_123


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:01Z", 60_000_000_000),
        ("1970-01-01 00:00:01.5+00:00", 1_500_000_000),
        ("1969-12-31T23:59:59.9", -100_000_000),
    ],
)
def test_usual_spellings_are_read(text, ns):
    assert Time.parse(text).ns == ns


@pytest.mark.parametrize("text", ["", "yesterday", "2019-13-01", "2019-07-07T08:02:17+02:00"])
def test_what_is_not_a_utc_time_is_refused_with_the_text(text):
    with pytest.raises(FormatError, match="not a UTC time"):
        Time.parse(text)


def test_written_form_has_microseconds_and_z():
    assert str(Time.parse("2019-07-07T08:02:17.18Z")) == "2019-07-07T08:02:17.180000Z"


@given(INSTANTS)
def test_written_form_reads_back_within_half_a_microsecond(time):
    assert abs(Time.parse(str(time)).ns - time.ns) <= 500


@given(INSTANTS, st.floats(-1e6, 1e6))
def test_adding_and_subtracting_a_span_are_inverse(time, span_s):
    later = time + span_s
    assert later - span_s == time
    # A float64 holds spans of a million seconds to 0.1 ns.
    assert later - time == pytest.approx(span_s, abs=1e-9)


def test_naive_datetimes_are_refused():
    with pytest.raises(ValueError, match="naive"):
        Time.of_datetime(datetime(2019, 7, 7))  # noqa: DTZ001
    assert Time.of_datetime(datetime(1970, 1, 2, tzinfo=UTC)).ns == 86_400 * 10**9


@given(st.integers(0, 4 * 10**11), RATES)
def test_sample_numbers_and_times_are_inverse(number, rate):
    assert sample_number(sample_time(number, rate), rate) == number


@given(INSTANTS, RATES)
def test_nearest_sample_is_within_half_an_interval(time, rate):
    nearest = sample_time(sample_number(time, rate), rate)
    # One nanosecond for the rounding of the sample's own time.
    assert abs(nearest.ns - time.ns) <= 0.5e9 / rate + 1
