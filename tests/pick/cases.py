"""Made records, windows cut from them, and pickers run over the windows."""

import pickle
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from zilzal.core.ids import SensorId
from zilzal.core.stage import Picked, Picker
from zilzal.core.time import Time
from zilzal.core.waveform import Window

START = Time.parse("2020-02-29T23:59:00.003400Z")
"""Off the grid by 3.4 ms, and across a leap day's end."""


def sensor(name: str = "AAA") -> SensorId:
    return SensorId("XX", name, "", "HH")


def earthquakes(
    onsets: Sequence[int],
    n_samples: int,
    *,
    seed: int = 0,
    s_minus_p: int = 400,
    n_components: int = 3,
) -> np.ndarray:
    """Bursts of P on all components, S on the horizontals, in noise of 100 counts."""
    rng = np.random.default_rng(seed)
    samples = 100 * rng.standard_normal((3, n_samples)) + np.array([[5_000], [0], [-700]])
    decay = np.exp(-np.arange(1_500) / 300)
    for onset in onsets:
        for begin, scale in ((onset, [20, 8, 8]), (onset + s_minus_p, [10, 45, 40])):
            length = min(1_500, n_samples - begin)
            burst = 100 * rng.standard_normal((3, 1_500)) * decay
            samples[:, begin : begin + length] += np.array(scale)[:, None] * burst[:, :length]
    samples[n_components:] = 0
    return samples.round().astype(np.float32)


def window(
    samples: np.ndarray,
    present: np.ndarray,
    bounds: tuple[int, int],
    *,
    rate: float = 100.0,
    name: str = "AAA",
) -> Window:
    first, end = bounds
    return Window(
        sensor_id=sensor(name),
        start=START + first / rate,
        sampling_rate=rate,
        samples=np.where(present, samples, 0)[:, first:end].astype(np.float32),
        present=present[:, first:end],
    )


def windows_of(
    samples: np.ndarray,
    present: np.ndarray,
    cuts: Iterable[int] = (),
    *,
    rate: float = 100.0,
    name: str = "AAA",
) -> list[Window]:
    edges = sorted({0, samples.shape[1], *cuts})
    return [window(samples, present, edge, rate=rate, name=name) for edge in pairwise(edges)]


def run(picker: Picker, steps: Iterable[Sequence[Window]], *, pickled: bool = False) -> Picked:
    """All that a picker hands out over some steps, in order."""
    state = picker.start()
    told = []
    for step in steps:
        state, picked = picker.step(state, step)
        told.append(picked)
        if pickled:
            state = pickle.loads(pickle.dumps(state))
    told.append(picker.finish(state))
    return Picked(
        tuple(
            sorted(
                (pick for each in told for pick in each.picks),
                key=lambda p: (p.channel_id, p.time, p.phase),
            )
        ),
        tuple(
            sorted(
                (d for each in told for d in each.detections), key=lambda d: (d.sensor_id, d.start)
            )
        ),
        tuple(p for each in told for p in each.probabilities),
    )
