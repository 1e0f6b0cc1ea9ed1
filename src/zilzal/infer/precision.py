"""What numbers of fewer digits do to a network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from zilzal.core.waveform import Window
from zilzal.infer.engine import build_model
from zilzal.infer.windows import curves_of


def bf16_difference(model_bytes: bytes, records: Sequence[Window]) -> float | None:
    """Largest difference of a network's curves in bf16 from those in f32.

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
    full = build_model(model_bytes)
    short = build_model(model_bytes, engine="openvino-bf16")
    return max(
        float(np.nanmax(np.abs(curves_of(short, r).values - curves_of(full, r).values), initial=0))
        for r in records
    )
