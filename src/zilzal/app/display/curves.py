"""What a network says along a record, computed when somebody looks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zilzal.app.display.holdings import Holdings
from zilzal.app.display.traces import LEAD_S, check_span
from zilzal.app.views import read_windows
from zilzal.core.ids import SensorId
from zilzal.core.probability import Probabilities
from zilzal.core.time import Time
from zilzal.pick.neural import NeuralPicker

LONGEST_S = 3_600.0
_TRAIL_S = 10.0
"""Read after what is shown, so that a network sees what follows the last onset."""
_KEPT = 256

_Key = tuple[SensorId, Time, Time]


@dataclass(slots=True, eq=False)
class CurveShelf:
    """Curves that were computed last; of one picker.

    Args:
        picker: the run's own, or the packaged one where the run's has no curves.
        lock: one at a time: a network fills a core.
    """

    picker: NeuralPicker
    lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: OrderedDict[_Key, tuple[Probabilities, ...]] = field(
        default_factory=OrderedDict[_Key, tuple[Probabilities, ...]]
    )

    @classmethod
    def of(cls, held: Holdings) -> CurveShelf:
        """With the picker of the configuration that results were made with."""
        picker = held.configuration.picker
        plain = picker if isinstance(picker, NeuralPicker) else NeuralPicker()
        return cls(replace(plain, with_probabilities=True))

    def curves(
        self, sensor: SensorId, span: tuple[Time, Time], held: Holdings
    ) -> tuple[Probabilities, ...]:
        """Curves of a sensor between two instants, one for each gap-free stretch.

        Raises:
            RangeError: the span is empty or too long.
            ModelError: the network cannot be loaded.
        """
        check_span(span, LONGEST_S)
        key = (sensor, *span)
        with self.lock:
            found = self._kept.get(key)
            if found is None:
                found = self._compute(sensor, span, held)
                if not held.waveforms.is_growing:
                    self._kept[key] = found
                    while len(self._kept) > _KEPT:
                        self._kept.popitem(last=False)
            return found

    def _compute(
        self, sensor: SensorId, span: tuple[Time, Time], held: Holdings
    ) -> tuple[Probabilities, ...]:
        around = span[0] - LEAD_S, span[1] + _TRAIL_S
        inventory = held.inventory if held.inventory.channels else None
        windows = read_windows(sensor, around, held.waveforms, inventory)
        state, picked = self.picker.step(self.picker.start(), windows)
        pieces = [*picked.probabilities, *self.picker.finish(state).probabilities]
        cut = (_cut(curves, span) for curves in _joined(pieces))
        return tuple(curves for curves in cut if curves.values.shape[1])


def _joined(pieces: Sequence[Probabilities]) -> list[Probabilities]:
    """Pieces that follow each other, as one."""
    joined: list[list[Probabilities]] = []
    for piece in sorted(pieces, key=lambda p: p.start):
        last = joined[-1][-1] if joined else None
        if last is not None and abs(piece.start - last.next_start) < 0.5 / piece.sampling_rate:
            joined[-1].append(piece)
        else:
            joined.append([piece])
    return [
        replace(group[0], values=np.concatenate([p.values for p in group], axis=1))
        for group in joined
    ]


def _cut(curves: Probabilities, span: tuple[Time, Time]) -> Probabilities:
    rate = curves.sampling_rate
    first = max(0, int(np.ceil((span[0] - curves.start) * rate - 1e-3)))
    last = max(first, int(np.ceil((span[1] - curves.start) * rate - 1e-3)))
    return replace(curves, start=curves.start + first / rate, values=curves.values[:, first:last])
