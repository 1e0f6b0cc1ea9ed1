"""Codes and identifiers."""

import pytest

from zilzal.core.errors import FormatError
from zilzal.core.ids import ChannelId, SensorId, StationId, derive_id


def test_channel_knows_its_sensor_station_and_component():
    channel = ChannelId.parse("CI.CCC..HHZ")
    assert channel.sensor_id == SensorId("CI", "CCC", "", "HH")
    assert channel.station_id == StationId("CI", "CCC")
    assert channel.component == "Z"
    assert channel.sensor_id.channel_id("Z") == channel
    assert str(channel) == "CI.CCC..HHZ"


@pytest.mark.parametrize("text", ["CCC", "CI.CCC.HHZ", "CI...HHZ", "CI.CCC..", "a.b.c.d.e"])
def test_what_is_not_a_code_is_refused(text):
    with pytest.raises(FormatError, match=r"network\.station\.location\.channel"):
        ChannelId.parse(text)


def test_identifier_depends_on_every_part_and_on_nothing_else():
    assert derive_id("pick", "a", 1) == derive_id("pick", "a", 1)
    assert derive_id("pick", "a", 1) != derive_id("pick", "a", 2)
    assert derive_id("pick", "ab", "c") != derive_id("pick", "a", "bc")
    # The same on every host and in every release: a literal.
    assert derive_id("pick", "CI.CCC..HHZ", "P", 0) == "pick/cabebd6ded34b1da"
