"""The ledger by the hour."""

from zilzal.core.coverage import CoverageHour, CoverageSpan, Reason, tally_hours
from zilzal.core.ids import ChannelId
from zilzal.core.time import Time

CHANNEL = ChannelId("CI", "CCC", "", "HHZ")


def at(clock: str) -> Time:
    return Time.parse(f"2019-07-07T{clock}Z")


def test_span_is_split_at_the_hour():
    spans = [CoverageSpan(CHANNEL, at("07:50"), at("09:10"), Reason.ANALYSED)]
    assert tally_hours(spans) == [
        CoverageHour(CHANNEL, at("07:00"), Reason.ANALYSED, 600.0),
        CoverageHour(CHANNEL, at("08:00"), Reason.ANALYSED, 3600.0),
        CoverageHour(CHANNEL, at("09:00"), Reason.ANALYSED, 600.0),
    ]


def test_spans_of_one_reason_add_up():
    spans = [
        CoverageSpan(CHANNEL, at("08:00"), at("08:10"), Reason.GAP),
        CoverageSpan(CHANNEL, at("08:10"), at("08:20"), Reason.ANALYSED),
        CoverageSpan(CHANNEL, at("08:20"), at("08:21"), Reason.GAP),
    ]
    hours = {hour.reason: hour.seconds for hour in tally_hours(spans)}
    assert hours == {Reason.GAP: 660.0, Reason.ANALYSED: 600.0}
