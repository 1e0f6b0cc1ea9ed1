"""Published networks as teachers: what they say of a training window, sample by sample.

A teacher is an ONNX file with its `ModelSpec`, as `zilzal models import` writes it. It sees the
same raw samples as the network that learns from it, prepared its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.core.errors import SpecError
from zilzal.infer.engine import Model, load_model

TAUGHT = ("P", "S")
"""Curves that are learnt from each teacher."""


def load_teachers(paths: Sequence[Path]) -> list[Model]:
    """Networks to learn from.

    Raises:
        ModelError: a file cannot be loaded.
        SpecError: a network gives no P or no S, or changes the sampling rate.
    """
    teachers = [load_model(path) for path in paths]
    for path, teacher in zip(paths, teachers, strict=True):
        spec = teacher.spec
        if not set(TAUGHT) <= set(spec.labels) or spec.preparation.normalisation == "running":
            raise SpecError(
                f"{path}: a teacher gives curves of {TAUGHT} and is normalised window by window; "
                f"{spec.name!r} gives {spec.labels}, normalised by "
                f"{spec.preparation.normalisation!r}"
            )
    return teachers


def taught_curves(
    teachers: Sequence[Model],
    samples: Float32[Array, "batch component sample"],
    present: Bool[Array, "batch component sample"],
) -> Float32[Array, "batch curve sample"]:
    """P and S of each teacher, one teacher after the other.

    The fewest of its windows that cover the samples, evenly spaced, are averaged, but for the
    blind edges inside; a longer window than the samples sees zeros behind them.
    """
    curves = [_curves_of(teacher, samples, present) for teacher in teachers]
    if not curves:
        return np.zeros((len(samples), 0, samples.shape[2]), np.float32)
    return np.concatenate(curves, axis=1)


def _curves_of(
    teacher: Model,
    samples: Float32[Array, "batch component sample"],
    present: Bool[Array, "batch component sample"],
) -> Float32[Array, "batch curve sample"]:
    spec, length = teacher.spec, samples.shape[2]
    rows = [spec.labels.index(label) for label in TAUGHT]
    total = np.zeros((len(samples), len(TAUGHT), length), np.float32)
    count = np.zeros(length, np.float32)
    starts = _starts(length, spec.window_samples, spec.blind_samples)
    for start in starts:
        end = min(length, start + spec.window_samples)
        padding = ((0, 0), (0, 0), (0, start + spec.window_samples - end))
        windows = np.pad(samples[:, :, start:end], padding)
        masks = np.pad(present[:, :, start:end], padding)
        told = teacher.predict(list(windows), list(masks))[:, rows, : end - start]
        used = slice(
            start + (spec.blind_samples if start else 0),
            end - (spec.blind_samples if end < length else 0),
        )
        total[:, :, used] += told[:, :, used.start - start : used.stop - start]
        count[used] += 1
    return total / count


def _starts(length: int, window: int, blind: int) -> list[int]:
    if length <= window:
        return [0]
    n_windows = 1 + -(-(length - window) // (window - 2 * blind))
    return np.linspace(0, length - window, n_windows).round().astype(int).tolist()
