"""What numbers of fewer digits do to a network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from zilzal.core.pick import Phase
from zilzal.core.waveform import Window
from zilzal.infer.engine import build_model
from zilzal.infer.windows import curves_of


def bf16_difference(model_bytes: bytes, records: Sequence[Window]) -> float | None:
    """Largest difference of the curves that picks are read from, in bf16, from those in f32.

    A detection's curve hangs between its levels for seconds, and moves there by more than counts.

    Args:
        model_bytes: of the ONNX file with its specification.
        records: gap-free, with arrivals: on noise alone a network says nothing either way.

    Returns:
        None where the extra `fast` or a processor with bf16 is missing.
    """
    if find_spec("openvino") is None:
        return None
    from zilzal.infer.openvino import has_bf16

    if not has_bf16():
        return None
    full = build_model(model_bytes, gated=False)
    short = build_model(model_bytes, engine="openvino-bf16", gated=False)
    phases = [row for row, label in enumerate(full.spec.labels) if label in tuple(Phase)]
    rows = phases or slice(None)
    return max(
        float(np.nanmax(np.abs(one.values[rows] - other.values[rows]), initial=0))
        for one, other in ((curves_of(short, r), curves_of(full, r)) for r in records)
    )
