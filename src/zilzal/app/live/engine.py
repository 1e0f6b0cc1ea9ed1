"""From records to picks while they come: all stations of a network, batched for the picker.

The engine knows no clock, socket or store. What it hands out depends on the records alone, each
sensor's in their order: the same records, cut into other rounds or given again after a crash from
where a state was kept, give the same picks.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zilzal.app.configuration import Configuration
from zilzal.app.live.checkpoint import Snapshot
from zilzal.app.live.station import Rules, StationDesk
from zilzal.app.live_options import LiveOptions
from zilzal.app.picking import marked, stamped
from zilzal.core.coverage import CoverageSpan, Reason
from zilzal.core.ids import SensorId, StationId
from zilzal.core.packet import Bookmark, Packet
from zilzal.core.pick import Detection, Pick
from zilzal.core.stage import Picked, Preview, PreviewingPicker
from zilzal.core.station import Inventory, Station
from zilzal.core.time import Time
from zilzal.core.waveform import Trace, Window
from zilzal.io.store import configuration_hash
from zilzal.signal.promise import Patience

logger = logging.getLogger(__name__)

_SHARE = 16
"""Stations of a piece of the state: about 1.6 MB with our networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of the engine gave.

    Args:
        picks: final.
        detections: closed.
        spans: of the ledger.
    """

    picks: tuple[Pick, ...] = ()
    detections: tuple[Detection, ...] = ()
    spans: tuple[CoverageSpan, ...] = ()


@dataclass(slots=True, eq=False)
class Engine:
    """All stations at once.

    Args:
        configuration: of the stages.
        options: of the monitor.
        inventory: of the stations.
    """

    configuration: Configuration
    options: LiveOptions
    inventory: Inventory
    desks: dict[StationId, StationDesk] = field(default_factory=dict[StationId, StationDesk])
    bookmarks: dict[tuple[str, str], Bookmark] = field(
        default_factory=dict[tuple[str, str], Bookmark]
    )
    shed: frozenset[StationId] = frozenset()
    _picking: dict[SensorId, Any] = field(default_factory=dict[SensorId, Any])
    _told: list[CoverageSpan] = field(default_factory=list[CoverageSpan])
    _stations: dict[StationId, Station] = field(default_factory=dict[StationId, Station])
    _moved: set[SensorId] = field(default_factory=set[SensorId])
    _previews: dict[SensorId, Preview] = field(default_factory=dict[SensorId, Preview])

    def __post_init__(self) -> None:
        self._picking = dict(self.configuration.picker.start())

    @property
    def rules(self) -> Rules:
        """What all stations go by."""
        return Rules(
            inventory=self.inventory,
            policy=self.configuration.gaps,
            patience=Patience(wait_s=self.options.reorder_s),
            preference=self.configuration.sensors.preference,
        )

    @property
    def preliminary_text(self) -> str:
        """The settings that preliminary picks are made with: those of picking, and one more."""
        return self.configuration.to_toml(picking=True) + "\n[live]\npreliminary = true\n"

    def take(self, packets: Iterable[Packet]) -> None:
        """Take packets in, in the order in which they came."""
        rules = self.rules
        for packet in packets:
            mark = packet.bookmark
            self.bookmarks[mark.source, mark.part] = mark
            for span in packet.corrupt:
                self._desk(span.channel_id.station_id).take_corrupt(span, rules)
            for trace in packet.traces:
                self._told += self._take(trace, packet.arrived, rules)

    def step(self) -> Round:
        """Work on what has come."""
        windows: list[Window] = []
        spans, self._told = self._told, []
        for desk in self.desks.values():
            try:
                found, told = desk.condition()
            except Exception as error:  # noqa: BLE001  data may break anything; one station only
                spans += self._fail(desk, error)
                continue
            windows += found
            spans += told
        self._moved |= {window.sensor_id for window in windows}
        picked = self._pick(windows, spans)
        return self._round([picked], spans)

    def preliminary(self) -> dict[SensorId, tuple[Pick, ...]]:
        """Of the sensors that have moved on since the last call: picks that are not final yet.

        They are what would be final if the sensor's data ended here, but for onsets of which too
        little has been recorded. An empty tuple takes a sensor's earlier ones back.
        """
        key = configuration_hash(self.preliminary_text)
        state = {s: self._picking[s] for s in self._moved if s in self._picking}
        self._moved.clear()
        try:
            seen = self._preview(state)
        except Exception:
            logger.exception("no preliminary picks of %d sensors", len(state))
            return {}
        found: dict[SensorId, tuple[Pick, ...]] = {}
        for sensor, picks in seen.items():
            end = self.desks[sensor.station_id].newest
            before = None if end is None else end - self.options.lookahead_s
            found[sensor] = tuple(
                stamped(pick, key) for pick in picks if before is not None and pick.time <= before
            )
        return found

    def newest(self) -> dict[StationId, Time]:
        """Where the data of each station end."""
        ends = ((station, desk.newest) for station, desk in self.desks.items())
        return {station: end for station, end in ends if end is not None}

    def _preview(self, state: Mapping[SensorId, Any]) -> dict[SensorId, Sequence[Pick]]:
        """What is not final yet of some sensors, as cheaply as the picker can tell."""
        picker = self.configuration.picker
        if isinstance(picker, PreviewingPicker):
            seen = picker.preview(state, self._previews)
            self._previews.update(seen)
            return {sensor: preview.picks for sensor, preview in seen.items()}
        found: dict[SensorId, list[Pick]] = {sensor: [] for sensor in state}
        for pick in picker.finish(state).picks:
            found[pick.channel_id.sensor_id].append(pick)
        return dict(found)

    def finish(self) -> Round:
        """No more data will come; hand out the rest."""
        windows: list[Window] = []
        spans, self._told = self._told, []
        for desk in self.desks.values():
            try:
                found, told = desk.finish(self.rules)
            except Exception as error:  # noqa: BLE001  as above
                spans += self._fail(desk, error)
                continue
            windows += found
            spans += told
        picked = self._pick(windows, spans)
        rest = self.configuration.picker.finish(self._picking)
        self._picking = dict(self.configuration.picker.start())
        return self._round([picked, rest], spans)

    def passed(self) -> dict[SensorId, Time]:
        """How far each sensor has been worked on."""
        tracks = ((d.chosen, d.track) for d in self.desks.values())
        return {s: t.until for s, t in tracks if s is not None and t is not None and t.until}

    def stations(self) -> tuple[Station, ...]:
        """The stations that are worked on, in order, each where its sensor stood first."""
        for station_id, desk in self.desks.items():
            if station_id not in self._stations and desk.chosen is not None:
                channels = self.inventory.sensor(desk.chosen, desk.tracks[desk.chosen].begin)
                place = channels[0].latitude, channels[0].longitude, channels[0].sensor_elevation_m
                self._stations[station_id] = Station(station_id, *place)
        return tuple(station for _, station in sorted(self._stations.items()))

    def snapshot(self) -> Snapshot:
        """The state as it is, and the bookmarks that it stands at: values, to be stored later.

        Those of parts that are done with are handed out for the last time.
        """
        bookmarks = tuple(self.bookmarks.values())
        self.bookmarks = {(m.source, m.part): m for m in bookmarks if m.place}
        picking: dict[StationId, dict[SensorId, Any]] = {}
        for sensor, state in self._picking.items():
            picking.setdefault(sensor.station_id, {})[sensor] = state
        stations = list(self.desks)
        shares = (stations[at : at + _SHARE] for at in range(0, len(stations), _SHARE))
        return Snapshot(
            shares=tuple(
                (
                    {station: self.desks[station].as_it_is() for station in share},
                    {k: state for s in share for k, state in picking.get(s, {}).items()},
                )
                for share in shares
            ),
            bookmarks=bookmarks,
        )

    def restore(self, pieces: Iterable[bytes]) -> None:
        """Go on from the pieces of a snapshot."""
        desks: dict[StationId, StationDesk] = {}
        picking = dict(self.configuration.picker.start())
        for piece in pieces:
            mine, states = pickle.loads(piece)  # noqa: S301  our own store
            desks |= mine
            picking |= states
        self.desks, self._picking = desks, picking
        self._stations, self._previews = {}, {}

    def _desk(self, station_id: StationId) -> StationDesk:
        return self.desks.setdefault(station_id, StationDesk())

    def _take(self, trace: Trace, arrived: Time, rules: Rules) -> list[CoverageSpan]:
        station_id = trace.channel_id.station_id
        desk = self._desk(station_id)
        wrong = _ahead(trace, arrived, desk.newest, self.options.ahead_s)
        if wrong:
            logger.warning("%s: %s", trace.channel_id, wrong)
            desk.take_corrupt(_span(trace, Reason.CLOCK_STEP, wrong), rules)
            return []
        if station_id in self.shed:
            span = _span(trace, Reason.SHED)
            desk.take_corrupt(span, rules)
            # Told at once, too: a gap is told when data come after it, and that may be never.
            return [span]
        return desk.take(trace, rules)

    def _pick(self, windows: list[Window], spans: list[CoverageSpan]) -> Picked:
        """All sensors in one batch; one after the other where that fails, to find which it is."""
        if not windows:
            return Picked()
        picker = self.configuration.picker
        try:
            state, picked = picker.step(self._picking, windows)
        except Exception:
            logger.exception("the picker failed on %d windows; trying each sensor", len(windows))
        else:
            self._picking = dict(state)
            return picked
        parts: list[Picked] = []
        for sensor in sorted({window.sensor_id for window in windows}):
            mine = [window for window in windows if window.sensor_id == sensor]
            share = {sensor: self._picking[sensor]} if sensor in self._picking else {}
            try:
                state, picked = picker.step(share, mine)
            except Exception as error:  # noqa: BLE001  plug-ins may raise anything
                self._picking.pop(sensor, None)
                spans += self._fail(self.desks[sensor.station_id], error)
            else:
                self._picking.update(state)
                parts.append(picked)
        return Picked(
            tuple(pick for part in parts for pick in part.picks),
            tuple(each for part in parts for each in part.detections),
        )

    def _fail(self, desk: StationDesk, error: Exception) -> list[CoverageSpan]:
        """Tell that a station failed, and begin it anew; the rest goes on."""
        message = f"{type(error).__name__}: {error}"[:200]
        track, sensor = desk.track, desk.chosen
        if track is None or sensor is None:
            return []
        logger.warning("%s failed: %s", sensor, message)
        self._picking.pop(sensor, None)
        self._previews.pop(sensor, None)
        newest_ns = track.reach.newest_ns or 0
        start = track.until or Time(track.reach.first_ns or newest_ns)
        desk.forget(sensor)
        return [
            CoverageSpan(channel, start, Time(newest_ns), Reason.FAILED, message)
            for channel in track.channel_ids
        ]

    def _round(self, parts: list[Picked], spans: list[CoverageSpan]) -> Round:
        key = self.configuration.picking_sha256
        return Round(
            picks=tuple(stamped(pick, key) for part in parts for pick in part.picks),
            detections=tuple(stamped(each, key) for part in parts for each in part.detections),
            spans=tuple(marked(span, self.inventory) for span in spans),
        )


def _ahead(trace: Trace, arrived: Time, newest: Time | None, ahead_s: float) -> str:
    """What is wrong with a record's time if it is ahead of the clock and of its station."""
    end = trace.next_start
    if newest is None or end - newest <= ahead_s or end - arrived <= ahead_s:
        return ""
    return f"time stamp {end} is ahead of the clock by {end - arrived:.0f} s"


def _span(trace: Trace, reason: Reason, note: str = "") -> CoverageSpan:
    return CoverageSpan(trace.channel_id, trace.start, trace.next_start, reason, note)
