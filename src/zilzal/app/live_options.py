"""Settings of the monitor; no final result depends on them, only when it is there."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How the monitor works; when a result comes depends on it, the final result does not.

    Args:
        inventory: StationXML or CSV of the stations; files or folders.
        output: folder of the store, the records and the tables.
        reorder_s: records that are out of order within a sensor are waited for as long as this,
            in the time of the data; what comes later is told in the ledger as out_of_order.
        tick_s: a round of picking begins so long after the one before, or when that has ended;
            records are received all the while.
        preliminary_s: preliminary picks are looked for so often; 0 does without them.
        event_process: events are worked out in a process of their own, of lower priority, so that
            picks never wait for them; false where memory is short.
        revision_s: versions of an event are at least so far apart while it grows; a small change
            is stored with the next that matters, after a minute, or when the event is final.
        lookahead_s: so much must have been recorded after an onset before a preliminary pick of
            it is believed: what the network wants to see of a signal.
        settle_s: a block of time is final when so much more has come of it than its sources'
            picks need; covers the picker's windows and what magnitudes look at.
        late_s: stations that lag behind the network are waited for so long before a block is
            made final without them; their data revise it when they come.
        horizon_s: so long, in the time of the data, late data still revise events.
        checkpoint_s: the state is stored so often, or more seldom where storing takes more than a
            twentieth of this; after a crash the sources are asked again for what came since.
        ahead_s: a record that jumps ahead of its station's others and of the clock by more than
            this has a wrong time and is left out.
        backlog: records that may wait to be worked on; then the sources wait.
        shed_after_s: where records have waited so long although the machine does what it can,
            stations are left out, those first whose picks were of least use.
        metrics: "host:port" to tell Prometheus at /metrics; empty for nobody.
        standby: another monitor tells alerts; this one keeps them back, to be ready to take over.
        takeover_s: alerts that a monitor on standby keeps back for so long are left to the other
            one; when it takes over it sends the rest.
        keep_days: days of records in the monitor's own archive; 0 keeps all.
    """

    inventory: tuple[str, ...] = ()
    output: str = "."
    reorder_s: float = 10.0
    tick_s: float = 0.5
    preliminary_s: float = 1.0
    event_process: bool = True
    revision_s: float = 3.0
    lookahead_s: float = 3.0
    settle_s: float = 150.0
    late_s: float = 60.0
    horizon_s: float = 3_600.0
    checkpoint_s: float = 60.0
    ahead_s: float = 60.0
    backlog: int = 20_000
    shed_after_s: float = 300.0
    metrics: str = ""
    standby: bool = False
    takeover_s: float = 900.0
    keep_days: int = 0

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            least = 1 if option.name == "backlog" else 0
            if not value >= least:
                raise ValueError(f"{option.name} is {value}; give {least} or more")
        if self.horizon_s < self.settle_s + self.late_s:
            raise ValueError(
                f"horizon_s is {self.horizon_s}; give at least settle_s + late_s, "
                f"{self.settle_s + self.late_s}"
            )
