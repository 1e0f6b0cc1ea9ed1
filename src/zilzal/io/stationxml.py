"""StationXML, through ObsPy, to and from inventories.

Of a response, the analog stages are kept as poles and zeros; digital filters are taken as flat,
which decimation filters are up to about 0.8 of the Nyquist frequency. The sensitivity is that of
the stages, as evalresp computes it, and the stated overall one only where stages lack a gain.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zilzal.core.errors import FormatError, InventoryError
from zilzal.core.ids import ChannelId
from zilzal.core.station import Channel, GroundMotion, Inventory, Response
from zilzal.core.time import Time

logger = logging.getLogger(__name__)

_MISMATCH = 0.05
"""Relative difference of the stages' and the stated sensitivity that is worth a warning."""

_LENGTHS = {"M": 1.0, "CM": 1e-2, "MM": 1e-3, "UM": 1e-6, "NM": 1e-9}
_RATES = {
    "": GroundMotion.DISPLACEMENT,
    "/S": GroundMotion.VELOCITY,
    "/S**2": GroundMotion.ACCELERATION,
}


def read_stationxml(path: Path) -> Inventory:
    """Read StationXML, or any other station format that ObsPy knows (dataless SEED, SCML, ...).

    A channel whose response cannot be used has `response=None`; the log says why. ObsPy leaves
    out channels without coordinates; the log has its words.

    Raises:
        FormatError: the file is not such a format.
        OSError: it cannot be read.
    """
    from obspy import read_inventory

    with path.open("rb"):
        pass  # a missing or forbidden file is an OSError, not a format's problem
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = read_inventory(str(path.resolve()))
        except Exception as error:  # ObsPy's plug-ins raise what they like
            raise FormatError(
                f"{path}: no station metadata that ObsPy can read: {error}"
            ) from error
    for message in sorted({str(warning.message) for warning in caught}):
        logger.warning("%s: %s", path, message)
    return Inventory.of(_channels(path, found))


def write_stationxml(inventory: Inventory, path: Path, *, source: str = "zilzal") -> None:
    """Write StationXML 1.2 that `read_stationxml` reads back as the same inventory.

    Args:
        inventory: what to write.
        path: the file.
        source: the institution or program that the file names as its sender.
    """
    obspy_inventory(inventory, source=source).write(str(path), format="STATIONXML")


def obspy_inventory(inventory: Inventory, *, source: str = "zilzal") -> Any:
    """An `obspy.core.inventory.Inventory` that says the same."""
    from obspy.core.inventory import Inventory as ObspyInventory
    from obspy.core.inventory import Network

    by_network: dict[str, dict[str, list[Channel]]] = {}
    for channel in inventory.channels:
        code = channel.channel_id
        by_network.setdefault(code.network, {}).setdefault(code.station, []).append(channel)
    networks = [
        Network(code, stations=[_to_station(name, group) for name, group in stations.items()])
        for code, stations in by_network.items()
    ]
    return ObspyInventory(networks=networks, source=source)


def _channels(path: Path, found: Any) -> Iterator[Channel]:
    for network in found:
        for station in network:
            for channel in station:
                code = ChannelId(
                    network.code, station.code, channel.location_code or "", channel.code
                )
                yield _channel(path, code, channel)


def _channel(path: Path, code: ChannelId, channel: Any) -> Channel:
    try:
        response = response_of(channel.response)
    except InventoryError as error:
        logger.warning("%s: the response of %s cannot be used: %s", path, code, error)
        response = None
    return Channel(
        channel_id=code,
        latitude=float(channel.latitude),
        longitude=float(channel.longitude),
        elevation_m=float(channel.elevation or 0.0),
        depth_m=float(channel.depth or 0.0),
        azimuth_deg=None if channel.azimuth is None else float(channel.azimuth),
        dip_deg=None if channel.dip is None else float(channel.dip),
        sampling_rate=float(channel.sample_rate) if channel.sample_rate else None,
        response=response,
        start=None if channel.start_date is None else Time(int(channel.start_date.ns)),
        end=None if channel.end_date is None else Time(int(channel.end_date.ns)),
    )


@dataclass(frozen=True, slots=True)
class _Analog:
    """The analog stages' shape: a product of poles and zeros [rad/s]."""

    poles: tuple[complex, ...] = ()
    zeros: tuple[complex, ...] = ()

    def modulus(self, frequency_hz: float) -> float:
        s = 2j * math.pi * frequency_hz
        logs = sum(math.log(max(abs(s - zero), 1e-300)) for zero in self.zeros)
        logs -= sum(math.log(max(abs(s - pole), 1e-300)) for pole in self.poles)
        return math.exp(logs)

    def with_stage(self, stage: Any) -> _Analog:
        is_hertz = stage.pz_transfer_function_type == "LAPLACE (HERTZ)"
        factor = 2 * math.pi if is_hertz else 1.0
        return _Analog(
            (*self.poles, *(complex(pole) * factor for pole in stage.poles)),
            (*self.zeros, *(complex(zero) * factor for zero in stage.zeros)),
        )


def response_of(response: Any) -> Response:
    """Our response of ObsPy's.

    Args:
        response: `obspy.core.inventory.Response`, or None.

    Raises:
        InventoryError: it is missing, or of a kind that poles, zeros and a gain cannot express.

    Source:
        FDSN StationXML 1.2, Response; SEED reference manual 2.4, appendix C: a stage's gain holds
        at its own frequency, and the gains multiply.
    """
    if response is None:
        raise InventoryError("there is none")
    ground_motion, metres = _units(response)
    stages = response.response_stages
    _refuse_unusable(stages)
    overall = response.instrument_sensitivity
    analog = _Analog()
    for stage in stages:
        if _is_analog(stage):
            analog = analog.with_stage(stage)
        elif getattr(stage, "pz_transfer_function_type", None) is not None:
            number = stage.stage_sequence_number
            logger.warning("stage %d is a recursive digital filter and is taken as flat", number)
    frequency_hz = _frequency_hz(overall, stages)
    if (analog.poles or analog.zeros) and not 0 < analog.modulus(frequency_hz) < math.inf:
        raise InventoryError(f"it is zero or infinite at its own {frequency_hz:g} Hz")
    stated = None if overall is None or not overall.value else float(overall.value)
    computed = _product_of_gains(stages, frequency_hz)
    sensitivity = computed or stated
    if not sensitivity or not math.isfinite(sensitivity):
        raise InventoryError("it states no sensitivity")
    if computed and stated and abs(computed / stated - 1) > _MISMATCH:
        logger.warning(
            "the stages give %.6g counts per unit, but %.6g are stated; the stages are used",
            *(computed, stated),
        )
    return Response(
        sensitivity=sensitivity / metres,
        ground_motion=ground_motion,
        frequency_hz=frequency_hz,
        poles=analog.poles,
        zeros=analog.zeros,
    )


def _units(response: Any) -> tuple[GroundMotion, float]:
    """What is measured, and the length of the unit in metres."""
    stages, overall = response.response_stages, response.instrument_sensitivity
    found = overall.input_units if overall is not None and overall.input_units else None
    found = found or (stages[0].input_units if stages else None)
    if not found:
        raise InventoryError("it does not say of what ground motion")
    unit = found.upper().replace(" ", "").replace("(", "").replace(")", "")
    unit = unit.replace("^", "**").replace("/S/S", "/S**2").replace("/SEC", "/S")
    unit = unit.replace("/S2", "/S**2")
    length, slash, rate = unit.partition("/")
    if length not in _LENGTHS or slash + rate not in _RATES:
        raise InventoryError(f"its unit is {found!r}, not of ground motion in metres")
    return _RATES[slash + rate], _LENGTHS[length]


def _refuse_unusable(stages: Iterable[Any]) -> None:
    for stage in stages:
        kind = type(stage).__name__
        if kind in ("PolynomialResponseStage", "ResponseListResponseStage"):
            number = stage.stage_sequence_number
            raise InventoryError(f"stage {number} is a {kind}, not poles and zeros")


def _is_analog(stage: Any) -> bool:
    kind = getattr(stage, "pz_transfer_function_type", None)
    return kind in ("LAPLACE (RADIANS/SECOND)", "LAPLACE (HERTZ)")


def _frequency_hz(overall: Any, stages: Iterable[Any]) -> float:
    """Where the sensitivity is to hold: as stated, else where the first analog stage says."""
    stated = [overall.frequency] if overall is not None else []
    stated += [stage.normalization_frequency for stage in stages if _is_analog(stage)]
    return next((float(f) for f in stated if f), 1.0)


def _product_of_gains(stages: Iterable[Any], frequency_hz: float) -> float | None:
    """The stages' overall gain at a frequency; None where a stage lacks its gain."""
    product, count = 1.0, 0
    for stage in stages:
        if stage.stage_gain is None:
            return None
        product *= float(stage.stage_gain)
        count += 1
        shape = _Analog().with_stage(stage) if _is_analog(stage) else _Analog()
        if shape.poles or shape.zeros:
            gain_hz = float(stage.stage_gain_frequency or stage.normalization_frequency or 0)
            reference = (
                shape.modulus(gain_hz)
                if gain_hz
                else 1 / (float(stage.normalization_factor or 1) or 1)
            )
            product *= shape.modulus(frequency_hz) / reference
    return product if count else None


def _to_station(name: str, channels: list[Channel]) -> Any:
    from obspy.core.inventory import Station

    first = channels[0]
    return Station(
        name,
        first.latitude,
        first.longitude,
        first.elevation_m,
        channels=[_to_channel(channel) for channel in channels],
    )


def _to_channel(channel: Channel) -> Any:
    from obspy import UTCDateTime
    from obspy.core.inventory import Channel as ObspyChannel

    def date(time: Time | None) -> Any:
        return None if time is None else UTCDateTime(ns=time.ns)

    return ObspyChannel(
        channel.channel_id.channel,
        channel.channel_id.location,
        channel.latitude,
        channel.longitude,
        channel.elevation_m,
        channel.depth_m,
        azimuth=None if channel.azimuth_deg is None else channel.azimuth_deg % 360,
        dip=channel.dip_deg,
        sample_rate=channel.sampling_rate,
        start_date=date(channel.start),
        end_date=date(channel.end),
        response=None if channel.response is None else _to_response(channel.response),
    )


def _to_response(response: Response) -> Any:
    """ObsPy's response of ours: one stage from ground motion to counts."""
    from obspy.core.inventory import (
        InstrumentSensitivity,
        PolesZerosResponseStage,
        ResponseStage,
    )
    from obspy.core.inventory import Response as ObspyResponse

    unit = response.ground_motion.value
    gain = (1, response.sensitivity, response.frequency_hz, unit, "COUNTS")
    if response.is_flat:
        stage = ResponseStage(*gain)
    else:
        shape = _Analog(response.poles, response.zeros)
        stage = PolesZerosResponseStage(
            *gain,
            pz_transfer_function_type="LAPLACE (RADIANS/SECOND)",
            normalization_frequency=response.frequency_hz,
            normalization_factor=1 / shape.modulus(response.frequency_hz),
            zeros=list(response.zeros),
            poles=list(response.poles),
        )
    overall = InstrumentSensitivity(response.sensitivity, response.frequency_hz, unit, "COUNTS")
    return ObspyResponse(instrument_sensitivity=overall, response_stages=[stage])
