"""The shared Ridgecrest archive, read with ObsPy."""

from pathlib import Path

from tests.magnitude.made import Records
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, GroundMotion, Inventory, Response
from zilzal.core.time import Time
from zilzal.core.waveform import Trace


def inventory_of(folder: Path) -> Inventory:
    import obspy

    channels = []
    for network in obspy.read_inventory(str(folder / "inventory.xml")):
        for station in network:
            for channel in station:
                total = channel.response and channel.response.instrument_sensitivity
                response = None
                if total and total.value:
                    unit = GroundMotion(total.input_units.upper())
                    response = Response(sensitivity=total.value, ground_motion=unit)
                channels.append(
                    Channel(
                        channel_id=ChannelId(
                            network.code, station.code, channel.location_code, channel.code
                        ),
                        latitude=channel.latitude,
                        longitude=channel.longitude,
                        elevation_m=channel.elevation,
                        depth_m=channel.depth or 0.0,
                        azimuth_deg=channel.azimuth,
                        dip_deg=channel.dip,
                        response=response,
                    )
                )
    return Inventory.of(channels)


def archive(folder: Path) -> Records:
    """Horizontals only."""
    import obspy

    records = Records()
    for path in sorted(folder.glob("2019/*/*/*[NE12].D/*")):
        for trace in obspy.read(str(path)):
            channel_id = ChannelId(*trace.id.split("."))
            records.traces.setdefault(channel_id, []).append(
                Trace(
                    channel_id=channel_id,
                    start=Time(trace.stats.starttime.ns),
                    sampling_rate=trace.stats.sampling_rate,
                    samples=trace.data,
                )
            )
    return records
