"""A picker's network tried on synthetic records: whether it keeps the laws, and how quick it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from zilzal.core.pick import Pick
from zilzal.core.waveform import Window
from zilzal.infer.engine import BF16_LIMIT, EngineName, build_model, load_model
from zilzal.infer.precision import bf16_difference
from zilzal.infer.spec import ModelSpec
from zilzal.infer.windows import curves_of
from zilzal.pick.neural import NeuralPicker
from zilzal.synth.trial import trial_windows

ROUNDING = 1e-4
"""Largest difference of a curve between engines in f32."""
_WINDOWS = 600
_GAINS = (1e-9, 1e4)
_GAIN_DIFFERENCE = 1e-3
"""Largest difference of a curve between counts and another unit: rounding of float32 samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One law.

    Args:
        name: what is asked for.
        passed: whether it holds; None where it could not be tried, or is only told.
        said: what was seen.
    """

    name: str
    passed: bool | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How quick a network is on one core.

    Args:
        engine: that ran it.
        network_s: seconds of processor time per station-day, of the network alone.
        picker_s: of the whole picker, from counts to picks.
    """

    engine: str
    network_s: float
    picker_s: float


def check_network(path: Path) -> list[Check]:
    """Hold a picking network against what every one must do, on synthetic earthquakes.

    Raises:
        ModelError: it is not one for picking, or cannot be loaded at all.
        SpecError: its file has no valid specification, or lacks thresholds or uncertainties.
    """
    picker = NeuralPicker(model=str(path))
    picker.start()
    spec = load_model(path).spec
    records = _records(spec, longest_s=300.0, n_sensors=2, rate_per_hour=60.0)
    told = f"{spec.name} {spec.version}: {', '.join(spec.labels)} at {spec.sampling_rate:g} Hz"
    return [
        Check(name="specification", passed=True, said=told),
        _check_values(path, records),
        _check_company(path, records),
        _check_gain(path, records),
        _check_cuts(picker, records),
        _check_openvino(path, records),
        _check_bf16(path, records),
    ]


def _check_values(path: Path, records: Sequence[Window]) -> Check:
    """Probabilities, the same when asked again."""
    model = load_model(path)
    curves = [curves_of(model, record).values for record in records]
    again = [curves_of(model, record).values for record in records]
    low, high = min(c.min() for c in curves), max(c.max() for c in curves)
    inside = bool(low >= 0 and high <= 1)
    alike = all(np.array_equal(a, b) for a, b in zip(curves, again, strict=True))
    told = f"from {low:.3g} to {high:.3g}, {'the same' if alike else 'others'} when asked again"
    return Check(name="probabilities, deterministic", passed=inside and alike, said=told)


def _check_company(path: Path, records: Sequence[Window]) -> Check:
    """Windows alone give what they give among others."""
    model = load_model(path)
    length = model.spec.window_samples
    n_windows = model.batch_size + 1
    rng = np.random.default_rng(0)
    windows = rng.standard_normal((n_windows, 3, length)).astype(np.float32)
    windows[:, :, : min(length, records[0].length)] += records[0].samples[:, :length]
    present = np.ones(windows.shape, bool)
    together = model.predict(list(windows), list(present))
    off = max(
        float(np.abs(model.predict([windows[k]], [present[k]])[0] - together[k]).max())
        for k in (0, n_windows // 2, n_windows - 1)
    )
    said = f"{n_windows} windows together and alone: off by {off:.1g}"
    return Check(name="company in a batch", passed=off == 0, said=said)


def _check_gain(path: Path, records: Sequence[Window]) -> Check:
    """The unit of the records does not matter, to the network itself: a gate may flip a cell."""
    model = load_model(path, gated=False)
    plain = [curves_of(model, record).values for record in records]
    off = 0.0
    for gain in _GAINS:
        scaled = [replace(r, samples=(r.samples * gain).astype(np.float32)) for r in records]
        off = max(off, _largest_difference(plain, [curves_of(model, r).values for r in scaled]))
    said = f"times {' and '.join(f'{gain:g}' for gain in _GAINS)}: off by {off:.1g}"
    return Check(name="unit and gain", passed=off <= _GAIN_DIFFERENCE, said=said)


def _check_cuts(picker: NeuralPicker, records: Sequence[Window]) -> Check:
    """Records in pieces give the picks of the whole."""
    whole = _picks(picker, [[record] for record in records])
    pieces = _picks(picker, [[piece] for record in records for piece in _pieces(record, 7_321)])
    said = f"{len(whole)} picks whole, {len(pieces)} in pieces"
    return Check(name="cuts", passed=whole == pieces, said=said)


def _check_openvino(path: Path, records: Sequence[Window]) -> Check:
    name = "OpenVINO in f32"
    if find_spec("openvino") is None:
        return Check(name=name, passed=None, said="not tried: needs `pip install zilzal[fast]`")
    ours = load_model(path, gated=False)
    theirs = load_model(path, engine="openvino", gated=False)
    off = _largest_difference(
        [curves_of(ours, record).values for record in records],
        [curves_of(theirs, record).values for record in records],
    )
    return Check(name=name, passed=off <= ROUNDING, said=f"off by {off:.1g}")


def _check_bf16(path: Path, records: Sequence[Window]) -> Check:
    name = "OpenVINO in bf16"
    off = bf16_difference(path.read_bytes(), records)
    if off is None:
        return Check(name=name, passed=None, said="not tried: no extra `fast` or no such processor")
    fit = "fit for use" if off <= BF16_LIMIT else "would give other picks: not to be used"
    return Check(name=name, passed=None, said=f"off by up to {off:.2g}, {fit}")


def measure_speed(path: Path, engine: EngineName = "onnxruntime") -> Speed:
    """Processor time on synthetic records with few earthquakes, best of three."""
    model = build_model(path.read_bytes(), engine=engine)
    spec = model.spec
    records = _records(spec, longest_s=1_800.0, n_sensors=1, rate_per_hour=6.0)
    seconds = records[0].length / records[0].sampling_rate
    hop_samples = model.joined * spec.hop_samples
    n_windows = max(round(seconds * spec.sampling_rate / hop_samples), 1)
    length = spec.window_samples - spec.hop_samples + hop_samples
    windows = np.zeros((n_windows, 3, length), np.float32)
    windows += np.random.default_rng(0).standard_normal(windows.shape[1:], np.float32)
    present = np.ones(windows.shape, bool)
    picker = NeuralPicker(model=str(path), engine=engine)
    days, days_seen = (s / 86_400 for s in (seconds, n_windows * hop_samples / spec.sampling_rate))
    return Speed(
        engine=engine,
        network_s=_best_s(lambda: model.predict_each(list(windows), list(present))) / days_seen,
        picker_s=_best_s(lambda: _picks(picker, [[record] for record in records])) / days,
    )


def _records(
    spec: ModelSpec, *, longest_s: float, n_sensors: int, rate_per_hour: float
) -> list[Window]:
    """Of some hundreds of windows, however close these lie."""
    duration_s = min(longest_s, max(_WINDOWS * spec.hop_samples / spec.sampling_rate, 60.0))
    return trial_windows(duration_s=duration_s, n_sensors=n_sensors, rate_per_hour=rate_per_hour)


def _best_s(call: Callable[[], object]) -> float:
    call()
    spent: list[float] = []
    for _ in range(3):
        begun = time.process_time()
        call()
        spent.append(time.process_time() - begun)
    return min(spent)


def _picks(picker: NeuralPicker, steps: Sequence[Sequence[Window]]) -> list[Pick]:
    state = picker.start()
    found: list[Pick] = []
    for step in steps:
        state, picked = picker.step(state, step)
        found += picked.picks
    found += picker.finish(state).picks
    return sorted(found, key=lambda pick: (pick.channel_id.sensor_id, pick.time, pick.phase))


def _pieces(record: Window, length: int) -> list[Window]:
    return [
        replace(
            record,
            start=record.start + first / record.sampling_rate,
            samples=record.samples[:, first : first + length],
            present=record.present[:, first : first + length],
        )
        for first in range(0, record.length, length)
    ]


def _largest_difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> float:
    return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(ours, theirs, strict=True))
