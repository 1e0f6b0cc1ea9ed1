"""Two catalogues against each other: matched, missed, extra, and how far apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from zilzal.core.arrays import Array
from zilzal.core.event import Event, Origin
from zilzal.core.geo import distance_m
from zilzal.core.time import NS_PER_S
from zilzal.evaluate.assignment import assign, pairs_within
from zilzal.evaluate.interval import (
    Estimate,
    Resampling,
    bootstrap_median,
    median_absolute_deviation,
    wilson,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypocentres:
    """What of a catalogue is compared.

    Args:
        ids: of the events.
        time_ns: UTC since 1970, as in `core.time`.
        latitude: WGS84.
        longitude: WGS84.
        depth_m: below sea level; NaN where not known.
        magnitude: NaN where not known.
    """

    ids: tuple[str, ...]
    time_ns: Int64[Array, " event"]
    latitude: Float64[Array, " event"]
    longitude: Float64[Array, " event"]
    depth_m: Float64[Array, " event"]
    magnitude: Float64[Array, " event"]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Hypocentres:
        """Of located events; those without an origin are left out."""
        located = [(e, e.origin) for e in events if isinstance(e.origin, Origin)]
        sizes = [e.magnitudes[0].magnitude if e.magnitudes else None for e, _ in located]
        return cls(
            ids=tuple(e.id for e, _ in located),
            time_ns=np.array([o.time.ns for _, o in located], np.int64),
            latitude=np.array([o.latitude for _, o in located], float),
            longitude=np.array([o.longitude for _, o in located], float),
            depth_m=np.array([o.depth_m for _, o in located], float),
            magnitude=np.array([np.nan if m is None else m for m in sizes], float),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueTolerance:
    """What counts as the same event.

    Args:
        time_s: largest difference of the origin times.
        distance_m: largest epicentral distance.
    """

    time_s: float = 2.5
    distance_m: float = 15_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How one quantity differs between matched events, result minus reference.

    Args:
        count: pairs for which both are known.
        median: with its interval.
        median_absolute: of the absolute values, with its interval.
        mad: median absolute deviation from the median, not scaled.
    """

    count: int
    median: Estimate
    median_absolute: Estimate
    mad: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CatalogueComparison:
    """Two catalogues matched one to one.

    Args:
        pairs: numbers of the reference's and the result's event, in order of the reference.
        missed: numbers of the reference's events that nothing matches.
        extra: numbers of the result's events that match nothing.
        recall: share of the reference that was found, with Wilson's interval.
        epicentral_m: distance of the epicentres, never negative.
        depth_m: positive is too deep.
        time_s: positive is too late.
        magnitude: positive is too large.
    """

    pairs: Int64[Array, "pair 2"]
    missed: Int64[Array, " missed"]
    extra: Int64[Array, " extra"]
    recall: Estimate
    epicentral_m: Differences
    depth_m: Differences
    time_s: Differences
    magnitude: Differences


def match_catalogues(
    reference: Hypocentres,
    result: Hypocentres,
    *,
    tolerance: CatalogueTolerance = CatalogueTolerance(),
) -> Int64[Array, "pair 2"]:
    """Pairs (reference, result) of the same event, in order of the reference.

    As many pairs as possible, then those of least sum of (dt / time_s)^2 + (distance /
    distance_m)^2; an event is in one pair at most. The order of the events does not matter.
    """
    epoch_ns = int(reference.time_ns[0]) if len(reference) else 0
    left, right = pairs_within(
        (reference.time_ns - epoch_ns) / NS_PER_S,
        (result.time_ns - epoch_ns) / NS_PER_S,
        tolerance.time_s,
    )
    apart_s = (result.time_ns[right] - reference.time_ns[left]) / NS_PER_S
    apart_m = _epicentral_m(reference, result, left, right)
    near = apart_m <= tolerance.distance_m
    left, right = left[near], right[near]
    cost = (apart_s[near] / tolerance.time_s) ** 2 + (apart_m[near] / tolerance.distance_m) ** 2
    chosen = assign(left, right, cost)
    pairs = np.stack([left[chosen], right[chosen]], axis=1).astype(np.int64)
    return pairs[np.argsort(pairs[:, 0])]


def compare_catalogues(
    reference: Hypocentres,
    result: Hypocentres,
    rng: np.random.Generator,
    *,
    tolerance: CatalogueTolerance = CatalogueTolerance(),
    resampling: Resampling = Resampling(),  # noqa: B008 - a frozen value
) -> CatalogueComparison:
    """Match two catalogues and measure the differences of the matched events."""
    pairs = match_catalogues(reference, result, tolerance=tolerance)
    left, right = pairs.T

    def differences(values: Float64[Array, " pair"]) -> Differences:
        known = values[np.isfinite(values)]
        return Differences(
            count=len(known),
            median=bootstrap_median(known, rng, resampling=resampling),
            median_absolute=bootstrap_median(np.abs(known), rng, resampling=resampling),
            mad=median_absolute_deviation(known),
        )

    return CatalogueComparison(
        pairs=pairs,
        missed=np.setdiff1d(np.arange(len(reference)), left),
        extra=np.setdiff1d(np.arange(len(result)), right),
        recall=wilson(len(pairs), len(reference)),
        epicentral_m=differences(_epicentral_m(reference, result, left, right)),
        depth_m=differences(result.depth_m[right] - reference.depth_m[left]),
        time_s=differences((result.time_ns[right] - reference.time_ns[left]) / NS_PER_S),
        magnitude=differences(result.magnitude[right] - reference.magnitude[left]),
    )


def _epicentral_m(
    reference: Hypocentres,
    result: Hypocentres,
    left: Int64[Array, " pair"],
    right: Int64[Array, " pair"],
) -> Float64[Array, " pair"]:
    return distance_m(
        reference.latitude[left],
        reference.longitude[left],
        result.latitude[right],
        result.longitude[right],
    )
