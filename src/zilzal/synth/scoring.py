"""The truth in the form in which `evaluate` compares it with results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from zilzal.core.pick import Phase, Pick
from zilzal.evaluate.catalogue import Hypocentres
from zilzal.evaluate.picks import Onsets, Records, match_picks
from zilzal.synth.network import SyntheticNetwork
from zilzal.synth.truth import TrueEvent, VisibleArrival


def true_hypocentres(events: Sequence[TrueEvent]) -> Hypocentres:
    """The true catalogue."""
    return Hypocentres(
        ids=tuple(e.id for e in events),
        time_ns=np.array([e.time.ns for e in events], np.int64),
        latitude=np.array([e.latitude for e in events], float),
        longitude=np.array([e.longitude for e in events], float),
        depth_m=np.array([e.depth_m for e in events], float),
        magnitude=np.array([e.magnitude for e in events], float),
    )


def picks_and_labels(
    network: SyntheticNetwork,
    visible: Iterable[VisibleArrival],
    picks: Iterable[Pick],
    phase: Phase,
    *,
    smallest_snr: float = 3.0,
    tolerance_s: float = 0.5,
) -> tuple[Records, Onsets, Onsets]:
    """Records, labels and picks of one phase, for `evaluate.picks.score_picks`.

    Each station is one record, in time after the scenario's start as its clock stamps it. Labels
    are recorded arrivals of at least the smallest SNR. A pick within the tolerance of a weaker
    arrival, or of one that a fault took part of, is neither right nor false: it is left out,
    unless a label may claim it.

    Args:
        network: what was recorded.
        visible: of `synth.visibility.visible_arrivals`.
        picks: of any phase and station; those of other stations are left out.
        phase: which to score.
        smallest_snr: of arrivals that a picker is asked to find.
        tolerance_s: how near a pick must be to a weak arrival to be excused.
    """
    number = {s.station.station_id: i for i, s in enumerate(network.stations)}
    start = network.scenario.start
    arrivals = [v for v in visible if v.arrival.phase is phase]
    wanted = np.array([v.is_recorded and v.snr >= smallest_snr for v in arrivals], bool)
    onsets = Onsets.labels(
        np.array([number[v.arrival.station_id] for v in arrivals], int),
        np.array([v.arrival.stamped_time - start for v in arrivals], float),
    )
    chosen = [p for p in picks if p.phase is phase and p.channel_id.station_id in number]
    found = Onsets(
        record=np.array([number[p.channel_id.station_id] for p in chosen], int),
        time_s=np.array([p.time - start for p in chosen], float),
        probability=np.array([p.probability for p in chosen], float),
    )
    n = len(network.stations)
    records = Records(
        group=np.arange(n),
        start_s=np.zeros(n),
        end_s=np.full(n, network.scenario.duration_s),
        is_noise=np.zeros(n, bool),
    )
    excused = match_picks(records, onsets.where(~wanted), found, tolerance_s=tolerance_s).is_right
    claimed = match_picks(records, onsets.where(wanted), found, tolerance_s=tolerance_s).is_right
    return records, onsets.where(wanted), found.where(~excused | claimed)
