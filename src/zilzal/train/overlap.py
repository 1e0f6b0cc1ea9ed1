"""Whether thresholds would be chosen on what they are then scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from zilzal.core.errors import ConfigError
from zilzal.train.protocol import Identity
from zilzal.train.sets.leakage import find_leaks
from zilzal.train.sets.moments import Moment

CHOOSING, SCORED = "choosing", "scored"


def refuse_overlap(choosing: Sequence[Identity], scored: Sequence[Identity]) -> None:
    """Refuse to choose thresholds on records that share an event or time with what is scored.

    Raises:
        ConfigError: they do; the message names examples.
    """
    moments = [*_as_split(choosing, CHOOSING), *_as_split(scored, SCORED)]
    leaks = find_leaks(moments)
    if leaks:
        kinds = {leak.leak: leak for leak in reversed(leaks)}.values()
        told = "; ".join(f"{leak.leak}: {leak.one} and {leak.other}" for leak in kinds)
        raise ConfigError(
            f"thresholds would be chosen on what is scored ({len(leaks)} leaks, as {told}). Choose "
            "another set or split with --tune-on and --tune-split, or give --allow-overlap if you "
            "mean it: the scores are then too good"
        )


def _as_split(records: Sequence[Identity], split: str) -> Iterator[Moment]:
    """Records as a split of one set, events named so that they mean the same in all sets."""
    for each in records:
        moment = each.moment
        yield replace(
            moment,
            split=split,
            name=f"{each.source}/{moment.name}",
            event=_everywhere(moment.event, each),
            group=_everywhere(moment.group, each),
        )


def _everywhere(name: str, each: Identity) -> str:
    """A name of an event: a mere number, or the record's own name, means nothing elsewhere."""
    local = name.isdigit() or name == each.moment.name
    return f"{each.source}/{name}" if name and local else name
