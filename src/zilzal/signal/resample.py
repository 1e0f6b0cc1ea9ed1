"""Change of the sampling rate by a ratio of whole numbers, in pieces of any length.

Output sample m lies at the place of input sample m * down / up, both counted from the epoch, so
where a record begins or is cut does not move the samples. The anti-alias filter is symmetric:
no delay, except that an output can be had only once `half / up` further inputs have come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Float64

from zilzal.core.arrays import Array

_SIMPLE_FACTOR = 32
_LARGEST_FACTOR = 1_000
_CLOSE = 1e-4
"""Relative error of the ratio up to which the simplest factors are taken."""
_HALF_LENGTH = 16
"""Zero crossings of the sinc on either side."""
_KAISER_BETA = 8.0
"""Stop band near -80 dB, Kaiser (1974)."""
_PASS_BAND = 0.9
"""Corner (-6 dB) as a share of the lower Nyquist frequency."""
_SAME = 5e-3
"""Rates closer than this (relative) are taken for the same: a network does not mind."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Output rate over input rate as whole numbers without common divisor."""

    up: int
    down: int

    @classmethod
    def between(cls, input_rate: float, output_rate: float) -> Ratio:
        """A simple ratio close to the wanted one.

        The output's rate is the input's times the ratio: exactly the wanted rate for the rates
        that digitisers have, and within 0.5 % of it for odd ones (99.98 Hz is taken as 100 Hz).

        Raises:
            ValueError: a rate is not above 0, or the ratio is beyond 1 : 1000.
        """
        if not (input_rate > 0 and output_rate > 0):
            raise ValueError(f"sampling rates must be above 0: {input_rate}, {output_rate}")
        wanted = output_rate / input_rate
        if not 1 / _LARGEST_FACTOR <= wanted <= _LARGEST_FACTOR:
            raise ValueError(f"cannot resample from {input_rate} Hz to {output_rate} Hz")
        if abs(wanted - 1) <= _SAME:
            return cls(1, 1)
        ratio = Fraction(wanted).limit_denominator(_SIMPLE_FACTOR)
        if abs(float(ratio) / wanted - 1) > _CLOSE:
            ratio = Fraction(wanted).limit_denominator(_LARGEST_FACTOR)
        return cls(ratio.numerator, ratio.denominator)

    @property
    def is_one(self) -> bool:
        """Whether nothing is to be done."""
        return self.up == self.down

    @property
    def half(self) -> int:
        """Half length of the filter at the common rate; a multiple of `down`."""
        return -(-_HALF_LENGTH * max(self.up, self.down) // self.down) * self.down


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplerState:
    """What is carried from piece to piece.

    Args:
        first: number of the first buffered input sample, a multiple of `down`.
        next_output: number of the next output sample.
        samples: input that outputs to come still need.
        present: which of them were recorded.
    """

    first: int
    next_output: int
    samples: Float[Array, "component sample"]
    present: Bool[Array, "component sample"]


def start_resampler(ratio: Ratio, first_number: int, n_components: int) -> ResamplerState:
    """Begin at an input sample, counted from the epoch at the input's rate; zeros came before."""
    next_output = -(-first_number * ratio.up // ratio.down)
    first = min(_first_needed(ratio, next_output), first_number)
    shape = (n_components, first_number - first)
    return ResamplerState(
        first=first,
        next_output=next_output,
        samples=np.zeros(shape, np.float32),
        present=np.zeros(shape, bool),
    )


def step_resampler(
    ratio: Ratio,
    state: ResamplerState,
    samples: Float[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> tuple[ResamplerState, Float[Array, "component output"], Bool[Array, "component output"]]:
    """Take more input; hand out the output that no further input can change."""
    state = replace(
        state,
        samples=np.concatenate((state.samples, samples), axis=1),
        present=np.concatenate((state.present, present), axis=1),
    )
    end = state.first + state.samples.shape[1]
    stop = (end * ratio.up - 1 - ratio.half) // ratio.down + 1
    return _advance(ratio, state, max(stop, state.next_output))


def finish_resampler(
    ratio: Ratio, state: ResamplerState
) -> tuple[Float[Array, "component output"], Bool[Array, "component output"]]:
    """The output up to the last input sample; zeros come after."""
    end = state.first + state.samples.shape[1]
    stop = max(((end - 1) * ratio.up) // ratio.down + 1, state.next_output)
    padding = ((0, 0), (0, ratio.half // ratio.up + 1))
    state = replace(
        state, samples=np.pad(state.samples, padding), present=np.pad(state.present, padding)
    )
    _, output, mask = _advance(ratio, state, stop)
    return output, mask


def _first_needed(ratio: Ratio, output: int) -> int:
    """The first input that an output needs, rounded down to a multiple of `down`."""
    first = (output * ratio.down - ratio.half) // ratio.up
    return first // ratio.down * ratio.down


@lru_cache(maxsize=16)
def _taps(ratio: Ratio) -> Float64[Array, " tap"]:
    """A windowed sinc whose gain is 1 after `up - 1` of `up` inputs have been set to zero."""
    corner = _PASS_BAND / max(ratio.up, ratio.down)
    place = np.arange(-ratio.half, ratio.half + 1)
    taps = np.sinc(corner * place) * np.kaiser(len(place), _KAISER_BETA)
    return taps * (ratio.up / taps.sum())


def _advance(
    ratio: Ratio, state: ResamplerState, stop: int
) -> tuple[ResamplerState, Float[Array, "component output"], Bool[Array, "component output"]]:
    """Outputs from `next_output` to before `stop`, and the state without what they used up."""
    from scipy.signal import upfirdn

    if stop <= state.next_output:
        empty = np.zeros((len(state.samples), 0), np.float32)
        return state, empty, empty.astype(bool)
    # upfirdn's output j is sum_i x[i] h[j * down - i * up] with i counted from `first`. Ours is
    # sum_k x[k] h[m * down - k * up + half], hence j = m + (half - first * up) / down, a whole
    # number because both terms are multiples of `down`.
    shift = (ratio.half - state.first * ratio.up) // ratio.down
    filtered = upfirdn(_taps(ratio), state.samples, ratio.up, ratio.down, axis=-1)
    output = filtered[:, state.next_output + shift : stop + shift]
    if state.present.all():
        mask = np.ones(output.shape, bool)
    else:
        place = np.arange(state.next_output, stop) * ratio.down
        before = place // ratio.up - state.first
        after = -(-place // ratio.up) - state.first
        mask = state.present[:, before] & state.present[:, after]
        output = np.where(mask, output, 0.0)
    first = max(_first_needed(ratio, stop), state.first)
    rest = replace(
        state,
        first=first,
        next_output=stop,
        samples=state.samples[:, first - state.first :].copy(),
        present=state.present[:, first - state.first :].copy(),
    )
    return rest, output, mask
