"""Training windows: real events, superposed, hidden in real noise, and prepared as in operation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Float64

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase
from zilzal.train.augment import (
    Cut,
    Faults,
    Spectral,
    draw_stretch,
    draw_transfer,
    log_uniform,
    reshaped,
    rms,
    synthetic_noise,
    turned,
    with_dead_components,
    with_faults,
)
from zilzal.train.dataset import Onset, Record, Unknown
from zilzal.train.labels import Curves, target_curves


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """How windows are drawn; shares are of the windows.

    Args:
        length: samples of a window.
        sampling_rate: of records and windows.
        noise: share without any event.
        synthetic: of the noise cuts, the share that is made, not recorded.
        superposed: share with a second event.
        second_db: peak level of the second event against the first, lowest and highest.
        renoised: share with a noise cut added.
        snr_db: loudest second of the event against the added noise, lowest and highest.
        inside: share of the cuts kept inside the record where it is long enough; the others
            reach over its ends.
        padded_with_zeros: of the cuts that reach over an end, the share whose missing samples
            are zeros instead of absent.
        dead: share with dead components.
        spectral: instruments.
        faults: recorders.
        curves: labels.
    """

    length: int = 6000
    sampling_rate: float = 100.0
    noise: float = 0.2
    synthetic: float = 0.2
    superposed: float = 0.25
    second_db: tuple[float, float] = (-20.0, 20.0)
    renoised: float = 0.5
    snr_db: tuple[float, float] = (3.0, 36.0)
    inside: float = 0.7
    padded_with_zeros: float = 0.5
    dead: float = 0.15
    spectral: Spectral = field(default_factory=Spectral)
    faults: Faults = field(default_factory=Faults)
    curves: Curves = field(default_factory=Curves)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Materials:
    """Records by what they serve for.

    Args:
        events: records with arrivals, by set.
        shares: how often each set is drawn, in the order of `events`; sums to 1.
        noises: a record and its quiet span, by set.
    """

    events: Mapping[str, Sequence[Record]]
    shares: Float64[Array, " set"]
    noises: Mapping[str, Sequence[tuple[Record, int, int]]]


TRUSTED = 0.5
"""Only an arrival with at least this weight is made the subject of a window."""


def gather(records: Sequence[Record]) -> Materials:
    """Sort records into events and noise.

    A set is drawn as the root of its trusted arrivals, at most as often as one of 400, so that
    neither a large set drowns the others nor a small one is learnt by heart. What lies 2 s and
    more before the first arrival of an analyst's record serves as noise.
    """
    events: dict[str, list[Record]] = defaultdict(list)
    noises: dict[str, list[tuple[Record, int, int]]] = defaultdict(list)
    for record in records:
        if any(onset.weight >= TRUSTED for onset in record.onsets):
            events[record.source].append(record)
        for first, last in quiet_spans(record):
            noises[record.source].append((record, first, last))
    counts = [
        sum(onset.weight >= TRUSTED for record in of_set for onset in record.onsets)
        for of_set in events.values()
    ]
    shares = np.sqrt(np.minimum(counts, 400.0))
    return Materials(events=events, shares=shares / shares.sum(), noises=noises)


def quiet_spans(record: Record) -> list[tuple[int, int]]:
    """First and last sample of a record's spans of noise of 8 s and more."""
    spans = list(record.quiet)
    if record.kind == "earthquake" and record.onsets and not record.unknown:
        last = int(record.onsets[0].sample - 2 * record.sampling_rate)
        live = np.flatnonzero(record.present.any(0))
        spans.append((int(live[0]), last))
    return [(a, b) for a, b in spans if b - a >= 8 * record.sampling_rate]


def cut_out(record: Record, first: int, length: int) -> Cut:
    """Samples [first, first + length) of a record, absent beyond its ends, with its labels."""
    samples = np.zeros((3, length), np.float32)
    present = np.zeros((3, length), bool)
    start, end = max(0, first), min(record.length, first + length)
    samples[:, start - first : end - first] = record.samples[:, start:end]
    present[:, start - first : end - first] = record.present[:, start:end]
    mean = samples.sum(1, keepdims=True) / np.maximum(present.sum(1, keepdims=True), 1)
    reach = record.sampling_rate
    return Cut(
        samples=np.where(present, samples - mean, 0).astype(np.float32),
        present=present,
        onsets=tuple(
            replace(o, sample=o.sample - first)
            for o in record.onsets
            if start - reach <= o.sample < end + reach
        ),
        unknown=tuple(
            replace(u, first=u.first - first, last=u.last - first)
            for u in record.unknown
            if u.last >= start - 10 * reach and u.first < end
        ),
        codas=tuple(
            replace(c, first=c.first - first, last=c.last - first)
            for c in record.codas
            if c.last >= start and c.first < end
        ),
        sources=frozenset((record.source,)),
    )


def tapered(cut: Cut, seconds: float = 0.5, *, sampling_rate: float = 100.0) -> Cut:
    """The ends of what is present fade, where the cut reaches beyond its record."""
    live = np.flatnonzero(cut.recorded)
    if not len(live) or len(live) == cut.length:
        return cut
    reach = min(round(seconds * sampling_rate), len(live) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(reach) / max(reach, 1))
    samples = cut.samples.copy()
    if live[0] > 0:
        samples[:, live[0] : live[0] + reach] *= ramp
    if live[-1] < cut.length - 1:
        samples[:, live[-1] + 1 - reach : live[-1] + 1] *= ramp[::-1]
    return replace(cut, samples=samples)


def draw_event(materials: Materials, mixing: Mixing, rng: np.random.Generator) -> Cut:
    """A cut around a trusted arrival, which lies anywhere in it."""
    names = list(materials.events)
    of_set = materials.events[names[int(rng.choice(len(names), p=materials.shares))]]
    record = of_set[int(rng.integers(len(of_set)))]
    trusted = [onset for onset in record.onsets if onset.weight >= TRUSTED]
    anchor = trusted[int(rng.integers(len(trusted)))]
    length, stretch = _source_length(mixing, rng)
    first = round(anchor.sample - rng.uniform(0, 1) * length)
    if record.length >= length and rng.random() < mixing.inside:
        first = min(max(first, 0), record.length - length)
    cut = cut_out(record, first, length)
    if rng.random() < 0.5:
        cut = tapered(cut)
    return _through_instrument(cut, stretch, mixing, rng)


def _source_length(mixing: Mixing, rng: np.random.Generator) -> tuple[int, float]:
    """Samples that are stretched to a window, a number quick to transform, and the factor."""
    from scipy.fft import next_fast_len

    wanted = round(mixing.length / draw_stretch(mixing.spectral, rng))
    length = next_fast_len(wanted, real=True)
    assert length is not None
    return length, mixing.length / length


def _through_instrument(cut: Cut, stretch: float, mixing: Mixing, rng: np.random.Generator) -> Cut:
    frequency_hz = np.fft.rfftfreq(mixing.length, 1 / mixing.sampling_rate)
    transfer = draw_transfer(mixing.spectral, frequency_hz, rng)
    return turned(reshaped(cut, mixing.length, transfer, stretch=stretch), rng)


def draw_noise(materials: Materials, mixing: Mixing, rng: np.random.Generator) -> Cut:
    """A cut of recorded noise, continued by its own mirror image where too short; or a made one."""
    if rng.random() < mixing.synthetic or not materials.noises:
        samples = synthetic_noise(mixing.length, rng)
        return Cut(samples=samples, present=np.ones_like(samples, bool))
    names = list(materials.noises)
    spans = materials.noises[names[int(rng.integers(len(names)))]]
    record, span_first, span_last = spans[int(rng.integers(len(spans)))]
    length, stretch = _source_length(mixing, rng)
    available = span_last - span_first + 1
    first = span_first + int(rng.integers(max(1, available - length + 1)))
    cut = cut_out(record, first, min(length, available))
    if cut.length < length:
        places = np.pad(np.arange(cut.length), (0, length - cut.length), mode="reflect")
        cut = replace(cut, samples=cut.samples[:, places], present=cut.present[:, places])
    cut = replace(cut, onsets=(), unknown=(), codas=())
    return _through_instrument(cut, stretch, mixing, rng)


def loudest_second(cut: Cut) -> float:
    """Largest root mean square of a second, of the strongest component; 0 for silence."""
    return float(_second_levels(cut).max(initial=0.0))


def _second_levels(cut: Cut) -> Float64[Array, " second"]:
    """Level of each second, of the strongest component, around 12 Hz (difference over 4)."""
    quick = np.zeros_like(cut.samples)
    quick[:, 4:] = cut.samples[:, 4:] - cut.samples[:, :-4]
    n_seconds = cut.length // 100
    blocks = quick[:, : n_seconds * 100].reshape(3, n_seconds, 100)
    return np.sqrt(np.square(blocks, dtype=np.float64).mean(-1)).max(0)


def _hidden_by(cut: Cut, other: Cut) -> Cut:
    """Labels after something was added: what it drowns is no longer known.

    An arrival whose next second is under 0.35 of the level of what was added becomes unknown;
    up to 0.8 its weight grows. A coda ends where the addition is louder for good.
    """
    own, added = _second_levels(cut), _second_levels(other)
    ratio = own / np.maximum(added, 1e-12 * max(own.max(initial=0), 1e-30))
    onsets, unknown = [], list(cut.unknown)
    for onset in cut.onsets:
        second = int(onset.sample // 100)
        around = ratio[max(0, second) : second + 2]
        visible = float(np.clip((around.max(initial=0.0) - 0.35) / 0.45, 0, 1))
        if visible > 0:
            onsets.append(replace(onset, weight=onset.weight * visible))
        else:
            unknown.append(
                Unknown(phase=onset.phase, first=onset.sample - 50, last=onset.sample + 50)
            )
    codas = []
    for coda in cut.codas:
        first, last = max(0, int(coda.first // 100)), max(0, int(coda.last // 100) + 1)
        heard = np.flatnonzero(ratio[first:last] > 0.7)
        if len(heard):
            codas.append(replace(coda, last=min(coda.last, (first + heard[-1] + 1) * 100.0)))
        else:
            codas.append(replace(coda, weight=0.0))
    return replace(cut, onsets=tuple(onsets), unknown=tuple(unknown), codas=tuple(codas))


def added(cut: Cut, other: Cut, gain: float) -> Cut:
    """Two cuts recorded together; what either hides of the other becomes unknown."""
    other = replace(other, samples=other.samples * np.float32(gain))
    edges = _joints(cut) + _joints(other)
    cut, other = _hidden_by(cut, other), _hidden_by(other, cut)
    return Cut(
        samples=cut.samples + other.samples,
        present=cut.present | other.present,
        onsets=cut.onsets + other.onsets,
        unknown=cut.unknown + other.unknown + edges,
        codas=cut.codas + other.codas,
        sources=cut.sources | other.sources,
    )


def _joints(cut: Cut, reach: int = 60) -> tuple[Unknown, ...]:
    """Where a record begins or ends within the window: its own noise jumps in there."""
    recorded = cut.recorded
    places = np.flatnonzero(recorded[1:] != recorded[:-1])
    return tuple(
        Unknown(phase=phase, first=float(at - reach), last=float(at + reach))
        for at in places
        for phase in Phase
    )


def _with_company(cut: Cut, materials: Materials, mixing: Mixing, rng: np.random.Generator) -> Cut:
    """A second event and noise, each in its share of the windows."""
    level = loudest_second(cut)
    if rng.random() < mixing.superposed:
        second = draw_event(materials, mixing, rng)
        beside = loudest_second(second)
        if beside > 0 and level > 0:
            gain = level / beside * 10 ** (rng.uniform(*mixing.second_db) / 20)
            both = cut.alive & second.alive
            cut = added(cut, second, gain)
            cut = replace(
                cut,
                samples=np.where(both, cut.samples, 0).astype(np.float32),
                present=cut.present & both,
            )
    if rng.random() < mixing.renoised and level > 0:
        noise = draw_noise(materials, mixing, rng)
        beside = rms(noise)
        if loudest_second(noise) > 0 and beside > 0:
            gain = level / loudest_second(noise) / 10 ** (rng.uniform(*mixing.snr_db) / 20)
            alive = cut.alive
            everywhere = rng.random() < 0.5
            cut = added(cut, replace(noise, present=noise.present & alive & everywhere), gain)
            samples = np.where(cut.present, cut.samples, 0)
            cut = replace(cut, samples=samples.astype(np.float32))
    return cut


def draw_cut(materials: Materials, mixing: Mixing, rng: np.random.Generator) -> Cut:
    """A labelled window of raw samples."""
    if rng.random() < mixing.noise:
        cut = draw_noise(materials, mixing, rng)
        if rng.random() < 0.3:
            other = draw_noise(materials, mixing, rng)
            gain = rms(cut) / max(rms(other), 1e-30) * log_uniform(rng, 0.1, 10)
            cut = added(cut, other, gain)
    else:
        cut = _with_company(draw_event(materials, mixing, rng), materials, mixing, rng)
    cut = with_dead_components(cut, rng, share=mixing.dead)
    if not cut.present.all() and rng.random() < mixing.padded_with_zeros:
        alive = cut.alive
        cut = replace(cut, present=np.broadcast_to(alive, cut.present.shape).copy())
    return with_faults(cut, mixing.faults, rng)


def labelled(
    cut: Cut, mixing: Mixing
) -> tuple[Float32[Array, "label sample"], Float32[Array, "label sample"]]:
    """The curves wanted of a window, and their weights."""
    return target_curves(
        mixing.length, _present_only(cut), cut.unknown, cut.codas,
        sampling_rate=mixing.sampling_rate, how=mixing.curves,
    )  # fmt: skip


def _present_only(cut: Cut) -> list[Onset]:
    """Arrivals that were recorded; one inside a gap cannot be asked for."""
    recorded = cut.recorded
    return [
        onset
        for onset in cut.onsets
        if 0 <= onset.sample < cut.length - 1 and recorded[round(onset.sample)]
    ]
