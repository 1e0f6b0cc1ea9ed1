"""Looking channels up."""

from dataclasses import replace

from zilzal.core.ids import ChannelId, SensorId, StationId
from zilzal.core.station import Channel, Inventory
from zilzal.core.time import Time

OLD = Channel(
    channel_id=ChannelId("CI", "CCC", "", "HHZ"),
    latitude=35.5,
    longitude=-117.4,
    elevation_m=670.0,
    depth_m=2.0,
    end=Time.parse("2010-01-01"),
)
NEW = replace(OLD, elevation_m=680.0, start=Time.parse("2010-01-01T00:00:00.000000001Z"), end=None)


def test_epoch_is_chosen_by_time():
    inventory = Inventory.of([NEW, OLD])
    assert inventory.channel(OLD.channel_id, Time.parse("2009-06-01")) == OLD
    assert inventory.channel(OLD.channel_id, Time.parse("2019-06-01")) == NEW
    assert inventory.channel(ChannelId("CI", "XXX", "", "HHZ"), Time(0)) is None


def test_station_stands_where_its_sensor_is():
    (station,) = Inventory.of([NEW, OLD]).stations(Time.parse("2019-06-01"))
    assert station.station_id == StationId("CI", "CCC")
    assert station.elevation_m == 678.0


def test_sensor_has_the_channels_of_the_moment():
    east = replace(NEW, channel_id=ChannelId("CI", "CCC", "", "HHE"))
    inventory = Inventory.of([NEW, OLD, east])
    sensor = SensorId("CI", "CCC", "", "HH")
    assert set(inventory.sensor(sensor, Time.parse("2019-06-01"))) == {east, NEW}
