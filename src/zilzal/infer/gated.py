"""A network that is run only where a small one before it, its gate, finds anything.

Most of the time nothing happens at a station. The gate sees all samples and says in cells of 32
whether one of the network's curves would come near its threshold; elsewhere the curves are zero
and the network is not run. Where the gate is open, the network sees all that it would have seen,
so that its curves there are the same bit for bit; and since neither depends on where windows lie,
neither does what both say together.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import SpecError
from zilzal.infer.metadata import read_metadata, write_metadata

if TYPE_CHECKING:
    from zilzal.infer.engine import Engine

GATE_KEY = "zilzal.gate"
"""Name of the ONNX metadata property that holds the gate's own ONNX file, in base64."""
CELL = 32
"""Samples that the gate has one answer for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of a window that the network is run on.

    Args:
        start: of what it sees, in samples of the window.
        end: of what it sees.
        first: sample that is wanted of it.
        last: sample after the last one wanted.
    """

    start: int
    end: int
    first: int
    last: int


class GatedEngine:
    """A network behind its gate, as one engine.

    Args:
        network: gives a curve for each label, (batch, label, sample).
        gate: gives each label's largest value in each cell, (batch, label, cell).
        thresholds: of the gate's output that open it, label by label.
        reach_samples: how far before and after a sample the network looks.

    Attributes:
        given_samples: that the gate has seen so far.
        run_samples: that the network was run on, with its surroundings.
    """

    def __init__(
        self,
        network: Engine,
        gate: Engine,
        thresholds: Sequence[float],
        reach_samples: tuple[int, int],
    ) -> None:
        self._network, self._gate = network, gate
        self._thresholds = np.array(thresholds, np.float32)[:, None]
        self._reach = reach_samples
        self.given_samples = self.run_samples = 0

    @property
    def input_shape(self) -> Sequence[int | None]:
        """(batch, component, sample); None where any length is taken."""
        return self._gate.input_shape

    @property
    def output_shape(self) -> Sequence[int | None]:
        """(batch, label, sample); None where it is not fixed."""
        batch, _, length = self._gate.input_shape
        return [batch, len(self._thresholds), length]

    def run(self, inputs: Float32[Array, "batch component sample"]) -> Float32[Array, "batch ..."]:
        """The network's curves where the gate is open, and zeros; not to be written to."""
        batch, _, length = inputs.shape
        self.given_samples += batch * length
        open_cells = [opened(cells, self._thresholds) for cells in self._gate.run(inputs)]
        if not any(is_open.any() for is_open in open_cells):
            return _nothing(batch, len(self._thresholds), length)
        curves = np.zeros((batch, len(self._thresholds), length), np.float32)
        by_cell = curves.reshape(batch, len(self._thresholds), -1, CELL)
        for samples, is_open, curve in zip(inputs, open_cells, by_cell, strict=True):
            for part in stretches(is_open, self._reach, self._network.input_shape[2]):
                seen = np.ascontiguousarray(samples[None, :, part.start : part.end])
                self.run_samples += seen.shape[2]
                told = self._network.run(seen)[0, :, part.first - part.start :]
                told = told[:, : part.last - part.first].reshape(len(told), -1, CELL)
                place = slice(part.first // CELL, part.last // CELL)
                # Between open cells that are one piece the network was run too.
                np.multiply(told, is_open[place, None], out=curve[:, place])
        return curves


@lru_cache(maxsize=8)
def _nothing(*shape: int) -> Float32[Array, "batch label sample"]:
    """Zeros that are the same each time, and so in the processor's cache."""
    zeros = np.zeros(shape, np.float32)
    zeros.flags.writeable = False
    return zeros


def opened(
    cells: Float32[Array, "label cell"], thresholds: Float32[Array, "label 1"]
) -> Bool[Array, " cell"]:
    """Cells in which a curve may be high, and their neighbours on either side."""
    is_open = np.any(cells >= thresholds, axis=0, keepdims=True)[0]
    near = is_open.copy()
    near[1:] |= is_open[:-1]
    near[:-1] |= is_open[1:]
    return near


def stretches(
    is_open: Bool[Array, " cell"], reach_samples: tuple[int, int], given: int | None = None
) -> Iterator[Stretch]:
    """Pieces of a window to run the network on, with all that it looks at.

    Open cells that are nearer to each other than the network looks are one piece.

    Args:
        is_open: of all cells of the window.
        reach_samples: how far before and after a sample the network looks.
        given: length that an engine takes, at most the window's; None where it takes any.
    """
    before, after = reach_samples
    length = len(is_open) * CELL
    cells = np.flatnonzero(is_open)
    if not len(cells):
        return
    breaks = np.flatnonzero(np.diff(cells) > (before + after) // CELL) + 1
    for run in np.split(cells, breaks):
        first, last = int(run[0]) * CELL, (int(run[-1]) + 1) * CELL
        while first < last:
            start = max(first - before, 0)
            end = min(last + after, length)
            if given is not None:
                start = min(start, length - given)
                end = start + given
            decided = last if end == length else min(last, end - after)
            yield Stretch(start=start, end=end, first=first, last=decided)
            first = decided


def gate_of(model_bytes: bytes, name: str = "the model") -> bytes | None:
    """The gate's ONNX file inside a network's; None where there is none.

    Raises:
        SpecError: the bytes are no ONNX file, or what stands for the gate is none.
    """
    text = read_metadata(model_bytes).get(GATE_KEY)
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise SpecError(f"{name}: its {GATE_KEY} is not base64: {error}") from error


def attach_gate(model_bytes: bytes, gate_bytes: bytes) -> bytes:
    """The network's ONNX file with a gate's inside, replacing an earlier one."""
    return write_metadata(model_bytes, GATE_KEY, base64.b64encode(gate_bytes).decode())


def gate_thresholds(gate: Mapping[str, float], labels: Sequence[str]) -> list[float]:
    """In the order of the labels; a label without one opens nothing."""
    return [gate.get(label, np.inf) for label in labels]
