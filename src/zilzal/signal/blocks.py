"""Recursive filters by blocks of samples: small matrix products instead of a loop over samples.

A section with the state s makes of a block x of L samples and of its own past

    y = T x + C s,    s' = A^L s + B x,

where T is the triangular Toeplitz matrix of its impulse response. Only the state goes on from
block to block, so that the slow recursion has one step in L samples.

A cut changes nothing, bit for bit: blocks are counted from the epoch, and products are taken
over whole groups of them, filled up with zeros, so that a block meets the same arithmetic at the
same place however much of its group is there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.signal.filter import highpass

BLOCK = 16
"""Samples of a block."""
_GROUP = 64
"""Blocks that are multiplied together."""

Blocks = Float32[Array, "component block 16"]


class Place(NamedTuple):
    """Where some samples lie on the grid of blocks.

    Args:
        first: row of the block that the first sample falls into, from its group's start.
        n_open: samples of that block that came before.
        n_samples: that are to be worked on.
    """

    first: int
    n_open: int
    n_samples: int

    @classmethod
    def of(cls, number: int, n_samples: int) -> Place:
        """The place of samples that begin at a number, counted from the epoch."""
        block, n_open = divmod(number, BLOCK)
        return cls(block % _GROUP, n_open, n_samples)

    @property
    def n_whole(self) -> int:
        """Blocks that are complete with these samples."""
        return (self.n_open + self.n_samples) // BLOCK

    @property
    def rows(self) -> slice:
        """The blocks that hold any of them, or of those that came before in the first."""
        length = self.n_open + self.n_samples
        return slice(self.first, self.first + -(-length // BLOCK))

    @property
    def whole(self) -> slice:
        """The complete ones among them."""
        return slice(self.first, self.first + self.n_whole)

    def new(self, blocks: Blocks) -> Float32[Array, "component sample"]:
        """The samples among blocks; a view."""
        begin = self.first * BLOCK + self.n_open
        return blocks.reshape(len(blocks), -1)[:, begin : begin + self.n_samples]

    def still_open(self, blocks: Blocks) -> Float32[Array, "component sample"]:
        """The samples of the block that is not complete yet."""
        begin = (self.first + self.n_whole) * BLOCK
        end = self.first * BLOCK + self.n_open + self.n_samples
        return blocks.reshape(len(blocks), -1)[:, begin:end].copy()

    def lay_out(self, open_block: Float32[Array, "component sample"]) -> Blocks:
        """Whole groups of blocks: zeros, the open block, and room for the new samples."""
        n_rows = max(-(-self.rows.stop // _GROUP), 1) * _GROUP
        blocks = np.empty((len(open_block), n_rows, BLOCK), np.float32)
        flat = blocks.reshape(len(blocks), -1)
        begin = self.first * BLOCK
        flat[:, :begin] = 0
        flat[:, begin : begin + self.n_open] = open_block
        flat[:, begin + self.n_open + self.n_samples :] = 0
        return blocks


class Section(NamedTuple):
    """A second-order section's matrices, for samples in rows: transposed.

    Args:
        response: T, from a block's input to its output.
        exit: C, from the state to the output.
        entry: B, from the input to the state after the block, and beside it (A^L - trace) B.
        trace: of A^L.
        determinant: of A^L.
    """

    response: Float32[Array, "16 16"]
    exit: Float32[Array, "2 16"]
    entry: Float32[Array, "16 4"]
    trace: float
    determinant: float


class Past(NamedTuple):
    """What a section remembers at the start of a block.

    Args:
        state: s.
        entered: (A^L - trace) B x of the block before.
        carried: the recursion's own memory of the states before.
    """

    state: Float64[Array, "component 2"]
    entered: Float32[Array, "component 2"]
    carried: Float64[Array, "component 2 2"]

    @classmethod
    def none(cls, n_components: int) -> Past:
        """Nothing but zeros came before."""
        rest = np.zeros((n_components, 2))
        return cls(rest, rest.astype(np.float32), np.zeros((n_components, 2, 2)))

    def forget(self, which: Bool[Array, " component"]) -> Past:
        """The same with some components set to rest."""
        rest = Past.none(len(which))
        return Past(
            np.where(which[:, None], rest.state, self.state),
            np.where(which[:, None], rest.entered, self.entered),
            np.where(which[:, None, None], rest.carried, self.carried),
        )


def section_of(coefficients: Float64[Array, " 6"]) -> Section:
    """Matrices of a section (b0, b1, b2, 1, a1, a2), in the transposed direct form II."""
    b0, b1, b2, _, a1, a2 = coefficients.tolist()
    advance, enter = np.array([[-a1, 1.0], [-a2, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0])
    powers = [np.eye(2)]
    for _ in range(BLOCK):
        powers.append(advance @ powers[-1])
    impulse = [b0, *(float((power @ enter)[0]) for power in powers[: BLOCK - 1])]
    response = np.zeros((BLOCK, BLOCK))
    for delay, value in enumerate(impulse):
        response += np.diag(np.full(BLOCK - delay, value), delay)
    entry = np.stack([power @ enter for power in powers[BLOCK - 1 :: -1]])
    trace = float(np.trace(powers[BLOCK]))
    beside = entry @ (powers[BLOCK] - trace * np.eye(2)).T
    return Section(
        response.astype(np.float32),
        np.stack([power[0] for power in powers[:BLOCK]], axis=1).astype(np.float32),
        np.concatenate((entry, beside), axis=1).astype(np.float32),
        trace,
        float(np.linalg.det(powers[BLOCK])),
    )


def step_section(section: Section, past: Past, blocks: Blocks, place: Place) -> tuple[Past, Blocks]:
    """Filter on.

    Args:
        section: its matrices.
        past: at the start of the block that the first new sample falls into.
        blocks: its input, as laid out for `place`.
        place: of the new samples.

    Returns:
        The past at the start of the block that is open now, and the output; where the blocks
        hold none of the samples it means nothing.
    """
    n_components, n_blocks, _ = blocks.shape
    states = np.zeros((n_components, 2, n_blocks), np.float32)
    states[:, :, place.first] = past.state
    if place.n_whole:
        entering = multiply(blocks, section.entry)[:, place.whole]
        past, after = _step_states(section, past, entering)
        following = states[:, :, place.first + 1 : place.rows.stop]
        following[:] = after[:, :, : following.shape[2]]
    output = multiply(blocks, section.response)
    output += combine(states, section.exit)
    return past, output


def _step_states(
    section: Section, past: Past, entering: Float32[Array, "component block 4"]
) -> tuple[Past, Float64[Array, "component 2 block"]]:
    """States after each block.

    Both entries obey one scalar recursion (Cayley-Hamilton), with u = B x:
    s[k+1] = tr s[k] - det s[k-1] + u[k] + (A^L - tr) u[k-1].
    """
    from scipy.signal import lfilter

    n_components, n_blocks, _ = entering.shape
    driven = np.empty((n_components, 2, n_blocks))
    np.add(entering[:, 0, :2], past.entered, out=driven[:, :, 0])
    for row in range(2):
        np.add(entering[:, 1:, row], entering[:, :-1, row + 2], out=driven[:, row, 1:])
    recursion = [1.0, -section.trace, section.determinant]
    after, carried = lfilter([1.0], recursion, driven, axis=-1, zi=past.carried)
    return Past(after[:, :, -1].copy(), entering[:, -1, 2:].copy(), carried), after


def multiply(
    blocks: Float[Array, "component block n"], matrix: Float32[Array, "n m"]
) -> Float32[Array, "component block m"]:
    """Each block times a matrix, in groups."""
    n_components, n_blocks, length = blocks.shape
    groups = blocks.reshape(-1, _GROUP, length)
    return np.matmul(groups, matrix).reshape(n_components, n_blocks, -1)


def combine(
    rows: Float32[Array, "component n block"], matrix: Float32[Array, "n m"]
) -> Float32[Array, "component block m"]:
    """The same of numbers that lie side by side for all blocks."""
    n_components, n, n_blocks = rows.shape
    groups = rows.reshape(n_components, n, -1, _GROUP).transpose(0, 2, 3, 1)
    return np.matmul(groups, matrix).reshape(n_components, n_blocks, -1)


@lru_cache(maxsize=64)
def differenced_highpass(
    corner_hz: float, *, order: int, sampling_rate: float
) -> tuple[Section, ...]:
    """A Butterworth high-pass for the differences of neighbouring samples.

    All its zeros lie at 0 Hz; one of them is the difference, which is exact for counts and takes
    any offset off, so that 32-bit floats do for the rest.

    Raises:
        ValueError: the corner is not between 0 and the Nyquist frequency.
    """
    sections = highpass(corner_hz, order=order, sampling_rate=sampling_rate).copy()
    # Dividing by 1 - 1/z, the difference, adds the coefficients up.
    sections[0, :3] = np.cumsum(sections[0, :3])
    return tuple(section_of(section) for section in sections)
